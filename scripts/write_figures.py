"""Write the shipped bundles' measured figures into README.md, between its two marks: `make figures`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from secondlook.conditions import find_task
from secondlook.evaluation.tables import write_figure, write_share
from secondlook.inference.bundle import Evidence, find_bundle, list_bundles, open_bundle

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
GROUPS = {"skin": "lesions", "chest": "children", "knee": "patients"}


def render_figures(evidences: dict[str, Evidence]) -> str:
    """Return the figures of several bundles as Markdown, one section each, by their task's key."""
    return "\n\n".join(render_bundle(task, evidence) for task, evidence in evidences.items())


def render_bundle(task: str, evidence: Evidence) -> str:
    """Return one bundle's figures: a sentence on what they were measured on, and a table."""
    manifest, groups, bundle = evidence.manifest, GROUPS[task], evidence.bundle
    lines = [
        f"**{find_task(task).names['en']}**: the bundle `{bundle.name}` {bundle.version}, measured on "
        f"{manifest['pictures']} pictures of {manifest['groups']} {groups} that neither training nor calibration saw; "
        f"in brackets 95 % intervals from a bootstrap over {groups}:",
        "",
        "| measure | value |",
        "|---|---|",
        *(f"| {name} | {figure} |" for name, figure in list_figures(task, evidence)),
    ]
    if evidence.leak != "none":
        lines += ["", f"**Marked: {evidence.leak}.**"]
    return "\n".join(lines)


def list_figures(task: str, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the names and figures of one bundle's table."""
    facts, measures = find_task(task), evidence.measures
    figures: Any = measures
    points = figures["risk"]["operating_points"]
    risk = facts.risk["en"]
    if len(facts.keys) > 2:
        yield f"Which of the {len(facts.keys)} labels: macro AUC", write_figure(figures["macro_auc"])
    if facts.ordered:
        yield "Grade: quadratic kappa", write_figure(figures["quadratic_kappa"])
    yield "Label: balanced accuracy", write_figure(figures["balanced_accuracy"])
    yield "Label: accuracy", write_figure(figures["accuracy"])
    yield f"{risk}: AUC", write_figure(figures["risk"]["auc"])
    for point, name in (("sensitivity_95", "refer"), ("sensitivity_90", "urgent")):
        if name == "urgent" and facts.urgency != "urgent":
            continue
        least = f"at least *{name}*" if name == "refer" and facts.urgency == "urgent" else f"*{name}*"
        yield f"{risk}: found as {least} (sensitivity)", write_share(points[point]["sensitivity"])
        yield f"The others: below *{name}* (specificity)", write_share(points[point]["specificity"])
    if "mel" in facts.keys:
        yield "Melanoma against all others: AUC", write_figure(figures["auc"]["mel"])
    yield "Expected calibration error", write_figure(figures["expected_calibration_error"])
    yield "Refused as unlike the calibration pictures", write_share(figures["refusals"]["outlier"])
    if "outside" in figures["refusals"]:
        outside = figures["refusals"]["outside"]
        yield f"Refused of {outside['pictures']} everyday photographs", write_share(outside["outlier"])


def replace_block(text: str, block: str) -> str:
    """Return the text with what stands between the marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"Expected {BEGIN} and {END} in {README.name}.")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def read_evidences() -> dict[str, Evidence]:
    """Return the evidence of every shipped bundle by its task's key."""
    evidences = {}
    for name in sorted(list_bundles(), key=lambda name: (name != "skin", name)):
        bundle = open_bundle(find_bundle(name))
        if bundle.evidence is None:
            sys.exit(f"The bundle {name} has no evidence; make it with: secondlook train {name}")
        evidences[bundle.facts.task] = bundle.evidence
    return evidences


def main() -> None:
    """Write the figures of the shipped bundles."""
    block = render_figures(read_evidences())
    README.write_text(replace_block(README.read_text(encoding="utf-8"), block), encoding="utf-8")


if __name__ == "__main__":
    main()
