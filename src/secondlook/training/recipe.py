"""The training recipe: YAML that says everything a run depends on, checked before anything starts."""

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from secondlook.conditions import TASKS
from secondlook.errors import RecipeError

SHIPPED = Path(__file__).resolve().parents[1] / "recipes"


class Section(BaseModel):
    """A part of a recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Data(Section):
    """Where the pictures come from: a manifest, or a data source and its folder."""

    source: str | None = Field(None, description="Name of a data source, see `secondlook data import --help`.")
    folder: str | None = Field(None, description="Folder of the source; relative to SECONDLOOK_DATA.")
    manifest: str | None = Field(None, description="A manifest (CSV) in place of source and folder.")
    cache_px: int = Field(150, ge=16, le=1024, description="Side of the cached central square, in pixels.")

    @model_validator(mode="after")
    def _check_origin(self) -> "Data":
        if (self.manifest is None) == (self.source is None or self.folder is None):
            raise ValueError("give either `manifest`, or `source` and `folder`")
        return self


class Split(Section):
    """How pictures are dealt to train, calibration and test; a manifest's own split goes first."""

    train: float = Field(0.8, gt=0, lt=1)
    calibration: float = Field(0.1, gt=0, lt=1)
    test: float = Field(0.1, gt=0, lt=1)
    seed: int = Field(0, ge=0)
    leaks: Literal["refuse", "drop", "allow"] = Field(
        "refuse",
        description="What to do when pictures of two splits show the same: stop; leave those of calibration and test "
        "out; or go on and mark every figure.",
    )

    @model_validator(mode="after")
    def _check_sum(self) -> "Split":
        if abs(self.train + self.calibration + self.test - 1) > 1e-6:
            raise ValueError("`train`, `calibration` and `test` must add up to 1")
        return self


class Model(Section):
    """The network."""

    family: Literal["timm", "mobilenetv2_blocks"] = "timm"
    name: str = Field("regnety_004", description="The timm name of the network or of its backbone.")
    weights: str = Field(
        "none",
        description="`none`, `hub` (timm's own), the path of a safetensors file, or that of an earlier run's folder.",
    )
    dropout: float = Field(0.0, ge=0, lt=1)
    drop_path: float = Field(0.0, ge=0, lt=1)


class Stage(Section):
    """A stretch of training at one picture size."""

    epochs: int = Field(ge=1)
    size_px: int = Field(ge=16, le=1024, description="Side of the network's input, in pixels.")
    trainable: Literal["all", "head"] = "all"
    rate_scale: float = Field(1.0, gt=0, description="Factor on the schedule's learning rate.")


class Augmentation(Section):
    """Random changes to training pictures; zero or one switches each off."""

    rotation_degrees: float = Field(0.0, ge=0, le=180)
    flip_horizontal: bool = False
    flip_vertical: bool = False
    zoom: tuple[float, float] = Field((1.0, 1.0), description="Magnification, drawn log-uniformly.")
    stretch: float = Field(1.0, ge=1, description="Largest ratio of the two axes' magnifications.")
    shear: float = Field(0.0, ge=0, le=1)
    shift: float = Field(0.0, ge=0, le=0.5, description="As a share of the side.")
    brightness: float = Field(0.0, ge=0, lt=1)
    contrast: float = Field(0.0, ge=0, lt=1)
    saturation: float = Field(0.0, ge=0, le=1)
    white_balance: float = Field(0.0, ge=0, lt=1, description="Gain of each colour channel.")
    gamma: float = Field(1.0, ge=1, description="Largest exponent; its inverse is the smallest.")
    blur: float = Field(0.0, ge=0, le=1, description="Share of batches that lose resolution.")
    noise: float = Field(0.0, ge=0, lt=1, description="Largest standard deviation, of the range 0..1.")
    erase: float = Field(0.0, ge=0, le=1, description="Share of pictures with one grey rectangle.")
    mixup: float = Field(0.0, ge=0, le=4, description="Alpha of the Beta distribution (Zhang et al. 2018).")

    @model_validator(mode="after")
    def _check_zoom(self) -> "Augmentation":
        if not 0 < self.zoom[0] <= self.zoom[1]:
            raise ValueError("`zoom` must be two positive numbers, the smaller one first")
        return self


class Loss(Section):
    """Cross-entropy, and how rare classes are kept from being drowned."""

    balance: Literal["logit_adjustment", "weights", "sampler", "none"] = "logit_adjustment"
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class Optimiser(Section):
    """How weights move."""

    name: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw"
    rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    batch_size: int = Field(64, ge=1)
    schedule: Literal["one_cycle", "cosine", "constant"] = "one_cycle"
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    clip_norm: float = Field(0.0, ge=0, description="Largest gradient norm; 0 for none.")
    ema_decay: float = Field(0.0, ge=0, lt=1, description="Moving average of the weights; 0 for none.")


