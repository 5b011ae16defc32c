"""Evidence for a reader at a terminal: tables of figures with their intervals."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from secondlook.conditions import Task
from secondlook.data.wording import count
from secondlook.evaluation.scope import count_groups, name_groups
from secondlook.inference.bundle import Evidence

OVERALL: Mapping[str, str] = {
    "macro_auc": "Macro AUC",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy of the named label",
    "accuracy_of_most_probable": "Accuracy of the most probable label",
    "macro_f1": "Macro F1",
    "quadratic_kappa": "Quadratic kappa, over the grades",
    "kappa": "Cohen's kappa",
    "matthews": "Matthews correlation",
    "expected_calibration_error": "Expected calibration error",
    "brier": "Brier score (0 … 2)",
}
RISK: Mapping[str, str] = {
    "auc": "AUC",
    "expected_calibration_error": "expected calibration error",
    "brier": "Brier score (0 … 1)",
}
POINT: Mapping[str, str] = {"sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV", "npv": "NPV"}
PER_LABEL: Mapping[str, str] = {
    "auc": "AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
}


def write_figure(figure: Mapping[str, float | None] | None) -> str:
    """Return a figure with its interval in words, for example ``0.912 (0.894–0.928)``."""
    if figure is None or figure["value"] is None:
        return "undefined"
    if figure["lower"] is None or figure["upper"] is None:
        return f"{figure['value']:.3f} (too few)"
    return f"{figure['value']:.3f} ({figure['lower']:.3f}–{figure['upper']:.3f})"


def write_share(figure: Mapping[str, float | None]) -> str:
    """Return a share with its interval in per cent, for example ``2.0 % (1.2–3.1)``."""
    if figure["value"] is None:
        return "undefined"
    share = f"{100 * figure['value']:.1f} %"
    if figure["lower"] is None or figure["upper"] is None:
        return share
    return f"{share} ({100 * figure['lower']:.1f}–{100 * figure['upper']:.1f})"


def list_overall(measures: Mapping[str, Any], *, risk: str) -> Iterator[tuple[str, str]]:
    """Yield what was measured over all labels, and for the risk of this name, as names and figures in words."""
    for key, name in OVERALL.items():
        if key in measures:
            yield name, write_figure(measures[key])
    for key, name in RISK.items():
        yield f"{risk}: {name}", write_figure(measures["risk"][key])
    for point, figures in measures["risk"]["operating_points"].items():
        for key, name in POINT.items():
            yield f"At {point}: {name}", write_figure(figures[key])
    for key, name in (("outlier", "Refused as outliers"), ("not_evaluable", "Not evaluable")):
        yield name, write_share(measures["refusals"][key])
    if "outside" in measures["refusals"]:
        outside = measures["refusals"]["outside"]
        place = f"the {outside['pictures']} in {outside['folder']}"
        yield f"Refused of {place}, as outliers", write_share(outside["outlier"])
        yield f"Not evaluable of {place}", write_share(outside["not_evaluable"])


def draw_tables(evidence: Evidence, task: Task) -> list[Table]:
    """Return the evidence of a bundle of this task as tables: overall, and by label where labels were measured."""
    manifest: Any = evidence.manifest
    measures = evidence.measures
    pictures = count(manifest["pictures"], "picture", "pictures")
    title = (
        f"{evidence.bundle.name} {evidence.bundle.version} on {manifest['split']}: "
        f"{pictures} of {count_groups(task, manifest['groups'])}"
    )
    overall = Table(title=title, caption=None if evidence.leak == "none" else f"Marked: {evidence.leak}")
    overall.add_column("Measure")
    overall.add_column("Value (95 % interval)", justify="right")
    for row in list_overall(measures, risk=task.risk["en"]):
        overall.add_row(*row)
    if "auc" not in measures:
        return [overall]
    labels = Table(title="By label, each against all others", box=SIMPLE, padding=0, pad_edge=False)
    for heading in ("Label", f"Pictures\n{name_groups(task).split()[0].capitalize()}", *PER_LABEL.values()):
        labels.add_column(heading, justify="left" if heading == "Label" else "right", no_wrap=True)
    for label, pictures, whole, *_ in list_labels(evidence):
        figures: Iterable[Any] = (measures[key] for key in PER_LABEL)
        labels.add_row(label, f"{pictures}\n{whole}", *(_stack_figure(figure[label]) for figure in figures))
    return [overall, labels]


def _stack_figure(figure: Mapping[str, float | None]) -> str:
    """Return a figure above its interval, narrow enough for eight columns on a terminal."""
    if figure["value"] is None:
        return "–"
    if figure["lower"] is None or figure["upper"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f}\n{figure['lower']:.2f}–{figure['upper']:.2f}"


def list_labels(evidence: Evidence) -> Iterator[list[str]]:
    """Yield one row per label: key, pictures, lesions or patients, and the figures of ``PER_LABEL`` in words."""
    pictures: Any = evidence.manifest["labels"]
    groups: Any = evidence.manifest["groups_by_label"]
    measures: Any = evidence.measures
    for label in measures["auc"]:
        figures = [write_figure(measures[key][label]) for key in PER_LABEL]
        yield [label, str(pictures.get(label, 0)), str(groups.get(label, 0)), *figures]
