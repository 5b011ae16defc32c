"""What the preset thresholds give, and what a positive or negative answer means where disease is rarer."""

from typing import Any

from secondlook.evaluation.report.plots import Line, draw_lines
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import name_label, name_point, write_percent, write_threshold
from secondlook.evaluation.scope import name_groups


def write_section(source: Source) -> Section | None:
    """Write sensitivity and specificity at each operating point, and predictive values by prevalence."""
    operating = source.evidence.get("operating")
    if not operating:
        return None
    points, task = operating["points"], source.task
    unsupported = [name for name, point in points.items() if not point["supported"]]
    verdict = (
        "The calibration pictures bear out the sensitivity that each threshold aims at, with 95 % confidence."
        if not unsupported
        else "The calibration pictures are too few, or too hard, to bear out with 95 % confidence what "
        f"{' and '.join(name_point(name, task) for name in unsupported)} aims at: see the lower bound in the table."
    )
    return Section(
        key="thresholds",
        title="What the thresholds give",
        intro=(
            f"Thresholds on the probability of {task.risk['en'].lower()}, chosen on the calibration split as high as "
            f"the lower 95 % bound on the sensitivity allows. Two intervals stand side by side: Clopper and Pearson's "
            f"takes every picture for independent; the bootstrap draws whole {name_groups(task)} and is the one to "
            "trust where it is wider."
        ),
        verdict=verdict,
        doubtful=bool(unsupported),
        figures=(_draw_predictive(source, operating),),
        tables=(
            _tabulate_points(source, points),
            _tabulate_ranked(source, operating),
            _tabulate_predictive(source, points),
            _tabulate_triage(source),
        ),
    )


def _tabulate_points(source: Source, points: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, point in points.items():
        for rate in ("sensitivity", "specificity"):
            figure = point[rate]
            exact = "–" if figure["exact"][0] is None else "–".join(f"{100 * bound:.1f}" for bound in figure["exact"])
            promised = f"at least {write_percent(point['sensitivity_lower'])}" if rate == "sensitivity" else ""
            rows.append(
                (
                    f"{name_point(name, source.task)}, from {write_threshold(point['threshold'])} on: {rate}",
                    {side: figure[side] for side in ("value", "lower", "upper")},
                    exact,
                    f"{figure['hits']} of {figure['pictures']} pictures, {figure['groups']} {name_groups(source.task)}",
                    promised,
                )
            )
    heads = ("Threshold", "Measured (bootstrap)", "Clopper–Pearson", "Counts", "Promised by calibration")
    return Table("operating-points", "Sensitivity and specificity", heads, tuple(rows), percent=True)


def _tabulate_ranked(source: Source, operating: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (f"Specificity at 95 % sensitivity to {name_label(source.task, key).lower()}", figure)
        for key, figure in operating["specificity_at_95"].items()
    ]
    note = "At the threshold that gives this sensitivity on these very pictures; to compare models, not to use."
    heads = ("Figure", "Value (95 % interval)")
    return Table("specificity-at-95", "Specificity at a fixed sensitivity", heads, tuple(rows), note=note, percent=True)


def _tabulate_predictive(source: Source, points: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (name_point(name, source.task), line["prevalence"], line["ppv"], line["npv"])
        for name, point in points.items()
        for line in point["predictive"]
    ]
    own = write_percent(source.evidence["operating"]["measured_prevalence"])
    note = (
        f"Among the pictures measured the prevalence is {own}. Choose the one of your own practice: "
        "secondlook evaluate … --prevalence 0.02. By Bayes' rule; it holds if sensitivity and specificity are the same "
        "there."
    )
    heads = ("Threshold", "Prevalence", "PPV", "NPV")
    return Table("predictive-values", "Predictive values by prevalence", heads, tuple(rows), note=note, percent=True)


def _draw_predictive(source: Source, operating: dict[str, Any]) -> Figure:
    prevalences, lines = operating["prevalences"], []
    rows: list[tuple[Cell, ...]] = []
    for name, point in operating["points"].items():
        short = name_point(name, source.task).split(" (")[0]
        for kind, values in point["curve"].items():
            kept = [(x, y) for x, y in zip(prevalences, values, strict=True) if y is not None]
            lines.append(Line(f"{kind.upper()}, {short}", [100 * x for x, _ in kept], [100 * y for _, y in kept]))
            rows += [(name, kind, x, y) for x, y in zip(prevalences, values, strict=True)]
    return Figure(
        "What an answer means where disease is rarer",
        "Positive and negative predictive value of each threshold against the prevalence from 0.1 to 50 %; the table "
        "holds some of them.",
        draw_lines(lines, x="Prevalence (%)", y="Predictive value (%)", x_range=(0, 50), y_range=(0, 102)),
        Table("predictive-curve", "Predictive values", ("point", "kind", "prevalence", "value"), tuple(rows)),
    )


def _tabulate_triage(source: Source) -> Table:
    triage = source.evidence["measures"]["triage"]
    words = [word for word in triage["alarming"] if word != "urgent" or source.task.urgency == "urgent"]
    sides = {"alarming": f"With {source.task.risk['en'].lower()}", "other": "Without"}
    rows: list[tuple[Cell, ...]] = [(sides[side], *(shares[word] for word in words)) for side, shares in triage.items()]
    heads = ("True label", *(word.replace("_", " ").capitalize() for word in words))
    return Table("triage", "What the pictures were answered", heads, tuple(rows), percent=True)
