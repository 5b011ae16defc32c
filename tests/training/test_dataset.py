import errno
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from secondlook.data.manifest import Manifest, write_manifest
from secondlook.errors import DatasetError, RecipeError
from secondlook.imaging.read import read_picture
from secondlook.imaging.resize import Resize, resize_picture
from secondlook.inference.predictor import read_input
from secondlook.training import dataset
from secondlook.training.dataset import Pictures, cache_pictures, count_epoch_pictures, draw_order, find_cache_folder
from tests.training.tiny import decode_slowly, start


@pytest.fixture
def few(drawn: Manifest, tmp_path: Path) -> Manifest:
    """Return a manifest of eight pictures that a test may change."""
    folder = tmp_path / "few"
    folder.mkdir()
    frame = drawn.frame.head(8)
    for name in frame["image"]:
        shutil.copy2(drawn.root / name, folder / name)
    return Manifest(frame, folder)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of pictures as they are decoded."""
    names: list[str] = []

    def read(path: Path, size_px: int, *, resize: Resize) -> object:
        names.append(path.name)
        return read_input(path, size_px, resize=resize)

    monkeypatch.setattr(dataset, "read_input", read)
    return names


@contextmanager
def file_size_limit(count: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_pictures_are_decoded_once_as_serving_does_and_mapped_into_memory(
    few: Manifest, tmp_path: Path, reads: list[str]
) -> None:
    seen = []
    pictures = cache_pictures(few, size_px=24, folder=tmp_path / "cache", advance=lambda *count: seen.append(count))
    expected = [resize_picture(read_picture(path, target_px=24).pixels, 24) for path in few.paths()]
    np.testing.assert_array_equal(pictures, expected)
    assert pictures.dtype == np.uint8
    assert seen == [(number, 8) for number in range(1, 9)]
    again = cache_pictures(few, size_px=24, folder=tmp_path / "cache")
    np.testing.assert_array_equal(again, expected)
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable
    assert reads == list(few.frame["image"])


def test_the_cache_changes_with_a_file_the_order_or_the_size(few: Manifest, tmp_path: Path, reads: list[str]) -> None:
    folder = tmp_path / "cache"
    first = cache_pictures(few, size_px=24, folder=folder)
    shutil.copyfile(few.paths()[1], few.paths()[0])
    changed = cache_pictures(few, size_px=24, folder=folder)
    np.testing.assert_array_equal(changed[0], first[1])
    turned = Manifest(few.frame.iloc[::-1], few.root)
    np.testing.assert_array_equal(cache_pictures(turned, size_px=24, folder=folder), changed[::-1])
    assert cache_pictures(few, size_px=20, folder=folder).shape == (8, 20, 20, 3)
    assert cache_pictures(few, size_px=(18, 24), folder=folder).shape == (8, 18, 24, 3)
    whole = cache_pictures(few, size_px=20, resize="stretch", folder=folder)
    assert not np.array_equal(whole, cache_pictures(few, size_px=20, folder=folder))
    assert len(reads) == 6 * 8


def test_missing_pictures_are_all_listed(few: Manifest, tmp_path: Path) -> None:
    names = list(few.frame["image"])
    for name in names[2:4]:
        (few.root / name).unlink()
    with pytest.raises(DatasetError) as refusal:
        cache_pictures(few, size_px=24, folder=tmp_path / "cache")
    assert [fault.partition(":")[0] for fault in refusal.value.faults] == names[2:4]
    assert str(tmp_path) not in str(refusal.value)


def test_unreadable_pictures_are_all_listed_and_no_cache_is_left(few: Manifest, tmp_path: Path) -> None:
    names = list(few.frame["image"])
    (few.root / names[1]).write_bytes(b"")
    (few.root / names[6]).write_text("<html>")
    with pytest.raises(DatasetError) as refusal:
        cache_pictures(few, size_px=24, folder=tmp_path / "cache")
    assert [fault.partition(":")[0] for fault in refusal.value.faults] == [names[1], names[6]]
    assert not [file for file in (tmp_path / "cache").iterdir() if file.name != ".lock"]


def test_a_killed_process_leaves_no_half_cache(few: Manifest, tmp_path: Path, reads: list[str]) -> None:
    write_manifest(few, few.root / "few.csv")
    folder = tmp_path / "cache"
    process, reports = start(decode_slowly, few.root / "few.csv", folder)
    assert reports.recv() == 4
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert list(folder.glob("*.tmp"))
    assert not list(folder.glob("*.npy"))
    (folder / "older.npy.tmp").write_bytes(b"left by a process that died over other pictures")
    assert len(cache_pictures(few, size_px=40, folder=folder)) == 8
    assert len(reads) == 8
    assert not list(folder.glob("*.tmp"))


def test_a_disk_without_room_gives_a_sentence_and_leaves_nothing(few: Manifest, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    with file_size_limit(5000), pytest.raises(RecipeError, match=r"cache folder \(File too large\); they need 0 MB"):
        cache_pictures(few, size_px=24, folder=folder)
    assert not list(folder.glob("*.npy*"))
    assert len(cache_pictures(few, size_px=24, folder=folder)) == 8


def test_a_full_disk_gives_a_sentence(few: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(dataset.os, "fsync", refuse)
    with pytest.raises(RecipeError, match=r"No space left on device.*Free some space, or name another folder"):
        cache_pictures(few, size_px=24, folder=tmp_path / "cache")


def test_a_cache_folder_that_cannot_be_gives_a_sentence(few: Manifest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecipeError, match="SECONDLOOK_CACHE") as refusal:
        cache_pictures(few, size_px=24, folder=tmp_path / "file" / "cache")
    assert str(tmp_path) not in str(refusal.value)


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_CACHE", "chosen")
    assert find_cache_folder() == Path("chosen")
    monkeypatch.delenv("SECONDLOOK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "home")
    assert find_cache_folder() == Path("home/secondlook")


def test_a_batch_takes_the_splits_own_rows() -> None:
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    pictures = Pictures(images, np.array([1, 3, 5]), np.array([10, 30, 50]))
    pixels, labels = pictures.batch(np.array([2, 0]))
    assert pixels[:, 0, 0, 0].tolist() == [5, 1]
    assert pixels.dtype == torch.uint8
    assert labels.tolist() == [50, 10]
    assert len(pictures) == 3


def test_an_epochs_order_is_a_permutation_that_seed_and_epoch_decide() -> None:
    labels = np.repeat(np.arange(3), [50, 30, 20])
    order = draw_order(labels, balance="none", seed=1, epoch=0)
    assert sorted(order) == list(range(100))
    np.testing.assert_array_equal(order, draw_order(labels, balance="logit_adjustment", seed=1, epoch=0))
    assert (order != draw_order(labels, balance="none", seed=1, epoch=1)).any()
    assert (order != draw_order(labels, balance="none", seed=2, epoch=0)).any()


def test_the_sampler_draws_classes_equally_often() -> None:
    labels = np.repeat(np.arange(3), [9000, 900, 100])
    order = draw_order(labels, balance="sampler", seed=1, epoch=0)
    assert len(order) == len(labels)
    shares = np.bincount(labels[order]) / len(labels)
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)
    common = np.bincount(order[labels[order] == 0], minlength=9000)[:9000]
    assert common.max() < 10  # within a class, no picture is favoured


def test_generated_balance_repeats_every_class_evenly_until_all_are_as_many_as_the_largest() -> None:
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 3], [90, 25, 7]))
    order = draw_order(labels, balance="generate", seed=1, epoch=0)
    assert len(order) == count_epoch_pictures(labels, balance="generate") == 270
    assert np.bincount(labels[order]).tolist() == [90, 90, 0, 90]
    for label in (0, 1, 3):
        times = np.bincount(order, minlength=len(labels))[labels == label]
        assert times.max() - times.min() <= 1
    assert (np.diff(labels[order]) != 0).mean() > 0.5, "classes come mixed"
    np.testing.assert_array_equal(order, draw_order(labels, balance="generate", seed=1, epoch=0))
    other = draw_order(labels, balance="generate", seed=1, epoch=1)
    assert (np.bincount(other, minlength=122) != np.bincount(order, minlength=122)).any(), "the remainder is drawn anew"
    assert count_epoch_pictures(labels, balance="sampler") == len(labels)
