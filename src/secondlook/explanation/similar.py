"""Similar cases: the nearest pictures of a reference set that the user built from her own manifest.

A reference set is a folder with what the bundle's graph made of each picture, its label and how that was confirmed; it
holds no picture. It belongs to one graph: the embeddings of another would be compared like metres with miles.
"""

import datetime
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import PositiveInt, ValidationError

import secondlook
from secondlook.data.fingerprint import Track, data_fingerprint, track_silently
from secondlook.data.manifest import Manifest
from secondlook.errors import BundleError, DatasetError, InputError
from secondlook.inference.bundle import Bundle
from secondlook.inference.outliers import scale_rows
from secondlook.inference.predictor import Predictor
from secondlook.inference.schema import Schema, Sha256

FACTS, CASES, EMBEDDINGS, SUMS = "reference.json", "cases.csv", "embeddings.npy", "SHA256SUMS"
COLUMNS = ("label", "reference", "group", "image")
LARGEST_BYTES = 2**31
FIRST_LOOK = 64


class ReferenceFacts(Schema):
    """``reference.json``: which graph the embeddings come from, and what they are of."""

    schema_version: Literal[1]
    task: str
    bundle: str
    bundle_version: str
    graph_sha256: Sha256
    pictures: PositiveInt
    groups: PositiveInt
    dimensions: PositiveInt
    data_fingerprint: str
    created: datetime.date
    secondlook_version: str


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case of the reference set.

    Attributes:
        label: Its label.
        reference: How the label was confirmed, for example ``histo``; empty where that is not known.
        group: Patient or lesion.
        image: The picture's path in the manifest that the set was built from.
        similarity: Cosine of the angle between both embeddings: 1 for the same picture, 0 for nothing in common.
    """

    label: str
    reference: str
    group: str
    image: str
    similarity: float


class ReferenceSet:
    """A reference set, ready to be searched; safe to use from several threads.

    Attributes:
        facts: What it is.
        cases: One row per picture: ``label``, ``reference``, ``group`` and ``image``.

    Args:
        facts: What it is.
        cases: One row per picture.
        embedding: float N×D, in the order of the cases.
    """

    def __init__(self, facts: ReferenceFacts, cases: pd.DataFrame, embedding: NDArray[np.floating]) -> None:
        self.facts = facts
        self.cases = cases
        self._embedding = scale_rows(embedding).astype(np.float32)
        self._groups = cases["group"].to_numpy(dtype=np.str_)

    def check_bundle(self, bundle: Bundle) -> None:
        """Check that the set was built with a bundle's own graph.

        Raises:
            BundleError: It was built with another.
        """
        if self.facts.graph_sha256 != bundle.facts.graph.sha256:
            raise BundleError(
                f"Expected a reference set built with the graph of {bundle.facts.name} {bundle.facts.version}; "
                f"this one was built with that of {self.facts.bundle} {self.facts.bundle_version} "
                f"({self.facts.graph_sha256[:12]}). Build it again: secondlook reference build."
            )

    def find_nearest(
        self, embedding: NDArray[np.floating], *, count: int = 5, without: str | None = None
    ) -> list[SimilarCase]:
        """Return the cases nearest to an embedding, the nearest first, of every patient or lesion at most one picture.

        The search is exact: every case is compared.

        Args:
            embedding: float D, from the same graph.
            count: How many cases.
            without: A patient or lesion to leave out, for instance the one that the picture is of.
        """
        direction = scale_rows(embedding[None])[0].astype(np.float32)
        similarity = self._embedding @ direction
        if without is not None:
            similarity = np.where(self._groups == without, -np.inf, similarity)
        for looked in (FIRST_LOOK * count, len(similarity)):
            rows = self._take_first(similarity, count, looked)
            if len(rows) == count:
                break
        chosen = self.cases.iloc[rows]
        return [
            SimilarCase(str(label), str(reference), str(group), str(image), round(float(value), 6))
            for (label, reference, group, image), value in zip(
                chosen[list(COLUMNS)].itertuples(index=False, name=None), similarity[rows], strict=True
            )
        ]

    def _take_first(self, similarity: NDArray[np.float32], count: int, looked: int) -> list[int]:
        """Return the rows of the most similar cases, one for each group, among the ``looked`` most similar ones."""
        best = np.arange(len(similarity))
        if looked < len(similarity):
            best = np.argpartition(-similarity, looked)[:looked]
        rows: dict[str, int] = {}
        for row in best[np.argsort(-similarity[best], kind="stable")].tolist():
            if np.isfinite(similarity[row]):
                rows.setdefault(self._groups[row], row)
            if len(rows) == count:
                break
        return list(rows.values())


def build_reference(
    predictor: Predictor, manifest: Manifest, folder: Path, *, track: Track = track_silently
) -> tuple[ReferenceFacts, int]:
    """Write a reference set of a manifest's pictures, seen through a bundle.

    Args:
        predictor: The bundle.
        manifest: Pictures of the bundle's task with their labels.
        folder: Where the set goes; it must be empty or absent.
        track: Shows progress.

    Returns:
        What was written, and how many pictures could not be read.

    Raises:
        DatasetError: The manifest is of another task, has unknown labels, or no picture can be read; or the folder
            holds something already or cannot be written.
    """
    check_labels(predictor, manifest)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"Expected an empty folder for the reference set; {folder.name} holds something already.")
    rows, embeddings = [], []
    for row, path in enumerate(track(manifest.paths(), "Looking", len(manifest))):
        try:
            embeddings.append(predictor.predict(path).embedding)
        except InputError:
            continue
        rows.append(row)
    if not rows:
        raise DatasetError("Expected pictures that can be read; there is none in the manifest.")
    kept = Manifest(manifest.frame.iloc[rows].reset_index(drop=True), manifest.root, manifest.task)
    facts = ReferenceFacts(
        schema_version=1,
        task=predictor.task.key,
        bundle=predictor.identity.name,
        bundle_version=predictor.identity.version,
        graph_sha256=predictor.bundle.facts.graph.sha256,
        pictures=len(rows),
        groups=int(kept.frame["group"].nunique()),
        dimensions=len(embeddings[0]),
        data_fingerprint=data_fingerprint(kept),
        created=datetime.datetime.now(tz=datetime.UTC).date(),
        secondlook_version=secondlook.__version__,
    )
    write_reference(facts, kept.frame, np.stack(embeddings), folder)
    return facts, len(manifest) - len(rows)


def check_labels(predictor: Predictor, manifest: Manifest) -> None:
    """Check that a manifest is of the bundle's task.

    Raises:
        DatasetError: It is of another, or has labels that the task does not know.
    """
    task = predictor.task
    if manifest.task != task.key:
        raise DatasetError(f"Expected a manifest of {task.key}, as the bundle is; got one of {manifest.task}.")
    unknown = sorted(set(manifest.frame["label"].astype(str)) - set(task.keys))
    if unknown:
        raise DatasetError(f"Expected labels of {task.key} ({', '.join(task.keys)}); got {', '.join(unknown[:8])}.")


def write_reference(facts: ReferenceFacts, frame: pd.DataFrame, embedding: NDArray[np.float32], folder: Path) -> None:
    """Write a reference set, its sums last.

    Raises:
        DatasetError: The folder cannot be written.
    """
    arrays = io.BytesIO()
    np.save(arrays, embedding.astype(np.float32), allow_pickle=False)
    cases = frame.reindex(columns=list(COLUMNS)).to_csv(index=False)
    files = {
        FACTS: (facts.model_dump_json(indent=2) + "\n").encode(),
        CASES: cases.encode(),
        EMBEDDINGS: arrays.getvalue(),
    }
    files[SUMS] = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise DatasetError(f"Expected to write the reference set {folder.name}: {error.strerror}.") from error


def open_reference(folder: Path) -> ReferenceSet:
    """Open a reference set, its sums checked; nothing in it is unpickled.

    Raises:
        DatasetError: A file is missing, was changed, or does not fit the others.
    """
    files = _read_files(folder)
    try:
        facts = ReferenceFacts.model_validate_json(files[FACTS])
        cases = pd.read_csv(io.BytesIO(files[CASES]), dtype=str, keep_default_na=False)
        embedding = np.lib.format.read_array(io.BytesIO(files[EMBEDDINGS]), allow_pickle=False)
    except (ValidationError, ValueError, EOFError) as error:
        raise DatasetError(f"Expected a reference set in {folder.name}; it is damaged. Build it again.") from error
    shape = (facts.pictures, facts.dimensions)
    if tuple(cases.columns) != COLUMNS or embedding.shape != shape or len(cases) != facts.pictures:
        raise DatasetError(f"Expected {shape[0]} cases of {shape[1]} numbers in {folder.name}. Build it again.")
    if embedding.dtype != np.float32 or not np.isfinite(embedding).all():
        raise DatasetError(f"Expected finite float32 numbers in {EMBEDDINGS} of {folder.name}. Build it again.")
    return ReferenceSet(facts, cases, embedding)


def _read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a reference set by name, their sums checked.

    Raises:
        DatasetError: One is missing or was changed.
    """
    files = {}
    for name in (FACTS, CASES, EMBEDDINGS, SUMS):
        try:
            if (folder / name).stat().st_size > LARGEST_BYTES:
                raise DatasetError(f"Expected at most 2 GiB, {name} is larger. Build a smaller reference set.")
            files[name] = (folder / name).read_bytes()
        except OSError as error:
            raise DatasetError(
                f"Expected a reference set in {folder.name}; {name} cannot be read. "
                "Build one: secondlook reference build MANIFEST -o FOLDER."
            ) from error
    lines = dict(
        line.split("  ", 1)[::-1] for line in files[SUMS].decode("ascii", "replace").splitlines() if "  " in line
    )
    changed = [
        name for name in (FACTS, CASES, EMBEDDINGS) if lines.get(name) != hashlib.sha256(files[name]).hexdigest()
    ]
    if changed:
        raise DatasetError(f"The reference set {folder.name} was changed: {', '.join(changed)}. Build it again.")
    return files
