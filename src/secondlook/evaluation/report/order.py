"""The sections of the report, in the order of reading."""

from collections.abc import Callable

from secondlook.evaluation.report.section import Section, Source

WRITERS: tuple[Callable[[Source], Section | None], ...] = ()


def list_sections(source: Source) -> list[Section]:
    """Return every section that the evidence holds something for."""
    return [section for section in (write(source) for write in WRITERS) if section is not None]
