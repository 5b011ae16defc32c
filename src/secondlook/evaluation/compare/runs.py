"""What can be compared: the run folders that training leaves, and bundles alone with a manifest."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from secondlook.conditions import Task, find_task
from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import BundleError, DatasetError, InputError
from secondlook.inference.bundle import find_bundle, read_facts


@dataclass(frozen=True)
class Candidate:
    """A model to be compared.

    Attributes:
        name: Shown; no other candidate has it.
        bundle: The bundle's folder.
        manifest: What it is measured on.
        training_seconds: Time spent in epochs, all folds together; none where no history says so.
    """

    name: str
    bundle: Path
    manifest: Manifest
    training_seconds: float | None


def find_candidates(names: Sequence[str], manifest: Manifest | None) -> list[Candidate]:
    """Return the candidates of these run folders and bundles.

    Args:
        names: Run folders, bundle folders, or names of shipped bundles.
        manifest: What to measure all of them on; without it each run is measured on its own ``split.csv``.

    Raises:
        InputError: Nothing is there, a run is not finished, or a bundle alone has no manifest.
        DatasetError: A run's ``split.csv`` cannot be read, or the manifest has no split test to open.
    """
    shown = name_apart([Path(name).resolve().name if Path(name).exists() else name for name in names])
    return [find_candidate(name, title, manifest) for name, title in zip(names, shown, strict=True)]


def name_apart(names: Sequence[str]) -> list[str]:
    """Return the names, those that come again numbered."""
    return [
        name if name not in names[:place] else f"{name} ({names[:place].count(name) + 1})"
        for place, name in enumerate(names)
    ]


def find_candidate(name: str, title: str, manifest: Manifest | None) -> Candidate:
    """Return one candidate; see :func:`find_candidates`."""
    folder = Path(name)
    if (folder / "recipe.yaml").is_file():
        if not (folder / "bundle" / "SHA256SUMS").is_file():
            raise InputError(
                f"The run {title} has no finished bundle yet. Continue it with the command that started it, or leave "
                "it out."
            )
        own = manifest if manifest is not None else read_manifest(folder / "split.csv")
        return Candidate(title, folder / "bundle", own, read_seconds(folder))
    try:
        bundle = find_bundle(name)
    except BundleError as error:
        raise InputError(f"Expected a run folder or a bundle, {title!r} is neither. {error}") from error
    if manifest is None:
        raise InputError(f"The bundle {title} does not say which pictures to measure it on; give --manifest.")
    return Candidate(title, bundle, manifest, None)


def read_seconds(folder: Path) -> float | None:
    """Return the seconds that a run spent in its epochs; of a cross-validated one, those of all folds."""
    histories = [
        file for file in (folder / "history.csv", *sorted(folder.glob("fold-*/history.csv"))) if file.is_file()
    ]
    total = 0.0
    for file in histories:
        with file.open(newline="", encoding="utf-8") as stream:
            seconds = [row.get("seconds") or "" for row in csv.DictReader(stream)]
        if "" in seconds:  # written before seconds were
            return None
        total += math.fsum(map(float, seconds))
    return total if histories else None


def require_task(candidates: Sequence[Candidate]) -> Task:
    """Return the task that all candidates, and what they are measured on, have in common.

    Raises:
        InputError: The models are for different tasks.
        DatasetError: A manifest is of another task than the models.
    """
    tasks = {candidate.name: read_facts(candidate.bundle).task for candidate in candidates}
    if len(set(tasks.values())) > 1:
        listed = "; ".join(f"{name}: {task}" for name, task in tasks.items())
        raise InputError(f"Expected models of one task, got {listed}. Compare each task's models by themselves.")
    task = next(iter(tasks.values()))
    foreign = [candidate.name for candidate in candidates if candidate.manifest.task != task]
    if foreign:
        raise DatasetError(
            f"Expected pictures of the models' task {task}; those of {', '.join(foreign)} are for "
            f"{candidates[0].manifest.task if len(foreign) == len(candidates) else 'another'}."
        )
    return find_task(task)
