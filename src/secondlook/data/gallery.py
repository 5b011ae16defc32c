"""A page that shows the pairs of a leak audit side by side; one HTML file that needs no network."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from secondlook.data.leakage import LeakReport, Pair, Side
from secondlook.data.page import draw_picture, write_page

PICTURE_PX = 640
SHOWN_PAIRS = 60
TITLES = {
    "group": "Same group (patient or lesion)",
    "file": "Identical file",
    "picture": "Identical pixels",
    "near": "Near-duplicate",
}
WARNING = "<p>This page shows pictures of patients. Keep it where they are kept; do not commit or publish it.</p>"
BODY = Template("""<main>
<h1>Leak audit</h1>
<p class="verdict $state">$summary</p>
$sections
</main>""")


def write_gallery(report: LeakReport, path: Path) -> None:
    """Write the worst pairs of an audit as one HTML file, replaced atomically.

    At most 60 pairs of each section are shown, the clearest first; the page says how many there are.

    Raises:
        DatasetError: The file cannot be written.
        InputError: A picture cannot be read.
    """
    root = report.manifest.root
    sections = [
        render_section("Leaks: the same thing in two splits", report.leaks, root),
        render_section(
            "Twins within a split under different groups: no leak now, one when split anew", report.cousins, root
        ),
    ]
    if any(sections):
        sections.insert(0, WARNING)
    body = BODY.substitute(
        state="leak" if report.leaks else "clean", summary=escape(report.summary()), sections="\n".join(sections)
    )
    write_page(path, title="Leak audit", body=body)


def render_section(title: str, pairs: Iterable[Pair], root: Path) -> str:
    """Return one section of the page; nothing where there is no pair."""
    ordered = sorted(pairs, key=rank_pair)
    if not ordered:
        return ""
    shown = ordered[:SHOWN_PAIRS]
    count = f"{len(ordered)} pairs" if len(shown) == len(ordered) else f"{len(shown)} of {len(ordered)} pairs"
    articles = "\n".join(render_pair(pair, root) for pair in shown)
    return f"<h2>{escape(title)} ({count})</h2>\n{articles}"


def rank_pair(pair: Pair) -> tuple[bool, float]:
    """Return a key that sorts what looks alike first and pairs that share no more than a group last."""
    return pair.kind == "group", -(pair.correlation if pair.correlation is not None else 2)


def render_pair(pair: Pair, root: Path) -> str:
    """Return two pictures side by side under what they share."""
    figures = (
        "" if pair.correlation is None else f", texture correlation {pair.correlation:.2f}, {pair.distance} bits apart"
    )
    sides = "\n".join(render_side(side, root) for side in (pair.first, pair.second))
    return (
        f'<article><h3>{escape(TITLES[pair.kind])}{escape(figures)}</h3>\n<div class="pair">\n{sides}\n</div></article>'
    )


def render_side(side: Side, root: Path) -> str:
    """Return one picture with its name, split, label and group."""
    name = Path(side.image).name
    picture = draw_picture(root / side.image, alt=f"Picture {name}", side_px=PICTURE_PX)
    facts = escape(f"split {side.split or 'none'}, label {side.label}, group {side.group}")
    return f"<figure>{picture}<figcaption><b>{escape(name)}</b><br>{facts}</figcaption></figure>"
