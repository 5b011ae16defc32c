"""The sections of a recipe; Recipe itself stands in `recipe`."""

import difflib
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from secondlook.data.sources import SOURCES
from secondlook.imaging.resize import Resize
from secondlook.training.families import FAMILIES
from secondlook.training.presets import PRESETS


class Section(BaseModel):
    """A part of a recipe; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


Side = Annotated[int, Field(ge=16, le=1024)]
SizePx = Side | tuple[Side, Side]


def check_source(name: str) -> str:
    """Return the name of a data source.

    Raises:
        ValueError: There is no such source.
    """
    if name not in SOURCES:
        known = list(SOURCES)
        raise ValueError(f"unknown data source; the nearest is `{nearest(name, known)}` (of {', '.join(known)})")
    return name


SourceName = Annotated[str, AfterValidator(check_source)]


class Further(Section):
    """Another data set that is learned from but not measured."""

    source: SourceName = Field(description="Name of a data source, see `secondlook data import --help`.")
    folder: str = Field(description="Folder of the source; relative to SECONDLOOK_DATA.")
    train: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share that is learned from; the rest stays unseen, for an outside test: `secondlook data split` "
        "with this --train, --calibration 0 and the same seed gives it as its test.",
    )


class Data(Section):
    """Where the pictures come from: a manifest, or a data source and its folder."""

    source: SourceName | None = Field(None, description="Name of a data source, see `secondlook data import --help`.")
    folder: str | None = Field(None, description="Folder of the source; relative to SECONDLOOK_DATA.")
    manifest: str | None = Field(None, description="A manifest (CSV) in place of source and folder.")
    cache_px: SizePx = Field(150, description="Size of the cached pictures: side of a square, or [height, width].")
    resize: Resize = Field(
        "central_crop", description="`central_crop`, or `stretch` the whole picture to the network's proportions."
    )
    further: tuple[Further, ...] = Field((), description="Other data sets to learn from; nothing is measured on them.")
    limit: int | None = Field(None, ge=1, description="At most so many groups of each label in each split.")

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
    folds: int | None = Field(
        None, ge=2, description="Deal the split train to this many folds and train once without each; see --folds."
    )
    fold: int | None = Field(None, ge=1, description="Train without this fold alone, and measure on it; from 1.")

    @model_validator(mode="after")
    def _check_fold(self) -> "Split":
        if self.fold is not None and (self.folds is None or self.fold > self.folds):
            raise ValueError("`fold` must be from 1 to `folds`")
        return self

    @model_validator(mode="after")
    def _check_sum(self) -> "Split":
        if abs(self.train + self.calibration + self.test - 1) > 1e-6:
            raise ValueError("`train`, `calibration` and `test` must add up to 1")
        return self


def check_family(name: str) -> str:
    """Return the name of a family of networks.

    Raises:
        ValueError: There is no such family.
    """
    if name not in FAMILIES:
        known = list(FAMILIES)
        raise ValueError(f"unknown family; the nearest is `{nearest(name, known)}` (of {', '.join(known)})")
    return name


class Head(Section):
    """What stands between the backbone and the classes: per width a dense layer, activation, dropout, batch norm."""

    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field((), description="Width of each hidden dense layer.")
    activation: Literal["relu", "gelu", "silu", "tanh"] = "relu"
    dropout: float = Field(0.0, ge=0, lt=1, description="Behind each hidden layer.")
    batch_norm: bool = Field(False, description="Behind each hidden layer's dropout.")


class Model(Section):
    """The network."""

    family: Annotated[str, AfterValidator(check_family)] = "timm"
    name: str = Field("regnety_004", description="The timm name of the network or of its backbone.")
    weights: str = Field(
        "none",
        description="`none`, `hub` (timm's own), the path of a safetensors file, or that of an earlier run's folder.",
    )
    normalise: Literal["imagenet", "half", "network", "data", "none"] = Field(
        "imagenet",
        description="Mean and deviation that pixels in 0..1 are standardised by: ImageNet's; 0.5 and 0.5; those that "
        "timm states for this name's weights; those of the training pictures; or not at all.",
    )
    head: Head = Head()
    dropout: float = Field(0.0, ge=0, lt=1, description="Between the backbone and the head.")
    drop_path: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _check_normalise(self) -> "Model":
        if self.normalise == "network" and not FAMILIES[self.family].on_timm:
            raise ValueError("`normalise: network` is for networks of timm; use `data` or `none`")
        return self


class Stage(Section):
    """A stretch of training at one picture size."""

    epochs: int = Field(ge=1)
    size_px: SizePx = Field(description="Size of the network's input: side of a square, or [height, width].")
    trainable: str = Field(
        "all",
        description="`all`; `head`; `from:NAME`, the layer of that name and all behind it; or `last:N`, the last N "
        "layers that hold weights, the head's among them.",
    )
    rate_scale: float = Field(1.0, gt=0, description="Factor on the schedule's learning rate.")
    layer_decay: float = Field(1.0, gt=0, le=1, description="Factor on the rate from each layer to the one before it.")
    features: Literal["computed", "cached"] = Field(
        "computed", description="`cached` runs the frozen backbone over the pictures once, without augmentation."
    )
    cached_views: Literal[1, 2, 4] = Field(
        1, description="Of each cached picture: itself; and its mirror image; and both of these upside down."
    )

    @field_validator("trainable")
    @classmethod
    def _check_trainable(cls, trainable: str) -> str:
        if not re.fullmatch(r"all|head|from:\S+|last:[1-9][0-9]*", trainable):
            raise ValueError("expected `all`, `head`, `from:NAME` or `last:N`")
        return trainable

    @model_validator(mode="after")
    def _check_features(self) -> "Stage":
        if self.features == "cached" and self.trainable != "head":
            raise ValueError("`features: cached` needs `trainable: head`, since other layers change the features")
        if self.cached_views > 1 and self.features != "cached":
            raise ValueError("`cached_views` needs `features: cached`; computed features take the augmentation")
        return self


class RandAugment(Section):
    """A few changes per picture, drawn from fourteen (Cubuk et al. 2020)."""

    number: int = Field(0, ge=0, le=14, description="Changes per picture; 0 for none.")
    magnitude: float = Field(9.0, ge=0, le=10, description="Strength of all of them.")


class Augmentation(Section):
    """Random changes to training pictures; zero or one switches each off."""

    preset: str | None = Field(
        None,
        exclude=True,
        description="Name of a set of values, written out at reading; what stands beside it goes first.",
    )
    rotation_degrees: float = Field(0.0, ge=0, le=180)
    flip_horizontal: bool = False
    flip_vertical: bool = False
    zoom: tuple[float, float] = Field((1.0, 1.0), description="Magnification, drawn log-uniformly.")
    stretch: float = Field(1.0, ge=1, description="Largest ratio of the two axes' magnifications.")
    shear: float = Field(0.0, ge=0, le=1)
    shift: float = Field(0.0, ge=0, le=0.5, description="As a share of the side.")
    brightness: tuple[float, float] = Field((1.0, 1.0), description="Smallest and largest factor; 0.2 is [0.8, 1.2].")
    contrast: float = Field(0.0, ge=0, lt=1)
    saturation: float = Field(0.0, ge=0, le=1)
    white_balance: float = Field(0.0, ge=0, lt=1, description="Gain of each colour channel.")
    gamma: float = Field(1.0, ge=1, description="Largest exponent; its inverse is the smallest.")
    blur: float = Field(0.0, ge=0, le=1, description="Share of batches that lose resolution.")
    noise: float = Field(0.0, ge=0, lt=1, description="Largest standard deviation, of the range 0..1.")
    erase: float = Field(0.0, ge=0, le=1, description="Share of pictures with one grey rectangle.")
    mixup: float = Field(0.0, ge=0, le=4, description="Alpha of the Beta distribution (Zhang et al. 2018).")
    cutmix: float = Field(0.0, ge=0, le=4, description="The same for a rectangle of another picture (Yun et al. 2019).")
    hair: float = Field(0.0, ge=0, le=1, description="Share of pictures with hairs drawn over them.")
    ruler: float = Field(0.0, ge=0, le=1, description="Share of pictures with the ticks of a ruler.")
    window: float = Field(0.0, ge=0, lt=1, description="Largest change of an X-ray's intensity window.")
    randaugment: RandAugment = RandAugment()

    @model_validator(mode="before")
    @classmethod
    def _resolve_preset(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("preset") is None:
            return content
        name = str(content["preset"])
        if name not in PRESETS:
            known = ", ".join(PRESETS)
            raise ValueError(f"unknown preset {name!r}; the nearest is `{nearest(name, list(PRESETS))}` (of {known})")
        return {**PRESETS[name], **{key: value for key, value in content.items() if key != "preset"}}

    @field_validator("brightness", mode="before")
    @classmethod
    def _read_brightness(cls, value: Any) -> Any:
        return (1 - value, 1 + value) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _check_ranges(self) -> "Augmentation":
        if not 0 < self.zoom[0] <= self.zoom[1]:
            raise ValueError("`zoom` must be two positive numbers, the smaller one first")
        if not 0 < self.brightness[0] <= self.brightness[1]:
            raise ValueError("`brightness` must be a number from 0 to 1, or two positive ones, the smaller one first")
        return self


class Adversarial(Section):
    """Attacks on the network under way that it learns to withstand, at a price in clean accuracy."""

    method: Literal["none", "fgsm", "pgd"] = Field("none", description="One step up the gradient, or several.")
    strength: float = Field(1.0, gt=0, le=64, description="Largest change of a value, in levels of 0…255.")
    steps: int = Field(3, ge=1, le=50, description="PGD: steps for each batch; each takes as long as learning from it.")
    share: float = Field(0.5, gt=0, le=1, description="Share of each batch that is attacked; the rest stays clean.")


class Loss(Section):
    """What is made small, and how rare classes are kept from being drowned; docs/training.md explains each."""

    name: Literal["cross_entropy", "binary", "focal", "ordinal"] = "cross_entropy"
    gamma: float = Field(2.0, ge=0, le=10, description="Focal: how little pictures count that are easy already.")
    order_weight: float = Field(1.0, ge=0, le=100, description="Ordinal: of the distance between grades.")
    balance: Literal["logit_adjustment", "weights", "sampler", "generate", "none"] = "logit_adjustment"
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class Optimiser(Section):
    """How weights move."""

    name: Literal["adamw", "adam", "sgd", "rmsprop"] = "adamw"
    rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    batch_size: int = Field(64, ge=1)
    schedule: Literal["one_cycle", "cosine", "constant", "step", "plateau"] = "one_cycle"
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the steps in which the rate rises.")
    drop_epochs: tuple[Annotated[int, Field(ge=1)], ...] = Field((), description="Step: the rate drops after these.")
    drop_factor: float = Field(0.1, gt=0, lt=1, description="Step and plateau: what the rate is multiplied by.")
    patience: int = Field(5, ge=1, description="Plateau: epochs without a better measure before the rate drops.")
    floor: float = Field(0.0, ge=0, description="Plateau: the lowest rate that it drops to.")
    clip_norm: float = Field(0.0, ge=0, description="Largest gradient norm; 0 for none.")
    ema_decay: float = Field(0.0, ge=0, lt=1, description="Moving average of the weights; 0 for none.")

    @model_validator(mode="after")
    def _check_schedule(self) -> "Optimiser":
        if self.schedule == "step" and not self.drop_epochs:
            raise ValueError("`schedule: step` needs `drop_epochs`, for example [4, 8, 12]")
        return self


Measure = Literal["auc", "nll", "balanced_accuracy", "accuracy", "kappa", "quadratic_kappa"]


class Stop(Section):
    """When a run ends before its last epoch."""

    patience: int = Field(0, ge=0, description="Epochs without a better measure before the run ends; 0 for never.")
    measure: Measure | None = Field(None, description="What must get better; the recipe's `measure` where not given.")


class Machine(Section):
    """What the run uses of the machine; part of the recipe because the last bits depend on it."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(1, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_every_s: float = Field(120.0, ge=0, description="Besides the one after every epoch.")


