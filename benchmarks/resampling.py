"""Bootstrap over groups: all figures of the evidence at once, against a loop over resamples with scikit-learn.

python -m benchmarks.resampling
"""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score

from benchmarks.timing import measure_rates, print_table, read_options
from secondlook.conditions import SKIN
from secondlook.evaluation.measures import Answers, measure_answers
from secondlook.inference.bundle import OperatingPoint, open_bundle
from secondlook.inference.predictor import soften

ROWS, GROUPS, RESAMPLES, LOOPED = 10_000, 7_000, 2_000, 10
SHARES = (0.03, 0.05, 0.11, 0.01, 0.11, 0.67, 0.02)


def draw_answers(seed: int = 0) -> Answers:
    """Return made-up answers about 10,000 pictures of seven labels."""
    random = np.random.default_rng(seed)
    labels = random.choice(len(SHARES), size=ROWS, p=SHARES)
    scores = random.normal(size=(ROWS, len(SHARES))) + np.log(SHARES)
    scores[np.arange(ROWS), labels] += 2
    probabilities = soften(scores)
    columns = [SKIN.keys.index(key) for key in SKIN.alarming]
    risk = probabilities[:, columns].sum(axis=1)
    return Answers(
        keys=SKIN.keys,
        labels=labels,
        alarming=np.isin(labels, columns),
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        risk=risk,
        triage=np.where(risk > 0.3, "urgent", "routine"),
        outlier=risk > 0.99,
        groups=np.array([f"lesion {number}" for number in random.integers(0, GROUPS, ROWS)]),
    )


def loop_over_resamples(answers: Answers, *, resamples: int) -> int:
    """Do what a plain script does: pick rows for each resample and call scikit-learn; three figures only."""
    random = np.random.default_rng(0)
    names, number = np.unique(answers.groups, return_inverse=True)
    members = [np.flatnonzero(number == group) for group in range(len(names))]
    figures: list[tuple[float, float, NDArray[np.int64]]] = []
    for _ in range(resamples):
        rows = np.concatenate([members[group] for group in random.integers(0, len(names), len(names))])
        labels = (answers.labels if answers.labels is not None else answers.predicted)[rows]
        figures.append(
            (
                roc_auc_score(labels, answers.probabilities[rows], multi_class="ovr"),
                balanced_accuracy_score(labels, answers.predicted[rows]),
                confusion_matrix(labels, answers.predicted[rows]),
            )
        )
    return len(figures)


def run(bundle: Path, *, rounds: int) -> None:
    """Print resamples per second of processor time, and how long the whole bootstrap of the evidence takes."""
    answers = draw_answers()
    points: tuple[OperatingPoint, ...] = open_bundle(bundle).calibration.operating_points

    def measure() -> int:
        measure_answers(answers, points, seed=0, resamples=RESAMPLES)
        return RESAMPLES

    rates = measure_rates(
        {
            "Secondlook, every figure of the evidence": measure,
            "a loop with scikit-learn, three figures": lambda: loop_over_resamples(answers, resamples=LOOPED),
        },
        rounds=min(rounds, 3),
        clock=time.process_time,
    )
    ours = "Secondlook, every figure of the evidence"
    print_table(f"Resamples of {ROWS:,} rows, one thread", "resamples/s", rates, ours=ours)
    print(
        f"  {RESAMPLES:,} resamples of every figure: {RESAMPLES / rates[ours]:.1f} s of processor time (target: 20 s)"
    )


if __name__ == "__main__":
    options = read_options(__doc__ or "")
    run(options.bundle, rounds=options.rounds)
