"""A drawn data set with splits, and a draft bundle of the tiny network, to fit and measure as training would."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from secondlook.conditions import SKIN
from secondlook.data.fingerprint import data_fingerprint
from secondlook.data.manifest import Manifest
from secondlook.evaluation.run import finish_manifest
from secondlook.inference.bundle import Bundle, open_bundle, seal_bundle
from tests.bundles import PICTURE_SIZE
from tests.drawing import draw_lesion, draw_noise, draw_text_page

# A busy machine is no fault of the code under test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

LESIONS = {"train": 1, "calibration": 6, "test": 6}
MORE_NEVI = 4


@pytest.fixture(scope="session", autouse=True)
def leak_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the comparison of pictures out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECONDLOOK_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def drawn_manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Return drawn lesions in three splits, more nevi than others, every second lesion with two pictures."""
    folder = tmp_path_factory.mktemp("drawn")
    rows = []
    for number_of_split, (split, lesions) in enumerate(LESIONS.items(), start=3):
        for label in SKIN.keys:
            for seed in range(100 * number_of_split, 100 * number_of_split + lesions + MORE_NEVI * (label == "nv")):
                image = draw_lesion(seed, label, size=PICTURE_SIZE)
                pictures = [image, image.rotate(5)] if seed % 2 else [image]
                for number, picture in enumerate(pictures):
                    name = f"{label}-{seed}-{number}.png"
                    picture.save(folder / name)
                    rows.append({"image": name, "label": label, "group": f"{label} {seed}", "split": split})
    return Manifest(pd.DataFrame(rows), folder, "skin")


@pytest.fixture(scope="session")
def make_draft(tiny_bundle: Path, drawn_manifest: Manifest) -> Callable[[Path], Path]:
    """Return a function that writes what training exports: graph, facts and the stored pair."""

    def make(folder: Path, **training: str) -> Path:
        folder.mkdir()
        shutil.copy(tiny_bundle / "model.onnx", folder)
        facts = json.loads((tiny_bundle / "bundle.json").read_text())
        facts["training"] |= {"data_fingerprint": data_fingerprint(drawn_manifest), **training}
        (folder / "bundle.json").write_text(json.dumps(facts))
        with np.load(tiny_bundle / "reference.npz") as stored:
            np.savez(folder / "reference.npz", **{name: stored[name] for name in ("probe_image", "probe_logits")})
        return folder

    return make


@pytest.fixture(scope="session")
def foreign_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of pages and noise, with one file that is no picture."""
    folder = tmp_path_factory.mktemp("foreign") / "pages"
    folder.mkdir()
    for seed in range(5):
        draw_text_page(seed, size=PICTURE_SIZE).save(folder / f"page-{seed}.png")
        draw_noise(seed, size=PICTURE_SIZE).save(folder / f"noise-{seed}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="session")
def finished_folder(
    make_draft: Callable[..., Path],
    drawn_manifest: Manifest,
    foreign_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the folder of a bundle that was finished quickly; do not change it."""
    folder = make_draft(tmp_path_factory.mktemp("finished") / "tiny")
    finish_manifest(folder, drawn_manifest, refuse=foreign_folder, resamples=200, quick=True)
    return folder


@pytest.fixture(scope="session")
def finished_bundle(finished_folder: Path) -> Bundle:
    """Return the bundle that was finished quickly."""
    return open_bundle(finished_folder)


@pytest.fixture(scope="session")
def servable_folder(finished_folder: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same bundle with what quick measuring leaves out, which the tiny bundle of the same graph holds."""
    folder = shutil.copytree(finished_folder, tmp_path_factory.mktemp("servable") / "tiny")
    evidence, other = (json.loads((place / "evidence.json").read_text()) for place in (folder, tiny_bundle))
    evidence |= {part: other[part] for part in ("robustness", "repeatability", "explanations")}
    (folder / "evidence.json").write_text(json.dumps(evidence))
    seal_bundle(folder)
    return folder
