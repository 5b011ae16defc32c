"""Checkpoints that are whole or not there: written aside, flushed, renamed, and named by their own digest."""

import errno
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from secondlook.errors import RecipeError

KEPT = 2


def save_checkpoint(folder: Path, state: dict[str, Any], *, step: int) -> Path:
    """Write a checkpoint and drop all but the newest two.

    Args:
        folder: The run's ``checkpoints`` folder.
        state: Tensors and plain values.
        step: Number of optimiser steps done.

    Returns:
        The file, ``STEP-DIGEST.pt``.

    Raises:
        RecipeError: It cannot be written, for example because the disk is full; earlier ones stay.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    file = folder / f"{step:09d}-{hashlib.sha256(content).hexdigest()[:16]}.pt"
    temporary = folder / f"{step:09d}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full" if full else str(error.strerror)
        earlier = "The last good one is kept" if list_checkpoints(folder) else "There is none before it"
        raise RecipeError(
            f"Cannot save the checkpoint of step {step} ({len(content) / 1e6:.0f} MB): {what}. {earlier}; free some "
            "space and run the same command again."
        ) from error
    for old in list_checkpoints(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    return file


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, newest first."""
    return sorted(folder.glob("*-*.pt"), reverse=True)


def load_checkpoint(folder: Path, *, warn: Callable[[str], None]) -> dict[str, Any] | None:
    """Return the newest checkpoint that is whole, or None where there is none.

    Args:
        folder: The run's ``checkpoints`` folder.
        warn: Told, in a sentence, of each damaged checkpoint that is passed over.
    """
    for leftover in folder.glob("*.tmp"):
        leftover.unlink(missing_ok=True)
    for file in list_checkpoints(folder):
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest()[:16] == file.stem.partition("-")[2]:
            state: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
            return state
        warn(f"The checkpoint {file.name} is damaged and passed over; the one before it is used.")
    return None