class Machine(Section):
    """What the run uses of the machine; part of the recipe because the last bits depend on it."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(1, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_every_s: float = Field(120.0, ge=0, description="Besides the one after every epoch.")


class Export(Section):
    """What becomes of the weights."""

    input_size_px: int = Field(ge=16, le=1024)
    views: Literal[1, 2, 4, 8] = Field(1, description="Flips and turns averaged inside the graph.")
    weights: Literal["fp32", "fp16"] = Field("fp32", description="How weights are stored; arithmetic is fp32.")
    licence: str = "unspecified"
    foreign: str | None = Field(
        None, description="Folder of pictures that are none of the task's, to measure how many are refused."
    )


class Recipe(Section):
    """Everything that a training run depends on."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    task: str
    about: str = ""
    seed: int = Field(0, ge=0, lt=2**32)
    data: Data
    split: Split = Split()
    model: Model = Model()
    stages: tuple[Stage, ...] = Field(min_length=1)
    augmentation: Augmentation = Augmentation()
    loss: Loss = Loss()
    optimiser: Optimiser = Optimiser()
    machine: Machine = Machine()
    keep: Literal["last", "best"] = Field("last", description="`best`: by macro AUC on the calibration split.")
    export: Export

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(f"unknown task; the nearest is `{nearest(task, list(TASKS))}`")
        return task

    def dump(self) -> str:
        """Return the recipe as YAML, every default written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def describe_weights(self) -> dict[str, Any]:
        """Return the part of the recipe that the weights depend on; the rest may change after training."""
        part = self.model_dump(mode="json", exclude={"about", "export"})
        if self.keep == "best":
            part["measured_at_px"] = self.export.input_size_px
        return part

    def fingerprint(self) -> str:
        """Return the SHA-256 of the recipe as written by :meth:`dump`."""
        return hashlib.sha256(self.dump().encode()).hexdigest()


def nearest(value: object, choices: Sequence[str]) -> str:
    """Return the choice that is nearest to a number, or that resembles a word most."""
    if isinstance(value, int | float) and all(choice.isdecimal() for choice in choices):
        return min(choices, key=lambda choice: abs(int(choice) - value))
    word = str(value).lower()
    return max(choices, key=lambda choice: difflib.SequenceMatcher(None, word, choice.lower()).ratio())


def find_recipe(name: str | Path) -> Path:
    """Return the file of a recipe given by path or by shipped name.

    Raises:
        RecipeError: There is no such recipe.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = SHIPPED / f"{path.name.removesuffix('.yaml')}.yaml"
    if shipped.is_file():
        return shipped
    names = sorted(file.stem for file in SHIPPED.glob("*.yaml"))
    raise RecipeError(
        f"Expected a recipe file or one of {', '.join(names)}; got {path.name!r}, the nearest is "
        f"{nearest(path.stem, names)!r}."
    )


def read_recipe(name: str | Path, *, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe by path or shipped name and apply ``key=value`` changes, for example ``stages.0.epochs=2``.

    Raises:
        RecipeError: The recipe or a change is wrong; key, line and the nearest valid name are told.
    """
    path = find_recipe(name)
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"Expected YAML in UTF-8 in {path.name}; correct it: {error}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"Expected keys and values in {path.name}, got {type(content).__name__}.")
    for change in changes:
        apply_change(content, change)
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        lines = list(describe_faults(error, text, changes=changes))
        raise RecipeError("\n".join([f"{path.name} is not a valid recipe:", *lines])) from error


def apply_change(content: dict[str, Any], change: str) -> None:
    """Set one value of a recipe, given as ``key.key=value`` with the value in YAML.

    Raises:
        RecipeError: The change has no ``=`` or leads to no place in the recipe.
    """
    path, sign, value = change.partition("=")
    if not sign or not path:
        raise RecipeError(f"Expected --set key=value, for example --set optimiser.rate=0.001; got {change!r}.")
    place: Any = content
    keys = path.split(".")
    try:
        for key in keys[:-1]:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        last: Any = int(keys[-1]) if isinstance(place, list) else keys[-1]
        place[last] = yaml.safe_load(value)
    except (IndexError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise RecipeError(f"Expected --set to name a place in the recipe; {path!r} is none ({error}).") from error


def describe_faults(error: ValidationError, text: str, *, changes: Sequence[str]) -> Iterator[str]:
    """Yield one line per fault: where it stands, what is wrong, and the nearest valid key or value."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    changed = tuple(f"{change.partition('=')[0]}." for change in changes)
    faults = [fault for fault in error.errors() if fault["type"] != "too_short" or not fault["input"]]
    for fault in faults:
        keys = list(fault["loc"])
        place = ".".join(map(str, keys))
        line = find_line(root, keys)
        where = f"line {line}: " if line else ""
        if f"{place}.".startswith(changed):
            where = "--set: "
        yield f"  - {where}`{place or 'recipe'}`: {explain_fault(fault, keys)}"


def explain_fault(fault: Any, keys: list[Any]) -> str:
    """Return what is wrong with one key or value, and the nearest that would be right."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        valid = list_fields(keys[:-1])
        return f"unknown key; the nearest is `{nearest(str(keys[-1]), valid)}` (valid: {', '.join(valid)})"
    if fault["type"] == "literal_error":
        choices = [choice.strip(" '") for choice in str(fault["ctx"]["expected"]).replace(" or ", ",").split(",")]
        return f"{message}, got {fault['input']!r}; the nearest is `{nearest(fault['input'], choices)}`"
    if fault["type"] == "missing":
        return "this key is required"
    return message if isinstance(fault["input"], dict | list) else f"{message}, got {fault['input']!r}"


def list_fields(keys: list[Any]) -> list[str]:
    """Return the valid keys of the section at this place of a recipe."""
    section: type[BaseModel] = Recipe
    for key in keys:
        if isinstance(key, int):
            continue
        annotation: Any = section.model_fields[key].annotation
        arguments = getattr(annotation, "__args__", None)
        section = arguments[0] if arguments else annotation
    return list(section.model_fields)


def find_line(node: Any, keys: list[Any]) -> int | None:
    """Return the line (from 1) of the deepest part of this path that stands in the file."""
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line
