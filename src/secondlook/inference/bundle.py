"""Open a bundle folder with every check, or seal one.

A bundle comes from outside as often as not, so nothing in it is trusted: no file is unpickled, no path in it is
followed, every byte that is used is a byte whose sum was checked, and the graph must give the stored output for the
stored input on this very machine.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from secondlook.conditions import Language
from secondlook.errors import BundleError
from secondlook.imaging.resize import read_size
from secondlook.inference.reference import Reference, read_reference
from secondlook.inference.schema import (
    SCHEMA_VERSION,
    BundleFacts,
    Calibration,
    Calibrator,
    Evidence,
    FittedOn,
    OperatingPoint,
    OutlierLimit,
    Scaling,
    Schema,
    SetLimit,
    SetLimits,
)
from secondlook.inference.session import Session, share_session
from secondlook.inference.strict import MEASURE, require_evidence

__all__ = [
    "Bundle",
    "BundleFacts",
    "Calibration",
    "Calibrator",
    "Evidence",
    "FittedOn",
    "OperatingPoint",
    "OutlierLimit",
    "Reference",
    "Scaling",
    "SetLimit",
    "SetLimits",
    "find_bundle",
    "list_bundles",
    "open_bundle",
    "open_draft",
    "read_facts",
    "seal_bundle",
]

SUMS = "SHA256SUMS"
SUMS_SCRAP = f"{SUMS}.tmp"  # what a sealing that was killed leaves; sealing again replaces it
DRAFT_FILES = ("bundle.json", "model.onnx", "calibration.json", "reference.npz")
SEALED_FILES = (*DRAFT_FILES, "evidence.json", "README.md")
CARDS: Mapping[Language, str] = {"en": "README.md", "fr": "README.fr.md"}
CHECKLISTS: Mapping[Language, str] = {"en": "CHECKLISTS.md", "fr": "CHECKLISTS.fr.md"}
# Sealed where they are there: bundles made before they existed lack them, and only a model hub needs the last one.
OPTIONAL_FILES = ("README.fr.md", "CHECKLISTS.md", "CHECKLISTS.fr.md", "config.json")
# What model hubs and their clients put beside the files; it is never read.
HUB_TRACES = (".git", ".gitattributes", ".cache")
SHIPPED = Path(__file__).parents[1] / "bundles"

MAX_FILE_BYTES = 2**30

# Other processors round the same graph differently; logits differ by far more than this when a weight is wrong.
PROBE_TOLERANCE = 1e-3

AnySchema = TypeVar("AnySchema", bound=Schema)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that passed every check.

    Attributes:
        facts: ``bundle.json``.
        calibration: ``calibration.json``.
        reference: ``reference.npz``.
        evidence: ``evidence.json``; none in a draft, which evaluation is still measuring.
        pages: The model card and the checklists, Markdown by file name, as far as the bundle has them.
        sha256: The hash of ``SHA256SUMS``, hence of all files; empty in a draft.
        session: The graph, shared by all who open this bundle in this process.
    """

    facts: BundleFacts
    calibration: Calibration
    reference: Reference
    evidence: Evidence | None
    pages: Mapping[str, str]
    sha256: str
    session: Session

    @property
    def card(self) -> str:
        """The model card in English, Markdown; empty in a draft."""
        return self.pages.get(CARDS["en"], "")


