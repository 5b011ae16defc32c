"""Twins are found through re-saving, recolouring, turning and shifting; strangers are not taken for twins."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageOps

from secondlook.data.duplicates import correlate_textures, find_candidates, find_limit, find_twins, load_twins
from secondlook.data.fingerprint import hash_file, read_textures
from secondlook.errors import DatasetError
from tests.drawing import draw_lesion

SIZE = (200, 150)
HAM10000_TWINS = {
    frozenset({"ISIC_0025226", "ISIC_0030074"}),
    frozenset({"ISIC_0027027", "ISIC_0029036"}),
    frozenset({"ISIC_0027636", "ISIC_0027994"}),
    frozenset({"ISIC_0033173", "ISIC_0029152"}),
}
HAM10000_STRANGERS = ("ISIC_0027634", "ISIC_0031141", "ISIC_0034083", "ISIC_0033837")  # alike, but not the same
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "smaller": lambda image: image.resize((150, 112), Image.Resampling.LANCZOS),
    "larger": lambda image: image.resize((600, 450), Image.Resampling.BICUBIC),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "quarter turn": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "transverse": lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    "pale": lambda image: ImageEnhance.Color(image).enhance(0.4),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "grey": lambda image: image.convert("L"),
    "shifted": lambda image: image.crop((8, 6, SIZE[0], SIZE[1])),
    "squeezed to a square": lambda image: image.resize((150, 150), Image.Resampling.LANCZOS),
    "central square": lambda image: image.crop((25, 0, 175, 150)).resize((224, 224), Image.Resampling.BICUBIC),
    "central square, mirrored": lambda image: ImageOps.mirror(image.crop((25, 0, 175, 150))),
}


def index(paths: list[Path]) -> dict[str, Path]:
    return {hash_file(path): path for path in paths}


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return 70 drawn pictures of different lesions."""
    folder = tmp_path_factory.mktemp("strangers")
    labels = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    paths = [folder / f"{label}-{seed}.png" for label in labels for seed in range(10)]
    for path in paths:
        label, seed = path.stem.split("-")
        draw_lesion(int(seed), label, size=SIZE).save(path)
    return paths


def test_strangers_are_no_twins(strangers: list[Path]) -> None:
    assert find_twins(index(strangers)) == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_a_twin(change: str, strangers: list[Path], tmp_path: Path) -> None:
    with Image.open(strangers[43]) as image:
        CHANGES[change](image).save(tmp_path / "copy.jpg", quality=80)
    files = index([*strangers[35:50], tmp_path / "copy.jpg"])
    (twin,) = find_twins(files)
    assert {files[twin.first], files[twin.second]} == {strangers[43], tmp_path / "copy.jpg"}
    assert twin.kind == "near"
    assert 0.55 <= twin.correlation <= 1


def test_x_rays_have_limits_of_their_own(strangers: list[Path], tmp_path: Path) -> None:
    with Image.open(strangers[43]) as image:
        CHANGES["shifted"](image).save(tmp_path / "copy.jpg", quality=80)
    files = index([*strangers[35:50], tmp_path / "copy.jpg"])
    (twin,) = find_twins(files)
    assert [find_twins(files, limit=twin.correlation + step) for step in (-0.01, 0.01)] == [[twin], []]
    assert find_limit("skin") == find_limit("mole") < find_limit("chest") < find_limit("knee")


def test_equal_pixels_in_another_format_are_an_identical_picture(strangers: list[Path], tmp_path: Path) -> None:
    with Image.open(strangers[0]) as image:
        image.save(tmp_path / "copy.bmp")
    (twin,) = find_twins(index([*strangers[:5], tmp_path / "copy.bmp"]))
    assert (twin.kind, twin.distance, twin.correlation) == ("picture", 0, 1.0)


def test_flat_pictures_are_nobodys_twins(tmp_path: Path) -> None:
    for value in (0, 128, 255):
        Image.new("RGB", (40, 30), (value, value, value)).save(tmp_path / f"{value}.png")
    assert find_twins(index(sorted(tmp_path.glob("*.png")))) == []


