"""Lesions on the body map, and visits."""

import re
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from secondlook.clinic.cases.body import FIGURES, HEIGHT, PLACES, WIDTH
from secondlook.clinic.cases.models import Lesion, Picture, Visit
from tests.clinic.cases.conftest import MakePatient, MakePicture
from tests.clinic.conftest import AsRole


@pytest.fixture
def clinician(as_role: AsRole) -> Client:
    return as_role("clinician")


def test_each_region_is_drawn_once_on_its_figure_with_its_middle_inside_the_ground() -> None:
    for side, regions in FIGURES.items():
        assert len({region.site for region in regions}) == len(regions) >= 15
        for region in regions:
            assert region.side == side
            assert 0 < region.x < 1
            assert 0 < region.y < 1
            assert PLACES[f"{side}:{region.site}"] is region
    assert (WIDTH, HEIGHT) == (200, 440)


def test_the_patient_s_right_is_on_the_reader_s_left_in_front_and_on_the_right_behind() -> None:
    assert PLACES["front:right_hand"].x < 0.5 < PLACES["front:left_hand"].x
    assert PLACES["back:left_hand"].x < 0.5 < PLACES["back:right_hand"].x


def test_a_lesion_lies_where_it_was_clicked_or_in_the_middle_of_its_region(
    clinician: Client, make_patient: MakePatient
) -> None:
    patient = make_patient()
    address = f"/patients/{patient.key}/lesions/new/"
    clinician.post(address, {"place": "back:nape", "x": "0.51", "y": "0.18", "name": "Dark"})
    clinician.post(address, {"place": "front:left_foot"})
    first, second = Lesion.objects.order_by("number")
    assert (first.number, first.side, first.site, first.x, first.y) == (1, "back", "nape", 0.51, 0.18)
    middle = PLACES["front:left_foot"]
    assert (second.number, second.x, second.y) == (2, middle.x, middle.y)
    page = clinician.get(f"/patients/{patient.key}/").content.decode()
    assert re.findall(r'class="mark" href="[^"]+" aria-label="([^"]+)"', page) == [
        "2, Left foot: No picture yet",
        "1, Nape: No picture yet",
    ]


@pytest.mark.parametrize(
    "fields", [{}, {"place": "front:wing"}, {"place": "front:chest", "x": "1.5", "y": "0.5"}, {"place": "back:face"}]
)
def test_a_place_that_is_none_is_refused(clinician: Client, make_patient: MakePatient, fields: dict[str, str]) -> None:
    response = clinician.post(f"/patients/{make_patient().key}/lesions/new/", fields)
    assert response.status_code == 400
    assert not Lesion.objects.exists()


def test_a_number_is_never_given_again(clinician: Client, make_patient: MakePatient) -> None:
    patient = make_patient(lesions=2)
    clinician.post(f"/lesions/{patient.lesions.get(number=2).key}/remove/")
    clinician.post(f"/patients/{patient.key}/lesions/new/", {"place": "front:chest"})
    assert sorted(patient.lesions.values_list("number", flat=True)) == [1, 2, 3]


def test_moving_a_lesion_keeps_its_number(clinician: Client, make_patient: MakePatient) -> None:
    lesion = make_patient(lesions=1).lesions.get()
    page = clinician.get(f"/lesions/{lesion.key}/edit/").content.decode()
    assert '<option value="front:chest" selected>' in page
    clinician.post(f"/lesions/{lesion.key}/edit/", {"place": "back:buttocks", "x": "", "y": ""})
    lesion.refresh_from_db()
    assert (lesion.number, lesion.side, lesion.site) == (1, "back", "buttocks")


def test_without_a_click_a_lesion_moves_to_the_middle_of_its_new_region(
    clinician: Client, make_patient: MakePatient
) -> None:
    lesion = make_patient(lesions=1).lesions.get()
    seen = {"place": "front:chest", "x": str(lesion.x), "y": str(lesion.y)}
    opened = seen | {f"initial-{name}": value for name, value in seen.items()}
    clinician.post(f"/lesions/{lesion.key}/edit/", opened | {"name": "Dark"})
    moved = Lesion.objects.get()
    assert (moved.site, moved.x, moved.y, moved.name) == ("chest", lesion.x, lesion.y, "Dark")
    clinician.post(f"/lesions/{lesion.key}/edit/", opened | {"name": "Dark", "place": "back:buttocks"})
    moved, middle = Lesion.objects.get(), PLACES["back:buttocks"]
    assert (moved.site, moved.x, moved.y) == ("buttocks", middle.x, middle.y)