def list_bundles() -> tuple[str, ...]:
    """Return the names of the bundles that this installation ships."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob("*/bundle.json")))


def find_bundle(name_or_folder: str | Path) -> Path:
    """Return the folder of a shipped bundle, by name, or of any bundle, by path.

    Raises:
        BundleError: There is neither.
    """
    name = str(name_or_folder)
    if name in list_bundles():
        return SHIPPED / name
    folder = Path(name_or_folder)
    if (folder / "bundle.json").is_file():
        return folder
    shipped = ", ".join(list_bundles()) or "none in this installation"
    found = "a folder without bundle.json" if folder.is_dir() else "neither"
    raise BundleError(
        f"Expected a shipped bundle ({shipped}) or a folder with a bundle.json; {folder.name!r} is {found}. "
        "Check the spelling, or give the bundle's folder."
    )


def open_bundle(folder: Path, *, strict: bool = False) -> Bundle:
    """Open a sealed bundle: sums, schemas, evidence, graph and stored input → output pair all hold.

    Args:
        folder: The bundle.
        strict: Refuse evidence that is not good enough to serve, see :mod:`secondlook.inference.strict`.

    Raises:
        BundleError: Any of them does not; the sentence says which and what to do.
    """
    files = _read_files(folder, (*SEALED_FILES, SUMS), optional=OPTIONAL_FILES)
    _check_sums(files)
    evidence = _parse(Evidence, files, "evidence.json")
    bundle = _assemble(files, evidence=evidence)
    _check_evidence(bundle, evidence, files)
    if strict:
        require_evidence(bundle.facts, bundle.calibration, evidence)
    return bundle


def open_draft(folder: Path) -> Bundle:
    """Open a calibrated bundle that evaluation has yet to measure and seal: all checks but sums and evidence.

    Raises:
        BundleError: A check fails.
    """
    return _assemble(_read_files(folder, DRAFT_FILES, extra=(*SEALED_FILES, *OPTIONAL_FILES, SUMS, SUMS_SCRAP)))


def read_facts(folder: Path) -> BundleFacts:
    """Return ``bundle.json`` of a bundle or draft, without opening the rest.

    Raises:
        BundleError: It is missing or does not follow the schema.
    """
    return _parse(BundleFacts, {"bundle.json": _read_file(folder / "bundle.json")}, "bundle.json")


def seal_bundle(folder: Path) -> str:
    """Write ``SHA256SUMS``, last and atomically; return the bundle's hash.

    Raises:
        BundleError: A file is missing, or one does not belong.
    """
    files = _read_files(folder, SEALED_FILES, optional=OPTIONAL_FILES, extra=(SUMS, SUMS_SCRAP))
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    data = "".join(lines).encode()
    temporary = folder / SUMS_SCRAP
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(folder / SUMS)
    return hashlib.sha256(data).hexdigest()


def _read_files(
    folder: Path, expected: tuple[str, ...], *, optional: tuple[str, ...] = (), extra: tuple[str, ...] = ()
) -> dict[str, bytes]:
    """Read each file once, optional ones where they are there; what is checked later is then what is used."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.name not in HUB_TRACES)
    except OSError as error:
        raise BundleError(f"Expected a bundle folder, but {folder.name!r} cannot be listed. Check the path.") from error
    linked = [entry.name for entry in entries if entry.is_symlink() or not entry.is_file()]
    names = {entry.name for entry in entries}
    missing = [name for name in expected if name not in names]
    foreign = sorted(names - {*expected, *optional, *extra})
    if missing:
        cure = f"{MEASURE}." if "evidence.json" in missing else "Fetch or export it again."
        raise BundleError(f"The bundle {folder.name!r} lacks {', '.join(missing)}. {cure}")
    if foreign:
        pickled = any(Path(name).suffix in {".pkl", ".pickle", ".pt", ".pth", ".joblib"} for name in foreign)
        warning = " Pickles are never read, they can run code." if pickled else ""
        raise BundleError(
            f"The bundle {folder.name!r} holds what no bundle has: {', '.join(foreign)}.{warning} "
            "Remove it if you know where it comes from; else fetch the bundle again."
        )
    if linked:
        raise BundleError(
            f"Expected plain files in the bundle {folder.name!r}; {', '.join(linked)} is a link or a folder. "
            "Copy the file itself into the bundle."
        )
    return {name: _read_file(folder / name) for name in (*expected, *(name for name in optional if name in names))}


def _read_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BundleError(f"Expected at most 1 GiB, {path.name} is larger. Export a smaller bundle.")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"Expected to read {path.name} of the bundle: {error.strerror}. Fetch it again.") from error


def _check_sums(files: dict[str, bytes]) -> None:
    lines = [re.fullmatch(r"([0-9a-f]{64}) [ *](\S+)", line) for line in _decode(files, SUMS).splitlines()]
    found = {line[2]: line[1] for line in lines if line}
    sealed = [name for name in files if name != SUMS]
    if len(lines) != len(sealed) or set(found) != set(sealed):
        raise BundleError(f"Expected one sum for each file of the bundle in {SUMS}. Fetch the bundle again.")
    changed = [name for name in sealed if hashlib.sha256(files[name]).hexdigest() != found[name]]
    if changed:
        raise BundleError(
            f"The bundle was changed after it was sealed: {', '.join(changed)} no longer fits its sum. "
            "Fetch the bundle again, or evaluate and seal it anew if the change is yours."
        )


