"""What the measured pictures are: diagnosis, age, sex, site, skin type, reference standard, resolution."""

from secondlook.evaluation.report.section import Cell, Section, Source, Table
from secondlook.evaluation.scope import name_groups

WANTED = {
    "age_years": "age",
    "sex": "sex",
    "site": "body site",
    "skin_tone": "skin type",
    "reference": "reference standard",
}


def write_section(source: Source) -> Section | None:
    """Write how many pictures and patients have each value, and what is not recorded."""
    composition = source.evidence.get("composition")
    if not composition:
        return None
    total = source.evidence["flow"]["measured"]["pictures"]
    groups, alarming = name_groups(source.task).capitalize(), source.task.risk["en"]
    tables = []
    for key, factor in composition.items():
        rows: list[tuple[Cell, ...]] = [
            (part["value"], part["pictures"], part["pictures"] / total, part["groups"], part["alarming"])
            for part in factor["values"]
        ]
        name = f"composition-{key}".lower().replace("_", "-").replace(" ", "-")
        heads = ("", "Pictures", "Share", groups, f"With {alarming.lower()}")
        tables.append(Table(name, factor["title"], heads, tuple(rows), percent=True))
    absent = [words for key, words in WANTED.items() if key not in composition]
    note = f" Not recorded at all, hence not measured by: {', '.join(absent)}." if absent else ""
    return Section(
        key="composition",
        title="Who was measured",
        intro=(
            "The figures hold for people and pictures like these. Where a group is small or missing here, nobody knows "
            f"how the model does on it.{note}"
        ),
        tables=tuple(tables),
    )
