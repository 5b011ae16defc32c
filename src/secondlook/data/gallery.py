"""A page that shows the pairs of a leak audit side by side; one HTML file that needs no network."""

import base64
import io
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from secondlook.data.leakage import LeakReport, Pair, Side
from secondlook.errors import DatasetError
from secondlook.imaging.read import read_picture

PICTURE_PX = 320
SHOWN_PAIRS = 60
TITLES = {
    "group": "Same group (patient or lesion)",
    "file": "Identical file",
    "picture": "Identical pixels",
    "near": "Near-duplicate",
}
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Leak audit</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 76rem; margin: 0 auto; padding: 1rem; }
.verdict { border-inline-start: .4rem solid; padding: .5rem 1rem; font-weight: 600; }
.leak { border-color: #c62828; } .clean { border-color: #2e7d32; }
article { border: 1px solid #8886; border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
article h3 { margin: 0 0 .75rem; font-size: 1rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; }
img { width: 100%; max-height: 22rem; object-fit: contain; background: #8882; border-radius: .25rem; }
figcaption { overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
<h1>Leak audit</h1>
<p class="verdict $state">$summary</p>
<p>This page shows pictures of patients. Keep it where the pictures are kept; do not commit or publish it.</p>
$sections
</main>
</body>
</html>
""")


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
    page = PAGE.substitute(
        state="leak" if report.leaks else "clean", summary=escape(report.summary()), sections="\n".join(sections)
    )
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DatasetError(f"Expected to write the page {path.name}: {error.strerror}.") from error


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
    pixels = read_picture(root / side.image, target_px=PICTURE_PX).pixels
    image = Image.fromarray(pixels)
    image.thumbnail((2 * PICTURE_PX, 2 * PICTURE_PX))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=85)
    source = f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
    name = escape(Path(side.image).name)
    facts = escape(f"split {side.split or 'none'}, label {side.label}, group {side.group}")
    return (
        f'<figure><img src="{source}" alt="Picture {name}"><figcaption><b>{name}</b><br>{facts}</figcaption></figure>'
    )
