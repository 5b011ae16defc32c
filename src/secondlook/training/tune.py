"""A search for better values of a recipe, judged on the calibration split; the split test is never opened.

Bergstra, Bardenet, Bengio and Kégl 2011, "Algorithms for Hyper-Parameter Optimization", NeurIPS 24, as Optuna has it
(Akiba et al. 2019, doi 10.1145/3292500.3330701). What a trial tries follows from the seed, the trial's number and the
trials before it, so that a search that was killed goes on as an unbroken one would.
"""

import csv
import dataclasses
import io
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, Trial, TrialState
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from secondlook.errors import RecipeError
from secondlook.training.loop import DivergenceError, Watcher
from secondlook.training.recipe import Recipe
from secondlook.training.run import fit_network, open_run, prepare_material
from secondlook.training.sections import Measure
from secondlook.training.space import Space, change_recipe, check_space, dump_space
from secondlook.training.stopping import LOWER_IS_BETTER, score_epochs
from secondlook.training.trialplots import plot_trials
from secondlook.training.writing import write_text

STARTUP = 10
PRUNED_AFTER = 5
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
Watch = Callable[[Recipe], Watcher]
Tell = Callable[["Tried"], None]


@dataclass(frozen=True)
class Tried:
    """What one trial gave.

    Attributes:
        number: From 1 on.
        state: ``complete``; ``pruned``, given up since it was worse than half of the others; or ``diverged``.
        value: The measure on the calibration split; NaN without an epoch.
        changes: What was tried.
        epochs: Epochs trained.
    """

    number: int
    state: str
    value: float
    changes: Mapping[str, Any]
    epochs: int


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes:
        file: The best recipe, ready to be trained.
        best: The best trial.
        tried: Every trial.
        lower_is_better: Whether a lower measure is better.
    """

    file: Path
    best: Tried
    tried: tuple[Tried, ...]
    lower_is_better: bool


def tune_recipe(
    recipe: Recipe,
    folder: Path,
    *,
    space: Space,
    trials: int,
    measure: Measure,
    seed: int,
    watch: Watch,
    tell: Tell = lambda _tried: None,
) -> Tuned:
    """Try values of a recipe, or go on trying, until there are so many trials in all.

    Args:
        recipe: Where to start from.
        folder: Holds ``recipe.yaml``, ``space.yaml``, ``study.sqlite3``, ``trials.csv``, ``best.yaml``,
            ``plots/trials.png``, and a run folder for each trial, without a bundle.
        space: What to change.
        trials: Number of trials, those done before included.
        measure: What to make better, on the calibration split.
        seed: Of the search.
        watch: Called with each trial's recipe, returns its watcher.
        tell: Told of each trial done.

    Raises:
        RecipeError: The space does not fit, the folder holds another search, or a trial cannot go on.
        DatasetError: The data are missing or wrong, or leak.
    """
    recipe = recipe.model_copy(update={"split": recipe.split.model_copy(update={"folds": None, "fold": None})})
    check_space(space, recipe)
    with open_run(folder, recipe), explain_storage(folder):
        settle_search(folder, f"# measure: {measure}, seed: {seed}\n{dump_space(space)}")
        study = open_study(folder, recipe, measure)
        search = Search(recipe, folder, study, space, measure, seed)
        while len(study.get_trials(deepcopy=False, states=DONE)) < trials:
            trial = search.next_trial()
            search.run_trial(trial, watch)
            tell(search.describe(study.trials[trial.number]))
            search.write_results()
        found = search.write_results()
    if found is None:
        raise RecipeError(
            "No trial has come to its end: all have diverged. Lower the range of optimiser.rate in --space, and give "
            "the search another folder with --run."
        )
    return found


@contextmanager
def explain_storage(folder: Path) -> Iterator[None]:
    """Say in a sentence when the search's database cannot be written.

    Raises:
        RecipeError: It cannot.
    """
    try:
        yield
    except (StorageInternalError, OperationalError) as error:
        cause = error.__cause__ if isinstance(error, StorageInternalError) else error
        why = getattr(cause, "orig", None) or type(error).__name__
        raise RecipeError(
            f"Expected to write the database of the search {folder.name}: {why}. Trials that are done are kept; free "
            "some space, and run the same command again."
        ) from error


def settle_search(folder: Path, text: str) -> None:
    """Keep what is searched in the folder.

    Raises:
        RecipeError: The folder holds a search of something else.
    """
    file = folder / "space.yaml"
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        raise RecipeError(
            f"The folder {folder.name} holds a search of another space, measure or seed (see its space.yaml). Give "
            "this one another folder with --run."
        )
    write_text(file, text)


def open_study(folder: Path, recipe: Recipe, measure: Measure) -> optuna.Study:
    """Return the study in the folder's database."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    epochs = sum(stage.epochs for stage in recipe.stages)
    return optuna.create_study(
        storage=f"sqlite:///{folder.resolve() / 'study.sqlite3'}",
        study_name=recipe.name,
        direction="minimize" if measure in LOWER_IS_BETTER else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNED_AFTER, n_warmup_steps=math.ceil(epochs / 3)),
        load_if_exists=True,
    )


