"""Hashes of files and of what pictures look like."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from secondlook.data.fingerprint import (
    BLUR,
    COSINES,
    DIHEDRAL,
    data_fingerprint,
    describe_texture,
    halve,
    hash_files,
    hash_texture,
    turn,
)
from secondlook.data.manifest import Manifest
from secondlook.errors import DatasetError
from tests.data.conftest import Build
from tests.drawing import draw_lesion

scipy_ndimage = pytest.importorskip("scipy.ndimage", reason="scipy, the reference for filters, is not installed")
scipy_fft = pytest.importorskip("scipy.fft")


def draw_texture(seed: int) -> np.ndarray:
    return describe_texture(np.asarray(draw_lesion(seed, "mel", size=(200, 150))))


def test_filter_and_transform_are_those_of_scipy() -> None:
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    np.testing.assert_allclose(BLUR @ image @ BLUR.T, scipy_ndimage.gaussian_filter(image, 2), atol=1e-5)
    half = image[:32, :32]
    np.testing.assert_allclose(4 * COSINES @ half @ COSINES.T, scipy_fft.dctn(half)[:8, :8], atol=1e-2)


def test_halving_is_a_mean_of_four() -> None:
    textures = np.random.default_rng(0).integers(-127, 128, (3, 64, 64)).astype(np.int8)
    np.testing.assert_allclose(halve(textures), textures.reshape(3, 32, 2, 32, 2).mean(axis=(2, 4)), atol=1e-5)


@pytest.mark.parametrize("number", range(DIHEDRAL))
def test_the_hash_of_a_turned_picture_is_foreseen(number: int) -> None:
    textures = np.stack([draw_texture(seed) for seed in range(5)])
    turned = hash_texture(np.ascontiguousarray(turn(textures, number)))[:, 0]
    assert (np.bitwise_count(turned ^ hash_texture(textures)[:, number]) <= 1).all()


def test_the_eight_turns_are_all_the_flips_and_quarter_turns() -> None:
    texture = draw_texture(1)
    ours = {turn(texture[None], number)[0].tobytes() for number in range(DIHEDRAL)}
    theirs = {np.rot90(side, times).tobytes() for side in (texture, texture[:, ::-1]) for times in range(4)}
    assert ours == theirs
    assert len(ours) == DIHEDRAL


def test_lighting_and_a_black_surround_do_not_count() -> None:
    image = np.asarray(draw_lesion(3, "nv", size=(200, 150))).astype(np.float32)
    plain = describe_texture(image.astype(np.uint8)).astype(float)
    shaded = describe_texture(np.clip(image * np.linspace(0.6, 1.0, 200)[None, :, None], 0, 255).astype(np.uint8))
    assert np.corrcoef(plain.ravel(), shaded.ravel().astype(float))[0, 1] > 0.9
    rows, columns = np.mgrid[:150, :200]
    outside = np.hypot(rows - 75, columns - 100) > 80
    image[outside] = 2
    assert not describe_texture(image.astype(np.uint8))[:4, :4].any()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_has_no_texture(value: int) -> None:
    assert not describe_texture(np.full((40, 60, 3), value, np.uint8)).any()


def test_files_are_hashed_in_the_order_of_the_rows(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({"b.png": ("nv", "1"), "a.png": ("nv", "2")})
    expected = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("b.png", "a.png")]
    assert hash_files(manifest) == expected


def test_all_missing_files_are_named(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({f"{number}.png": ("nv", "1") for number in range(4)})
    (tmp_path / "1.png").unlink()
    (tmp_path / "3.png").unlink()
    with pytest.raises(DatasetError) as caught:
        hash_files(manifest)
    assert [fault[:12] for fault in caught.value.faults] == ["row 3: 1.png", "row 5: 3.png"]


def test_the_fingerprint_knows_content_label_group_and_split_only(build_manifest: Build, tmp_path: Path) -> None:
    manifest = build_manifest({"1.png": ("nv", "a", "train"), "2.png": ("mel", "b", "test")})
    before = data_fingerprint(manifest)
    frame = manifest.frame
    (tmp_path / "1.png").rename(tmp_path / "new.png")
    renamed = frame.replace({"image": {"1.png": "new.png"}}).iloc[::-1].assign(sex="female")
    assert data_fingerprint(Manifest(renamed, tmp_path)) == before
    for column, value in (("label", "bcc"), ("group", "c"), ("split", "calibration")):
        changed = renamed.assign(**{column: [value, *renamed[column].iloc[1:]]})
        assert data_fingerprint(Manifest(changed, tmp_path)) != before, column
    draw_lesion(99, size=(200, 150)).save(tmp_path / "new.png")
    assert data_fingerprint(Manifest(renamed, tmp_path)) != before
