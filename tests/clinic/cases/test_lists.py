"""Lists: narrowed, sorted, paged; each row once however they are walked."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from secondlook.clinic.cases.models import Lesion, Patient
from secondlook.clinic.cases.paging import PAGE_ROWS, Listing, Order
from tests.clinic.cases.conftest import MakePatient, MakePicture
from tests.clinic.conftest import AsRole


@pytest.fixture
def clinician(as_role: AsRole) -> Client:
    return as_role("clinician")


def list_names(client: Client, address: str) -> list[str]:
    """Return the names of the rows, in order."""
    page = client.get(address).content.decode()
    return re.findall(r'class="row-name" href="[^"]+">([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("text", "names"),
    [("", ["Ann Lake", "Élodie Zürn", "P-17"]), ("elo", ["Élodie Zürn"]), ("ZUR élo", ["Élodie Zürn"]), ("x", [])],
)
def test_patients_by_name_without_accents_and_case(
    clinician: Client, make_patient: MakePatient, text: str, names: list[str]
) -> None:
    for name in ("P-17", "Élodie Zürn", "Ann Lake"):
        make_patient(name)
    assert list_names(clinician, f"/patients/?text={text}") == names


def test_patients_with_a_result(clinician: Client, make_patient: MakePatient, make_picture: MakePicture) -> None:
    make_picture(make_patient("Ann Lake"), triage="urgent")
    make_picture(make_patient("Bob Hill"))
    make_patient("Cy Wood")
    assert list_names(clinician, "/patients/?triage=urgent") == ["Ann Lake"]
    assert list_names(clinician, "/patients/?sort=new") == ["Cy Wood", "Bob Hill", "Ann Lake"]


RESULTS = {
    "": ["Cy", "Bob", "Ann"],
    "sort=old": ["Ann", "Bob", "Cy"],
    "sort=risk": ["Bob", "Cy", "Ann"],
    "triage=urgent": ["Bob"],
    "label=skin:mel": ["Bob"],
    "label=chest:normal": ["Cy"],
    "since=2026-05-02": ["Cy", "Bob"],
    "until=2026-05-02": ["Bob", "Ann"],
    "since=2026-05-02&until=2026-05-02": ["Bob"],
    "review=waiting": ["Ann"],
    "review=reviewed": ["Cy", "Bob"],
    "review=disagreed": ["Cy"],
    "text=b&triage=urgent": ["Bob"],
    "text=a&triage=urgent": [],
    "triage=nonsense&since=never": ["Cy", "Bob", "Ann"],
}


@pytest.mark.parametrize("asked", RESULTS)
def test_results(clinician: Client, make_patient: MakePatient, make_picture: MakePicture, asked: str) -> None:
    make_picture(make_patient("Ann"), on=date(2026, 5, 1), risk=0.01)
    make_picture(make_patient("Bob"), on=date(2026, 5, 2), triage="urgent", label="mel", risk=0.9, reviewed=True)
    facts = {"task": "chest", "label": "normal", "risk": 0.3, "reviewed": True, "disagreed": True}
    make_picture(make_patient("Cy"), on=date(2026, 5, 3), **facts)
    assert list_names(clinician, f"/results/?{asked}") == RESULTS[asked]


def test_lesions_by_their_latest_answer(
    clinician: Client, make_patient: MakePatient, make_picture: MakePicture
) -> None:
    patient = make_patient("Ann", lesions=2)
    first, second = patient.lesions.order_by("number")
    make_picture(patient, lesion=first, on=date(2026, 5, 1), triage="urgent", label="mel")
    later = make_picture(patient, lesion=first, on=date(2026, 5, 9))
    make_picture(patient, lesion=second, on=date(2026, 5, 2), triage="urgent", label="mel")
    assert list_names(clinician, "/lesions/?triage=urgent") == ["2 · Chest"]
    assert list_names(clinician, "/lesions/?since=2026-05-05") == ["1 · Chest"]
    clinician.post(f"/visits/{later.visit.key}/remove/")
    assert list_names(clinician, "/lesions/?triage=urgent&sort=old") == ["1 · Chest", "2 · Chest"]


@pytest.mark.parametrize("sort", ["name", "new"])
def test_pages_forth_and_back_show_each_row_once(clinician: Client, make_patient: MakePatient, sort: str) -> None:
    names = [f"Same {number % 3}" for number in range(2 * PAGE_ROWS + 5)]
    for name in names:
        make_patient(name)
    address, walked = f"/patients/?sort={sort}", []
    while address:
        page = clinician.get(address).content.decode()
        walked.append(re.findall(r'class="row-name" href="([^"]+)"', page))
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        address = onward[1].replace("&amp;", "&") if onward else ""
    assert [len(rows) for rows in walked] == [PAGE_ROWS, PAGE_ROWS, 5]
    assert len({row for rows in walked for row in rows}) == len(names)
    back = re.search(r'rel="prev" href="([^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
    before = clinician.get(back).content.decode()
    assert re.findall(r'class="row-name" href="([^"]+)"', before) == walked[1]


def test_a_page_after_a_row_that_is_gone_is_the_first(make_patient: MakePatient) -> None:
    for number in range(3):
        make_patient(f"P-{number}")
    rows = Patient.objects.all()
    page = Listing(rows, rows, rows, Order("folded_name")).take_page(after="gone")
    assert [row.name for row in page.rows] == ["P-0", "P-1", "P-2"]
    assert (page.before, page.after, page.count, page.many) == ("", "", 3, False)


def test_htmx_gets_the_rows_alone(clinician: Client, make_patient: MakePatient) -> None:
    make_patient("Ann Lake")
    response = clinician.get("/patients/?text=ann", headers={"HX-Request": "true"})
    assert b"Ann Lake" in response.content
    assert b"<html" not in response.content
    assert "HX-Request" in response.headers["Vary"]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/patients/", "Add the first patient"),
        ("/lesions/", "Open a patient and mark it on the body map."),
        ("/results/", "Pictures belong to a visit"),
        ("/", "A practice begins with a patient"),
        ("/results/?triage=urgent", "Nothing fits all of this"),
    ],
)
def test_what_is_empty_teaches(clinician: Client, address: str, sentence: str) -> None:
    assert sentence in clinician.get(address).content.decode()


@pytest.mark.parametrize("address", ["/patients/", "/lesions/", "/results/", "/"])
def test_more_rows_ask_the_database_no_more_often(
    clinician: Client, make_patient: MakePatient, make_picture: MakePicture, address: str
) -> None:
    asked = []
    for _count in range(3):
        patient = make_patient("P", lesions=1)
        make_picture(patient, lesion=Lesion.objects.get(patient=patient), triage="urgent")
        with CaptureQueriesContext(connection) as queries:
            clinician.get(address)
        asked.append(len(queries))
    assert asked[1] == asked[2]
