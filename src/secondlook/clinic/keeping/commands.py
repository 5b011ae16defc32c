"""What the command line calls: each sets Django up, does one thing, and returns what is to be said of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from secondlook.clinic.configuration import PREFIX, keep_generated_key, load_configuration
from secondlook.clinic.files.durable import write_durably
from secondlook.clinic.keeping.archive import read_keys
from secondlook.clinic.server import set_up
from secondlook.data.wording import count
from secondlook.errors import InputError

if TYPE_CHECKING:
    from secondlook.clinic.cases.models import Patient


@contextmanager
def open_site() -> Iterator[None]:
    """Set Django up, and say in words what is wrong with the database.

    Raises:
        InputError: A setting is wrong, or the database does not answer or has no tables.
    """
    set_up()

    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise InputError(
            f"Expected the database of a site that was started before, got {type(error).__name__}. Check "
            f"{PREFIX}DATA_FOLDER and {PREFIX}DATABASE_URL."
        ) from error


def back_up(path: Path, *, with_keys: bool) -> str:
    """Write a backup."""
    with open_site():
        from secondlook.clinic.keeping.backup import write_backup

        facts = write_backup(path, with_keys=with_keys)
    missing = count(facts.lost, "file that the database names is", "files that the database names are")
    lost = f" {missing} nowhere, so not in it." if facts.lost else ""
    keys = "The keys are in it: keep it as you keep them." if with_keys else "The keys are not in it: keep them, too."
    files = count(facts.files, "file", "files")
    return f"Wrote {path.name}: {files}, audit chain up to {facts.head}. {keys}{lost}"


def restore(path: Path) -> str:
    """Put a backup back; keys that are in it take their places where this site has none."""
    configuration = load_configuration()
    for name, key in (read_keys(path) or {}).items():
        if not (getattr(configuration, name) or getattr(configuration, f"{name}_file")):
            keep_generated_key(configuration.data_folder / name.replace("_", "-"), key)
    with open_site():
        from secondlook.clinic.keeping.restoring import restore_backup

        facts = restore_backup(path)
    files = count(facts.files, "file", "files")
    return f"Restored {files} and the database of {facts.made_at}. Start the site with `secondlook serve`."


def verify_audit(known: str | None) -> str:
    """Prove the audit chain.

    Raises:
        InputError: It does not hold, or what is known cannot be read.
    """
    with open_site():
        from secondlook.clinic.audit.chain import ChainError, prove_chain, read_head
        from secondlook.clinic.audit.models import Entry

        head = read_head(known) if known else None
        try:
            proven = prove_chain(Entry.objects.order_by("number").iterator(chunk_size=2000), known=head)
        except ChainError as error:
            raise InputError(f"The audit log does not hold. {error}") from error
    return f"The audit log holds, up to {proven}. Whoever keeps this can show later that nothing was cut off."


def export_one(key: str, path: Path) -> str:
    """Write all there is on a patient into a ZIP, which appears under its name when it is whole.

    Raises:
        InputError: There is no such patient, or the file is there already or cannot be written.
    """
    if path.exists():
        raise InputError(f"Expected a new file for the export; {path.name} is there already. Choose another name.")
    with open_site():
        from secondlook.clinic.audit.services import record
        from secondlook.clinic.keeping.export import export_patient

        patient = find_patient(key)
        try:
            with write_durably(path) as draft:
                draft.writelines(export_patient(patient))
        except OSError as error:
            raise InputError(f"Expected a place for the export: {error.strerror}.") from error
        record(None, "patient.exported", practice=patient.practice, about=patient)
    return f"Wrote {path.name}: all there is on the patient, unencrypted."


def erase_one(key: str) -> str:
    """Erase a patient."""
    with open_site():
        from secondlook.clinic.keeping.erasure import erase_patient

        proof = erase_patient(find_patient(key))
    pictures = count(proof.details["pictures"], "picture", "pictures")
    return (
        f"Erased the patient with {pictures}; entry {proof.number} of the audit log proves it (seal {proof.seal}). "
        "Backups made before still hold what was erased."
    )


def prove_erasure(key: str) -> str:
    """Show that nothing is left of an erased patient.

    Raises:
        InputError: Nobody of that key was erased, or something is left.
    """
    verify_audit(None)
    with open_site():
        from secondlook.clinic.audit.models import Entry
        from secondlook.clinic.keeping.erasure import ERASED, find_remains

        proof = Entry.objects.filter(action=ERASED, key=key).first()
        if proof is None:
            raise InputError("Expected the key of an erased patient; the audit log knows none of that key.")
        remains = find_remains(proof)
        if remains:
            left = f"{count(remains.rows, 'row', 'rows')} and {count(remains.files, 'file', 'files')}"
            raise InputError(
                f"Of the patient {left} are left; the files go within minutes while the site runs. Try again then."
            )
    return f"Erased at {proof.at.isoformat()}: nothing is left, and entry {proof.number} stands (seal {proof.seal})."


def check_files() -> str:
    """Open every kept file, and compare the store with the database.

    Raises:
        InputError: A file is missing, damaged, or sealed with another key.
    """
    with open_site():
        from secondlook.clinic.keeping.inspection import inspect_files

        found = inspect_files()
    sound = count(found.sound, "file is", "files are")
    sentence = f"{sound} sound; {found.missing} missing, {found.damaged} damaged, {found.strange} strange."
    if found.missing or found.damaged:
        raise InputError(f"{sentence} Restore a backup.")
    return sentence


def find_patient(key: str) -> "Patient":
    """Return a patient by their key.

    Raises:
        InputError: There is none.
    """
    from secondlook.clinic.cases.models import Patient

    try:
        return Patient.objects.get(key=key)
    except Patient.DoesNotExist as error:
        raise InputError("Expected the key of a patient, as in the address of their page; there is none.") from error
