"""Write the report folder: evidence, HTML, PDF and a CSV of every curve and table."""

import shutil
from pathlib import Path

from secondlook.conditions import find_task
from secondlook.data.files import replace_file
from secondlook.errors import InputError, SecondlookError
from secondlook.evaluation.answers import Answered
from secondlook.evaluation.evidence import dump_evidence
from secondlook.evaluation.report.order import list_sections
from secondlook.evaluation.report.page import render_page, write_pdf
from secondlook.evaluation.report.section import Source
from secondlook.evaluation.report.sheets import list_sheets
from secondlook.evaluation.report.words import count_words
from secondlook.inference.bundle import Evidence

EVIDENCE, PAGE, PAPER, SHEETS = "evidence.json", "report.html", "report.pdf", "tables"


def write_report(folder: Path, evidence: Evidence, *, task: str, answered: Answered | None = None) -> list[str]:
    """Write the report of some evidence into a folder; what lay there under the same names is replaced.

    Args:
        folder: Made where it is missing.
        evidence: What was measured.
        task: Key of the bundle's task.
        answered: The pictures, of which the worst mistakes are shown; without them none is.

    Returns:
        What could not be written, and why, in sentences; empty if all was.

    Raises:
        InputError: The folder cannot be written.
        SecondlookError: matplotlib is missing.
    """
    source = Source(evidence.model_dump(mode="json"), find_task(task), answered)
    sections = list_sections(source)
    identity = evidence.bundle
    sizes: dict[str, int] = source.evidence["manifest"]
    page = render_page(
        sections,
        title=f"{source.task.names['en']}: evidence for the model {identity.name} {identity.version}",
        subtitle=f"Measured on {count_words(sizes['pictures'], sizes['groups'], source.task)} by Secondlook "
        f"{evidence.secondlook_version}. Graph {identity.graph_sha256[:12]}.",
    )
    try:
        (folder / SHEETS).mkdir(parents=True, exist_ok=True)
        replace_file(folder / EVIDENCE, dump_evidence(evidence).encode())
        replace_file(folder / PAGE, page.encode())
        for stale in (folder / SHEETS).glob("*.csv"):
            stale.unlink()
        for name, text in list_sheets(sections).items():
            replace_file(folder / SHEETS / name, text.encode())
    except OSError as error:
        raise InputError(
            f"Cannot write the report into {folder.name}: {error.strerror}. Choose another folder."
        ) from error
    scrap = folder / f".{PAPER}.tmp"
    try:
        write_pdf(page, scrap)
        shutil.move(scrap, folder / PAPER)
    except SecondlookError as error:
        return [str(error)]
    finally:
        scrap.unlink(missing_ok=True)
    return []
