"""The sections of the report, in the order of reading."""

from collections.abc import Callable

from secondlook.evaluation.report import (
    attack,
    composition,
    confusion,
    decision,
    discrimination,
    explanations,
    flow,
    glance,
    outliers,
    outside,
    reliability,
    robustness,
    sets,
    subgroups,
    terms,
    thresholds,
)
from secondlook.evaluation.report.section import Section, Source

WRITERS: tuple[Callable[[Source], Section | None], ...] = (
    glance.write_section,
    flow.write_section,
    composition.write_section,
    discrimination.write_section,
    thresholds.write_section,
    confusion.write_section,
    reliability.write_section,
    decision.write_section,
    sets.write_section,
    subgroups.write_section,
    outside.write_section,
    outliers.write_section,
    robustness.write_section,
    explanations.write_section,
    attack.write_section,
    terms.write_section,
)


def list_sections(source: Source) -> list[Section]:
    """Return every section that the evidence holds something for."""
    return [section for section in (write(source) for write in WRITERS) if section is not None]
