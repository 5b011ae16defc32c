"""Evidence at a terminal: figures with their intervals, in few columns."""

from rich.console import Console

from secondlook.conditions import SKIN, TASKS
from secondlook.evaluation.tables import draw_tables, write_figure, write_share


def test_the_tables_speak_of_their_own_task(finished_bundle):
    measures = {key: finished_bundle.evidence.measures[key] for key in ("risk", "triage", "refusals")}
    (table,) = draw_tables(finished_bundle.evidence.model_copy(update={"measures": measures}), TASKS["knee"])
    assert "Osteoarthritis (grade 2 or more): AUC" in list(table.columns[0].cells)
    assert "of 46 patients" in str(table.title)
    assert draw_tables(finished_bundle.evidence, SKIN)[1].columns[1].header == "Pictures\nLesions"


def test_undefined_figures_are_called_so():
    assert write_figure({"value": None, "lower": None, "upper": None}) == "undefined"
    assert write_figure({"value": 0.5, "lower": None, "upper": None}) == "0.500 (too few)"
    assert write_share({"value": 0.5, "lower": 0.25, "upper": 0.75}) == "50.0 % (25.0–75.0)"


def test_tables_fit_a_narrow_terminal(finished_bundle):
    console = Console(width=80, record=True)
    for table in draw_tables(finished_bundle.evidence, SKIN):
        console.print(table)
    text = console.export_text()
    assert "…" not in text.replace("(0 … 2)", "").replace("(0 … 1)", "")
    assert "0.00–" in text or "1.00" in text
