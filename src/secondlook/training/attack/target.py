"""The network of a run as a target, and the bundle that is shown what was crafted against it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from art.estimators.classification import PyTorchClassifier
from numpy.typing import NDArray

from secondlook.conditions import find_task
from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import BundleError, DatasetError
from secondlook.evaluation.fit import number_labels
from secondlook.evaluation.stress.sample import read_original
from secondlook.imaging.read import Picture
from secondlook.imaging.resize import read_size
from secondlook.inference.predictor import Predictor, read_input
from secondlook.training.attack.craft import Floats, Shifted, to_levels, wrap_network
from secondlook.training.earlier import read_answering_weights
from secondlook.training.loss import count_prior
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network

Images = NDArray[np.uint8]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Target:
    """What is attacked, and the pictures as it takes them.

    Attributes:
        classifier: The network, for the toolbox.
        predictor: The bundle made from it, or none.
        pictures: As they were read; attacked ones are handed to the predictor in their place.
        images: uint8 N×H×W×3, RGB.
        labels: int64 N, the true labels' numbers.
        groups: N names of patients or lesions.
        keys: The labels.
    """

    classifier: PyTorchClassifier
    predictor: Predictor | None
    pictures: tuple[Picture, ...]
    images: Images
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What was answered about N pictures.

    Attributes:
        named: int64 N, the label that the network names.
        served: int64 N, the label that the bundle names for the picture rounded to levels; none without a bundle.
        triage: N words, what the bundle asks for; none without a bundle.
    """

    named: NDArray[np.int64]
    served: NDArray[np.int64] | None = None
    triage: NDArray[np.str_] | None = None


def prepare_target(
    run: Path, recipe: Recipe, manifest: Manifest, predictor: Predictor | None, *, device: str
) -> Target:
    """Load a run's answering network and the pictures to attack.

    Raises:
        DatasetError: The manifest is of another task, or a picture cannot be read.
        RecipeError: The run holds no whole checkpoint.
        BundleError: The bundle is of another task or takes pictures of another size.
    """
    labels, keys = number_labels(manifest, recipe.task), find_task(recipe.task).keys
    size_px = read_size(recipe.export.input_size_px)
    if predictor is not None:
        facts = predictor.bundle.facts
        if (facts.task, read_size(facts.input_size_px)) != (recipe.task, size_px):
            raise BundleError(
                f"Expected the bundle of the run {recipe.name} ({recipe.task}, {size_px[1]}×{size_px[0]} px), got "
                f"{facts.name} ({facts.task}, {facts.describe_input()}). Name the run's own with --bundle."
            )
    network = build_network(recipe, classes=len(keys), fresh=True)
    network.load_state_dict(read_answering_weights(run))
    shift = np.zeros(len(keys), np.float32)
    if recipe.loss.balance == "none":
        learned = read_manifest(run / "split.csv").select("train")
        shift = -count_prior(number_labels(learned, recipe.task), len(keys))
    classifier = wrap_network(Shifted(network, shift).to(torch.device(device)), size_px=size_px, classes=len(keys))
    pictures = [read_original(size_px, path) for path in manifest.paths()]
    unread = [path.name for path, picture in zip(manifest.paths(), pictures, strict=True) if picture is None]
    if unread:
        raise DatasetError("Expected pictures to attack; mend or remove those that cannot be read.", unread)
    read = tuple(picture for picture in pictures if picture is not None)
    return Target(
        classifier=classifier,
        predictor=predictor,
        pictures=read,
        images=np.stack([read_input(picture, size_px, resize=recipe.data.resize)[1] for picture in read]),
        labels=labels,
        groups=manifest.frame["group"].astype(str).to_numpy(dtype=np.str_),
        keys=keys,
    )


def ask_target(target: Target, pixels: Floats) -> Answer:
    """Return what network and bundle answer about the target's pictures after a change.

    Args:
        target: What is asked.
        pixels: float32 N×3×H×W in 0..1.
    """
    named = target.classifier.predict(pixels).argmax(axis=1).astype(np.int64)
    if target.predictor is None:
        return Answer(named)
    changed = zip(target.pictures, to_levels(pixels), strict=True)
    # A picture of just the network's input size is neither cropped nor resampled on its way.
    answers = [target.predictor.predict(dataclasses.replace(picture, pixels=image)) for picture, image in changed]
    served = np.array([target.keys.index(answer.label) for answer in answers], dtype=np.int64)
    return Answer(named, served, np.array([answer.triage for answer in answers]))
