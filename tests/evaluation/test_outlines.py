"""Figures of outlines against drawn masks, and their page."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import f1_score, jaccard_score

from secondlook.data.manifest import Manifest
from secondlook.data.masks import find_masks, read_pair
from secondlook.errors import DatasetError
from secondlook.evaluation.outlinepage import write_outlines
from secondlook.evaluation.outlines import convert_to_dice, find_median, measure_jaccard, measure_methods
from secondlook.explanation.segmentation import METHODS, Method
from tests.explanation.segmentation.drawing import draw_ellipse

LABELS = ("nv", "nv", "mel", "bkl")


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Manifest, Path]:
    """Return a manifest of drawn lesions, and the folder of their masks."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for number, _ in enumerate(LABELS):
        pixels, mask = draw_ellipse(radii_px=(20 + 8 * number, 30 + 8 * number), seed=number)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        Image.fromarray(mask).save(masks / f"{number}_segmentation.png")
    frame = pd.DataFrame({"image": [f"{number}.png" for number in range(4)], "label": LABELS, "group": list("abcd")})
    return Manifest(frame, tmp_path), masks


def test_jaccard_and_dice_are_those_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.random((2, 30, 40)) < 0.4
    jaccard = measure_jaccard(one, other)
    assert jaccard == pytest.approx(jaccard_score(one.ravel(), other.ravel()))
    assert convert_to_dice(np.array([jaccard]))[0] == pytest.approx(f1_score(one.ravel(), other.ravel()))
    assert measure_jaccard(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 1


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_a_weighted_median_is_that_of_repeated_rows(count: int) -> None:
    generator = np.random.default_rng(count)
    values, weights = generator.random(count), generator.integers(0, 4, (20, count)).astype(float)
    weights[:, 0] += 1
    wanted = [np.median(np.repeat(values, row.astype(int))) for row in weights]
    assert np.allclose(find_median(values, weights), wanted)


def test_every_method_is_measured_and_a_bad_one_looks_bad(drawn: tuple[Manifest, Path]) -> None:
    masked = find_masks(*drawn)
    methods = {"otsu": METHODS["otsu"], "none": Method(lambda pixels: np.zeros(pixels.shape[:2], bool), "Nothing.")}
    found = measure_methods(masked, methods, resamples=100)
    assert found["otsu"].figures["median_jaccard"].value > 0.9
    assert found["otsu"].figures["failed"].value == 0
    assert found["none"].figures["mean_dice"].value == 0
    assert found["none"].figures["nothing_found"].value == 1
    assert found["otsu"].milliseconds > 0
    one = found["otsu"].figures["mean_jaccard"]
    assert one.lower <= one.value <= one.upper
    assert one.value == pytest.approx(found["otsu"].jaccard.mean())
    assert len(found["otsu"].rank_worst(2)) == 2


def test_the_page_shows_figures_and_the_worst_outlines(drawn: tuple[Manifest, Path], tmp_path: Path) -> None:
    masked = find_masks(*drawn)
    methods = {"otsu": METHODS["otsu"]}
    found = measure_methods(masked, methods, resamples=100)
    page = tmp_path / "page.html"
    options = {"split": "test", "seed": 0, "resamples": 100}
    write_outlines(found, methods, masked, page, worst=3, **options)
    text = page.read_text(encoding="utf-8")
    assert "4 pictures of 4 patients or lesions, split test" in text
    assert f"{found['otsu'].figures['median_jaccard'].value:.3f}" in text
    shown = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    assert len(shown) == 3
    assert Image.open(io.BytesIO(base64.b64decode(shown[0]))).size == (480, 360)
    assert "http" not in text
    write_outlines(found, methods, masked, page, worst=0, **options)
    assert "<img" not in page.read_text(encoding="utf-8")


def test_masks_that_are_missing_or_of_another_frame_are_left_out_and_said(drawn: tuple[Manifest, Path]) -> None:
    manifest, masks = drawn
    (masks / "0_segmentation.png").unlink()
    Image.new("1", (150, 150)).save(masks / "1_segmentation.png")
    masked = find_masks(manifest, masks)
    assert masked.manifest.frame["image"].tolist() == ["2.png", "3.png"]
    assert "1 picture is left out: no mask in" in masked.notes[0]
    assert "of another frame" in masked.notes[1]


def test_a_folder_without_masks_is_refused(drawn: tuple[Manifest, Path], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no 'nowhere'"):
        find_masks(drawn[0], tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="Expected masks named like the pictures"):
        find_masks(drawn[0], tmp_path / "empty")


def test_a_larger_picture_is_brought_to_its_mask(tmp_path: Path) -> None:
    pixels, _ = draw_ellipse((300, 400), radii_px=(60, 90))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(draw_ellipse(radii_px=(30, 45))[1]).save(tmp_path / "a_mask.png")
    small, mask = read_pair(tmp_path / "a.png", tmp_path / "a_mask.png")
    assert small.shape[:2] == mask.shape == (150, 200)
    assert measure_jaccard(METHODS["otsu"].segment(small), mask) > 0.9
