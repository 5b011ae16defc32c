"""Write the shipped bundle's measured figures into README.md, between its two marks: `make figures`."""

import sys
from pathlib import Path
from typing import Any

from secondlook.evaluation.report import write_figure, write_share
from secondlook.inference.bundle import Evidence, find_bundle, open_bundle

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def render_figures(evidence: Evidence) -> str:
    """Return the figures as Markdown: a sentence on what they were measured on, and a table."""
    measures: Any = evidence.measures
    points = measures["risk"]["operating_points"]
    refer, urgent = points["sensitivity_95"], points["sensitivity_90"]
    rows = [
        ("Which of the seven labels: macro AUC", write_figure(measures["macro_auc"])),
        ("Which of the seven labels: balanced accuracy", write_figure(measures["balanced_accuracy"])),
        ("Which of the seven labels: accuracy", write_figure(measures["accuracy"])),
        ("Malignant or not: AUC", write_figure(measures["risk"]["auc"])),
        ("Malignant lesions that are at least *refer* (sensitivity)", write_share(refer["sensitivity"])),
        ("Benign lesions below *refer* (specificity)", write_share(refer["specificity"])),
        ("Malignant lesions that are *urgent* (sensitivity)", write_share(urgent["sensitivity"])),
        ("Benign lesions below *urgent* (specificity)", write_share(urgent["specificity"])),
        ("Melanoma against all others: AUC", write_figure(measures["auc"]["mel"])),
        ("Expected calibration error", write_figure(measures["expected_calibration_error"])),
        ("Refused as unlike the calibration pictures", write_share(measures["refusals"]["outlier"])),
    ]
    manifest = evidence.manifest
    lines = [
        f"The bundle `{evidence.bundle.name}` {evidence.bundle.version}, measured on {manifest['pictures']} "
        f"pictures of {manifest['groups']} lesions that neither training nor calibration saw; in brackets 95 % "
        "intervals from a bootstrap over lesions:",
        "",
        "| measure | value |",
        "|---|---|",
        *(f"| {name} | {figure} |" for name, figure in rows),
    ]
    if evidence.leak != "none":
        lines += ["", f"**Marked: {evidence.leak}.**"]
    return "\n".join(lines)


def replace_block(text: str, block: str) -> str:
    """Return the text with what stands between the marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"Expected {BEGIN} and {END} in {README.name}.")
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> None:
    """Write the figures of the shipped bundle."""
    evidence = open_bundle(find_bundle("skin")).evidence
    if evidence is None:
        sys.exit("The bundle skin has no evidence; make it with: secondlook train skin")
    README.write_text(replace_block(README.read_text(encoding="utf-8"), render_figures(evidence)), encoding="utf-8")


if __name__ == "__main__":
    main()
