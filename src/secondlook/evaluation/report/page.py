"""The report as one HTML file that needs no network, and as a PDF of it."""

import base64
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from secondlook.data.page import draw_picture
from secondlook.errors import InputError, SecondlookError
from secondlook.evaluation.report.section import Cell, Figure, Gallery, Section, Shown, Table
from secondlook.evaluation.report.words import write_cell

THUMBNAIL_PX = 240
SHORT_ROWS = 16  # of a table that is not broken over two sheets of paper
FEW_WORDS = 4  # "too few to say" among figures does not make a column of words
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<meta name="description" content="$subtitle">
<style>
$style</style>
</head>
<body>
<a class="skip" href="#report">Skip to the figures</a>
<header><h1>$title</h1><p class="lead">$subtitle</p></header>
<nav aria-label="Contents"><h2>Contents</h2><ol>$links</ol></nav>
<main id="report">
$sections
</main>
</body>
</html>
""")


def render_page(sections: Sequence[Section], *, title: str, subtitle: str) -> str:
    """Return the report as one HTML document.

    Args:
        sections: In the order to show.
        title: Plain text.
        subtitle: Plain text: which data, and when.
    """
    style = files("secondlook.evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    links = "".join(f'<li><a href="#{section.key}">{escape(section.title)}</a></li>' for section in sections)
    return PAGE.substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        style=style,
        links=links,
        sections="\n".join(render_section(section) for section in sections),
    )


def render_section(section: Section) -> str:
    """Return one section as HTML."""
    parts = [*_list_paragraphs(section.intro)]
    if section.verdict:
        state = "doubt" if section.doubtful else "clean"
        parts.append(f'<p class="verdict {state}">{escape(section.verdict)}</p>')
    if section.figures:
        parts.append(f'<div class="figures">{"".join(map(render_figure, section.figures))}</div>')
    parts.extend(map(render_table, section.tables))
    parts.extend(map(render_gallery, section.galleries))
    body = "\n".join(parts)
    return (
        f'<section id="{section.key}" aria-labelledby="{section.key}-title">'
        f'<h2 id="{section.key}-title">{escape(section.title)}</h2>\n{body}\n</section>'
    )


def render_figure(figure: Figure) -> str:
    """Return a drawing with its caption."""
    # As an image, so that the identifiers inside of one drawing cannot meet those of another.
    source = base64.b64encode(figure.svg.encode()).decode()
    style = ' class="wide"' if figure.wide else ""
    return (
        f"<figure{style}><figcaption>{escape(figure.caption)}</figcaption>"
        f'<img src="data:image/svg+xml;base64,{source}" alt="{escape(figure.alternative)}"></figure>'
    )


def render_table(table: Table) -> str:
    """Return a table with its caption; the first column heads the rows."""
    worded = _find_worded(table)
    heads = "".join(
        f'<th scope="col"{" class=text" if worded[place] else ""}>{escape(head)}</th>' if head else "<td></td>"
        for place, head in enumerate(table.heads)
    )
    lines = "\n".join(_render_row(row, worded, percent=table.percent) for row in table.rows)
    note = f"<small>{escape(table.note)}</small>" if table.note else ""
    # The frame, not the table, is kept whole: a caption stays with its rows only in there.
    frame = "scroll short" if len(table.rows) <= SHORT_ROWS else "scroll"
    style = ' class="words"' if len(table.heads) == 2 else ""
    return (
        f'<div class="{frame}" role="group" aria-label="{escape(table.caption)}" tabindex="0"><table{style}>'
        f"<caption>{escape(table.caption)}{note}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def render_gallery(gallery: Gallery) -> str:
    """Return pictures side by side; one that cannot be read is named all the same."""
    shown = "".join(map(_render_picture, gallery.pictures))
    return f'<div class="gallery"><h3>{escape(gallery.caption)}</h3><div class="pictures">{shown}</div></div>'


def write_pdf(page: str, path: Path) -> None:
    """Write a page as a tagged PDF (PDF/UA-1), which screen readers can follow.

    Raises:
        SecondlookError: WeasyPrint or the libraries that it draws with are missing.
    """
    try:
        from weasyprint import HTML
    except ImportError as error:
        raise SecondlookError(
            "The PDF is written by WeasyPrint, which is not installed here: pip install 'secondlook[report]'. The HTML "
            "report is there all the same; a browser can print it."
        ) from error
    except OSError as error:
        raise SecondlookError(
            "The PDF is written by WeasyPrint, which needs Pango from the system: install it, for example by "
            "`apt-get install libpango-1.0-0 libpangoft2-1.0-0`. The HTML report is there all the same; a browser can "
            "print it."
        ) from error
    HTML(string=page).write_pdf(path, pdf_variant="pdf/ua-1")


def _list_paragraphs(text: str) -> Iterator[str]:
    return (f"<p>{escape(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph)


def _find_worded(table: Table) -> list[bool]:
    """Return for each column whether it holds words, which are set from the left, and not figures."""
    return [
        all(isinstance(row[place], str) for row in table.rows)
        and any(len(str(row[place]).split()) > FEW_WORDS for row in table.rows)
        for place in range(len(table.heads))
    ]


def _render_row(row: Sequence[Cell], worded: Sequence[bool], *, percent: bool) -> str:
    cells = "".join(
        f"<td{_style_cell(cell, worded=words)}>{escape(write_cell(cell, percent=percent))}</td>"
        for cell, words in zip(row[1:], worded[1:], strict=True)
    )
    return f'<tr><th scope="row">{escape(write_cell(row[0], percent=percent))}</th>{cells}</tr>'


def _style_cell(cell: Cell, *, worded: bool) -> str:
    if worded:
        return " class=text"
    return "" if isinstance(cell, str) else " class=figure"


def _render_picture(shown: Shown) -> str:
    try:
        picture = draw_picture(shown.path, alt=f"Picture {shown.path.name}", side_px=THUMBNAIL_PX)
    except InputError:
        picture = '<p class="soft">The picture can no longer be read.</p>'
    return f"<figure>{picture}<figcaption>{escape(shown.caption)}</figcaption></figure>"
