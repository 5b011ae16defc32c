"""Measured outlines as one HTML page that needs no network; it shows the worst failures, so it holds pictures."""

import base64
import io
from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from secondlook.conditions import find_task
from secondlook.data.masks import Masked, read_pair
from secondlook.data.page import write_page
from secondlook.data.wording import count
from secondlook.evaluation.figures import draw_figure, draw_heads
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.outlines import FIGURES, Agreement, bound_figures
from secondlook.explanation.contour import trace_border
from secondlook.explanation.segmentation import Method

SHOWN_PX = 480
FOUND, DRAWN = "#ffd84d", "#ffffff"


def write_outlines(
    agreements: Mapping[str, Agreement],
    methods: Mapping[str, Method],
    masked: Masked,
    path: Path,
    *,
    split: str | None,
    worst: int,
    seed: int,
    resamples: int,
) -> None:
    """Write the page; the file is replaced atomically.

    Args:
        agreements: What was measured, by method; the first is the one whose failures are shown.
        methods: The methods by name.
        masked: The pictures that were measured.
        path: The file.
        split: Which split they are, or nothing.
        worst: How many failures to show.
        seed: Of the bootstrap.
        resamples: Of the bootstrap.

    Raises:
        DatasetError: The page cannot be written.
        InputError: A picture cannot be read.
    """
    first = next(iter(agreements))
    pictures = count(len(masked.masks), "picture", "pictures")
    owners = count(masked.manifest.frame["group"].nunique(), "patient or lesion", "patients or lesions")
    where = f", split {escape(split)}" if split else ""
    lead = (
        f"{pictures} of {owners}{where}, each with a mask that experts drew. The figures say how well an outline "
        "covers the expert's, nothing of a disease."
    )
    notes = "".join(f"<p class='verdict unknown'>{escape(note)}</p>" for note in masked.notes)
    sections = [
        ("Methods", _draw_methods(agreements, methods)),
        (f"By diagnosis: {first}", _draw_labels(agreements[first], masked, seed=seed, resamples=resamples)),
        (f"How often which Jaccard index: {first}", _draw_spread(agreements[first])),
    ]
    if worst:
        sections.append((f"The worst failures: {first}", _draw_worst(agreements[first], methods[first], masked, worst)))
    body = "\n".join(f"<section><h2>{escape(title)}</h2>\n{content}</section>" for title, content in sections)
    method = (
        f"<p class='soft'>Intervals are 95 % percentiles of {resamples:,} bootstrap resamples of whole patients or "
        f"lesions (seed {seed}). Time is CPU time for one picture that is already read, median.</p>"
    )
    title = "Outlines of lesions against masks"
    top = f"<h1>{title}</h1><p class='lead'>{lead}</p>{notes}"
    write_page(path, title=title, body=f"<main>{top}\n{body}\n{method}</main>")


def write_interval(name: str, interval: Interval) -> str:
    """Return a figure over its interval, as a cell's HTML."""
    if name in ("failed", "nothing_found"):
        value, low, high = (f"{100 * part:.1f} %" for part in (interval.value, interval.lower, interval.upper))
    else:
        value, low, high = (f"{part:.3f}" for part in (interval.value, interval.lower, interval.upper))
    return f"{value}<small>{'too few' if np.isnan(interval.lower) else f'{low}–{high}'}</small>"


def _draw_methods(agreements: Mapping[str, Agreement], methods: Mapping[str, Method]) -> str:
    lines = [
        f'<tr><th scope="row">{escape(name)}<small>{escape(methods[name].summary)}</small></th>'
        + "".join(f"<td>{write_interval(key, agreement.figures[key])}</td>" for key in FIGURES)
        + f"<td>{agreement.milliseconds:.1f} ms</td></tr>"
        for name, agreement in agreements.items()
    ]
    heads = draw_heads(("", *FIGURES.values(), "Time"))
    return draw_figure(
        "shares", heads, lines, title="Methods", caption="Agreement with the masks", columns=len(FIGURES) + 1
    )


def _draw_labels(agreement: Agreement, masked: Masked, *, seed: int, resamples: int) -> str:
    frame, task = masked.manifest.frame, find_task(masked.manifest.task)
    groups, lines = frame["group"].astype(str).to_numpy(dtype=np.str_), []
    for key in task.keys:
        rows = (frame["label"] == key).to_numpy(dtype=bool)
        if not rows.any():
            continue
        figures = bound_figures(
            agreement.jaccard[rows], agreement.nothing[rows], groups[rows], seed=seed, resamples=resamples
        )
        name = (
            f"{escape(task.find_label(key).names['en'])}<small>{count(int(rows.sum()), 'picture', 'pictures')}</small>"
        )
        cells = "".join(f"<td>{write_interval(figure, figures[figure])}</td>" for figure in FIGURES)
        lines.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    heads = draw_heads(("", *FIGURES.values()))
    return draw_figure(
        "shares", heads, lines, title="Diagnoses", caption="Agreement by diagnosis", columns=len(FIGURES)
    )


def _draw_spread(agreement: Agreement) -> str:
    edges = np.linspace(0, 1, 11)
    counts = np.histogram(agreement.jaccard, edges)[0]
    lines = [
        f'<tr><th scope="row">{low:.1f} to {high:.1f}</th><td class="bar">'
        f'<span style="--share:{number / max(counts.max(), 1):.4f}"></span>{number:,}</td></tr>'
        for low, high, number in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    return draw_figure("bars", draw_heads(("Jaccard", "Pictures")), lines, title="Spread", caption="Pictures")


def _draw_worst(agreement: Agreement, method: Method, masked: Masked, worst: int) -> str:
    paths, tiles = masked.manifest.paths(), []
    for row in agreement.rank_worst(worst):
        pixels, drawn = read_pair(paths[row], masked.masks[row])
        words = f"Jaccard {agreement.jaccard[row]:.2f}"
        source = draw_both(pixels, method.segment(pixels), drawn)
        tiles.append(f'<figure><img src="{source}" alt="{words}"><figcaption>{words}</figcaption></figure>')
    note = "<p>White: the expert's outline. Yellow: ours; none where nothing was found.</p>"
    return f'{note}<div class="samples">{"".join(tiles)}</div>'


def draw_both(pixels: NDArray[np.uint8], found: NDArray[np.bool_], drawn: NDArray[np.bool_]) -> str:
    """Return a picture with both outlines as a JPEG data URI.

    Args:
        pixels: uint8 H×W×3, RGB.
        found: bool H×W, one region or nothing.
        drawn: bool H×W.
    """
    image = Image.fromarray(pixels)
    factor = SHOWN_PX / max(image.size)
    image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for mask, colour in ((drawn, DRAWN), (found, FOUND)):
        if mask.any():
            border = trace_border(mask) * factor
            draw.line([(float(x), float(y)) for x, y in (*border, border[0])], fill=colour, width=3, joint="curve")
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
