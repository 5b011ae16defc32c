"""The practice's pictures as manifests that `secondlook data check` accepts."""

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from django.urls import reverse

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.cases.commands import export
from secondlook.clinic.cases.exports import export_folder
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from secondlook.clinic.cases.services import give_opinion
from secondlook.clinic.files.services import read_file
from secondlook.data.check import check_manifest
from secondlook.data.manifest import read_manifest
from secondlook.errors import InputError
from tests.clinic.cases.conftest import SendPicture
from tests.clinic.conftest import AsRole


@pytest.fixture
def pictures(send: SendPicture, actor: Actor, practice: Practice) -> list[Picture]:
    """Return pictures of two patients, sent by turns: of the skin, of the chest, and one that nobody has named."""
    patients = [
        Patient.objects.create(practice=practice, name="Jane Doe", birth_date=date(1961, 5, 5), sex="female"),
        Patient.objects.create(practice=practice, name="=cmd()", skin_type=5),
    ]
    visits = [Visit.objects.create(practice=practice, patient=one, date=date(2026, 5, 4)) for one in patients]
    lesion = Lesion.objects.create(practice=practice, patient=patients[0], number=1, site="back")
    sent = [
        send("urgent", "skin", visit=visits[0], lesion=lesion),
        send("refer", "skin", visit=visits[1]),
        send("routine", "skin", visit=visits[0]),
        send("urgent", "chest", visit=visits[1]),
        send("refer", "skin", visit=visits[1]),
    ]
    for picture, verdict, label in zip(
        sent, ("histology", "correct", "agree", "agree"), ("nv", "bcc", "", ""), strict=False
    ):
        give_opinion(actor=actor, result=picture.results.get(), verdict=verdict, label=label, note="=1+1")
    return sent


def test_a_folder_holds_manifests_that_are_sound(pictures: list[Picture], practice: Practice, tmp_path: Path) -> None:
    assert export_folder(practice, tmp_path / "out") == {"skin": 3, "chest": 1, "unconfirmed": 1}
    for task in ("skin", "chest"):
        manifest = read_manifest(tmp_path / "out" / f"{task}.csv")
        assert manifest.task == task
        check_manifest(manifest)
    frame = read_manifest(tmp_path / "out" / "skin.csv").frame
    assert list(frame["label"]) == ["nv", "bkl", "bcc"]
    assert list(frame["group"]) == [pictures[number].patient.key for number in (0, 2, 1)]
    assert list(frame["age_years"])[:2] == [64, 64]
    assert list(frame["reference"]) == ["histo", "opinion", "opinion"]
    assert list(frame["disagreed"]) == [True, False, True]
    assert frame["bundle_sha256"].str.len().eq(64).all()
    assert "Doe" not in (tmp_path / "out" / "skin.csv").read_text()
    assert (tmp_path / "out" / frame["image"][0]).read_bytes() == read_file(pictures[0].shown)
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 5


def test_a_folder_that_holds_something_is_left_alone(
    pictures: list[Picture], practice: Practice, tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(InputError, match="Expected a new or an empty folder"):
        export_folder(practice, tmp_path)


def test_a_practice_without_pictures_is_told_so(practice: Practice, as_role: AsRole, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the practice has none"):
        export_folder(practice, tmp_path / "out")
    assert "Nothing to export yet" in as_role("clinician").get(reverse("cases:export")).content.decode()


def test_the_page_hands_out_the_table(pictures: list[Picture], as_role: AsRole) -> None:
    client = as_role("clinician")
    assert "3 pictures with a confirmed label" in client.get(reverse("cases:export")).content.decode()
    response = client.post(reverse("cases:export"), {"part": "unconfirmed", "csv": ""})
    assert response.headers["Content-Disposition"] == 'attachment; filename="secondlook-unconfirmed.csv"'
    assert "no-store" in response.headers["Cache-Control"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["image"], row["label"], row["model_label"]) for row in rows] == [
        (f"pictures/{pictures[4].key}.jpg", "", pictures[4].label)
    ]
    assert Entry.objects.filter(action="export.made").exists()


def test_no_note_is_a_formula(pictures: list[Picture], as_role: AsRole) -> None:
    response = as_role("clinician").post(reverse("cases:export"), {"part": "skin", "csv": ""})
    assert {row["note"] for row in csv.DictReader(io.StringIO(response.content.decode()))} == {"'=1+1"}


def test_the_page_hands_out_the_pictures(pictures: list[Picture], as_role: AsRole, tmp_path: Path) -> None:
    response = as_role("clinician").post(reverse("cases:export"), {"part": "skin", "zip": ""})
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    archive.extractall(tmp_path)
    check_manifest(read_manifest(tmp_path / "skin.csv"))
    assert response.headers["Cache-Control"] == "no-store"


def test_another_practice_gets_nothing_of_it(pictures: list[Picture], as_role: AsRole) -> None:
    other = Practice.objects.create(name="Other")
    client = as_role("clinician", practice=other)
    page = client.post(reverse("cases:export"), {"part": "skin", "zip": ""}).content.decode()
    assert "Nothing to export yet" in page


def test_the_command_asks_whose_where_it_is_not_clear(
    pictures: list[Picture], practice: Practice, tmp_path: Path
) -> None:
    wrote = export(tmp_path / "one", None, ["skin"])
    assert wrote == "Wrote one: skin.csv with 3. Unencrypted; the tables of a task are manifests."
    Practice.objects.create(name="Other")
    with pytest.raises(InputError, match=r"by --practice KEY; the site has: .*Other"):
        export(tmp_path / "two", None, None)
    assert "chest.csv with 1" in export(tmp_path / "two", practice.key, None)
    with pytest.raises(InputError, match="Expected one of skin"):
        export(tmp_path / "three", practice.key, ["hip"])
