"""Logs are read back by the tools' own readers; a tool that fails costs no run."""

import sys
from pathlib import Path
from typing import Any

import pytest

from secondlook.training import tracking
from secondlook.training.loop import Progress, Watcher
from secondlook.training.tracking import list_values, track_run
from tests.training.tiny import make_recipe


def take_steps(folder: Path, first: int, last: int, *, watcher: Watcher | None = None) -> None:
    """Tell a watcher of steps in epochs of two, as a run does that continues before step ``first``."""
    recipe = make_recipe()
    with track_run(watcher or Watcher(warn=pytest.fail), folder, recipe) as tracked:
        history = [make_row(number) for number in range(1, first // 2 + 1)]
        if first:
            tracked.epoch(history)
        for number in range(first + 1, last + 1):
            tracked.step(Progress((number + 1) // 2, 3, number, 6, loss=1 / number, rate=0.1, pictures_per_s=9.0))
            if number % 2 == 0:
                history.append(make_row(number // 2))
                tracked.epoch(history)


def make_row(epoch: int) -> dict[str, float]:
    return {"epoch": epoch, "step": 2 * epoch, "calibration_auc": 0.5 + epoch / 10}


def test_tensorboard_shows_every_step_and_epoch_once_though_the_run_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setattr(tracking, "TOOLS", {"tensorboard": tracking.TensorBoardLog})
    take_steps(tmp_path, 0, 5)  # killed after step 5, whose checkpoint is that of step 2
    take_steps(tmp_path, 2, 6)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    losses = events.Scalars("step/loss")
    assert [event.step for event in losses] == [1, 2, 3, 4, 5, 6]
    assert [event.value for event in losses] == pytest.approx([1 / number for number in range(1, 7)])
    areas = events.Scalars("epoch/calibration_auc")
    assert [(event.step, event.value) for event in areas] == [
        (2, pytest.approx(0.6)),
        (4, pytest.approx(0.7)),
        (6, pytest.approx(0.8)),
    ]


@pytest.mark.filterwarnings("ignore")  # of its own parts
def test_mlflow_holds_the_recipe_and_every_epoch_of_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pytest.importorskip("mlflow.tracking").MlflowClient
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(tracking, "TOOLS", {"mlflow": tracking.MLflowLog})
    take_steps(tmp_path, 0, 4)
    take_steps(tmp_path, 4, 6)
    store = client(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (run,) = store.search_runs([store.get_experiment_by_name("secondlook").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["stages.0.trainable"] == "head"
    areas = store.get_metric_history(run.info.run_id, "calibration_auc")
    assert [(metric.step, metric.value) for metric in areas] == [(2, 0.6), (4, 0.7), (6, 0.8)]


class Broken:
    """A tool that can be opened but not written to."""

    def __init__(self, *args: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise OSError("the server is away")


def test_a_tool_that_fails_is_left_out_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    seen: list[int] = []
    monkeypatch.setattr(tracking, "TOOLS", {"json": Broken, "tool_that_nobody_has": pytest.fail})
    watcher = Watcher(warn=said.append, step=lambda progress: seen.append(progress.step))
    take_steps(tmp_path, 0, 4, watcher=watcher)
    assert seen == [1, 2, 3, 4]
    assert said == ["json cannot log this run (OSError); training goes on without it."]


def test_without_tools_nothing_is_logged_and_nothing_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    before = set(sys.modules)
    take_steps(tmp_path, 0, 4)
    assert not list(tmp_path.iterdir())
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & {"tensorboard", "mlflow"}


def test_values_are_listed_with_their_paths() -> None:
    content = {"name": "a", "stages": [{"epochs": 2}, {"epochs": 3}], "stop": {}}
    assert dict(list_values(content)) == {"name": "a", "stages.0.epochs": 2, "stages.1.epochs": 3}
