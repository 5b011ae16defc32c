"""Similar cases: our exact search of 100,000 × 256 against scikit-learn's and against one that sorts everything."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from benchmarks.timing import Work, measure_rates, print_table, read_options
from secondlook.explanation.similar import ReferenceFacts, ReferenceSet

CASES, DIMENSIONS, NEAREST, QUERIES = 100_000, 256, 5, 20
TARGET_MS = 20


def draw_set() -> tuple[ReferenceSet, np.ndarray]:
    """Return a reference set of random directions, and the directions themselves, float32 N×D."""
    generator = np.random.default_rng(0)
    embedding = generator.normal(size=(CASES, DIMENSIONS)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    facts = ReferenceFacts.model_validate(
        {
            "schema_version": 1,
            "task": "skin",
            "bundle": "drawn",
            "bundle_version": "0",
            "graph_sha256": "0" * 64,
            "pictures": CASES,
            "groups": CASES,
            "dimensions": DIMENSIONS,
            "data_fingerprint": "drawn",
            "created": "2026-01-31",
            "secondlook_version": "0",
        }
    )
    names = np.arange(CASES).astype(str)
    cases = pd.DataFrame({"label": "nv", "reference": "histo", "group": names, "image": names})
    return ReferenceSet(facts, cases, embedding), embedding


def prepare(reference: ReferenceSet, embedding: np.ndarray) -> dict[str, Work]:
    """Return the contenders; each answers the same queries, one by one."""
    queries = np.random.default_rng(1).normal(size=(QUERIES, DIMENSIONS)).astype(np.float32)
    brute = NearestNeighbors(n_neighbors=NEAREST, metric="cosine", algorithm="brute").fit(embedding)

    def sort_all(query: np.ndarray) -> np.ndarray:
        return np.argsort(-(embedding @ query) / np.linalg.norm(query))[:NEAREST]

    return {
        "secondlook reference search": lambda: len([reference.find_nearest(one, count=NEAREST) for one in queries]),
        "scikit-learn, brute force": lambda: len([brute.kneighbors(one[None]) for one in queries]),
        "NumPy, sorting everything": lambda: len([sort_all(one) for one in queries]),
    }


def run(_bundle: Path, *, rounds: int) -> None:
    """Measure and print."""
    reference, embedding = draw_set()
    rates = measure_rates(prepare(reference, embedding), rounds=rounds, clock=time.process_time)
    print_table(
        f"The {NEAREST} nearest of {CASES:,} cases of {DIMENSIONS} numbers, one query at a time, CPU time "
        f"(target: under {TARGET_MS} ms)",
        "ms",
        {name: 1000 / rate for name, rate in rates.items()},
        ours="secondlook reference search",
    )


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)
