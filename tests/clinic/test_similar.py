"""Similar cases on the answer page: shown without names, absent without a set, refused where they do not fit."""

import html
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from secondlook.data.manifest import Manifest
from secondlook.errors import BundleError
from secondlook.explanation.similar import build_reference
from secondlook.inference.predictor import load_predictor
from tests.drawing import draw_lesion
from tests.site import draw_triage


@pytest.fixture(scope="module")
def reference(site_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a reference set of drawn lesions, built with the bundle that the site offers first."""
    folder, rows = tmp_path_factory.mktemp("cases"), []
    for seed in range(8):
        label = ("mel", "nv")[seed % 2]
        draw_lesion(seed, label, size=(200, 150)).save(folder / f"Jane-Doe-{seed}.png")
        row = {"image": f"Jane-Doe-{seed}.png", "label": label, "group": f"Patient-{seed}", "reference": "histo"}
        rows.append(row)
    build_reference(load_predictor(site_bundle), Manifest(pd.DataFrame(rows), folder), folder / "set")
    return folder / "set"


@pytest.fixture
def shown(site: Path, reference: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the site use the set."""
    from django.conf import settings

    from secondlook.clinic.look.similar import load_references

    changed = settings.CONFIGURATION.model_copy(update={"references": (str(reference),)})
    monkeypatch.setattr(settings, "CONFIGURATION", changed)
    load_references.cache_clear()
    yield
    load_references.cache_clear()


def ask(client: Client, triage: str = "urgent") -> str:
    response = client.post(
        "/try/",
        {"file": SimpleUploadedFile("a.png", draw_triage(triage)), "task": "skin"},
        headers={"hx-request": "true"},
    )
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def test_the_nearest_cases_are_shown_without_names(client: Client, french: Client, shown: None) -> None:
    page = ask(client)
    panel = page.split('id="similar-title"')[1].split("</section>")[0]
    assert "From this site’s own 8 pictures of 8 patients or lesions" in panel
    assert panel.count("<li") == 5
    assert "Melanoma" in panel
    assert "histology" in panel
    assert "Jane" not in page
    assert "Patient-" not in page
    assert "Cas confirmés les plus proches" in ask(french)


def test_there_are_none_without_a_set_and_for_what_cannot_be_judged(client: Client) -> None:
    assert "similar-title" not in ask(client)


def test_there_are_none_for_what_cannot_be_judged(client: Client, shown: None) -> None:
    assert "similar-title" not in ask(client, "not_evaluable")


def test_a_set_of_a_graph_that_is_not_on_offer_is_refused(shown: None) -> None:
    from secondlook.clinic.look.similar import check_references, load_references

    graphs = set(load_references())
    check_references(graphs)
    with pytest.raises(BundleError, match="whose graph is not"):
        check_references({"0" * 64})
