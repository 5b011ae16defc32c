"""What can be compared: the run folders that training leaves, and bundles alone with a manifest."""

import csv
import math
from collections.abc import Mapping, Sequence
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
        task: Of its bundle.
        manifest: What it is measured on.
        training_seconds: Time spent in epochs, all folds together; none where no history says so.
        own: The run's own split, where it is measured on another manifest.
    """

    name: str
    bundle: Path
    task: str
    manifest: Manifest
    training_seconds: float | None = None
    own: Manifest | None = None


def find_candidates(names: Sequence[str], manifests: Sequence[Manifest] = ()) -> list[Candidate]:
    """Return the candidates of these run folders and bundles.

    Args:
        names: Run folders, bundle folders, or names of shipped bundles.
        manifests: At most one of each task, which all models of that task are measured on; a run of a task without
            one is measured on its own ``split.csv``.

    Raises:
        InputError: Nothing is there, a run is not finished, or a bundle alone has no manifest.
        DatasetError: A run's ``split.csv`` cannot be read, two manifests are of one task, or one is of none of the
            models' tasks.
    """
    given = {manifest.task: manifest for manifest in manifests}
    if len(given) < len(manifests):
        raise DatasetError("Expected at most one manifest of each task.")
    shown = name_apart([find_title(name) for name in names])
    candidates = [find_candidate(name, title, given) for name, title in zip(names, shown, strict=True)]
    tasks = dict.fromkeys(candidate.task for candidate in candidates)
    foreign = sorted(given.keys() - tasks.keys())
    if foreign:
        raise DatasetError(
            f"Expected manifests of the models' tasks ({', '.join(tasks)}); got one of {', '.join(foreign)}."
        )
    return candidates


def part_tasks(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the candidates of each task, tasks and candidates in the order in which they came."""
    parts: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        parts.setdefault(candidate.task, []).append(candidate)
    return list(parts.values())


def find_title(name: str) -> str:
    """Return what a run or bundle is called: as its folder, or where that is a run's ``bundle``, as the run."""
    path = Path(name).resolve()
    if not path.exists():
        return name
    return path.parent.name if path.name == "bundle" else path.name


def name_apart(names: Sequence[str]) -> list[str]:
    """Return the names, those that come again numbered."""
    return [
        name if name not in names[:place] else f"{name} ({names[:place].count(name) + 1})"
        for place, name in enumerate(names)
    ]


def find_candidate(name: str, title: str, manifests: Mapping[str, Manifest]) -> Candidate:
    """Return one candidate, its manifest taken by its task; see :func:`find_candidates`."""
    folder = Path(name)
    if (folder / "recipe.yaml").is_file():
        if not (folder / "bundle" / "SHA256SUMS").is_file():
            raise InputError(
                f"The run {title} has no finished bundle yet. Continue it with the command that started it, or leave "
                "it out."
            )
        task, own = read_facts(folder / "bundle").task, read_manifest(folder / "split.csv")
        manifest = manifests.get(task)
        if manifest is None:
            return Candidate(title, folder / "bundle", task, own, read_seconds(folder))
        return Candidate(title, folder / "bundle", task, manifest, read_seconds(folder), own)
    try:
        bundle = find_bundle(name)
    except BundleError as error:
        raise InputError(f"Expected a run folder or a bundle, {title!r} is neither. {error}") from error
    if not manifests:
        raise InputError(f"The bundle {title} does not say which pictures to measure it on; give --manifest.")
    task = read_facts(bundle).task
    if task not in manifests:
        raise InputError(f"The bundle {title} is for the task {task}; give a --manifest of that task, too.")
    return Candidate(title, bundle, task, manifests[task])


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
    tasks = {candidate.name: candidate.task for candidate in candidates}
    if len(set(tasks.values())) > 1:
        listed = "; ".join(f"{name}: {task}" for name, task in tasks.items())
        raise InputError(f"Expected models of one task, got {listed}. Compare each task's models by themselves.")
    task = candidates[0].task
    foreign = [candidate.name for candidate in candidates if candidate.manifest.task != task]
    if foreign:
        raise DatasetError(f"Expected pictures of the models' task {task}; those of {', '.join(foreign)} are others.")
    return find_task(task)
