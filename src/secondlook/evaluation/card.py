"""The model card, README.md of a bundle, written from its evidence.

Mitchell et al. 2019, "Model Cards for Model Reporting", doi 10.1145/3287560.3287596.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from secondlook.conditions import Task, find_task
from secondlook.evaluation.evidence import replace_file
from secondlook.evaluation.scope import DATA_NOTES, describe_limits, describe_scope, name_groups
from secondlook.evaluation.tables import PER_LABEL, list_labels, list_overall, write_figure, write_share
from secondlook.inference.bundle import Bundle, Evidence


def write_card(path: Path, bundle: Bundle, evidence: Evidence) -> None:
    """Write a bundle's model card; replace the file atomically."""
    replace_file(path, render_card(bundle, evidence).encode())


def render_card(bundle: Bundle, evidence: Evidence) -> str:
    """Return a bundle's model card as Markdown; every figure in it comes from the evidence or the calibration."""
    facts, task = bundle.facts, find_task(bundle.facts.task)
    sections = [
        _render_head(bundle, evidence),
        describe_scope(task, facts.training.data, labels=len(task.labels)),
        _render_data(bundle, evidence),
        _render_labels(bundle),
        _render_figures(task, evidence),
        _render_points(bundle, evidence),
        _render_refusals(bundle, evidence),
        describe_limits(task, name=facts.name),
        _render_use(bundle, evidence),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _render_head(bundle: Bundle, evidence: Evidence) -> str:
    facts = bundle.facts
    task = find_task(facts.task)
    mark = "" if evidence.leak == "none" else f"\n\n> **Every figure here is marked:** {evidence.leak}"
    members = facts.graph.members
    networks = f"{members} networks, each trained without another part of the data, and " if members > 1 else ""
    return (
        f"# {facts.name} {facts.version}: {task.names['en'].lower()}\n\n"
        f"A bundle of Secondlook. Task `{task.key}`, {facts.describe_input()}, "
        f"{networks}{facts.graph.views} view{'s' if facts.graph.views > 1 else ''} of each picture averaged. "
        f"Licence of the weights: {facts.licence}.{mark}"
    )


def _render_data(bundle: Bundle, evidence: Evidence) -> str:
    facts, fitted, manifest = bundle.facts, bundle.calibration.fitted_on, evidence.manifest
    note, groups = DATA_NOTES.get(facts.training.data), name_groups(find_task(facts.task))
    unseen = ", which neither training nor calibration saw" if evidence.leak == "none" else ""
    sizes = (
        f"Trained on the split train of {facts.training.data} with the recipe `{facts.training.recipe}`. Calibrated on "
        f"{fitted.pictures:,} pictures of {fitted.groups:,} {groups}. Measured on "
        f"{manifest['pictures']:,} pictures of {manifest['groups']:,} {groups}{unseen}."
    )
    return "\n\n".join(["## Data", *([note.text] if note else []), sizes])


def _render_labels(bundle: Bundle) -> str:
    shares = np.exp(bundle.calibration.log_prior)
    rows = [
        (f"`{label.key}`", label.names["en"], label.severity, f"{100 * share:.1f} %")
        for label, share in zip(find_task(bundle.facts.task).labels, shares, strict=True)
    ]
    text = (
        "The label that the bundle names is the one whose probability stands highest above its usual share in the "
        "training data, so that a rare label does not drown among common ones. It can differ from the most probable "
        "label."
    )
    return f"## Labels\n\n{_render_table(('Key', 'Name', 'Severity', 'Usual share'), rows)}\n\n{text}"


def _render_figures(task: Task, evidence: Evidence) -> str:
    groups, risk = name_groups(task), task.risk["en"]
    text = (
        f"Measured on the split {evidence.manifest['split']}, through the predictor that serves. Values with 95 % "
        f"intervals, from {evidence.resamples:,} bootstrap resamples of whole {groups}."
    )
    overall = _render_table(("Measure", "Value"), list_overall(evidence.measures, risk=risk))
    parts = [f"## Figures\n\n{text}", overall]
    if "auc" in evidence.measures:
        headings = ("Label", "Pictures", groups.capitalize(), *PER_LABEL.values())
        parts.append("Each label against all others:")
        parts.append(_render_table(headings, list_labels(evidence)))
        parts.append("True labels in rows, named labels in columns:")
        parts.append(_render_confusion(evidence))
    notes: Any = evidence.manifest["notes"]
    return "\n\n".join([*parts, *notes])


def _render_confusion(evidence: Evidence) -> str:
    matrix: Any = evidence.measures["confusion_matrix"]
    measures: Any = evidence.measures
    keys = list(measures["auc"])
    rows = [[f"**{key}**", *(str(count) for count in row)] for key, row in zip(keys, matrix, strict=True)]
    return _render_table(("", *keys), rows)


def _render_points(bundle: Bundle, evidence: Evidence) -> str:
    task = find_task(bundle.facts.task)
    words = (
        "*urgent* from the first on, *refer* from the second on"
        if task.urgency == "urgent"
        else "*refer* from the second on; the first stands here for comparison alone"
    )
    return (
        "## Operating points and triage\n\n"
        f"Thresholds on the probability of {task.risk['en'].lower()}, chosen on the calibration split for a "
        f"sensitivity of at least 90 % and 95 %: {words}. The bound in brackets is one-sided, at 95 %: the lower of "
        f"Clopper–Pearson's and a bootstrap over {name_groups(task)}.\n\n{_tabulate_points(bundle, evidence)}\n\n"
        f"What the pictures of the measuring split were answered:\n\n{_tabulate_triage(task, evidence)}"
    )


def _tabulate_points(bundle: Bundle, evidence: Evidence) -> str:
    measures: Any = evidence.measures
    rows = []
    for point in bundle.calibration.operating_points:
        figures = measures["risk"]["operating_points"][point.name]
        fitted = f"{point.sensitivity:.3f} (at least {point.sensitivity_lower:.3f})"
        measured = (write_figure(figures["sensitivity"]), write_figure(figures["specificity"]))
        rows.append((point.name, f"{point.threshold:.4f}", fitted, f"{point.specificity:.3f}", *measured))
    headings = ("Point", "Threshold", "Sensitivity, calibration", "Specificity, calibration")
    return _render_table((*headings, "Sensitivity, measured", "Specificity, measured"), rows)


def _tabulate_triage(task: Task, evidence: Evidence) -> str:
    measures: Any = evidence.measures
    words = [word for word in measures["triage"]["alarming"] if word != "urgent" or task.urgency == "urgent"]
    sides = {"alarming": ", ".join(task.alarming), "other": "all others"}
    rows = [
        (sides[side], *(write_share(shares[word]) for word in words)) for side, shares in measures["triage"].items()
    ]
    return _render_table(("True label", *(word.replace("_", " ") for word in words)), rows)


def _render_refusals(bundle: Bundle, evidence: Evidence) -> str:
    outlier, measures = bundle.calibration.outlier, evidence.measures
    refusals: Any = measures["refusals"]
    text = (
        "## Refusals\n\n"
        f"A picture beyond the outlier limit ({outlier.method.value}, {outlier.limit:.4g}), or of too bad a quality, "
        f"is not evaluable. Of the pictures measured, {write_share(refusals['outlier'])} lay beyond the limit, and "
        f"{write_share(refusals['not_evaluable'])} were not evaluable for any reason."
    )
    outside = refusals.get("outside")
    if outside is None:
        return f"{text} How many pictures of something else are refused was not measured."
    return (
        f"{text} Of {outside['pictures']} pictures of something else (`{outside['folder']}`), "
        f"{write_share(outside['outlier'])} lay beyond the limit, and {write_share(outside['not_evaluable'])} were not "
        "evaluable."
    )


def _render_use(bundle: Bundle, evidence: Evidence) -> str:
    facts = bundle.facts
    return f"""## Reproduce

    secondlook evaluate {facts.name} MANIFEST --split {evidence.manifest["split"]} --check

measures the bundle anew and compares every figure with `evidence.json`. The manifest's fingerprint is
`{evidence.manifest["fingerprint"]}`; training's was `{facts.training.data_fingerprint}`, the recipe's SHA-256
`{facts.training.recipe_sha256}`, made with Secondlook {facts.training.secondlook_version}.

## Licence and citation

The weights carry the licence {facts.licence}, which the data they were trained on ask for. To cite: Secondlook, bundle
{facts.name} {facts.version}, graph SHA-256 `{facts.graph.sha256}`, and the data set above."""


def _render_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
