"""Reference sets: built, searched exactly, and refused where they do not fit."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from secondlook.data.manifest import Manifest
from secondlook.errors import BundleError, DatasetError
from secondlook.explanation.similar import (
    CASES,
    EMBEDDINGS,
    SUMS,
    ReferenceFacts,
    ReferenceSet,
    build_reference,
    open_reference,
)
from secondlook.inference.predictor import Predictor, load_predictor
from tests.bundles import build_bundle
from tests.drawing import draw_lesion

LABELS = ("nv", "mel", "bcc")


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    """Return the tiny bundle's predictor."""
    return load_predictor(tiny_bundle)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Return drawn lesions, two pictures of each of nine."""
    folder, rows = tmp_path_factory.mktemp("cases"), []
    for number in range(9):
        label = LABELS[number % 3]
        for view in range(2):
            draw_lesion(10 * number + view, label, size=(200, 150)).save(folder / f"{number}-{view}.png")
            rows.append({"image": f"{number}-{view}.png", "label": label, "group": f"L{number}", "reference": "histo"})
    return Manifest(pd.DataFrame(rows), folder)


@pytest.fixture(scope="module")
def folder(predictor: Predictor, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a reference set; do not change it."""
    place = tmp_path_factory.mktemp("reference") / "set"
    facts, unread = build_reference(predictor, manifest, place)
    assert (facts.pictures, facts.groups, unread) == (18, 9, 0)
    return place


def test_a_picture_of_the_set_finds_itself_and_each_lesion_once(
    predictor: Predictor, manifest: Manifest, folder: Path
) -> None:
    cases = open_reference(folder)
    embedding = predictor.predict(manifest.paths()[4]).embedding
    found = cases.find_nearest(embedding, count=5)
    assert (found[0].image, found[0].reference, found[0].label) == ("2-0.png", "histo", "bcc")
    assert found[0].similarity == pytest.approx(1, abs=1e-5)
    assert len({case.group for case in found}) == 5
    assert [case.similarity for case in found] == sorted((case.similarity for case in found), reverse=True)
    assert "L2" not in {case.group for case in cases.find_nearest(embedding, count=5, without="L2")}
    assert len(cases.find_nearest(embedding, count=50)) == 9


def test_the_search_is_exact() -> None:
    generator = np.random.default_rng(0)
    embedding = generator.normal(size=(3000, 16))
    cases = pd.DataFrame({"label": "nv", "reference": "", "group": np.arange(3000) // 3, "image": np.arange(3000)})
    cases = cases.astype(str)
    facts = ReferenceFacts.model_construct()  # the search does not look at them
    reference = ReferenceSet(facts, cases, embedding)
    query = generator.normal(size=16)
    cosine = embedding @ query / np.linalg.norm(embedding, axis=1) / np.linalg.norm(query)
    wanted: dict[int, float] = {}
    for row in np.argsort(-cosine):
        wanted.setdefault(int(row) // 3, float(cosine[row]))
    found = reference.find_nearest(query, count=7)
    assert [int(case.group) for case in found] == list(wanted)[:7]
    assert [case.similarity for case in found] == pytest.approx(list(wanted.values())[:7], abs=1e-5)


def test_no_picture_is_kept(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "SHA256SUMS",
        "cases.csv",
        "embeddings.npy",
        "reference.json",
    ]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 20_000


def test_a_folder_that_holds_something_is_refused(predictor: Predictor, manifest: Manifest, folder: Path) -> None:
    with pytest.raises(DatasetError, match="holds something already"):
        build_reference(predictor, manifest, folder)


def test_the_set_of_another_graph_is_refused(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    cases = open_reference(folder)
    cases.check_bundle(load_predictor(tiny_bundle).bundle)
    other = load_predictor(build_bundle(tmp_path / "chest", task="chest"))
    with pytest.raises(BundleError, match=r"this one was built with that of tiny .* Build it again"):
        cases.check_bundle(other.bundle)


@pytest.mark.parametrize("name", [CASES, EMBEDDINGS, SUMS])
def test_a_changed_or_missing_file_is_refused(
    predictor: Predictor, manifest: Manifest, tmp_path: Path, name: str
) -> None:
    place = tmp_path / "set"
    build_reference(predictor, Manifest(manifest.frame.head(4), manifest.root), place)
    content = (place / name).read_bytes()
    (place / name).write_bytes(content.replace(content[-3:], b"0,0"))
    with pytest.raises(DatasetError, match="was changed"):
        open_reference(place)
    (place / name).unlink()
    with pytest.raises(DatasetError, match=f"{name} cannot be read"):
        open_reference(place)


def test_pickled_objects_are_refused(predictor: Predictor, manifest: Manifest, tmp_path: Path) -> None:
    place = tmp_path / "set"
    build_reference(predictor, Manifest(manifest.frame.head(4), manifest.root), place)
    np.save(place / EMBEDDINGS, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    names = (CASES, EMBEDDINGS, "reference.json")
    lines = [f"{hashlib.sha256((place / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (place / SUMS).write_text("".join(lines))
    with pytest.raises(DatasetError, match="it is damaged"):
        open_reference(place)


def test_another_task_and_unreadable_pictures_are_refused(
    predictor: Predictor, manifest: Manifest, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="Expected a manifest of skin"):
        build_reference(predictor, Manifest(manifest.frame, manifest.root, "chest"), tmp_path / "a")
    wrong = manifest.frame.assign(label="wart")
    with pytest.raises(DatasetError, match="got wart"):
        build_reference(predictor, Manifest(wrong, manifest.root), tmp_path / "b")
    gone = manifest.frame.assign(image="gone.png")
    with pytest.raises(DatasetError, match="Expected pictures that can be read"):
        build_reference(predictor, Manifest(gone, manifest.root), tmp_path / "c")
    assert not (tmp_path / "c").exists()
