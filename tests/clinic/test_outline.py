"""The outline on the answer page and in the API: for skin alone, and for what can be judged."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.site import draw_triage


def ask(client: Client, triage: str, task: str = "skin") -> str:
    fields = {"file": SimpleUploadedFile("a.png", draw_triage(triage, task)), "task": task}
    response = client.post("/try/", fields, headers={"hx-request": "true"})
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def test_the_outline_is_drawn_with_four_figures_in_words(client: Client) -> None:
    page = ask(client, "urgent")
    points = re.search(r'<polygon id="outline" class="outline" points="([^"]+)"', page)
    assert points
    places = [tuple(map(float, point.split(","))) for point in points[1].split()]
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)" role="img"', page).groups())  # type: ignore[union-attr]
    assert len(places) == 360
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    # The drawn lesion lies in the middle.
    assert sum(x for x, _ in places) / 360 == pytest.approx(width / 2, rel=0.2)
    panel = page.split('id="outline-title"')[1].split("</section>")[0]
    assert "Figures of the outline, not of the disease." in panel
    assert re.search(r"\d% of its area has no mirror image", panel)
    assert re.search(r"irregularity \d+\.\d\d; a circle has 1", panel)
    assert re.search(r"brown|red|black|blue-grey|white", panel)
    assert re.search(r"\d+ pixels; the file does not say", panel)


def test_french_readers_have_french_figures(french: Client) -> None:
    panel = ask(french, "urgent").split('id="outline-title"')[1].split("</section>")[0]
    assert "Contour de la lésion" in panel
    assert re.search(r"irrégularité \d+,\d\d", panel)


def test_there_is_none_for_x_rays_and_for_what_cannot_be_judged(client: Client) -> None:
    assert "outline" not in ask(client, "urgent", "chest")
    assert "outline" not in ask(client, "not_evaluable")


def test_the_api_gives_it_for_skin_alone(client: Client) -> None:
    for task, there in (("skin", True), ("chest", False)):
        fields = {"file": SimpleUploadedFile("a.png", draw_triage("urgent", task)), "task": task}
        assert client.post("/api/v1/predict", fields).json()["outline"] is None
        fields["file"] = SimpleUploadedFile("a.png", draw_triage("urgent", task))
        answer = client.post("/api/v1/predict", fields | {"outline": "true"}).json()
        assert (answer["outline"] is not None) == there
        if there:
            outline = answer["outline"]
            assert len(outline["border"]) == 360
            assert 0 <= outline["asymmetry"] < 1 <= outline["irregularity"]
            assert outline["diameter_mm"] is None
            assert set(outline["colours"]) == {"white", "red", "light_brown", "dark_brown", "blue_grey", "black"}
