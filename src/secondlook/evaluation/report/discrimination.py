"""How well conditions are told apart: ROC curves, and precision against recall."""

from typing import Any

from secondlook.evaluation.report.plots import Line, draw_lines
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import list_curve, name_label, sheet_curves, write_measured

SHARE = (0.0, 1.0)


def write_section(source: Source) -> Section | None:
    """Write the ROC of the risk, of each label and of their mean, and precision–recall."""
    curves = source.evidence.get("curves")
    if not curves:
        return None
    figures = [*_draw_roc(source, curves), *_draw_precision(source, curves)]
    return Section(
        key="discrimination",
        title="How well conditions are told apart",
        intro=(
            "The ROC curve shows what sensitivity costs in false alarms, at every threshold; its area (AUC) is the "
            "chance that a picture with the condition scores above one without, and 0.5 is guessing. Precision (the "
            "share of "
            "flagged pictures that are right to be flagged) depends on how common the condition is among the pictures "
            "measured; its dashed line is what guessing reaches. Bands are 95 % intervals at each place by itself."
        ),
        figures=tuple(figures),
        tables=(_tabulate(source, curves),),
    )


def _draw_roc(source: Source, curves: dict[str, Any]) -> list[Figure]:
    grid, task = curves["grid"], source.task
    chance = Line("guessing", [0, 1], [0, 1], soft=True)
    figures = []
    for name, keys in _split_questions(curves["roc"]).items():
        lines = [list_curve(curves["roc"][key], grid, name=name_label(task, key)) for key in keys]
        shown = [line for line in lines if line is not None]
        if not shown:
            continue
        caption = "ROC curve" if name == "risk" else "ROC curve of each label against all others, and their mean"
        subject = task.risk["en"] if name == "risk" else "each label"
        areas = "; ".join(
            f"{name_label(task, key)} {write_measured(area)}" for key in keys if (area := _find_area(source, key))
        )
        figures.append(
            Figure(
                f"{caption}: {task.risk['en']}" if name == "risk" else caption,
                f"Sensitivity to {subject} against 1 − specificity, with 95 % bands. Areas under the curves: {areas}.",
                draw_lines(
                    [chance, *_drop_bands(shown)], x="1 − specificity", y="Sensitivity", x_range=SHARE, y_range=SHARE
                ),
                sheet_curves(
                    f"roc-{name}", caption, "1 - specificity", {key: curves["roc"][key] for key in keys}, grid
                ),
            )
        )
    return figures


def _draw_precision(source: Source, curves: dict[str, Any]) -> list[Figure]:
    grid, task, found = curves["grid"], source.task, curves["precision_recall"]
    figures = []
    for name, keys in _split_questions(found).items():
        own = [key for key in keys if key != "macro"]
        lines = [list_curve(found[key], grid, name=name_label(task, key)) for key in own]
        shown = [line for line in lines if line is not None]
        if not shown:
            continue
        share = curves["prevalence"]["risk"]
        chance = [Line("guessing", [0, 1], [share, share], soft=True)] if name == "risk" else []
        caption = "Precision and recall" + (f": {task.risk['en']}" if name == "risk" else " of each label")
        means = "; ".join(f"{name_label(task, key)} {write_measured(curves['average_precision'][key])}" for key in own)
        figures.append(
            Figure(
                caption,
                f"Precision against recall with 95 % bands. Average precision: {means}.",
                draw_lines(
                    [*chance, *_drop_bands(shown)],
                    x="Recall (sensitivity)",
                    y="Precision (PPV)",
                    x_range=SHARE,
                    y_range=(0, 1.02),
                ),
                sheet_curves(f"precision-recall-{name}", caption, "recall", {key: found[key] for key in own}, grid),
            )
        )
    return figures


def _split_questions(curves: dict[str, Any]) -> dict[str, list[str]]:
    """Return the risk by itself, and all labels together; two labels have one curve, that of the risk."""
    labels = [key for key in curves if key != "risk"]
    return {"risk": ["risk"], **({"labels": labels} if len(labels) > 3 else {})}


def _drop_bands(lines: list[Line]) -> list[Line]:
    """Return many lines without their bands, which would cover each other; the CSV and the table hold them."""
    return lines if len(lines) <= 2 else [Line(line.name, line.x, line.y) for line in lines]


def _find_area(source: Source, key: str) -> Any:
    measures = source.evidence["measures"]
    if key == "risk":
        return measures["risk"]["auc"]
    return measures.get("macro_auc") if key == "macro" else measures.get("auc", {}).get(key)


def _tabulate(source: Source, curves: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            name_label(source.task, key),
            _find_area(source, key),
            curves["average_precision"].get(key),
            curves["prevalence"].get(key),
        )
        for key in curves["roc"]
    ]
    heads = ("", "AUC", "Average precision", "Share of the pictures")
    return Table("areas", "Areas under the curves", heads, tuple(rows))