@dataclass(frozen=True)
class Search:
    """A search that is under way."""

    recipe: Recipe
    folder: Path
    study: optuna.Study
    space: Space
    measure: Measure
    seed: int

    def next_trial(self) -> Trial:
        """Return the trial that was killed, to be continued, or a new one."""
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        number = running[0].number if running else len(self.study.get_trials(deepcopy=False))
        # A sampler of its own for each trial: what it draws does not depend on how often the search was started.
        sampler_seed = (self.seed * 1_000_003 + number) % 2**32
        self.study.sampler = optuna.samplers.TPESampler(seed=sampler_seed, n_startup_trials=STARTUP)
        return Trial(self.study, running[0]._trial_id) if running else self.study.ask()

    def run_trial(self, trial: Trial, watch: Watch) -> None:
        """Train a trial's recipe up to its weights, and tell the study what came of it."""
        changes = {key: entry.suggest(trial, key) for key, entry in self.space.items()}
        try:
            name = f"{self.recipe.name}-trial-{trial.number + 1}"
            recipe = change_recipe(self.recipe, {**changes, "name": name})
        except ValidationError as error:
            raise RecipeError(
                f"Trial {trial.number + 1} would not be a valid recipe: {error.errors()[0]['msg']}. Take "
                f"{', '.join(changes)} out of the search space, or narrow them."
            ) from error
        run = self.find_folder(trial.number)
        try:
            value = self.train_trial(trial, recipe, run, watch(recipe))
        except optuna.TrialPruned:
            self.study.tell(trial, state=TrialState.PRUNED)
        except DivergenceError as error:
            trial.set_user_attr("diverged", str(error))
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, value)
        shutil.rmtree(run / "checkpoints", ignore_errors=True)  # fifty trials' would fill a disk

    def train_trial(self, trial: Trial, recipe: Recipe, run: Path, watcher: Watcher) -> float:
        """Train a trial's recipe, and return the measure of the weights that it would keep.

        Raises:
            TrialPruned: It is worse than half of the others were after as many epochs.
            RecipeError: It cannot go on.
        """
        epochs = sum(stage.epochs for stage in recipe.stages)
        histories: list[list[dict[str, float]]] = []

        def judge(history: list[dict[str, float]]) -> None:
            watcher.epoch(history)
            histories[:] = [history]
            known = self.study.trials[trial.number].intermediate_values
            for number in range(1, len(history) + 1):
                if number not in known:
                    trial.report(self.read_value(recipe, history[:number]), number)
            if len(history) < epochs and trial.should_prune():
                raise optuna.TrialPruned

        material = prepare_material(recipe, watcher=watcher, tested=False)
        with open_run(run, recipe):
            fit_network(recipe, material, run, watcher=dataclasses.replace(watcher, epoch=judge))
        return self.read_value(recipe, histories[0])

    def read_value(self, recipe: Recipe, history: Sequence[Mapping[str, float]]) -> float:
        """Return the measure at the epoch whose weights would be kept.

        Raises:
            RecipeError: It is undefined on the calibration split.
        """
        scores = score_epochs(history, recipe.measure)
        kept = scores.index(max(scores)) if recipe.keep == "best" else len(history) - 1
        value = history[kept].get(f"calibration_{self.measure}", math.nan)
        if math.isnan(value):
            raise RecipeError(
                f"The measure {self.measure} is undefined on the calibration split: too few labels there, or the task "
                "has no grades. Choose another with --measure."
            )
        return value

    def find_folder(self, number: int) -> Path:
        """Return the run folder of a trial."""
        return self.folder / f"trial-{number + 1:03d}"

    def describe(self, trial: FrozenTrial) -> Tried:
        """Return what a trial gave."""
        values = trial.intermediate_values
        value = trial.value if trial.value is not None else values[max(values)] if values else math.nan
        state = "diverged" if "diverged" in trial.user_attrs else trial.state.name.lower()
        fixed = optuna.trial.FixedTrial(trial.params)
        changes = {key: entry.suggest(fixed, key) for key, entry in self.space.items() if key in trial.params}
        return Tried(trial.number + 1, state, value, changes, len(values))

    def write_results(self) -> Tuned | None:
        """Write ``trials.csv``, ``best.yaml`` and the plot, and return what was found once a trial has ended."""
        tried = tuple(self.describe(trial) for trial in self.study.get_trials(states=DONE))
        write_trials(self.folder / "trials.csv", tried, measure=self.measure)
        complete = [one for one in tried if one.state == "complete"]
        if not complete:
            return None
        lower = self.measure in LOWER_IS_BETTER
        best = (min if lower else max)(complete, key=lambda one: one.value)
        plot_trials(tried, best, self.folder / "plots" / "trials.png", measure=self.measure)
        words = f"The best of {len(tried)} trials of {self.recipe.name}, by {self.measure} on the calibration split."
        named = {**best.changes, "name": f"{self.recipe.name}-tuned", "about": words}
        write_text(self.folder / "best.yaml", change_recipe(self.recipe, named).dump())
        return Tuned(self.folder / "best.yaml", best, tried, lower)


def write_trials(file: Path, tried: Sequence[Tried], *, measure: str) -> None:
    """Write the trials as CSV, one row each."""
    keys = dict.fromkeys(key for one in tried for key in one.changes)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["trial", "state", f"calibration_{measure}", "epochs", *keys])
    for one in tried:
        value = "" if math.isnan(one.value) else f"{one.value:.6f}"
        writer.writerow([one.number, one.state, value, one.epochs, *(one.changes.get(key, "") for key in keys)])
    write_text(file, text.getvalue())
