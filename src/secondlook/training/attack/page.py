"""The page of an attack: curves, tables, and attacked pictures beside their originals."""

import dataclasses
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from secondlook.conditions import find_task
from secondlook.data.files import replace_file
from secondlook.errors import InputError
from secondlook.evaluation.report.attack import write_section
from secondlook.evaluation.report.page import render_page
from secondlook.evaluation.report.section import Gallery, Shown, Source
from secondlook.evaluation.report.sheets import list_sheets
from secondlook.evaluation.report.words import name_label
from secondlook.training.attack.craft import METHODS
from secondlook.training.attack.run import Example

FIGURES, PAGE, SHEETS = "attack.json", "attack.html", "tables"
GREY = 127


def write_attack(folder: Path, found: Mapping[str, Any], examples: Sequence[Example], *, task: str) -> Path:
    """Write what an attack found into a folder: JSON, one HTML page, and its tables as CSV; return the page.

    Args:
        folder: Made where it is missing.
        found: What :func:`secondlook.training.attack.run.attack_run` measured.
        examples: Attacked pictures; they go to the page alone.
        task: Key of the task.

    Raises:
        InputError: The folder cannot be written.
        SecondlookError: matplotlib is missing.
    """
    section = write_section(Source({"attack": found}, find_task(task)))
    if section is None:
        raise ValueError("Expected figures of an attack, got none.")
    with tempfile.TemporaryDirectory() as scrap:
        galleries = tuple(_show_example(example, Path(scrap), task=task) for example in examples)
        page = render_page(
            [dataclasses.replace(section, galleries=galleries)],
            title=f"{find_task(task).names['en']}: attacks on the network of the run {found['run']}",
            subtitle="Pictures changed on purpose until the answer is wrong. The page shows pictures of the data.",
        )
    try:
        (folder / SHEETS).mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        replace_file(folder / FIGURES, text.encode())
        replace_file(folder / PAGE, page.encode())
        for name, sheet in list_sheets([section]).items():
            replace_file(folder / SHEETS / name, sheet.encode())
    except OSError as error:
        raise InputError(
            f"Cannot write the attack into {folder.name}: {error.strerror}. Choose another folder."
        ) from error
    return folder / PAGE


def _show_example(example: Example, folder: Path, *, task: str) -> Gallery:
    """Return original, difference and attacked picture; the difference so that the strength is black or white."""
    truth, after = (name_label(find_task(task), key) for key in (example.truth, example.after))
    change = (example.attacked.astype(np.float64) - example.original) / max(example.strength, 1)
    pictures = {
        f"Original: {truth}": example.original,
        "Difference, enlarged; grey is none": np.rint(GREY + GREY * np.clip(change, -1, 1)).astype(np.uint8),
        f"Attacked: named {after}": example.attacked,
    }
    start = len(list(folder.iterdir()))
    shown = []
    for number, (caption, pixels) in enumerate(pictures.items(), start=start):
        file = folder / f"{number}.png"
        Image.fromarray(pixels).save(file)
        shown.append(Shown(file, caption))
    return Gallery(f"{METHODS[example.method]}, strength {example.strength:g}", tuple(shown))
