"""Outside tests: pictures from elsewhere."""

from typing import Any

from secondlook.evaluation.report.plots import draw_forest
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import count_words, name_label, name_point, reach

SHARES = {
    "triage/urgent": "Answered urgent",
    "triage/refer": "Answered refer",
    "triage/routine": "Answered routine",
    "triage/not_evaluable": "Not evaluable",
    "outlier": "Beyond the outlier limit",
    "undecided": "Prediction set too wide",
}


def write_section(source: Source) -> Section | None:
    """Write what the bundle makes of each further manifest, beside what it makes of the measured split."""
    outside = source.evidence.get("outside")
    if not outside:
        return None
    labelled = {name: part for name, part in outside.items() if "measures" in part}
    notes = [f"{name}: {count_words(part['pictures'], part['groups'], source.task)}." for name, part in outside.items()]
    notes += [f"{name}: {note}" for name, part in outside.items() for note in part.get("notes", ()) if note]
    notes += [f"{name} could not be measured: {part['refused']}" for name, part in outside.items() if "refused" in part]
    return Section(
        key="outside",
        title="Outside tests",
        intro=(
            "Pictures from other places, cameras or patients, measured in the same way. What falls here is what "
            "another hospital has to expect.\n\n" + "\n\n".join(notes)
        ),
        figures=(_draw_risk(source, labelled),) if labelled else (),
        tables=(*_tabulate_figures(source, labelled), *_tabulate_shares(source, outside)),
    )


def _draw_risk(source: Source, labelled: dict[str, Any]) -> Figure:
    sets = {"measured here": source.evidence, **labelled}
    reaches = [reach(name, part["measures"]["risk"]["auc"]) for name, part in sets.items()]
    rows = tuple((name, part["measures"]["risk"]["auc"]) for name, part in sets.items())
    risk = source.task.risk["en"]
    return Figure(
        f"{risk}: AUC here and elsewhere",
        "AUC with its 95 % interval, on the measured split and on each outside set; the table below holds the figures.",
        draw_forest(reaches, x="AUC", reference=0.5, x_range=(0.4, 1.0)),
        Table("outside-auc", "AUC", ("set", "auc"), rows),
        wide=True,
    )


def _tabulate_figures(source: Source, labelled: dict[str, Any]) -> list[Table]:
    if not labelled:
        return []
    sets = {"Measured here": source.evidence, **labelled}
    rows: list[tuple[Cell, ...]] = []
    for key, name in (
        ("macro_auc", "AUC, mean of all labels"),
        ("balanced_accuracy", "Balanced accuracy"),
        ("accuracy", "Accuracy"),
    ):
        if any(key in part["measures"] for part in labelled.values()):
            rows.append((name, *(part["measures"].get(key) for part in sets.values())))
    risk = source.task.risk["en"]
    rows.append((f"{risk}: AUC", *(part["measures"]["risk"]["auc"] for part in sets.values())))
    for point in source.evidence["measures"]["risk"]["operating_points"]:
        for rate in ("sensitivity", "specificity"):
            figures = (part["measures"]["risk"]["operating_points"][point][rate] for part in sets.values())
            rows.append((f"{rate.capitalize()} at {name_point(point, source.task)}", *figures))
    for key in source.evidence.get("operating", {}).get("specificity_at_95", {}):
        found = (part.get("operating", {}).get("specificity_at_95", {}).get(key) for part in sets.values())
        rows.append((f"Specificity at 95 % sensitivity to {name_label(source.task, key).lower()}", *found))
    rows.append(
        (
            "Expected calibration error",
            *(part["measures"]["risk"]["expected_calibration_error"] for part in sets.values()),
        )
    )
    covered = [part.get("sets", {}).get("slices", {}).get("all", {}) for part in sets.values()]
    if any("coverage" in part for part in covered):
        rows.append(("Sets that hold the true condition", *(part.get("coverage") for part in covered)))
        rows.append(("Mean size of the sets", *(part.get("size") for part in covered)))
    for key, name in (("not_evaluable", "Not evaluable"), ("outlier", "Beyond the outlier limit")):
        rows.append((name, *(part["measures"]["refusals"][key] for part in sets.values())))
    return [Table("outside-figures", "Figures, here and elsewhere", ("", *sets), tuple(rows))]


def _tabulate_shares(source: Source, outside: dict[str, Any]) -> list[Table]:
    unlabelled = {name: part["shares"] for name, part in outside.items() if "shares" in part}
    if not unlabelled:
        return []
    names = dict(SHARES)
    sizes = {key for shares in unlabelled.values() for key in shares if key.startswith("set of")}
    names |= {key: f"Conditions in the set: {key.removeprefix('set of ')}" for key in sorted(sizes)}
    rows: list[tuple[Cell, ...]] = [
        (words, *(shares.get(key) for shares in unlabelled.values()))
        for key, words in names.items()
        if (key != "triage/urgent" or source.task.urgency == "urgent")
        and any(key in shares for shares in unlabelled.values())
    ]
    return [
        Table("outside-shares", "Without labels: how they were answered", ("", *unlabelled), tuple(rows), percent=True)
    ]
