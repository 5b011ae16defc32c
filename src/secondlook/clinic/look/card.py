"""The model card as a page."""

import re

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
# Raw HTML stays text: a card may come from anywhere.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def render_card(markdown: str) -> SafeString:
    """Return a card's Markdown as HTML, without its front matter; HTML inside it is escaped."""
    html = MARKDOWN.render(FRONT_MATTER.sub("", markdown))
    return SafeString(html)  # markdown-it escapes all HTML