View = Literal[
    "identity",
    "flip_horizontal",
    "flip_vertical",
    "rotate_180",
    "transpose",
    "rotate_90",
    "rotate_270",
    "transverse",
]
Storage = Literal["fp32", "fp16", "int8"]
VIEWS: tuple[str, ...] = get_args(View)  # bit 1 mirrors left and right, bit 2 top and bottom, bit 4 then transposes


class Export(Section):
    """What becomes of the weights."""

    input_size_px: SizePx
    views: tuple[View, ...] = Field(
        ("identity",), min_length=1, description="Flips and turns averaged inside the graph; a number means the first."
    )
    scales: tuple[Annotated[float, Field(ge=0.25, le=4)], ...] = Field(
        (),
        description="Magnification of each view, 1 by default: below it the whole picture with fewer pixels, above it "
        "its central part enlarged.",
    )
    weights: Storage = Field("fp32", description="How weights are stored; arithmetic is fp32.")
    members: tuple[str, ...] = Field(
        (), description="Folders of further runs, whose networks look too: logits and maps are averaged."
    )
    start_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the weights that training started from, an earlier run's, in those that are exported.",
    )
    licence: str = "unspecified"
    foreign: str | None = Field(
        None, description="Folder of pictures that are none of the task's, to measure how many are refused."
    )

    @field_validator("views", mode="before")
    @classmethod
    def _read_views(cls, value: Any) -> Any:
        if not isinstance(value, int):
            return value
        if value not in (1, 2, 4, 8):
            close = nearest(value, ["1", "2", "4", "8"])
            raise ValueError(f"expected 1, 2, 4 or 8 (the nearest is `{close}`), or a list of {', '.join(VIEWS)}")
        return VIEWS[:value]

    @model_validator(mode="after")
    def _check_views(self) -> "Export":
        scales = self.scales or (1.0,) * len(self.views)
        if len(scales) != len(self.views):
            raise ValueError(f"`scales` must hold one number for each of the {len(self.views)} `views`")
        if len(set(zip(self.views, scales, strict=True))) < len(scales):
            raise ValueError("expected every view once")
        return self


def nearest(value: object, choices: Sequence[str]) -> str:
    """Return the choice that is nearest to a number, or that resembles a word most."""
    if isinstance(value, int | float) and all(choice.isdecimal() for choice in choices):
        return min(choices, key=lambda choice: abs(int(choice) - value))
    word = str(value).lower()
    return max(choices, key=lambda choice: difflib.SequenceMatcher(None, word, choice.lower()).ratio())
