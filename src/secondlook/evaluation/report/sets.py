"""Knowing what it does not know: prediction sets, and errors against how much is answered."""

from typing import Any

from secondlook.evaluation.report.plots import Reach, draw_forest, draw_lines
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import list_curve, name_label, reach, sheet_curves, write_percent
from secondlook.evaluation.scope import name_groups


def write_section(source: Source) -> Section | None:
    """Write coverage and size of the sets by label and subgroup, and the risk–coverage curve."""
    sets = source.evidence.get("sets", {})
    figures = [*_draw_coverage(source, sets), *_draw_errors(sets)]
    if not figures and "slices" not in sets:
        return None
    return Section(
        key="sets",
        title="Knowing what it does not know",
        intro=_introduce(sets),
        verdict=_judge(source, sets),
        doubtful=bool(_list_short(sets)),
        figures=tuple(figures),
        tables=tuple(_tabulate(source, sets)),
    )


def _introduce(sets: dict[str, Any]) -> str:
    parts = []
    if "slices" in sets:
        parts.append(
            "With each answer comes the set of conditions that cannot be ruled out, made so that it holds the true one "
            f"for {write_percent(sets['target'])} of new pictures of each condition (class-conditional conformal "
            "prediction, each patient or lesion counting once). A condition with fewer than nine of them for "
            f"calibration gets a lower promise. A set of more than {sets['widest']} says too little: the model then "
            "commits itself to no condition; the triage stands."
        )
    if sets.get("risk_coverage"):
        parts.append(
            "The risk–coverage curve shows how wrong the named label is if only the answers of highest probability are "
            "given: it should rise to the right."
        )
    return "\n\n".join(parts)


def _list_short(sets: dict[str, Any]) -> list[str]:
    """Return the labels whose sets hold the true one less often than promised, interval included."""
    return [
        name.removeprefix("labels/")
        for name, part in sets.get("slices", {}).items()
        if name.startswith("labels/")
        and (upper := part.get("coverage", {}).get("upper")) is not None
        and upper < sets["levels"][name.removeprefix("labels/")]["level"]
    ]


def _judge(source: Source, sets: dict[str, Any]) -> str:
    whole = sets.get("slices", {}).get("all")
    if not whole or "coverage" not in whole or whole["coverage"]["value"] is None:
        return ""
    short = _list_short(sets)
    size = whole["size"]["value"]
    text = (
        f"The sets hold the true condition for {write_percent(whole['coverage']['value'])} of the pictures and name "
        f"{size:.1f} conditions on average; {write_percent(whole['undecided']['value'])} of them are too wide."
    )
    if short:
        names = ", ".join(name_label(source.task, key) for key in short)
        return f"{text} Less often than promised, beyond chance: {names}."
    return f"{text} For no condition is that less than promised, beyond chance."


def _draw_coverage(source: Source, sets: dict[str, Any]) -> list[Figure]:
    slices = {name: part for name, part in sets.get("slices", {}).items() if "coverage" in part}
    if not slices:
        return []
    reaches: list[Reach] = []
    for name, part in slices.items():
        if name.startswith("subgroups/"):
            continue
        label = "All pictures" if name == "all" else name_label(source.task, name.removeprefix("labels/"))
        reaches.append(reach(f"{label} ({part['groups']})", part["coverage"]))
    rows = tuple(
        (name, part["groups"], part["coverage"], part["size"], part["undecided"]) for name, part in slices.items()
    )
    return [
        Figure(
            "How often the set holds the true condition",
            f"One line for each condition (in brackets the {name_groups(source.task)}), with its 95 % interval; "
            "dashed: the share aimed at. The table below holds the figures.",
            draw_forest(reaches, x="Share of sets that hold it", reference=sets["target"], x_range=(0, 1.02)),
            Table("set-coverage", "Coverage", ("slice", "groups", "coverage", "size", "undecided"), rows),
            wide=True,
        )
    ]


def _draw_errors(sets: dict[str, Any]) -> list[Figure]:
    curve = sets.get("risk_coverage")
    line = list_curve(curve["error"], curve["coverages"], name="") if curve else None
    if curve is None or line is None:
        return []
    area = curve["area"]["value"]
    return [
        Figure(
            "Errors against how much is answered",
            f"Share of wrong labels among the most confident pictures, from 5 % of them to all; mean {area:.3f}.",
            draw_lines(
                [line],
                x="Share of pictures answered",
                y="Share answered wrongly",
                x_range=(0, 1),
                y_range=(0, None),
                legend=False,
            ),
            sheet_curves("risk-coverage", "Errors", "answered", {"error": curve["error"]}, curve["coverages"]),
        )
    ]


def _tabulate(source: Source, sets: dict[str, Any]) -> list[Table]:
    if "slices" not in sets:
        return []
    rows: list[tuple[Cell, ...]] = []
    groups: list[tuple[Cell, ...]] = []
    for name, part in sets["slices"].items():
        size = part["size"]["value"]
        cells = (part["groups"], part.get("coverage"), None if size is None else f"{size:.2f}", part["undecided"])
        if name.startswith("subgroups/"):
            groups.append((name.removeprefix("subgroups/"), *cells))
            continue
        key = name.removeprefix("labels/")
        level = sets["target"] if name == "all" else sets["levels"][key]["level"]
        label = "All pictures" if name == "all" else name_label(source.task, key)
        rows.append((label, level, *cells))
    heads = (name_groups(source.task).capitalize(), "Sets that hold the true condition", "Mean size", "Too wide")
    total = sum(sets["sizes"].values())
    sizes: list[tuple[Cell, ...]] = [(int(size), count, count / total) for size, count in sets["sizes"].items()]
    tables = [
        Table("sets-by-label", "Prediction sets by condition", ("", "Promised", *heads), tuple(rows), percent=True),
        Table(
            "set-sizes",
            "How many conditions the sets hold",
            ("Conditions", "Pictures", "Share"),
            tuple(sizes),
            percent=True,
        ),
    ]
    if groups:
        tables.append(
            Table("sets-by-subgroup", "Prediction sets by subgroup", ("", *heads), tuple(groups), percent=True)
        )
    decided = sets["slices"]["all"]
    if "accuracy_decided" in decided:
        accuracy: list[tuple[Cell, ...]] = [
            ("Where the set is narrow enough", decided["accuracy_decided"]),
            ("Where it is too wide", decided["accuracy_undecided"]),
        ]
        columns = ("Accuracy of the named label", "Value (95 % interval)")
        tables.append(Table("accuracy-by-set", "Is silence justified?", columns, tuple(accuracy), percent=True))
    return tables
