"""What the site makes for itself before it starts: its database's tables, translations and static files."""

from pathlib import Path

import polib
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection

from secondlook.clinic.files.store import check_store
from secondlook.errors import InputError

SOURCES = Path(__file__).parent / "locale"
PARTS = Path(__file__).parent / "locale_parts"
MIGRATION_LOCK = 0x5EC0D101


def prepare_site() -> None:
    """Bring the database up to date, compile the translations and gather the static files; anew at each start.

    Raises:
        InputError: The data folder cannot be written, or the database cannot be used.
    """
    try:
        settings.CONFIGURATION.data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_store()
        make_tables()
        compile_translations(settings.LOCALE_PATHS[0])
        # ReDoc comes with django-ninja and is not used.
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["redoc*"])
    except DatabaseError as error:
        raise InputError(
            f"Expected a database that answers, got {type(error).__name__}. Check SECONDLOOK_DATABASE_URL."
        ) from error
    except OSError as error:
        raise InputError(
            f"Expected a data folder that can be written: {error.strerror}. Set SECONDLOOK_DATA_FOLDER."
        ) from error


def make_tables() -> None:
    """Bring the tables up to this version; of several processes that start at once, one does it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
        finally:
            if connection.vendor == "postgresql":
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def compile_translations(target: Path) -> None:
    """Compile the French catalogue and its parts as one, as gettext wants it; no file is ever seen half written."""
    for source in SOURCES.glob("*/LC_MESSAGES/*.po"):
        compiled = (target / source.relative_to(SOURCES)).with_suffix(".mo")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        draft = compiled.with_suffix(".draft")
        draft.write_bytes(join_catalogues(source, *sorted(PARTS.glob("*.po"))).to_binary())
        draft.replace(compiled)


def join_catalogues(first: Path, *parts: Path) -> polib.POFile:
    """Return the first catalogue with the entries of all others; of an entry that several have, the first stands."""
    whole = polib.pofile(str(first))
    known = {(entry.msgctxt, entry.msgid) for entry in whole}
    for part in parts:
        for entry in polib.pofile(str(part)):
            if (entry.msgctxt, entry.msgid) not in known:
                known.add((entry.msgctxt, entry.msgid))
                whole.append(entry)
    return whole
