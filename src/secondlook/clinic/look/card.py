"""The model card, and the checklists beside it, as pages."""

import re
from dataclasses import dataclass

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from secondlook.clinic.look.predictors import refuse_unknown
from secondlook.conditions import Language
from secondlook.inference.bundle import CARDS, CHECKLISTS, Bundle

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
# Raw HTML stays text: a card may come from anywhere.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
# What may be wider than the page scrolls inside it, so the keyboard must reach it.
WIDE = re.compile(r"<(table|pre)>")


@dataclass(frozen=True, slots=True)
class CardPage:
    """A page of a bundle, ready to show, and the language that it is written in."""

    html: SafeString
    language: Language


def present_card(bundle: Bundle, language: Language, *, name: str = "") -> CardPage:
    """Return a page of a bundle: the named one, or the card in this language, else in English.

    Pages link to one another by their file names, as they do in the bundle's folder.

    Raises:
        UnknownBundleError: The bundle has no page of that name.
    """
    if not name:
        name = CARDS[language] if CARDS[language] in bundle.pages else CARDS["en"]
    if name not in bundle.pages:
        raise refuse_unknown("page", "une page", bundle.pages, name)
    languages = {page: known for pages in (CARDS, CHECKLISTS) for known, page in pages.items()}
    return CardPage(render_markdown(bundle.pages[name]), languages[name])


def render_markdown(markdown: str) -> SafeString:
    """Return Markdown as HTML, without its front matter; HTML inside it is escaped."""
    html = MARKDOWN.render(FRONT_MATTER.sub("", markdown))
    return SafeString(WIDE.sub(r'<\1 tabindex="0">', html))  # markdown-it escapes all HTML
