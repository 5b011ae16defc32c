"""Compare ways of scoring outliers: which share of foreign pictures each refuses at the same price at home.

    python scripts/compare_outliers.py BUNDLE MANIFEST FOREIGN_DIR [FOREIGN_DIR ...]

Every limit gives up at most the same share of the calibration pictures, each scored without its own lesion. The split
test of the manifest shows what that costs on pictures that no limit was chosen on; it may be another price. Energy
(Liu et al. 2020, doi 10.48550/arXiv.2010.03759) needs no reference; it is shown for comparison and is not served.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from secondlook.data.manifest import Manifest, read_manifest
from secondlook.errors import InputError
from secondlook.evaluation.fit import number_labels, run_graph
from secondlook.evaluation.outliers import REFUSED_SHARE, choose_limit, score_apart
from secondlook.inference.bundle import BundleFacts, find_bundle, read_facts
from secondlook.inference.outliers import OutlierMethod, fit_scorer
from secondlook.inference.predictor import read_input
from secondlook.inference.session import Outputs, Session

CANDIDATES: list[tuple[OutlierMethod, dict[str, Any]]] = [
    *((OutlierMethod.KNN, {"neighbours": count}) for count in (1, 3, 5, 10, 20, 50)),
    *((OutlierMethod.MAHALANOBIS, {"shrinkage": share}) for share in (0.001, 0.01, 0.1, 0.3, 1.0)),
]


@dataclass
class Material:
    """What all methods are compared on; foreign pictures by folder."""

    calibration: Outputs
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    test: Outputs
    foreign: dict[str, Outputs]


def read_folder(folder: Path, graph: Path, facts: BundleFacts) -> Outputs:
    """Return what the graph gives for every picture of a folder that can be read."""
    session, found = Session(graph), []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            found.append(session.run(read_input(path, facts.input_size_px, resize=facts.resize)[1][None]))
        except InputError as error:
            Console(stderr=True).print(f"{path.name}: {error}")
    logits, embedding = (np.concatenate([getattr(one, name) for one in found]) for name in ("logits", "embedding"))
    return Outputs(logits, embedding, np.empty((len(found), 0, 0, 0), dtype=np.float32))


def gather(bundle: Path, manifest: Manifest, folders: list[Path]) -> Material:
    """Run the graph on everything."""
    facts = read_facts(bundle)
    calibration, test = manifest.select("calibration"), manifest.select("test")
    return Material(
        calibration=run_graph(bundle, calibration, facts),
        labels=number_labels(calibration, facts.task),
        groups=calibration.frame["group"].astype(str).to_numpy(dtype=np.str_),
        test=run_graph(bundle, test, facts),
        foreign={folder.name: read_folder(folder, bundle / "model.onnx", facts) for folder in folders},
    )


def measure_energy(outputs: Outputs) -> NDArray[np.float64]:
    """Return minus the log sum of exponentials of the logits; higher is stranger."""
    return np.asarray(-np.logaddexp.reduce(outputs.logits.astype(np.float64), axis=1))


def list_methods(material: Material) -> list[tuple[str, NDArray[np.float64], Callable[[Outputs], NDArray[np.float64]]]]:
    """Return each method's name, its scores of the calibration pictures, and how it scores others."""
    embedding, methods = material.calibration.embedding, []
    for method, parameters in CANDIDATES:
        apart = score_apart(embedding, material.labels, material.groups, method=method, **parameters)
        scorer = fit_scorer(method, embedding.astype(np.float16), material.labels, **parameters)
        name = f"{method.value} {', '.join(f'{key} {value}' for key, value in parameters.items())}"
        methods.append((name, apart, lambda outputs, scorer=scorer: scorer.score(outputs.embedding)))
    return [*methods, ("energy", measure_energy(material.calibration), measure_energy)]


def main(bundle: str, manifest: str, *folders: str) -> None:
    """Print one row per method."""
    found = [Path(folder) for folder in folders]
    material = gather(find_bundle(bundle), read_manifest(Path(manifest)), found)
    table = Table(title=f"Refused at {100 * REFUSED_SHARE:.0f} % (and at 3 %) of the calibration pictures, in per cent")
    for heading in ("method", "limit", "test", *material.foreign):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for name, apart, score in list_methods(material):
        limits = [choose_limit(apart, share=share) for share in (REFUSED_SHARE, 0.03)]
        cells = []
        for outputs in (material.test, *material.foreign.values()):
            scores = score(outputs)
            cells.append(" ".join(f"{100 * (scores > limit).mean():.1f}" for limit in limits))
        table.add_row(name, f"{limits[0]:.4g}", *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    main(*sys.argv[1:])
