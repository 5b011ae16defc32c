"""Do probabilities hold what they say? Reliability before and after scaling."""

from typing import Any

from secondlook.evaluation.report.plots import Line, draw_lines
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table

NAMES = {
    "expected_calibration_error": "Expected calibration error",
    "adaptive_calibration_error": "Adaptive calibration error",
    "brier": "Brier score",
    "log_loss": "Negative log-likelihood (nats)",
}
STAGES = {"before": "before scaling", "after": "after scaling"}


def write_section(source: Source) -> Section | None:
    """Write reliability diagrams and calibration errors, of the risk and of the most probable label."""
    reliability = source.evidence.get("reliability")
    if not reliability:
        return None
    subjects = {"risk": source.task.risk["en"], "label": "Most probable label"}
    shown = {key: subjects[key] for key in subjects if key in reliability}
    figures = tuple(_draw_bins(key, name, reliability[key]) for key, name in shown.items())
    rows: list[tuple[Cell, ...]] = [
        (f"{name}: {NAMES[measure]}", *(reliability[key].get(stage, {}).get(measure) for stage in STAGES))
        for key, name in shown.items()
        for measure in NAMES
        if measure in reliability[key]["after"]
    ]
    return Section(
        key="reliability",
        title="Do probabilities hold what they say?",
        intro=(
            "Of the pictures that get a probability of 30 %, three in ten should have the condition. The diagram holds "
            "ten bins with equally many pictures each; on the dashed line what is said is what is so, above it the "
            "model "
            "says too little. Scaling was fitted on the calibration split. The expected error takes bins of equal "
            "width, the adaptive one bins of equally many pictures."
        ),
        figures=figures,
        tables=(Table("calibration", "Calibration errors", ("", "Before scaling", "After scaling"), tuple(rows)),),
    )


def _draw_bins(key: str, name: str, stages: dict[str, Any]) -> Figure:
    lines, rows = [Line("as it should be", [0, 1], [0, 1], soft=True)], []
    for stage, words in STAGES.items():
        if stage not in stages:
            continue
        bins = [part for part in stages[stage]["bins"] if part["share"]["value"] is not None]
        bounded = stage == "after" and all(part["share"]["lower"] is not None for part in bins)
        band: dict[str, Any] = (
            {side: [part["share"][side] for part in bins] for side in ("lower", "upper")} if bounded else {}
        )
        places, shares = [part["confidence"] for part in bins], [part["share"]["value"] for part in bins]
        lines.append(Line(words, places, shares, dots=True, **band))
        rows += [(stage, part["confidence"], part["share"], part["pictures"]) for part in bins]
    worst = max(stages["after"]["bins"], key=lambda part: abs((part["share"]["value"] or 0) - part["confidence"]))
    return Figure(
        f"Reliability: {name}",
        "Share of pictures for which it is so, against the mean probability said, in ten bins, before and after "
        f"scaling. After scaling the bin furthest off says {worst['confidence']:.2f} where it is so in "
        f"{worst['share']['value'] or 0:.2f}.",
        draw_lines(lines, x="Probability said", y="Share for which it is so", x_range=(0, 1), y_range=(0, 1)),
        Table(f"reliability-{key}", name, ("stage", "confidence", "share", "pictures"), tuple(rows)),
    )
