"""The training recipe: everything that a run depends on."""

import hashlib
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationInfo, field_validator, model_validator

from secondlook.conditions import TASKS
from secondlook.imaging.resize import read_size
from secondlook.training.families import FAMILIES
from secondlook.training.sections import (
    Adversarial,
    Augmentation,
    Data,
    Export,
    Loss,
    Machine,
    Measure,
    Model,
    Optimiser,
    Section,
    Split,
    Stage,
    Stop,
    nearest,
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
    adversarial: Adversarial = Adversarial()
    loss: Loss = Loss()
    optimiser: Optimiser = Optimiser()
    machine: Machine = Machine()
    stop: Stop = Stop()
    measure: Measure = Field("auc", description="On the calibration split: for `keep: best`, plateau and `stop`.")
    keep: Literal["last", "best"] = Field("last", description="`best`: the epoch with the best `measure`.")
    export: Export

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(f"unknown task; the nearest is `{nearest(task, list(TASKS))}`")
        return task

    @model_validator(mode="after")
    def _check_sizes(self) -> "Recipe":
        if FAMILIES[self.model.family].one_size:
            self.require_one_size(f"the family {self.model.family}")
        return self

    @model_validator(mode="after")
    def _check_adversarial(self) -> "Recipe":
        if self.adversarial.method != "none" and all(stage.features == "cached" for stage in self.stages):
            raise ValueError("`adversarial` needs a stage with `features: computed`; cached features see no pictures")
        return self

    @model_validator(mode="after")
    def _check_start(self) -> "Recipe":
        weights = self.model.weights
        if self.export.start_share and (weights in ("none", "hub") or weights.endswith(".safetensors")):
            raise ValueError("`export.start_share` needs the folder of an earlier run as `model.weights`")
        return self

    @model_validator(mode="after")
    def _check_members(self) -> "Recipe":
        if self.export.members and self.split.folds is not None:
            raise ValueError("`export.members` and `split.folds` both make one graph of several networks; take one")
        return self

    @model_validator(mode="after")
    def _check_batch(self) -> "Recipe":
        head = self.model.head
        counts = (head.batch_norm and head.hidden) or FAMILIES[self.model.family].normed_features
        if counts and self.optimiser.batch_size < 2:
            raise ValueError("batch norm over features needs `optimiser.batch_size` of 2 or more")
        return self

    def require_one_size(self, network: str) -> None:
        """Check that all stages and the export have one size.

        Raises:
            ValueError: They do not; the sentence names the network that needs it.
        """
        sizes = {read_size(stage.size_px) for stage in self.stages} | {read_size(self.export.input_size_px)}
        if any(scale < 1 for scale in self.export.scales):
            raise ValueError(f"{network} takes pictures of one size; leave `export.scales` below 1 out")
        if len(sizes) > 1:
            found = ", ".join(f"[{height}, {width}]" for height, width in sorted(sizes))
            raise ValueError(
                f"{network} takes pictures of one size; give the same `size_px` in all stages and as "
                f"`export.input_size_px`, not {found}"
            )

    @field_validator("loss", "stop", "measure")
    @classmethod
    def _check_order(cls, value: Loss | Stop | str, info: ValidationInfo) -> Loss | Stop | str:
        task = info.data.get("task")
        asked = value.name if isinstance(value, Loss) else value.measure if isinstance(value, Stop) else value
        if task is not None and not TASKS[task].ordered and asked in ("ordinal", "quadratic_kappa"):
            graded = ", ".join(key for key, other in TASKS.items() if other.ordered)
            raise ValueError(f"`{asked}` needs a task whose labels are grades ({graded}); those of {task} are none")
        return value

    def dump(self) -> str:
        """Return the recipe as YAML, every default written out."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    def describe_weights(self) -> dict[str, Any]:
        """Return the part of the recipe that the weights depend on; the rest may change after training."""
        part = self.model_dump(mode="json", exclude={"about", "export"})
        if self.keep == "best" or self.stop.patience or self.optimiser.schedule == "plateau":
            part["measured_at_px"] = self.export.input_size_px
        return part

    def fingerprint(self) -> str:
        """Return the SHA-256 of the recipe as written by :meth:`dump`."""
        return hashlib.sha256(self.dump().encode()).hexdigest()
