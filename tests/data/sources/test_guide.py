"""The sources that docs/data.md writes as examples read a folder of their layout."""

from pathlib import Path

import pytest

from secondlook.data.sources import SOURCES, recognise_folder
from secondlook.data.sources.layout import Source
from tests.data.sources.trees import draw_all, read
from tests.guide import read_examples, run_example


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the examples known, before all others."""
    found: dict[str, Source] = {}
    for example in read_examples("data.md", "A new source"):
        found |= {value.name: value for value in run_example(example).values() if isinstance(value, Source)}
    monkeypatch.setattr("secondlook.data.sources.SOURCES", {**found, **SOURCES})


@pytest.mark.usefixtures("sources")
def test_a_source_of_names_reads_its_tree(tmp_path: Path) -> None:
    kinds = ("fit/Healthy", "fit/Lung", "check/Healthy", "check/Lung")
    patients = [f"{kind}/{place}{number}" for place, kind in enumerate(kinds) for number in range(8)]
    draw_all(tmp_path, [f"{patient}_{view}.png" for patient in patients for view in (1, 2)])
    assert (found := recognise_folder(tmp_path)) is not None
    assert found.name == "hospital"
    manifest, _ = read("hospital", tmp_path)
    assert manifest.frame["split"].value_counts().to_dict() == {"test": 32, "train": 28, "calibration": 4}
    assert manifest.frame["group"].nunique() == 32


@pytest.mark.usefixtures("sources")
def test_a_source_of_a_table_reads_it(tmp_path: Path) -> None:
    rows = ["1,melanoma,a.jpg,male", "1,melanoma,b.jpg,male", "2,clark nevus,c.jpg,"]
    draw_all(tmp_path / "images", ["a.jpg", "b.jpg", "c.jpg"])
    (tmp_path / "atlas.csv").write_text("\n".join(["case,diagnosis,file,sex", *rows]) + "\n")
    assert (found := recognise_folder(tmp_path)) is not None
    assert found.name == "atlas"
    manifest, _ = read("atlas", tmp_path)
    assert list(manifest.frame["label"]) == ["mel", "mel", "nv"]
    assert manifest.frame["sex"].isna().tolist() == [False, False, True]
