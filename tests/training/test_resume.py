"""Runs in processes of their own, killed at random moments, against unbroken ones."""

import os
import random
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from secondlook.errors import RecipeError
from secondlook.training.checkpoint import list_checkpoints, load_checkpoint
from secondlook.training.run import open_run
from tests.training.tiny import VARIANTS, hold_run, make_recipe, run_to_the_end, start

STEPS_BEFORE_KILLS = (0, 2, 1, 1, 1, 1)  # a second step is told of only when the first one's checkpoint is saved
STEPS = 20  # 42 drawn pictures in batches of 8, 4 epochs
GOES_ON = 3  # steps at most after those before a signal, should it be late: the last of the killed stops at the 19th


def drain(reports: Connection) -> list[Any]:
    """Return what a process reports until it ends."""
    received = []
    try:
        while True:
            received.append(reports.recv())
    except (EOFError, ConnectionResetError):
        return received


def finish(folder: Path, manifest: Path, variant: str, every_s: float = 0) -> tuple[list[int], str]:
    """Run to the end and return the steps taken and the weights' SHA-256."""
    process, reports = start(run_to_the_end, folder, manifest, variant, every_s, None)
    *steps, digest = drain(reports)
    process.join()
    assert process.exitcode == 0
    return steps, digest


def hit(process: BaseProcess, reports: Connection, sign: signal.Signals, *, after: int, seconds: float) -> None:
    """Send a signal so long after so many reports."""
    for _ in range(after):
        reports.recv()
    process.join(seconds)
    assert process.pid is not None
    os.kill(process.pid, sign)
    process.join()


@pytest.fixture(scope="module", params=list(VARIANTS))
def unbroken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, drawn_csv: Path
) -> tuple[str, str]:
    """Return what the run is made of, and the SHA-256 of the weights that an unbroken run ends with."""
    steps, digest = finish(tmp_path_factory.mktemp("unbroken") / "run", drawn_csv, request.param, 1e9)
    assert steps == list(range(1, STEPS + 1))
    return request.param, digest


def test_a_run_killed_at_random_moments_ends_with_the_weights_of_an_unbroken_one(
    tmp_path: Path, drawn_csv: Path, unbroken: tuple[str, str]
) -> None:
    variant, expected = unbroken
    rng = random.Random(f"{variant} 1")  # noqa: S311  a seeded choice of moments
    folder = tmp_path / "run"
    for after in STEPS_BEFORE_KILLS:
        process, reports = start(run_to_the_end, folder, drawn_csv, variant, 0, after + GOES_ON)
        # The first kill may fall into decoding, the others fall between, into and after saves.
        hit(process, reports, signal.SIGKILL, after=after, seconds=rng.uniform(0, 0.08))
        assert process.exitcode == -signal.SIGKILL
    steps, digest = finish(folder, drawn_csv, variant)
    assert 1 < steps[0] <= STEPS, "no kill left a checkpoint to continue from"
    assert digest == expected


def test_ctrl_c_saves_the_step_under_way_and_the_run_ends_with_the_same_weights(
    tmp_path: Path, drawn_csv: Path, unbroken: tuple[str, str]
) -> None:
    variant, expected = unbroken
    folder = tmp_path / "run"
    process, reports = start(run_to_the_end, folder, drawn_csv, variant, 1e9, 8 + GOES_ON)
    hit(process, reports, signal.SIGINT, after=8, seconds=0.01)
    assert process.exitcode == 130
    packed = load_checkpoint(folder / "checkpoints", warn=pytest.fail)
    assert packed is not None
    steps, digest = finish(folder, drawn_csv, variant, 1e9)
    assert steps[0] == packed["step"] + 1 >= 9
    assert digest == expected


def test_a_second_process_on_a_run_folder_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    process, reports = start(hold_run, tmp_path / "run")
    assert reports.recv() == "open"
    with pytest.raises(RecipeError, match="Another process is training in the run folder run"):
        open_run(tmp_path / "run", make_recipe()).__enter__()
    hit(process, reports, signal.SIGKILL, after=0, seconds=0)
    with open_run(tmp_path / "run", make_recipe()):
        assert not list_checkpoints(tmp_path / "run" / "checkpoints")
