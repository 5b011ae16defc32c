"""Put the card together, in one language or in all, and write it into the bundle."""

from pathlib import Path

from secondlook.conditions import Language
from secondlook.data.files import replace_file
from secondlook.evaluation.card.certainty import write_certainty
from secondlook.evaluation.card.checklists import render_checklists
from secondlook.evaluation.card.figures import write_figures
from secondlook.evaluation.card.limits import write_end, write_limits, write_outside
from secondlook.evaluation.card.operating import write_points
from secondlook.evaluation.card.origins import write_data, write_labels
from secondlook.evaluation.card.purpose import write_head, write_purpose
from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.stability import write_stability
from secondlook.evaluation.card.subgroups import write_subgroups
from secondlook.evaluation.card.voice import Voice, join_parts
from secondlook.inference.bundle import CARDS, CHECKLISTS, Bundle, Evidence

SECTIONS = (
    write_head,
    write_purpose,
    write_data,
    write_labels,
    write_figures,
    write_points,
    write_certainty,
    write_subgroups,
    write_outside,
    write_stability,
    write_limits,
    write_end,
)


def write_cards(folder: Path, bundle: Bundle, evidence: Evidence) -> None:
    """Write a bundle's model card and checklists in every language; replace each file atomically."""
    for language, name in CARDS.items():
        replace_file(folder / name, render_card(bundle, evidence, language).encode())
    for language, name in CHECKLISTS.items():
        replace_file(folder / name, render_checklists(evidence, bundle.facts, language).encode())


def render_card(bundle: Bundle, evidence: Evidence, language: Language = "en") -> str:
    """Return a bundle's model card as Markdown; every figure in it comes from the evidence or the calibration."""
    source = Source(Voice(language), bundle, evidence)
    return join_parts(*(write(source) for write in SECTIONS)) + "\n"
