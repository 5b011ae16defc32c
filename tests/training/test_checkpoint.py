import errno
import hashlib
import os
from pathlib import Path

import pytest
import torch

from secondlook.errors import RecipeError
from secondlook.training.checkpoint import list_checkpoints, load_checkpoint, save_checkpoint


class CrashError(BaseException):
    """The process dies here."""


def fail(sentence: str) -> None:
    raise AssertionError(sentence)


def save(folder: Path, step: int) -> Path:
    return save_checkpoint(folder, {"weight": torch.full((3,), float(step)), "step": step}, step=step)


def load(folder: Path) -> int | None:
    state = load_checkpoint(folder, warn=fail)
    return None if state is None else state["step"]


def test_a_checkpoint_comes_back_named_by_step_and_digest(tmp_path: Path) -> None:
    assert load(tmp_path / "none") is None
    file = save(tmp_path / "new", 12)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.name == f"000000012-{digest[:16]}.pt"
    state = load_checkpoint(tmp_path / "new", warn=fail)
    assert state["step"] == 12
    assert torch.equal(state["weight"], torch.full((3,), 12.0))


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10, 100):
        save(tmp_path, step)
    assert [file.name[:9] for file in list_checkpoints(tmp_path)] == ["000000100", "000000010"]
    assert load(tmp_path) == 100


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_newest_is_passed_over_with_a_sentence(tmp_path: Path, damage: str) -> None:
    save(tmp_path, 1)
    newest = save(tmp_path, 2)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes({"cut": content[:-100], "flip": content, "empty": b""}[damage])
    said: list[str] = []
    assert load_checkpoint(tmp_path, warn=said.append)["step"] == 1
    assert said == [f"The checkpoint {newest.name} is damaged and passed over; the one before it is used."]


def test_a_crash_between_writing_and_naming_leaves_the_last_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)

    def crash(self: Path, target: Path) -> None:
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(CrashError):
            save(tmp_path, 2)
    assert (tmp_path / "000000002.tmp").stat().st_size > 0
    assert load(tmp_path) == 1
    assert not list(tmp_path.glob("*.tmp"))
    save(tmp_path, 2)
    assert load(tmp_path) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_gives_a_sentence_and_the_last_good_one_is_kept(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "000000002.tmp").symlink_to("/dev/full")
    with pytest.raises(RecipeError) as refusal:
        save(tmp_path, 2)
    message = str(refusal.value)
    assert "checkpoint of step 2" in message
    assert "the disk is full" in message
    assert "free some space and run the same command again" in message
    assert str(tmp_path) not in message
    assert load(tmp_path) == 1
    assert not list(tmp_path.glob("*.tmp"))


def test_what_cannot_be_flushed_is_not_taken_for_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RecipeError, match=r"Input/output error\. The last good one is kept"):
        save(tmp_path, 2)
    with pytest.raises(RecipeError, match=r"Input/output error\. There is none before it; free some space"):
        save(tmp_path / "empty", 1)
    assert load(tmp_path) == 1


def test_nothing_in_a_checkpoint_is_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (os.mkdir, (str(tmp_path / "owned"),))

    save_checkpoint(tmp_path, {"step": 1, "evil": Evil()}, step=1)
    with pytest.raises(Exception, match="Weights only load failed"):
        load_checkpoint(tmp_path, warn=fail)
    assert not (tmp_path / "owned").exists()
