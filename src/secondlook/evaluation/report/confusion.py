"""Which conditions are mistaken for which, and the worst mistakes to look at."""

import numpy as np
from numpy.typing import NDArray

from secondlook.evaluation.answers import Answered
from secondlook.evaluation.report.section import Cell, Gallery, Section, Shown, Source, Table
from secondlook.evaluation.report.words import name_label, write_percent

WORST = 6


def write_section(source: Source) -> Section | None:
    """Write the confusion matrix, mistakes by label, and the pictures of the worst of them."""
    measures, task = source.evidence["measures"], source.task
    if "confusion_matrix" not in measures:
        return None
    keys, matrix = task.keys, measures["confusion_matrix"]
    lines: list[tuple[Cell, ...]] = [
        (f"{name_label(task, key)} ({key})", *row) for key, row in zip(keys, matrix, strict=True)
    ]
    mistakes: list[tuple[Cell, ...]] = []
    for number, (key, row) in enumerate(zip(keys, matrix, strict=True)):
        missed = sum(row) - row[number]
        named = sorted(
            ((count, other) for count, other in zip(row, keys, strict=True) if other != key and count), reverse=True
        )
        rest = ", ".join(f"{name_label(task, other)} {count}" for count, other in named)
        sensitivity = measures["sensitivity"][key]
        mistakes.append((name_label(task, key), sum(row), missed, sensitivity, measures["ppv"][key], rest or "none"))
    heads = ("True label", "Pictures", "Named otherwise", "Sensitivity", "PPV", "What they were named")
    galleries = tuple(_show_worst(source, source.answered)) if source.answered else ()
    note = "" if galleries else " The pictures are shown in a report that is written where they lie."
    return Section(
        key="confusion",
        title="What is mistaken for what",
        intro=(
            "The named label is the one whose probability stands highest above its usual share, so that rare "
            "conditions "
            "do not drown among common ones. The worst mistakes are those that the model was surest of; "
            f"first those with {task.risk['en'].lower()} that it would have let go.{note}"
        ),
        tables=(
            Table("confusion-matrix", "True labels in rows, named labels in columns", ("", *keys), tuple(lines)),
            Table("mistakes", "Mistakes by label", heads, tuple(mistakes), percent=True),
        ),
        galleries=galleries,
    )


def _show_worst(source: Source, answered: Answered) -> list[Gallery]:
    answers, task = answered.answers, source.task
    if answers.labels is None:
        return []
    paths, galleries = answered.manifest.paths(), []
    routine = np.flatnonzero(answers.alarming & (answers.triage == "routine"))
    missed = routine[np.argsort(answers.risk[routine], kind="stable")][:WORST]
    if len(missed):
        shown = tuple(
            Shown(
                paths[row],
                f"{paths[row].name}: {name_label(task, answers.keys[answers.labels[row]])}, answered routine; "
                f"{task.risk['en'].lower()} {write_percent(answers.risk[row])}",
            )
            for row in missed
        )
        galleries.append(
            Gallery(f"{task.risk['en']} answered routine, the surest first ({len(routine)} in all)", shown)
        )
    for number, key in enumerate(answers.keys):
        rows = _rank_mistakes(answers.labels, answers.predicted, answers.probabilities, number)
        shown = tuple(
            Shown(
                paths[row],
                f"{paths[row].name}: named {name_label(task, answers.keys[answers.predicted[row]])} "
                f"({write_percent(answers.probabilities[row, answers.predicted[row]])}); true label "
                f"{write_percent(answers.probabilities[row, number])}",
            )
            for row in rows[:WORST]
        )
        if shown:
            galleries.append(Gallery(f"{name_label(task, key)}, named otherwise ({len(rows)} in all)", shown))
    return galleries


def _rank_mistakes(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], probabilities: NDArray[np.float64], number: int
) -> NDArray[np.int64]:
    """Return the rows of a label that were named otherwise, the one that was held least probable first."""
    rows = np.flatnonzero((labels == number) & (predicted != number))
    return rows[np.argsort(probabilities[rows, number], kind="stable")]
