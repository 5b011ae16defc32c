"""The model card, README.md of a bundle, written from its evidence.

Mitchell et al. 2019, "Model Cards for Model Reporting", doi 10.1145/3287560.3287596.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from secondlook.conditions import find_task
from secondlook.evaluation.evidence import replace_file
from secondlook.evaluation.report import PER_LABEL, list_labels, list_overall, write_figure, write_share
from secondlook.inference.bundle import Bundle, Evidence

USE = """## What it is for

A second look at **one skin lesion on one picture of the kind that it was trained on** (see Data), for clinicians who
have looked themselves. It gives calibrated probabilities of {count} labels, a probability of malignancy, a triage
(urgent, refer, routine or not evaluable) with its reasons, and a heatmap. It also serves research and teaching.

It supports a decision. It does not diagnose, and no regulator has cleared it.

## What it is not for

- Deciding alone, or reassuring anybody: a *routine* answer does not rule malignancy out.
- Lesions of mucosa and nails, wounds, rashes, inflammation, and every condition that is not among its labels: it names
  one of its labels whatever it is shown.
- Pictures from other instruments, cameras or hospitals, unless they were measured first: accuracy drops there.
- People whom its data hardly hold."""

DATA_NOTES = {
    "ham10000": """The pictures come from HAM10000 (Tschandl, Rosendahl and Kittler 2018, doi 10.1038/sdata.2018.161):
10,015 dermoscopic pictures of 7,470 lesions, collected in Vienna (Austria) and Queensland (Australia). More than half
of the lesions were confirmed by histology, the rest by follow-up, expert consensus or confocal microscopy. Skin type is
not recorded; people with dark skin are hardly among them."""
}

LIMITS = """## Limits

- The figures hold for pictures from where the measured ones come from. Expect less elsewhere, and measure on your own
  pictures first: `secondlook evaluate {name} YOUR_MANIFEST.csv`.
- Rare labels rest on few lesions: read their intervals, not their values.
- Predictive values depend on how common malignancy is among the pictures measured; it may be rarer where you work.
- Probabilities are calibrated for the class shares of the training data.
- The outlier limit refuses most of what is no such picture at all, not everything.
- Figures by age, sex, body site and skin type were not measured."""


def write_card(path: Path, bundle: Bundle, evidence: Evidence) -> None:
    """Write a bundle's model card; replace the file atomically."""
    replace_file(path, render_card(bundle, evidence).encode())


def render_card(bundle: Bundle, evidence: Evidence) -> str:
    """Return a bundle's model card as Markdown; every figure in it comes from the evidence or the calibration."""
    labels = find_task(bundle.facts.task).labels
    sections = [
        _render_head(bundle, evidence),
        USE.format(count=len(labels)),
        _render_data(bundle, evidence),
        _render_labels(bundle),
        _render_figures(evidence),
        _render_points(bundle, evidence),
        _render_refusals(bundle, evidence),
        LIMITS.format(name=bundle.facts.name),
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
    note = DATA_NOTES.get(facts.training.data)
    unseen = ", which neither training nor calibration saw" if evidence.leak == "none" else ""
    sizes = (
        f"Trained on the split train of {facts.training.data} with the recipe `{facts.training.recipe}`. Calibrated on "
        f"{fitted.pictures:,} pictures of {fitted.groups:,} lesions or patients. Measured on "
        f"{manifest['pictures']:,} pictures of {manifest['groups']:,} lesions or patients{unseen}."
    )
    return "\n\n".join(["## Data", *([note] if note else []), sizes])


def _render_labels(bundle: Bundle) -> str:
    shares = np.exp(bundle.calibration.log_prior)
    rows = [
        (f"`{label.key}`", label.names["en"], label.severity, f"{100 * share:.1f} %")
        for label, share in zip(find_task(bundle.facts.task).labels, shares, strict=True)
    ]
    text = (
        "The label that the bundle names is the one whose probability stands highest above its usual share in the "
        "training data, so that rare dangerous lesions do not drown among common harmless ones. It can differ from the "
        "most probable label."
    )
    return f"## Labels\n\n{_render_table(('Key', 'Name', 'Severity', 'Usual share'), rows)}\n\n{text}"


def _render_figures(evidence: Evidence) -> str:
    text = (
        f"Measured on the split {evidence.manifest['split']}, through the predictor that serves. Values with 95 % "
        f"intervals, from {evidence.resamples:,} bootstrap resamples of whole lesions or patients."
    )
    parts = [f"## Figures\n\n{text}", _render_table(("Measure", "Value"), list_overall(evidence.measures))]
    if "auc" in evidence.measures:
        headings = ("Label", "Pictures", "Lesions", *PER_LABEL.values())
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
    measures: Any = evidence.measures
    rows = []
    for point in bundle.calibration.operating_points:
        figures = measures["risk"]["operating_points"][point.name]
        fitted = f"{point.sensitivity:.3f} (at least {point.sensitivity_lower:.3f})"
        rows.append(
            (
                point.name,
                f"{point.threshold:.4f}",
                fitted,
                f"{point.specificity:.3f}",
                write_figure(figures["sensitivity"]),
                write_figure(figures["specificity"]),
            )
        )
    headings = ("Point", "Threshold", "Sensitivity, calibration", "Specificity, calibration")
    table = _render_table((*headings, "Sensitivity, measured", "Specificity, measured"), rows)
    shares = [
        (severity, *(write_share(measures["triage"][severity][word]) for word in measures["triage"][severity]))
        for severity in measures["triage"]
    ]
    triage = _render_table(("", *(word.replace("_", " ") for word in measures["triage"]["alarming"])), shares)
    return (
        "## Operating points and triage\n\n"
        "Thresholds on the probability of malignancy, chosen on the calibration split for a sensitivity of at least "
        "90 % (from there on: *urgent*) and 95 % (*refer*). The bound in brackets is one-sided, at 95 %: the lower of "
        f"Clopper–Pearson's and a bootstrap over lesions.\n\n{table}\n\n"
        f"What the pictures of the measuring split were answered:\n\n{triage}"
    )


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
