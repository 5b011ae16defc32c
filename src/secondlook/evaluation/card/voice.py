"""How a language writes: sentences side by side, and figures, shares and counts in its typography."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from secondlook.conditions import Language

Figure = Mapping[str, float | None]

NO_BREAK, THIN = "\u00a0", "\u202f"
# Before these marks, inside guillemets and in long numbers, French keeps a space at which no line breaks.
FRENCH_SPACES = (
    (re.compile(r" ([:;?!»%])"), rf"{NO_BREAK}\1"),
    (re.compile("« "), f"«{NO_BREAK}"),
    (re.compile(r"(?<=\d) (?=\d{3}(?!\d))"), THIN),
)


@dataclass(frozen=True, slots=True)
class Voice:
    """Writes in one language; called with a sentence in each, it returns its own."""

    language: Language

    def __call__(self, *, en: str, fr: str) -> str:
        """Return the sentence of this language."""
        return en if self.language == "en" else space_french(fr)

    def count(self, number: int) -> str:
        """Return a count, with thousands parted."""
        return f"{number:,}" if self.language == "en" else f"{number:,}".replace(",", THIN)

    def decimal(self, number: float, digits: int = 3) -> str:
        """Return a number with so many decimals."""
        return self._localise(f"{number:.{digits}f}")

    def percent(self, share: float, digits: int = 1) -> str:
        """Return a share in 0…1 in per cent."""
        return f"{self.decimal(100 * share, digits)}{self._gap()}%"

    def figure(self, figure: Figure | None) -> str:
        """Return a figure with its interval, for example ``0.912 (0.894–0.928)``."""
        return self._bound(figure, 1, "")

    def share(self, figure: Figure | None) -> str:
        """Return a share with its interval in per cent, for example ``2.0 % (1.2–3.1)``."""
        return self._bound(figure, 100, f"{self._gap()}%")

    def join(self, words: Iterable[str]) -> str:
        """Return words as an enumeration."""
        *first, last = words
        return f"{', '.join(first)} {self(en='and', fr='et')} {last}" if first else last

    def _bound(self, figure: Figure | None, scale: int, unit: str) -> str:
        value, lower, upper = (None if figure is None else figure[name] for name in ("value", "lower", "upper"))
        if value is None:
            return self(en="undefined", fr="non défini")
        digits = 3 if scale == 1 else 1
        written = self.decimal(scale * value, digits) + unit
        if lower is None or upper is None:
            return f"{written} ({self(en='too few', fr='trop peu')})"
        return f"{written} ({self.decimal(scale * lower, digits)}–{self.decimal(scale * upper, digits)})"

    def _localise(self, number: str) -> str:
        return number if self.language == "en" else number.replace(".", ",")

    def _gap(self) -> str:
        return " " if self.language == "en" else NO_BREAK


def space_french(text: str) -> str:
    """Return French text with no-break spaces where its typography asks for them."""
    for pattern, replacement in FRENCH_SPACES:
        text = pattern.sub(replacement, text)
    return text


def capitalise(text: str) -> str:
    """Return text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def write_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_list(lines: Iterable[str]) -> str:
    """Return a Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def join_parts(*parts: str) -> str:
    """Return the parts that are not empty, an empty line between them."""
    return "\n\n".join(part for part in parts if part)
