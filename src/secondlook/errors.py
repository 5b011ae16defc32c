"""The exception tree of Secondlook.

    SecondlookError
    ├── InputError      the user's picture, file or option; its text is safe to show to anybody
    ├── DatasetError    a manifest or a data folder; lists every fault at once
    ├── RecipeError     a training recipe or a run folder
    └── BundleError     a model bundle that cannot be trusted or read

Every message says what was expected, what came, and what to do. Third-party errors are wrapped with ``from``.
No message carries patient data or a full path, so that one may be shown wherever it surfaces.
"""

SHOWN_FAULTS = 20


class SecondlookError(Exception):
    """Anything that Secondlook refuses or cannot do; its text is a whole sentence for a person."""


class InputError(SecondlookError):
    """A picture, file or option from the user cannot be used; the text is safe to show.

    Args:
        sentence: What was expected, what came and what to do, in English.
        french: The same in French, of what can go wrong on the page.
    """

    def __init__(self, sentence: str, *, french: str | None = None) -> None:
        self.french = french
        super().__init__(sentence)


class DatasetError(SecondlookError):
    """A manifest or data folder is wrong.

    Args:
        summary: What was expected and what came, in one sentence.
        faults: One line per fault, each naming its row or file; the text shows the first ones and counts all.
    """

    def __init__(self, summary: str, faults: list[str] | None = None) -> None:
        self.summary = summary
        self.faults = list(faults or [])
        shown = [f"  - {fault}" for fault in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            shown.append(f"  … and {len(self.faults) - SHOWN_FAULTS} more, {len(self.faults)} in all")
        super().__init__("\n".join([summary, *shown]))


class RecipeError(SecondlookError):
    """A training recipe or run folder cannot be used."""


class BundleError(SecondlookError):
    """A bundle is missing, tampered with, incomplete or of an unknown schema."""
