"""Evidence as a file: written, flattened and compared."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from secondlook.data.files import replace_file
from secondlook.errors import BundleError, DatasetError
from secondlook.inference.bundle import Evidence

UNCOMPARED = ("secondlook_version", "measured")
REFUSALS, MASKS = "measures.refusals.outside", "explanations.masks"
OPTIONAL = ("outside", "outliers", "robustness", "repeatability", "explanations", "attack")


def write_evidence(evidence: Evidence, path: Path) -> None:
    """Write evidence as JSON; replace the file atomically."""
    replace_file(path, dump_evidence(evidence).encode())


def dump_evidence(evidence: Evidence) -> str:
    """Return evidence as JSON text; equal evidence gives equal text."""
    return json.dumps(evidence.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def compare_evidence(stored: Evidence, measured: Evidence, *, tolerance: float = 0.0) -> list[str]:
    """Return one line for each entry that differs, none when the measurement reproduces what is stored.

    Not compared are the version of Secondlook, the day, and parts that were not measured now: see :func:`list_skipped`.

    Args:
        stored: What the bundle holds.
        measured: What was measured now.
        tolerance: Greatest difference between two figures that still counts as equal.
    """
    before, after = dict(_flatten(stored.model_dump(mode="json"))), dict(_flatten(measured.model_dump(mode="json")))
    skipped = tuple(f"{part}." for part in list_skipped(stored, measured))
    before = {name: value for name, value in before.items() if not name.startswith(skipped)}
    names = [name for name in {**before, **after} if name not in UNCOMPARED]
    missing = object()
    differences = []
    for name in names:
        old, new = before.get(name, missing), after.get(name, missing)
        if old != new and not _is_near(old, new, tolerance):
            differences.append(f"{name}: stored {_show(old, missing)}, measured {_show(new, missing)}")
    return differences


def list_skipped(stored: Evidence, measured: Evidence) -> list[str]:
    """Return the parts that are stored and were not measured now, for what they need was not given."""
    before, after = stored.model_dump(mode="json"), measured.model_dump(mode="json")
    skipped = [name for name in OPTIONAL if before[name] and not after[name]]
    for place, part, entry in ((REFUSALS, "refusals", "outside"), (MASKS, "explanations", "masks")):
        held = [(content["measures"] | content).get(part, {}).get(entry) for content in (before, after)]
        if held[0] and not held[1]:
            skipped.append(place)
    return skipped


def read_attack(path: Path, graph_sha256: str) -> dict[str, Any]:
    """Return what ``secondlook attack`` found, after a look at whether it was this graph that was shown the pictures.

    Raises:
        DatasetError: The file is not what it writes.
        BundleError: It is about another graph.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DatasetError(f"Expected the attack.json of `secondlook attack`, {path.name!r} is none.") from error
    if not isinstance(found, dict) or "methods" not in found:
        raise DatasetError(f"Expected the attack.json of `secondlook attack`, {path.name!r} holds something else.")
    if found.get("graph_sha256") != graph_sha256:
        raise BundleError(
            f"Expected an attack that was shown to this bundle's graph, {path.name!r} tells of another one or of none. "
            "Attack it again: `secondlook attack RUN MANIFEST.csv --bundle BUNDLE`."
        )
    return found


def _flatten(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        entries = list(content.items())
    elif isinstance(content, list):
        entries = list(enumerate(content))
    else:
        yield name, content
        return
    for key, value in entries:
        yield from _flatten(value, f"{name}.{key}" if name else str(key))


def _is_near(old: Any, new: Any, tolerance: float) -> bool:
    numbers = isinstance(old, float | int) and isinstance(new, float | int)
    return numbers and abs(old - new) <= tolerance + 1e-12


def _show(value: Any, missing: object) -> str:
    return "nothing" if value is missing else str(value)
