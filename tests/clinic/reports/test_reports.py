"""Reports are tagged PDF in the patient's language, hold what was said, and fetch nothing."""

import contextlib
import re
import sys
import zlib
from collections.abc import Mapping

import pytest
from django.urls import reverse

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.models import Lesion, Patient, Visit
from secondlook.clinic.cases.services import give_opinion
from secondlook.clinic.reports import rendering, services
from secondlook.errors import InputError
from secondlook.imaging.read import read_picture
from tests.clinic.cases.conftest import SendPicture
from tests.clinic.conftest import AsRole
from tests.clinic.timeline.conftest import Follow
from tests.drawing import draw_lesion, encode


def unpack(pdf: bytes) -> bytes:
    """Return what the compressed streams of a PDF hold."""
    parts = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):  # pictures are packed otherwise
            parts.append(zlib.decompress(stream))
    return b"\n".join(parts)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what becomes the page and the pictures of the last report."""
    kept: dict[str, str] = {}

    def render(html: str, pictures: Mapping[str, bytes]) -> bytes:
        kept.update(html=html, pictures=" ".join(sorted(pictures)))
        return b"%PDF-1.7"

    monkeypatch.setattr(rendering, "render_pdf", render)
    return kept


def test_a_report_is_a_tagged_pdf_in_the_language_of_the_patient(
    follow: Follow, lesion: Lesion, as_role: AsRole
) -> None:
    follow(1)
    follow(20, growth=1.5)
    response = as_role("clinician").get(reverse("reports:lesion", args=[lesion.key]))
    assert response["Content-Type"] == "application/pdf"
    assert "no-store" in response["Cache-Control"]
    assert 'filename="lesion-1.pdf"' in response["Content-Disposition"]
    pdf = response.content
    assert pdf.startswith(b"%PDF-")
    unpacked = pdf + unpack(pdf)
    for mark in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang (fr)", b"pdfuaid", b"/DisplayDocTitle true"):
        assert mark in unpacked
    entry = Entry.objects.get(action="report.made")
    assert entry.key == lesion.key
    assert entry.details["language"] == "fr"
    assert len(entry.details["pictures"]) == 2


def test_the_report_of_a_visit_holds_every_picture_and_what_doctors_said(
    send: SendPicture, visit: Visit, actor: Actor, as_role: AsRole, written: dict[str, str]
) -> None:
    result = send("urgent", "skin").results.get()
    send("not_evaluable", "skin")
    send("refer", "chest")
    give_opinion(actor=actor, result=result, verdict="histology", label="bcc", note="a secret note")
    assert as_role("clinician").get(reverse("reports:visit", args=[visit.key])).status_code == 200
    page = written["html"]
    assert '<html lang="en">' in page
    for sentence in (
        "Report of the visit of",
        "Urgent",
        "Not evaluable",
        "Histology: <strong>Basal cell carcinoma</strong> (Alex Roe",
        "supports a decision",
        "no diagnosis",
        result.bundle_sha256,
        result.key,
        "For children of one to five years",
    ):
        assert sentence in page
    assert "secret" not in page
    assert written["pictures"] == "heated-1 heated-3 plain-1 plain-2 plain-3"


def test_the_report_of_a_lesion_tells_what_changed(
    follow: Follow, lesion: Lesion, as_role: AsRole, written: dict[str, str]
) -> None:
    follow(1)
    follow(20, growth=1.5)
    as_role("clinician", language="en").get(reverse("reports:lesion", args=[lesion.key]))
    assert "Plus grande : surface +" in written["html"].replace("\u00a0", " ")
    assert written["pictures"] == "earlier heated-1 heated-2 later plain-1 plain-2"


def test_a_report_says_that_it_shows_not_all(
    send: SendPicture, visit: Visit, as_role: AsRole, written: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_PICTURES", 1)
    for triage in ("routine", "urgent"):
        send(triage, "skin")
    as_role("clinician").get(reverse("reports:visit", args=[visit.key]))
    assert "This report shows 1 of 2 pictures." in written["html"]


def test_an_empty_visit_has_a_report_that_says_so(visit: Visit, as_role: AsRole, written: dict[str, str]) -> None:
    as_role("clinician").get(reverse("reports:visit", args=[visit.key]))
    assert "no picture to report on" in written["html"]


@pytest.mark.parametrize(
    "address",
    ["http://localhost:1/x.png", "file:///etc/passwd", "kept:other", "data:image/png;base64,AAAA", "//localhost:1/x"],
)
def test_nothing_else_is_ever_fetched(address: str) -> None:
    fetcher = rendering.Fetcher({"own": b"content"})
    with pytest.raises(rendering.FatalURLFetchingError):
        fetcher.fetch(address)
    assert fetcher.fetch("kept:own").read() == b"content"
    with pytest.raises(rendering.FatalURLFetchingError):
        rendering.render_pdf(f'<html lang="en"><title>x</title><img alt="x" src="{address}">', {})


def test_files_that_are_cut_short_are_refused_after_a_report_too() -> None:
    rendering.render_pdf('<html lang="en"><title>x</title><p>x', {})
    whole = encode(draw_lesion(1), "JPEG")
    with pytest.raises(InputError):
        read_picture(whole[: len(whole) // 2])


def test_without_pango_a_sentence_says_what_to_install(
    visit: Visit, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing:
        """Stands in for the import system where Pango is missing."""

        def find_spec(self, name: str, *arguments: object) -> None:
            if name == "secondlook.clinic.reports.rendering":
                raise OSError("cannot load library 'libgobject-2.0-0'")

    monkeypatch.delitem(sys.modules, "secondlook.clinic.reports.rendering")
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    response = as_role("clinician").get(reverse("reports:visit", args=[visit.key]))
    assert response.status_code == 503
    assert "apt-get install libpango" in response.content.decode()
    assert not Entry.objects.filter(action="report.made").exists()


@pytest.mark.parametrize("name", ["visit", "lesion"])
def test_patients_get_their_own_where_the_practice_shows_them_their_results(
    name: str, visit: Visit, lesion: Lesion, as_role: AsRole, written: dict[str, str]
) -> None:
    row = {"visit": visit, "lesion": lesion}[name]
    client = as_role("patient")
    Patient.objects.filter(pk=row.patient_id).update(account=client.user)  # type: ignore[attr-defined]
    for shown, status in {True: 200, False: 404}.items():
        Practice.objects.update(patients_see_results=shown)
        assert client.get(reverse(f"reports:{name}", args=[row.key])).status_code == status


@pytest.mark.parametrize("name", ["visit", "lesion"])
def test_nobody_else_gets_one(name: str, visit: Visit, lesion: Lesion, as_role: AsRole) -> None:
    address = reverse(f"reports:{name}", args=[{"visit": visit, "lesion": lesion}[name].key])
    stranger = Practice.objects.create(name="Practice by the sea")
    assert as_role("clinician", practice=stranger).get(address).status_code == 404
    assert as_role("patient").get(address).status_code == 404
    assert as_role("administrator").get(address).status_code == 403
