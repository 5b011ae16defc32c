"""What the JSON files of a bundle hold; an unknown key, a wrong type or another schema version is refused."""

import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from secondlook.conditions import TASKS
from secondlook.imaging.resize import Resize, read_size
from secondlook.inference.outliers import OutlierMethod

SCHEMA_VERSION = 1

Side = Annotated[int, Field(ge=16, le=1024)]
MapKind = Literal["class_activation", "head_by_place", "occlusion"]
Share = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Schema(BaseModel):
    """Frozen, finite, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TrainingFacts(Schema):
    """Where the weights come from.

    ``weights`` says what training started from. ``leak`` is ``none``, or a note that marks every figure because
    training saw pictures of the measuring split.
    """

    recipe: str
    recipe_sha256: Sha256
    data: str
    data_fingerprint: str
    secondlook_version: str
    weights: str = "not recorded"
    leak: str


class GraphFacts(Schema):
    """The ONNX file's hash, of how many views and networks it averages the answers, and what kind of map it gives.

    ``scales`` are the views' magnifications, 1 for all where there are none: below 1 a view shows the whole picture
    with fewer pixels, above 1 its central part enlarged.

    ``class_activation`` adds up to the logits, ``head_by_place`` is the network's head applied at each place, and a
    graph with ``occlusion`` gives none: the predictor hides one part of the picture after the other.
    """

    sha256: Sha256
    views: PositiveInt
    scales: tuple[float, ...] = ()
    members: PositiveInt = 1
    map: MapKind = "class_activation"


class BundleFacts(Schema):
    """``bundle.json``; ``input_size_px`` is the side of a square, or height and width."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    version: str
    task: str
    labels: tuple[str, ...]
    input_size_px: Side | tuple[Side, Side]
    resize: Resize
    created: datetime.date
    licence: str
    training: TrainingFacts
    graph: GraphFacts

    def describe_input(self) -> str:
        """Return in words what the graph takes."""
        height, width = read_size(self.input_size_px)
        how = "the whole picture" if self.resize == "stretch" else "the central part of the picture"
        return f"{width}×{height} px, {how}"

    @model_validator(mode="after")
    def check_task(self) -> Self:
        """Refuse a task that this version does not know, or labels in another order."""
        if self.task not in TASKS:
            raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {self.task!r}")
        if self.labels != TASKS[self.task].keys:
            raise ValueError(f"labels: expected {', '.join(TASKS[self.task].keys)}, got {', '.join(self.labels)}")
        return self


class OperatingPoint(Schema):
    """A threshold on the probability of the alarming labels, and what it gave on the calibration split.

    ``sensitivity_lower`` is a one-sided 95 % bound. The threshold is chosen so that the bound, not the sensitivity
    itself, reaches ``target``; where the calibration pictures are too few for that, it does not.
    """

    name: Literal["sensitivity_90", "sensitivity_95"]
    target: Share
    threshold: Share
    sensitivity: Share
    sensitivity_lower: Share
    specificity: Share
    positives: PositiveInt
    negatives: PositiveInt
    groups: PositiveInt

    @property
    def supported(self) -> bool:
        """Whether the calibration pictures bear out the target: the lower bound of the sensitivity reaches it."""
        return self.sensitivity_lower >= self.target


class OutlierLimit(Schema):
    """How pictures are scored, and the score above which one is not evaluable; each method has its own parameters."""

    method: OutlierMethod
    limit: float
    neighbours: PositiveInt = 10
    shrinkage: Annotated[float, Field(gt=0, le=1)] = 0.1
    components: PositiveInt = 64
    scale: PositiveFloat = 1.0

    @property
    def parameters(self) -> dict[str, Any]:
        """What :func:`secondlook.inference.outliers.fit_scorer` takes beside the method and the reference."""
        return self.model_dump(exclude={"method", "limit"})


class FittedOn(Schema):
    """The pictures that calibration was fitted on."""

    split: str
    pictures: PositiveInt
    groups: PositiveInt
    data_fingerprint: str


