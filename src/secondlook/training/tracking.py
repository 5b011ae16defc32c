"""Logs of a run for other tools: TensorBoard and MLflow, each where it is installed; a run needs neither."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from secondlook.training.loop import Progress, Watcher
from secondlook.training.recipe import Recipe

MLFLOW_RUN = "mlflow.json"


class Log(Protocol):
    """What a tool takes down; a run that continues adds to what it logged before it was stopped."""

    def write_step(self, progress: Progress) -> None:
        """Take down a step."""

    def write_epoch(self, row: Mapping[str, float]) -> None:
        """Take down a row of the history."""

    def close(self, *, finished: bool) -> None:
        """Write out what is left; ``finished`` tells whether the run came to its end."""


class TensorBoardLog:
    """Event files in the run's folder ``tensorboard``: loss and rate of every step, the history of every epoch."""

    def __init__(self, folder: Path, _recipe: Recipe) -> None:
        self.folder = folder / "tensorboard"
        self.writer: Any = None

    def write_step(self, progress: Progress) -> None:
        """Take down loss and rate."""
        if self.writer is None:
            from torch.utils.tensorboard import SummaryWriter  # imports tensorboard

            # Steps after the last checkpoint are taken again, so what was logged of them is to be hidden.
            self.writer = SummaryWriter(str(self.folder), purge_step=progress.step)
        self.writer.add_scalar("step/loss", progress.loss, progress.step)
        self.writer.add_scalar("step/rate", progress.rate, progress.step)

    def write_epoch(self, row: Mapping[str, float]) -> None:
        """Take down the row at the step where the epoch ended."""
        for name, value in row.items():
            if name != "step":
                self.writer.add_scalar(f"epoch/{name}", value, int(row["step"]))
        self.writer.flush()  # before the checkpoint, so that no epoch that is not taken again is missing

    def close(self, *, finished: bool) -> None:  # noqa: ARG002  TensorBoard does not ask
        """Write out what is left."""
        if self.writer is not None:
            self.writer.close()


class MLflowLog:
    """A run in the experiment ``secondlook``: the recipe's values, and the history of every epoch.

    It goes to the store that MLFLOW_TRACKING_URI names, or else to ``mlflow.db`` in the run folder.
    """

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient(
            os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.resolve() / 'mlflow.db'}"
        )
        file = folder / MLFLOW_RUN
        if file.is_file():
            self.run: str = json.loads(file.read_text(encoding="utf-8"))["run"]
            return
        experiment = self.client.get_experiment_by_name("secondlook")
        number = experiment.experiment_id if experiment else self.client.create_experiment("secondlook")
        self.run = self.client.create_run(number, run_name=recipe.name).info.run_id
        values = list_values(recipe.model_dump(mode="json"))
        self.client.log_batch(self.run, params=[Param(name, str(value)) for name, value in values])
        file.write_text(json.dumps({"run": self.run}), encoding="utf-8")

    def write_step(self, progress: Progress) -> None:
        """Take nothing down: a store behind a network would hold every step up."""

    def write_epoch(self, row: Mapping[str, float]) -> None:
        """Take down the row at the step where the epoch ended."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(
            self.run, metrics=[Metric(name, value, now, int(row["step"])) for name, value in row.items()]
        )

    def close(self, *, finished: bool) -> None:
        """Tell how the run ended."""
        self.client.set_terminated(self.run, "FINISHED" if finished else "KILLED")


TOOLS: Mapping[str, Callable[[Path, Recipe], Log]] = {"tensorboard": TensorBoardLog, "mlflow": MLflowLog}


class Logs:
    """The tools that log a run; one that fails is left out with a warning, and the run goes on."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.warn = warn
        self.open: dict[str, Log] = {}

    def start(self, folder: Path, recipe: Recipe) -> None:
        """Open a log in every tool that is installed."""
        for tool, begin in TOOLS.items():
            if find_spec(tool) is not None:
                with self.spare_run(tool):
                    self.open[tool] = begin(folder, recipe)

    def tell(self, what: Callable[[Log], None]) -> None:
        """Tell every tool."""
        for tool, log in list(self.open.items()):
            with self.spare_run(tool):
                what(log)

    @contextmanager
    def spare_run(self, tool: str) -> Iterator[None]:
        """Let a tool fail by itself, for example because its server is away or the disk is full."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  tools fail in many ways, and none of them may cost a run
            self.open.pop(tool, None)
            self.warn(f"{tool} cannot log this run ({type(error).__name__}); training goes on without it.")


@contextmanager
def track_run(watcher: Watcher, folder: Path, recipe: Recipe) -> Iterator[Watcher]:
    """Yield a watcher that also logs the run to every tool that is installed.

    Args:
        watcher: Told everything as before.
        folder: The run folder.
        recipe: What the run trains.
    """
    logs, stepped = Logs(watcher.warn), False

    def step(progress: Progress) -> None:
        nonlocal stepped
        stepped = True
        logs.tell(lambda log: log.write_step(progress))
        watcher.step(progress)

    def epoch(history: list[dict[str, float]]) -> None:
        if stepped:  # before the first step, a run that continues tells of epochs that are logged already
            logs.tell(lambda log: log.write_epoch(history[-1]))
        watcher.epoch(history)

    finished = False
    logs.start(folder, recipe)
    try:
        yield replace(watcher, step=step, epoch=epoch)
        finished = True
    finally:
        logs.tell(lambda log: log.close(finished=finished))


def list_values(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested content, each with its path, for example ``stages.0.epochs``."""
    entries = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    if not isinstance(content, dict | list):
        yield name, content
    for key, value in entries:
        yield from list_values(value, f"{name}.{key}" if name else str(key))