def test_a_removed_lesion_leaves_its_pictures_with_their_visit(
    clinician: Client, make_patient: MakePatient, make_picture: MakePicture
) -> None:
    patient = make_patient(lesions=1)
    lesion = patient.lesions.get()
    picture = make_picture(patient, lesion=lesion)
    page = clinician.post(f"/lesions/{lesion.key}/remove/", follow=True).content.decode()
    assert "its pictures stay with their visits" in page
    visit = clinician.get(f"/visits/{picture.visit.key}/").content.decode()
    assert picture.key in visit
    assert "1 · Chest" not in visit
    clinician.post(f"/lesions/{lesion.key}/restore/")
    assert "1 · Chest" in clinician.get(f"/visits/{picture.visit.key}/").content.decode()


def test_a_visit_is_made_and_changed(clinician: Client, make_patient: MakePatient) -> None:
    patient = make_patient()
    clinician.post(f"/patients/{patient.key}/visits/new/", {"date": "2026-05-04", "note": "Itches"})
    visit = Visit.objects.get()
    assert (visit.patient, visit.practice, visit.date) == (patient, patient.practice, date(2026, 5, 4))
    assert "Itches" in clinician.get(f"/visits/{visit.key}/").content.decode()
    clinician.post(f"/visits/{visit.key}/edit/", {"date": "2026-05-05"})
    visit.refresh_from_db()
    assert visit.date == date(2026, 5, 5)


def test_pictures_take_the_date_that_their_visit_is_changed_to(
    clinician: Client, make_patient: MakePatient, make_picture: MakePicture
) -> None:
    patient = make_patient(lesions=1)
    lesion = patient.lesions.get()
    mistaken = make_picture(patient, lesion=lesion, on=date(2026, 5, 4), triage="urgent", label="mel")
    make_picture(patient, lesion=lesion, on=date(2026, 4, 1))
    clinician.post(f"/visits/{mistaken.visit.key}/edit/", {"date": "2025-05-04"})
    mistaken.refresh_from_db()
    lesion.refresh_from_db()
    assert mistaken.taken_on == date(2025, 5, 4)
    assert (lesion.pictured_on, lesion.triage) == (date(2026, 4, 1), "routine")


def test_no_visit_is_before_the_birth(clinician: Client, make_patient: MakePatient) -> None:
    patient = make_patient(birth_date=date(2024, 2, 29))
    adding = f"/patients/{patient.key}/visits/new/"
    refused = clinician.post(adding, {"date": "2024-02-28"})
    assert refused.status_code == 400
    assert "before the birth date, Feb. 29, 2024" in refused.content.decode()
    assert clinician.post(adding, {"date": "2024-02-29"}).status_code == 302
    born = {"name": patient.name, "language": "en", "birth_date": "2024-03-01"}
    refused = clinician.post(f"/patients/{patient.key}/edit/", born)
    assert refused.status_code == 400
    assert "The visit of Feb. 29, 2024 would be before" in refused.content.decode()


def test_a_visit_to_come_is_refused(clinician: Client, make_patient: MakePatient) -> None:
    later = timezone.localdate() + timedelta(days=2)  # tomorrow may have come when it is judged
    response = clinician.post(f"/patients/{make_patient().key}/visits/new/", {"date": later.isoformat()})
    assert response.status_code == 400
    assert "this one is to come" in response.content.decode()


def test_a_visit_of_a_removed_patient_stays_away(
    clinician: Client, make_patient: MakePatient, make_picture: MakePicture
) -> None:
    picture = make_picture(make_patient())
    clinician.post(f"/visits/{picture.visit.key}/remove/")
    assert Picture.objects.get().removed_at is not None
    clinician.post(f"/patients/{picture.patient.key}/remove/")
    assert clinician.post(f"/visits/{picture.visit.key}/restore/").status_code == 404
    clinician.post(f"/patients/{picture.patient.key}/restore/")
    assert clinician.get(f"/visits/{picture.visit.key}/").status_code == 404
    assert clinician.post(f"/visits/{picture.visit.key}/restore/").status_code == 302
    assert Picture.objects.get().removed_at is None
