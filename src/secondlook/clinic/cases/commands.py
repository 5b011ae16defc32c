"""What the command line calls: results had again, and pictures exported."""

from pathlib import Path
from typing import TYPE_CHECKING

from secondlook.clinic.keeping.commands import open_site
from secondlook.errors import InputError
from secondlook.inference.predictor import load_predictor

if TYPE_CHECKING:
    from secondlook.clinic.accounts.models import Practice


def reproduce(key: str, bundle: str | None) -> str:
    """Have a result said once more, and compare.

    Raises:
        InputError: There is no such result, its bundle is not here, or it came out otherwise.
        BundleError: The bundle cannot be trusted or read.
    """
    with open_site():
        from secondlook.clinic.cases.models import Result
        from secondlook.clinic.cases.services import reproduce_result

        result = Result.objects.select_related("picture__practice").filter(key=key).first()
        if result is None:
            raise InputError("Expected the key of an answer, as its page shows it under what is kept; there is none.")
        found = reproduce_result(result, predictor=load_predictor(bundle) if bundle else None)
    named = f"{result.bundle} {result.bundle_version}" if result.bundle else "the router"
    if not found.identical:
        raise InputError(
            f"Expected the same answer from {named}; different: {', '.join(found.differing)}. It was kept by version "
            f"{result.software} and asked once more with {found.software}, maybe on another kind of processor."
        )
    return f"The same answer from {named}, to the last digit: {result.task}, {result.triage}."


def export(folder: Path, practice: str | None, parts: list[str] | None) -> str:
    """Write a practice's pictures and tables into a folder.

    Raises:
        InputError: It is not clear whose pictures, there are none, or the folder cannot be used.
    """
    with open_site():
        from secondlook.clinic.cases.exports import export_folder

        counts = export_folder(find_practice(practice), folder, parts=parts)
    words = ", ".join(f"{part}.csv with {count}" for part, count in counts.items())
    return f"Wrote {folder.name}: {words}. Unencrypted; the tables of a task are manifests."


def find_practice(key: str | None) -> "Practice":
    """Return the practice with this key, or the only one.

    Raises:
        InputError: There is no such practice, or there are several.
    """
    from secondlook.clinic.accounts.models import Practice

    found = list(Practice.objects.filter(key=key) if key else Practice.objects.all())
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.key} ({one.name})" for one in Practice.objects.order_by("name"))
    raise InputError(f"Expected a practice, by --practice KEY; the site has: {known or 'none yet'}.")