def test_correlation_is_the_best_over_small_shifts() -> None:
    rng = np.random.default_rng(0)
    first = rng.normal(size=(3, 32, 32)).astype(np.float32)
    first -= first.mean(axis=(1, 2), keepdims=True)
    second = np.stack([np.roll(first[0], (3, -4), (0, 1)), np.roll(first[1], (0, 9), (0, 1)), first[0] + first[2]])
    expected = [
        max(
            float((left * np.roll(right, (down, across), (0, 1))).sum() / np.sqrt((left**2).sum() * (right**2).sum()))
            for down in range(-4, 5)
            for across in range(-4, 5)
        )
        for left, right in zip(first, second, strict=True)
    ]
    found = correlate_textures(first, second.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found[0] == pytest.approx(1, abs=1e-4)
    assert found[1] < 0.3


def test_candidates_are_every_near_pair_once_per_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = np.random.default_rng(0).integers(0, 2**63, (60, 8), dtype=np.uint64)
    hashes[50, 3] = hashes[10, 0] ^ np.uint64(0b111)
    monkeypatch.setattr("secondlook.data.duplicates.HAMMING_LIMIT", 20)
    monkeypatch.setattr("secondlook.data.duplicates.rows_per_block", lambda _count: 7)
    found = {
        (int(left), int(right), turned, int(distance))
        for lefts, rights, turned, distances in find_candidates(hashes)
        for left, right, distance in zip(lefts, rights, distances, strict=True)
    }
    expected = {
        (left, right, turned, (int(hashes[left, 0]) ^ int(hashes[right, turned])).bit_count())
        for left in range(60)
        for right in range(left + 1, 60)
        for turned in range(8)
    }
    assert found == {pair for pair in expected if pair[3] <= 20}
    assert (10, 50, 3, 3) in found


def test_all_unreadable_pictures_are_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_text(f"no picture {name}")
    with pytest.raises(DatasetError) as caught:
        read_textures(sorted(tmp_path.glob("*.png")))
    assert [fault[:6] for fault in caught.value.faults] == ["a.png:", "b.png:"]


def test_a_comparison_is_made_once(strangers: list[Path], monkeypatch: pytest.MonkeyPatch, private_cache: Path) -> None:
    files = index(strangers[:4])
    first = load_twins(files)
    (cached,) = private_cache.iterdir()
    assert "stranger" not in cached.read_text()
    monkeypatch.setattr(
        "secondlook.data.duplicates.find_twins", lambda *_args, **_options: pytest.fail("compared again")
    )
    assert load_twins(files) == first


def test_a_comparison_under_another_limit_is_another_one(strangers: list[Path], private_cache: Path) -> None:
    files = index(strangers[:4])
    load_twins(files)
    load_twins(files, limit=0.8)
    assert len(list(private_cache.iterdir())) == 2


@pytest.mark.parametrize("content", ["", "{", '[["a"]]', "7"])
def test_a_spoilt_cache_is_made_anew(
    content: str, strangers: list[Path], tmp_path: Path, private_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Image.open(strangers[0]) as image:
        image.save(tmp_path / "copy.jpg")
    files = index([*strangers[:3], tmp_path / "copy.jpg"])
    first = load_twins(files)
    (cached,) = private_cache.iterdir()
    cached.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert load_twins(files) == first
    assert "Comparing the pictures again" in caplog.text
    assert len(json.loads(cached.read_text())) == 1


def test_a_cache_that_cannot_be_written_does_no_harm(
    strangers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SECONDLOOK_CACHE", str(tmp_path / "file" / "below"))
    with caplog.at_level(logging.WARNING):
        assert load_twins(index(strangers[:2])) == []
    assert caplog.records


def test_known_twins_of_ham10000_are_found_and_no_others(ham10000_folder: Path) -> None:
    """Four pairs carry different lesion ids and show the same lesion (seen by eye); the rest are other lesions."""
    table = pd.read_csv(ham10000_folder / "HAM10000_metadata.csv").drop_duplicates("lesion_id")
    names = {*table["image_id"][:300], *(name for pair in HAM10000_TWINS for name in pair), *HAM10000_STRANGERS}
    files = index([ham10000_folder / "images_200x150" / f"{name}.jpg" for name in sorted(names)])
    assert {
        frozenset({files[twin.first].stem, files[twin.second].stem}) for twin in find_twins(files)
    } == HAM10000_TWINS


def test_a_real_frame_and_its_central_square_are_twins(ham10000_folder: Path) -> None:
    names = sorted(path.name for path in (ham10000_folder / "images_224x224").glob("*.jpg"))[:40]
    files = index([ham10000_folder / size / name for name in names for size in ("images_200x150", "images_224x224")])
    twins = {frozenset({files[twin.first], files[twin.second]}) for twin in find_twins(files)}
    pairs = {
        frozenset({ham10000_folder / size / name for size in ("images_200x150", "images_224x224")}) for name in names
    }
    assert twins == pairs