def _assemble(files: dict[str, bytes], *, evidence: Evidence | None = None) -> Bundle:
    facts = _parse(BundleFacts, files, "bundle.json")
    calibration = _parse(Calibration, files, "calibration.json")
    _check_calibration(calibration, facts)
    if hashlib.sha256(files["model.onnx"]).hexdigest() != facts.graph.sha256:
        raise BundleError("model.onnx is not the graph that bundle.json describes. Fetch or export the bundle again.")
    reference = read_reference(files["reference.npz"], facts)
    session = share_session(files["model.onnx"])
    _check_probe(session, reference, facts)
    pages = {name: _decode(files, name) for name in (*CARDS.values(), *CHECKLISTS.values()) if name in files}
    sha256 = hashlib.sha256(files[SUMS]).hexdigest() if SUMS in files else ""
    return Bundle(facts, calibration, reference, evidence, pages, sha256, session)


def _check_calibration(calibration: Calibration, facts: BundleFacts) -> None:
    labels = len(facts.labels)
    if len(calibration.log_prior) != labels:
        raise BundleError(
            f"Expected {labels} values of log_prior in calibration.json, got {len(calibration.log_prior)}. "
            "Calibrate the bundle again."
        )
    scaling, sets = calibration.scaling, calibration.sets
    if scaling and {len(scaling.bias), len(scaling.weight), *map(len, scaling.weight)} != {labels}:
        raise BundleError(
            f"Expected {labels}×{labels} weights and {labels} biases of scaling in calibration.json. "
            "Calibrate the bundle again."
        )
    if sets and tuple(limit.label for limit in sets.labels) != facts.labels:
        raise BundleError(
            f"Expected limits of sets for {', '.join(facts.labels)} in calibration.json. Calibrate the bundle again."
        )


def _check_evidence(bundle: Bundle, evidence: Evidence, files: dict[str, bytes]) -> None:
    measured = (evidence.bundle.graph_sha256, evidence.calibration_sha256)
    served = (bundle.facts.graph.sha256, hashlib.sha256(files["calibration.json"]).hexdigest())
    if measured != served:
        raise BundleError(
            f"The evidence was measured with another graph or calibration than this bundle holds. {MEASURE}."
        )


def _parse(schema: type[AnySchema], files: dict[str, bytes], name: str) -> AnySchema:
    try:
        return schema.model_validate_json(files[name])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        if place == "schema_version":
            raise BundleError(
                f"Expected schema version {SCHEMA_VERSION} in {name}, got {str(first['input'])[:40]}. "
                "Update secondlook, or fetch a bundle made for this version."
            ) from error
        more = error.error_count() - 1
        rest = f" (and {more} more)" if more else ""
        raise BundleError(
            f"{name} does not follow the bundle's schema at {place}: {first['msg']}{rest}. Fetch the bundle again."
        ) from error


def _decode(files: dict[str, bytes], name: str) -> str:
    try:
        return files[name].decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleError(f"Expected UTF-8 text in {name}. Fetch the bundle again.") from error


def _check_probe(session: Session, reference: Reference, facts: BundleFacts) -> None:
    if session.size_px != read_size(facts.input_size_px):
        raise BundleError(
            f"bundle.json says {facts.input_size_px} px, model.onnx takes {session.size_px} px. Export it again."
        )
    if session.has_map != (facts.graph.map != "occlusion"):
        raise BundleError(
            f"bundle.json says that the map is {facts.graph.map}, but model.onnx gives "
            f"{'one' if session.has_map else 'none'}. Export it again."
        )
    outputs = session.run(reference.probe_image[None])
    widths = {part.shape[1] for part in (outputs.logits, outputs.map) if part is not None}
    if widths != {len(facts.labels)}:
        raise BundleError(f"Expected logits and maps of {len(facts.labels)} labels from model.onnx. Export it again.")
    if outputs.embedding.shape[1] != reference.embedding.shape[1]:
        raise BundleError("The graph's embedding and those in reference.npz differ in length. Calibrate again.")
    if not np.allclose(outputs.logits[0], reference.probe_logits, rtol=PROBE_TOLERANCE, atol=PROBE_TOLERANCE):
        difference = float(np.abs(outputs.logits[0] - reference.probe_logits).max())
        raise BundleError(
            f"The graph gives another result on this machine than the one stored with it (off by {difference:.2g}, "
            f"allowed {PROBE_TOLERANCE:g}). Do not use it here: update onnxruntime, or fetch the bundle again."
        )
