"""A lesion's pictures are laid over each other, and a change is told with its error."""

import io
import re

import pytest
from django.urls import reverse
from PIL import Image

from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Lesion
from secondlook.clinic.timeline.course import compare_pictures, find_magnification, measure_noise
from secondlook.clinic.timeline.pairs import compare_files
from secondlook.clinic.timeline.presentation import write_transform
from secondlook.explanation.change.appearance import pool_noise
from tests.clinic.conftest import AsRole
from tests.clinic.timeline.conftest import Follow


def read_page(as_role: AsRole, lesion: Lesion, query: str = "", **options: str) -> str:
    response = as_role("clinician", **options).get(reverse("timeline:lesion", args=[lesion.key]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_growth_is_told_and_both_pictures_lie_over_each_other(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    follow(1)
    follow(20, growth=1.5, turn=7)
    page = read_page(as_role, lesion)
    assert re.search(r"Larger: area \+\d\d% \(95% interval \+\d+% to \+\d+%\)", page)
    assert "matrix(" in page
    assert 'data-view="difference"' in page
    assert Entry.objects.filter(action="timeline.seen", key=lesion.key).exists()


def test_the_transform_undoes_the_turn(follow: Follow) -> None:
    earlier, later = follow(1), follow(2, turn=10)
    numbers = re.findall(r"-?[\d.]+", write_transform(compare_pictures(earlier, later, noise=pool_noise())))
    across, down = float(numbers[0]), float(numbers[1])
    # Pillow turns the other way round than SVG.
    assert across == pytest.approx(0.985, abs=0.02)
    assert down == pytest.approx(0.174, abs=0.02)


def test_what_is_within_the_error_is_no_change(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    follow(1)
    follow(20, growth=1.04, turn=-5)
    page = read_page(as_role, lesion)
    assert "No change of area beyond the error" in page
    assert "No change of colour beyond the error" in page


def test_another_lesion_is_compared_by_eye_alone(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    follow(1)
    follow(20, seed=9)
    page = read_page(as_role, lesion)
    assert "do not match well enough to lay one over the other" in page
    assert "Area not measured" in page
    assert "matrix(" not in page
    assert "data-view" not in page
    address = reverse("timeline:difference", args=[lesion.key])
    assert as_role("clinician").get(address).status_code == 404


def test_one_picture_teaches_what_a_timeline_is(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    assert "Two pictures make a timeline" in read_page(as_role, lesion)
    follow(1)
    assert "Two pictures make a timeline" in read_page(as_role, lesion)
    assert as_role("clinician").get(reverse("timeline:difference", args=[lesion.key])).status_code == 404


def test_any_two_pictures_can_be_chosen_in_any_order(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    first, second, third = follow(1), follow(5, turn=3), follow(9, turn=6)
    chosen = r'<option value="([\w-]+)" selected>'
    assert re.findall(chosen, read_page(as_role, lesion)) == [first.key, third.key]
    assert re.findall(chosen, read_page(as_role, lesion, f"?from={third.key}&to={second.key}")) == [
        second.key,
        third.key,
    ]
    assert re.findall(chosen, read_page(as_role, lesion, "?from=nothing&to=nowhere")) == [first.key, third.key]
    assert re.findall(chosen, read_page(as_role, lesion, f"?from={third.key}&to={third.key}")) == [
        first.key,
        third.key,
    ]


def test_pictures_of_one_day_give_the_error(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    pictures = [follow(1), follow(1, turn=4), follow(20, turn=-4)]
    noise = measure_noise(pictures)
    assert noise.pairs == 1
    assert noise.log_area < pool_noise().log_area
    assert noise.colour < pool_noise().colour
    assert "1 pair of this lesion’s own pictures" in read_page(as_role, lesion)


def test_the_same_file_twice_gives_no_error(follow: Follow) -> None:
    pictures = [follow(1), follow(1), follow(20)]
    assert pictures[0].sha256 == pictures[1].sha256
    assert measure_noise(pictures) == pool_noise()


def test_a_known_size_of_pixels_needs_no_registration(follow: Follow) -> None:
    earlier, later = follow(1, mm_per_px=0.02), follow(20, mm_per_px=0.04)
    pair = compare_files(earlier.shown, later.shown)
    assert find_magnification(pair, earlier, later) == ("", pytest.approx(0.5))
    other = follow(21, seed=9, mm_per_px=0.02)
    assert compare_pictures(earlier, other, noise=pool_noise()).obstacle == ""


def test_the_difference_is_a_picture_over_the_earlier_one(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    follow(1)
    follow(20, growth=1.6)
    response = as_role("clinician").get(reverse("timeline:difference", args=[lesion.key]))
    assert response["Content-Type"] == "image/png"
    assert "no-store" in response["Cache-Control"]
    with Image.open(io.BytesIO(response.content)) as drawn:
        assert drawn.mode == "RGBA"
        assert drawn.width / drawn.height == pytest.approx(480 / 360, rel=0.01)
        covered = sum(drawn.getchannel("A").histogram()[1:]) / (drawn.width * drawn.height)
    assert 0.02 < covered < 0.5


def test_the_course_holds_every_picture_as_a_page_and_as_a_part(
    follow: Follow, lesion: Lesion, as_role: AsRole
) -> None:
    keys = [follow(1).key, follow(5, turn=3).key, follow(9, growth=1.5).key]
    browser, address = as_role("clinician"), reverse("timeline:course", args=[lesion.key])
    page = browser.get(address).content.decode()
    part = browser.get(address, headers={"hx-request": "true"}).content.decode()
    assert "<!doctype html>" in page
    assert "<!doctype html>" not in part
    for text in (page, part):
        assert all(f"to={key}" in text for key in keys[1:])
        assert text.count("course-error") == 2
        assert "Larger: area" in text


def test_a_course_of_one_picture_says_so(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    address = reverse("timeline:course", args=[lesion.key])
    assert "no second picture" in as_role("clinician").get(address).content.decode()
    follow(1)
    assert "no second picture" in as_role("clinician").get(address).content.decode()


def test_a_course_without_any_area_draws_no_empty_chart(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    follow(1)
    follow(20, seed=9)
    page = as_role("clinician").get(reverse("timeline:course", args=[lesion.key])).content.decode()
    assert "Area not measured" in page
    assert "course-chart" not in page
    assert "Area against the first picture" not in page


def test_the_page_speaks_french(follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    follow(1)
    follow(20)
    page = read_page(as_role, lesion, language="fr")
    assert "Pas de changement de surface au-delà de l’erreur" in page


@pytest.mark.parametrize("name", ["lesion", "course", "difference"])
def test_nobody_else_sees_it(name: str, follow: Follow, lesion: Lesion, as_role: AsRole) -> None:
    address = reverse(f"timeline:{name}", args=[lesion.key])
    stranger = Practice.objects.create(name="Practice by the sea")
    assert as_role("clinician", practice=stranger).get(address).status_code == 404
    assert as_role("patient").get(address).status_code == 403
    assert as_role("administrator").get(address).status_code == 403
