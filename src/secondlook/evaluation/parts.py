"""All parts of the evidence beside its ``measures``, from what a bundle answered about a manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from secondlook.data.fingerprint import Track
from secondlook.data.manifest import Manifest
from secondlook.evaluation.answers import Answered
from secondlook.evaluation.composition import cut_measured, describe_composition
from secondlook.evaluation.curves import measure_curves
from secondlook.evaluation.decision import measure_decision
from secondlook.evaluation.explanations import measure_explanations
from secondlook.evaluation.operating import measure_operating
from secondlook.evaluation.outside import measure_outside
from secondlook.evaluation.reliability import measure_reliability
from secondlook.evaluation.selective import measure_coverage, measure_sets, name_subgroups
from secondlook.evaluation.strangers import Strangers
from secondlook.evaluation.stress.repeatability import measure_repeatability
from secondlook.evaluation.stress.robustness import measure_robustness
from secondlook.evaluation.subgroups import measure_subgroups
from secondlook.inference.predictor import Predictor

RESAMPLES = 2000


class Wishes(TypedDict, total=False):
    """How :class:`Plan` is asked for, by keywords."""

    refuse: Path | None
    strangers: tuple[Strangers, ...]
    outside: Mapping[str, Manifest]
    masks: Path | None
    attack: Path | None
    prevalences: tuple[float, ...]
    quick: bool
    every: bool
    seed: int
    resamples: int


@dataclass(frozen=True)
class Plan:
    """What is measured, and how.

    Attributes:
        refuse: A folder of foreign pictures, whose refused share is measured too.
        strangers: Pictures that the bundle is not for; ways of telling them are compared, and finishing takes the best.
        outside: Further manifests by name.
        masks: A folder of lesion masks, to hold heatmaps against.
        attack: What ``secondlook attack`` found about this bundle's graph, to be part of the evidence.
        prevalences: Shares of the diseased to state predictive values for.
        quick: Whether what has to ask the bundle about many variants of pictures is left out: robustness,
            repeatability and the truth of explanations.
        every: Whether these are measured on every picture, and not on a sample that is drawn evenly over the labels.
        seed: Seed of bootstraps and samples.
        resamples: Number of bootstrap resamples.
    """

    refuse: Path | None = None
    strangers: tuple[Strangers, ...] = ()
    outside: Mapping[str, Manifest] = field(default_factory=dict)
    masks: Path | None = None
    attack: Path | None = None
    prevalences: tuple[float, ...] = ()
    quick: bool = False
    every: bool = False
    seed: int = 0
    resamples: int = RESAMPLES


def measure_parts(
    predictor: Predictor, answered: Answered, plan: Plan, *, graph: bytes, track: Track
) -> dict[str, Any]:
    """Measure the curves, thresholds, reliability, decision, sets, subgroups and outside tests; unless quick, more.

    Args:
        predictor: The bundle, ready to predict.
        answered: What it answered.
        plan: What is measured.
        graph: The bundle's ``model.onnx``.
        track: Shows progress.

    Returns:
        Parts of ``evidence.json`` by key.
    """
    answers, calibration = answered.answers, predictor.bundle.calibration
    asked: dict[str, Any] = {"seed": plan.seed, "resamples": plan.resamples}
    factors, refer = cut_measured(answered), calibration.find_point("sensitivity_95")
    points = calibration.operating_points
    work = {
        "composition": lambda: describe_composition(answered),
        "curves": lambda: measure_curves(answers, **asked),
        "operating": lambda: measure_operating(answers, points, prevalences=plan.prevalences, **asked),
        "reliability": lambda: measure_reliability(answers, **asked),
        "decision": lambda: measure_decision(answers, **asked),
        "sets": lambda: {
            **measure_sets(answers, calibration.sets, name_subgroups(factors), **asked),
            "risk_coverage": measure_coverage(answers, **asked),
        },
        "subgroups": lambda: measure_subgroups(answers, factors, refer, **asked),
    }
    parts = {name: work[name]() for name in track(list(work), "Measuring", len(work))}
    parts["outside"] = measure_outside(predictor, plan.outside, **asked, track=track)
    return parts if plan.quick else parts | _measure_variants(predictor, answered, plan, graph=graph, track=track)


def _measure_variants(
    predictor: Predictor, answered: Answered, plan: Plan, *, graph: bytes, track: Track
) -> dict[str, Any]:
    asked: dict[str, Any] = {"seed": plan.seed, "resamples": plan.resamples, "track": track}
    if plan.every:
        asked["pictures"] = None
    manifest = answered.manifest
    return {
        "robustness": measure_robustness(predictor, manifest, **asked),
        "repeatability": measure_repeatability(predictor, manifest, answered.answers, **asked),
        "explanations": measure_explanations(predictor, graph, manifest, masks=plan.masks, **asked),
    }
