"""Attack the network of a run at several strengths, and show what was crafted to the graph that serves."""

import dataclasses
import importlib.metadata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import find_task
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import RecipeError
from secondlook.evaluation.intervals import bootstrap_measures, widen_share
from secondlook.evaluation.measures import write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.evaluation.stress.sample import draw_sample
from secondlook.inference.predictor import Predictor
from secondlook.training.attack.craft import (
    BATCH,
    METHODS,
    QUICK,
    Budget,
    Floats,
    Method,
    craft_pictures,
    to_levels,
    to_planes,
)
from secondlook.training.attack.target import Answer, Images, Target, ask_target, prepare_target
from secondlook.training.reading import read_recipe

PICTURES = 48
STRENGTHS = (0.5, 1.0, 2.0, 4.0)
EXAMPLES = 3
LIBRARY = "adversarial-robustness-toolbox"


@dataclass(frozen=True)
class Plan:
    """How a network is attacked.

    Attributes:
        methods: Which attacks.
        strengths: Largest change of a value, in levels of 0…255, rising.
        budget: How much is computed for each picture.
        pictures: How many are drawn, evenly over the labels; None for all.
        seed: Seed of the draw, the attacks and the bootstrap.
        resamples: Number of resamples.
        device: Where to compute, ``cpu`` or ``cuda``.
    """

    methods: tuple[Method, ...] = tuple(METHODS)
    strengths: tuple[float, ...] = STRENGTHS
    budget: Budget = QUICK
    pictures: int | None = PICTURES
    seed: int = 0
    resamples: int = 2000
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse strengths that change nothing.

        Raises:
            RecipeError: A strength is not above 0, or they do not rise.
        """
        if not self.strengths or min(self.strengths) <= 0 or list(self.strengths) != sorted(set(self.strengths)):
            raise RecipeError(
                "Expected strengths above 0 that rise, in levels of 0…255, for example 0.5, 1, 2; got "
                f"{', '.join(f'{strength:g}' for strength in self.strengths) or 'none'}."
            )


@dataclass(frozen=True)
class Example:
    """One attacked picture to be looked at.

    Attributes:
        original: uint8 H×W×3, RGB, as the network takes it.
        attacked: The same after the attack, rounded to levels.
        truth: The true label.
        after: The label that the network names now.
        method: How it was attacked.
        strength: Largest change, in levels of 0…255.
    """

    original: Images
    attacked: Images
    truth: str
    after: str
    method: Method
    strength: float


def attack_run(
    run: Path, manifest: Manifest, plan: Plan, *, predictor: Predictor | None = None, track: Track = track_silently
) -> tuple[dict[str, Any], list[Example]]:
    """Attack pictures that the network of a run answers rightly.

    Args:
        run: The run folder: recipe, split and checkpoints.
        manifest: The pictures.
        plan: How.
        predictor: The bundle exported from the run, which is shown the attacked pictures, rounded to levels.
        track: Shows progress.

    Returns:
        What docs/stress.md explains as ``attack``, and a few attacked pictures.

    Raises:
        DatasetError: The manifest is of another task, or a picture cannot be read.
        RecipeError: The run holds no whole checkpoint.
        BundleError: The bundle is one of another network.
    """
    recipe = read_recipe(run / "recipe.yaml")
    sample = draw_sample(manifest, pictures=plan.pictures, seed=plan.seed)
    target = prepare_target(run, recipe, sample.manifest, predictor, device=plan.device)
    clean = ask_target(target, to_planes(target.images))
    alarming = np.isin(np.array(target.keys)[target.labels], find_task(recipe.task).alarming)

    def bound(answers: Sequence[Answer]) -> list[dict[str, Any]]:
        return bound_answers(target, clean, answers, alarming=alarming, plan=plan)

    methods: dict[str, Any] = {}
    examples: list[Example] = []
    for method in plan.methods:
        answers = []
        for strength in plan.strengths:
            pixels = attack_target(target, clean, plan, method=method, strength=strength, track=track)
            answers.append(ask_target(target, pixels))
            if strength == plan.strengths[-1]:
                examples += pick_examples(target, clean, answers[-1], pixels, method=method, strength=strength)
        figures = bound(answers)
        methods[method] = {name: [figure[name] for figure in figures] for name in figures[0]}
    found = {
        "run": recipe.name,
        "bundle": None if predictor is None else predictor.identity.name,
        "graph_sha256": None if predictor is None else predictor.bundle.facts.graph.sha256,
        "sample": sample.describe(),
        "library": f"{LIBRARY} {importlib.metadata.version(LIBRARY)}",
        "budget": dataclasses.asdict(plan.budget),
        "seed": plan.seed,
        "strengths": list(plan.strengths),
        "clean": bound([clean])[0],
        "methods": methods,
    }
    return found, examples


def attack_target(
    target: Target, clean: Answer, plan: Plan, *, method: Method, strength: float, track: Track
) -> Floats:
    """Return all pictures, float32 N×3×H×W in 0..1, attacked where the network was right and as they are elsewhere."""
    pixels = to_planes(target.images)
    right = np.flatnonzero(clean.named == target.labels)
    batches = [right[start : start + BATCH] for start in range(0, len(right), BATCH)]
    for rows in track(batches, f"{METHODS[method]} {strength:g}", len(batches)):
        pixels[rows] = craft_pictures(
            target.classifier,
            target.images[rows],
            target.labels[rows],
            method=method,
            strength=strength,
            budget=plan.budget,
            seed=plan.seed,
        )
    return pixels


def bound_answers(
    target: Target, clean: Answer, answers: Iterable[Answer], *, alarming: NDArray[np.bool_], plan: Plan
) -> list[dict[str, Any]]:
    """Return the shares of each set of answers with their intervals.

    ``accuracy`` is the network's; ``served_accuracy``, ``flips`` (of the pictures with an alarming label that the
    bundle referred when they were clean, those that are now routine) and ``not_evaluable`` are the bundle's.
    """
    everything = np.ones(len(target.labels), dtype=bool)
    found = []
    for answer in answers:
        shares = {"accuracy": (everything, answer.named == target.labels)}
        if answer.served is not None and answer.triage is not None and clean.triage is not None:
            referred = alarming & np.isin(clean.triage, ("urgent", "refer"))
            shares["served_accuracy"] = (everything, answer.served == target.labels)
            shares["flips"] = (referred, answer.triage == "routine")
            shares["not_evaluable"] = (everything, answer.triage == "not_evaluable")
        found.append(_bound_shares(shares, target.groups, plan))
    return found


def _bound_shares(
    shares: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]], groups: NDArray[np.str_], plan: Plan
) -> dict[str, Any]:
    def measure(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {
            name: compute_share(weights[..., rows] @ hits[rows].astype(float), weights[..., rows].sum(axis=-1))
            for name, (rows, hits) in shares.items()
        }

    bounded = bootstrap_measures(measure, groups, seed=plan.seed, resamples=plan.resamples)
    return {name: write_interval(widen_share(bounded[name], groups[rows])) for name, (rows, _) in shares.items()}


def pick_examples(
    target: Target, clean: Answer, answer: Answer, pixels: Floats, *, method: Method, strength: float
) -> Iterator[Example]:
    """Yield the first few pictures that the network named rightly and names wrongly after the attack."""
    turned = (clean.named == target.labels) & (answer.named != target.labels)
    for row in np.flatnonzero(turned)[:EXAMPLES]:
        yield Example(
            original=target.images[row],
            attacked=to_levels(pixels[row : row + 1])[0],
            truth=target.keys[target.labels[row]],
            after=target.keys[answer.named[row]],
            method=method,
            strength=strength,
        )