class Scaling(Schema):
    """What replaces the one temperature where the labels need correcting differently.

    ``vector`` multiplies each label's score (``logits + log_prior``) by a weight of its own and adds a bias (Guo et al.
    2017, doi 10.48550/arXiv.1706.04599); ``dirichlet`` multiplies the log-probabilities by a whole matrix (Kull et al.
    2019, doi 10.48550/arXiv.1910.12656). ``weight`` has one row for each label that comes out.
    """

    method: Literal["vector", "dirichlet"]
    weight: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]


class Calibrator(Schema):
    """A way of scaling that was tried: mean negative log-likelihood in nats, cross-validated over groups.

    ``worse_by`` is its mean distance from the best one, ``error`` the standard error of that distance.
    """

    method: Literal["temperature", "vector", "dirichlet"]
    ridge: Annotated[float, Field(ge=0)]
    loss: float
    worse_by: float
    error: float


class SetLimit(Schema):
    """From which probability on a label belongs to the prediction set.

    ``level`` is the share of pictures of that label whose set holds it, as far as the ``groups`` that it was fitted
    on can promise it; with fewer than nine of them it lies below the target.
    """

    label: str
    least: Share
    level: Share
    groups: NonNegativeInt


class SetLimits(Schema):
    """Prediction sets: the share aimed at, each label's limit, and the widest set that still says something."""

    target: Share
    labels: tuple[SetLimit, ...]
    widest: PositiveInt


class Calibration(Schema):
    """``calibration.json``: what turns logits into probabilities, a triage and a prediction set.

    ``scaling`` takes the temperature's place where it is given; ``calibrators`` says which ways of scaling were tried,
    and their loss on pictures that they were not fitted on. Bundles made before these existed lack them.
    """

    temperature: PositiveFloat
    log_prior: tuple[float, ...]
    scaling: Scaling | None = None
    calibrators: tuple[Calibrator, ...] = ()
    sets: SetLimits | None = None
    operating_points: tuple[OperatingPoint, ...]
    outlier: OutlierLimit
    fitted_on: FittedOn

    @model_validator(mode="after")
    def check_points(self) -> Self:
        """Refuse anything but the two operating points, the stricter sensitivity at the lower threshold."""
        if sorted(point.name for point in self.operating_points) != ["sensitivity_90", "sensitivity_95"]:
            raise ValueError("operating_points: expected sensitivity_90 and sensitivity_95, each once")
        if self.find_point("sensitivity_95").threshold > self.find_point("sensitivity_90").threshold:
            raise ValueError("operating_points: expected the threshold of sensitivity_95 not above sensitivity_90's")
        return self

    def find_point(self, name: Literal["sensitivity_90", "sensitivity_95"]) -> OperatingPoint:
        """Return the operating point of this name."""
        return next(point for point in self.operating_points if point.name == name)


class MeasuredBundle(Schema):
    """Which bundle the evidence speaks of."""

    name: str
    version: str
    graph_sha256: Sha256


class Evidence(Schema):
    """``evidence.json``: measured figures; every one is ``{value, lower, upper}``, per-label ones keyed by label.

    ``measured`` is the day of the measurement; bundles made before it was recorded lack it.
    What follows ``measures`` are the parts of the report, each empty where it was not measured; docs/evidence.md
    explains them.
    """

    schema_version: Literal[1]
    bundle: MeasuredBundle
    calibration_sha256: Sha256
    secondlook_version: str
    measured: datetime.date | None = None
    manifest: dict[str, JsonValue]
    leak: str
    seed: NonNegativeInt
    resamples: NonNegativeInt
    measures: dict[str, JsonValue]
    flow: dict[str, JsonValue] = {}
    composition: dict[str, JsonValue] = {}
    curves: dict[str, JsonValue] = {}
    operating: dict[str, JsonValue] = {}
    reliability: dict[str, JsonValue] = {}
    decision: dict[str, JsonValue] = {}
    sets: dict[str, JsonValue] = {}
    subgroups: dict[str, JsonValue] = {}
    outside: dict[str, JsonValue] = {}
    outliers: dict[str, JsonValue] = {}
    robustness: dict[str, JsonValue] = {}
    repeatability: dict[str, JsonValue] = {}
    explanations: dict[str, JsonValue] = {}
    attack: dict[str, JsonValue] = {}
