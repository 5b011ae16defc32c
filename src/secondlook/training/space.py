"""What a search may change: keys of the recipe, each with a range or a list of choices, written in YAML.

optimiser.rate: {low: 0.0003, high: 0.01, log: true}
optimiser.batch_size: [32, 64]
model.dropout: {low: 0, high: 0.5, step: 0.1}
stages.0.epochs: {low: 2, high: 6}
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from optuna.trial import BaseTrial
from pydantic import TypeAdapter, ValidationError, model_validator

from secondlook.errors import RecipeError
from secondlook.training.reading import apply_change, explain_fault
from secondlook.training.recipe import Recipe
from secondlook.training.sections import Section

# What makes trials comparable: all of them must answer for the same pictures.
FIXED = ("name", "task", "split")
DIGITS = 4


class Range(Section):
    """Numbers from ``low`` to ``high``; whole ones where both are."""

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @model_validator(mode="after")
    def _check_order(self) -> "Range":
        if not self.low < self.high:
            raise ValueError("`low` must lie below `high`")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("`log` needs `low` above 0, and no `step`")
        return self

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step or 1))

    def suggest(self, trial: BaseTrial, key: str) -> Any:
        """Return the trial's number."""
        if self.whole:
            step = int(self.step or 1)
            return trial.suggest_int(key, int(self.low), int(self.high), log=self.log, step=step)
        value = trial.suggest_float(key, self.low, self.high, log=self.log, step=self.step)
        return float(f"{value:.{DIGITS}g}")

    def list_extremes(self) -> list[Any]:
        """Return what must be valid for all to be."""
        return [self.low, self.high]


class Choices(Section):
    """Values to choose from, of any kind that a recipe holds."""

    choices: tuple[Any, ...]

    @model_validator(mode="after")
    def _check_count(self) -> "Choices":
        if len(self.choices) < 2:
            raise ValueError("give two choices or more")
        return self

    def suggest(self, trial: BaseTrial, key: str) -> Any:
        """Return the trial's choice."""
        texts = [json.dumps(choice) for choice in self.choices]
        return json.loads(trial.suggest_categorical(key, texts))

    def list_extremes(self) -> list[Any]:
        """Return what must be valid for all to be."""
        return list(self.choices)


Space = dict[str, Range | Choices]


def read_space(file: Path) -> Space:
    """Read a search space from YAML.

    Raises:
        RecipeError: The file is missing, is no YAML, or a range or list of choices is wrong.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"Expected a search space in YAML, {file.name} cannot be read as one: {error}") from error
    if not isinstance(content, dict) or not content:
        raise RecipeError(
            f"Expected keys of a recipe in {file.name}, each with a range or choices, for example "
            "`optimiser.rate: {low: 0.0003, high: 0.01, log: true}`."
        )
    return parse_space({str(key): value for key, value in content.items()}, file.name)


def parse_space(content: Mapping[str, Any], name: str) -> Space:
    """Return a search space from what YAML holds; a bare list means choices.

    Raises:
        RecipeError: A range or list of choices is wrong; all of them are named.
    """
    space: Space = {}
    faults = []
    for key, value in content.items():
        kind: Any = Choices if isinstance(value, list) or (isinstance(value, dict) and "choices" in value) else Range
        try:
            space[key] = TypeAdapter(kind).validate_python({"choices": value} if isinstance(value, list) else value)
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            faults.append(f"  - `{key}`: expected {{low, high}} with log or step, or a list of choices: {message}")
    if faults:
        raise RecipeError("\n".join([f"{name} is not a valid search space:", *faults]))
    return space


def dump_space(space: Space) -> str:
    """Return a search space as YAML."""
    content = {key: entry.model_dump(mode="json", exclude_defaults=True) for key, entry in space.items()}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def propose_space(recipe: Recipe) -> Space:
    """Return a space that suits most recipes: the rate around the recipe's own, and how strongly it is held back."""
    rate = recipe.optimiser.rate
    content: dict[str, Any] = {
        "optimiser.rate": {"low": float(f"{rate / 10:.2g}"), "high": float(f"{rate * 10:.2g}"), "log": True},
        "model.dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
        "loss.label_smoothing": [0.0, 0.05, 0.1],
        "augmentation.mixup": [0.0, 0.1, 0.2, 0.4],
    }
    if recipe.optimiser.name in {"adamw", "sgd"}:
        content["optimiser.weight_decay"] = {"low": 1e-4, "high": 0.3, "log": True}
    return parse_space(content, "the default space")


def check_space(space: Space, recipe: Recipe) -> None:
    """Check that every end of every range, and every choice, gives a valid recipe by itself.

    Raises:
        RecipeError: One does not; all of them are named.
    """
    faults = [f"  - {fault}" for key, entry in space.items() for fault in list_faults(recipe, key, entry)]
    if faults:
        raise RecipeError("\n".join(["The search space does not fit the recipe:", *faults]))


def list_faults(recipe: Recipe, key: str, entry: Range | Choices) -> Iterator[str]:
    """Yield what is wrong with one key of a space."""
    if key.split(".")[0] in FIXED:
        yield f"`{key}`: trials can be compared only if {', '.join(FIXED)} stay as they are; remove it"
        return
    for value in entry.list_extremes():
        try:
            change_recipe(recipe, {key: value})
        except ValidationError as error:
            fault = error.errors()[0]
            yield f"`{key}` = {value}: {explain_fault(fault, list(fault['loc']))}"
        except RecipeError as error:
            yield f"`{key}`: {error}"


def change_recipe(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Return a recipe with some values changed.

    Raises:
        RecipeError: A key leads to no place in the recipe.
        ValidationError: The values do not make a valid recipe.
    """
    content = recipe.model_dump(mode="json")
    for key, value in changes.items():
        apply_change(content, f"{key}={json.dumps(value)}")
    return Recipe.model_validate(content)
