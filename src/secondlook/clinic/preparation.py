"""What the site makes for itself in its data folder before it starts: translations and static files."""

from pathlib import Path

import polib
from django.conf import settings
from django.core.management import call_command

from secondlook.errors import InputError

SOURCES = Path(__file__).parent / "locale"


def prepare_site() -> None:
    """Compile the translations and gather the static files; anew at each start, so that they fit this version.

    Raises:
        InputError: The data folder cannot be written.
    """
    try:
        compile_translations(settings.LOCALE_PATHS[0])
        # ReDoc comes with django-ninja and is not used.
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["redoc*"])
    except OSError as error:
        raise InputError(
            f"Expected a data folder that can be written: {error.strerror}. Set SECONDLOOK_DATA_FOLDER."
        ) from error


def compile_translations(target: Path) -> None:
    """Compile every catalogue into the target folder, as gettext wants it; no file is ever seen half written."""
    for source in SOURCES.glob("*/LC_MESSAGES/*.po"):
        compiled = (target / source.relative_to(SOURCES)).with_suffix(".mo")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        draft = compiled.with_suffix(".draft")
        draft.write_bytes(polib.pofile(str(source)).to_binary())
        draft.replace(compiled)
