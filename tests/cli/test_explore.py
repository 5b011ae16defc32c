"""`secondlook data explore`: one page about a data set, and shortcuts that were drawn into the pictures."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageOps

from secondlook.cli import main
from tests.drawing import draw_lesion
from tests.page import Page

Change = Callable[[Image.Image], Image.Image]
Explore = Callable[..., tuple[int, str, str]]

GROUPS = 24


@pytest.fixture
def explore(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Explore:
    """Return a function that runs the command and returns its exit code and what it said."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["secondlook", "data", "explore", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def build(folder: Path, change: Change | None = None, **columns: object) -> Path:
    """Draw nevi of 48 patients, call half of them melanoma, change those, and list them: the lesions tell nothing."""
    folder.mkdir(exist_ok=True)
    rows = []
    for number in range(2 * GROUPS):
        label = "mel" if number % 2 else "nv"
        picture = draw_lesion(number, "nv", size=(80, 60))
        picture = change(picture) if change and label == "mel" else picture
        picture.save(folder / f"{number}.jpg", quality=90)
        rows.append((f"{number}.jpg", label, f"patient-{number}"))
    frame = pd.DataFrame(rows, columns=["image", "label", "group"]).assign(**columns)
    frame.to_csv(folder / "set.csv", index=False)
    return folder / "set.csv"


def test_a_clean_set_has_no_shortcut(tmp_path: Path, explore: Explore) -> None:
    code, out, err = explore(build(tmp_path))
    assert code == 0, err
    assert out == "No shortcut found: what the files give away besides the disease does not tell the class.\n"
    assert "Wrote set.html. It shows pictures of patients: do not commit or publish it." in err
    page = Page(tmp_path / "set.html")
    assert page.find("p", **{"class": "verdict clean"})
    assert "Possible shortcut" not in page.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda picture: picture.resize((96, 60)), "Size of the picture"),
        (lambda picture: ImageOps.expand(picture.crop((4, 4, 76, 56)), 4, (20, 20, 20)), "Border"),
        (lambda picture: picture.convert("L"), "How the file was saved"),
    ],
    ids=["size", "border", "grey"],
)
def test_a_drawn_shortcut_is_found_and_named(tmp_path: Path, explore: Explore, change: Change, named: str) -> None:
    code, out, err = explore(build(tmp_path, change), "-o", tmp_path / "pages" / "look.html")
    assert code == 0, err
    assert out.startswith("Possible shortcut")
    assert re.search(rf"{named} \([a-zA-Z, ]+\): AUC 1\.00 \(\d", out)
    page = Page(tmp_path / "pages" / "look.html")
    assert page.find("p", **{"class": "verdict doubt"})
    assert page.find("span", **{"class": "mark doubt"})


def test_the_page_can_be_read_by_everybody_and_loads_nothing(tmp_path: Path, explore: Explore) -> None:
    sites = ["back", "<b>face</b> & neck"] * GROUPS
    listed = build(
        tmp_path, age_years=[*range(20, 66), None, None], site=sites, reference=["follow_up", "histo"] * GROUPS
    )
    code, _, err = explore(listed, "--pictures", 2)
    assert code == 0, err
    page = Page(tmp_path / "set.html")
    assert page.crossed == []
    outside = [address for address in page.addresses if not address.startswith(("data:image/jpeg;base64,", "#"))]
    assert outside == []
    assert not re.search(r"https?:|@import|url\(", (tmp_path / "set.html").read_text(encoding="utf-8"))
    assert str(tmp_path) not in (tmp_path / "set.html").read_text(encoding="utf-8")
    images = page.find("img")
    assert [image["alt"].partition(":")[0] for image in images] == ["Melanoma"] * 2 + ["Melanocytic nevus"] * 2
    assert all(table["aria-label"] for table in page.find("table"))
    assert len(page.find("table")) == 10
    wide = page.find("div", **{"class": "scroll"})
    assert wide
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in wide)
    targets = {found["id"] for _, found in page.elements if "id" in found}
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= targets
    for words in (
        "What is in set",
        "48 pictures of 48 patients or lesions in 2 classes (skin lesion)",
        "Each picture is a patient or lesion of its own",
        "<b>face</b> & neck",
        "20 to 29",
        "Clearest difference: “Follow-up” is 100\N{NO-BREAK SPACE}% (86–100) of “Melanocytic nevus”",
        "do not commit or publish it",
    ):
        assert words in page.text
    assert len(page.find("b")) == 6  # the figures, none of them from the manifest


def test_a_page_without_pictures_shows_no_patient(tmp_path: Path, explore: Explore) -> None:
    code, _, err = explore(build(tmp_path), "--pictures", 0)
    assert code == 0, err
    assert "pictures of patients" not in err
    page = Page(tmp_path / "set.html")
    assert page.find("img") == []
    assert "do not commit" not in page.text
    assert ".jpg" not in page.text


def test_too_few_patients_are_counted_but_not_tested(tmp_path: Path, explore: Explore) -> None:
    listed = build(tmp_path)
    frame = pd.read_csv(listed).head(10)
    frame.to_csv(listed, index=False)
    code, out, err = explore(listed)
    assert code == 0, err
    assert out.startswith("Shortcuts were not looked for. It takes two classes with pictures of at least 20 patients")
    assert "Not tested." in Page(tmp_path / "set.html").text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda frame: frame.iloc[:0], "a header alone"),
        (lambda frame: frame.drop(columns="group"), "lacks group"),
        (lambda frame: frame.assign(group=[None, *frame["group"][1:]]), "row 2: no group"),
        (lambda frame: frame.assign(label="wart"), "unknown label 'wart'"),
        (lambda frame: frame.assign(image=["gone.jpg", *frame["image"][1:]]), "row 2: gone.jpg: no such file"),
    ],
    ids=["empty", "no-groups", "empty-group", "unknown-label", "no-picture"],
)
def test_what_cannot_be_explored_is_refused_with_its_reason(
    tmp_path: Path, explore: Explore, spoil: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    listed = build(tmp_path)
    spoil(pd.read_csv(listed)).to_csv(listed, index=False)
    code, out, err = explore(listed)
    assert (code, out) == (1, "")
    assert words in err
    assert not (tmp_path / "set.html").exists()


def test_a_damaged_picture_is_named(tmp_path: Path, explore: Explore) -> None:
    listed = build(tmp_path)
    (tmp_path / "3.jpg").write_bytes(b"\xff\xd8 no more")
    code, _, err = explore(listed)
    assert code == 1
    assert "row 5: 3.jpg: " in err
    assert str(tmp_path) not in err


def test_the_manifest_is_not_overwritten(tmp_path: Path, explore: Explore) -> None:
    listed = build(tmp_path)
    before = listed.read_bytes()
    code, _, err = explore(listed, "-o", listed)
    assert code == 1
    assert "another name" in err
    assert listed.read_bytes() == before
