"""Where sealed files lie: a folder of this machine, or whatever storage the settings name instead."""

from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages

from secondlook.clinic.files.durable import write_durably

ALIAS = "pictures"


class DurableStorage(FileSystemStorage):
    """A folder in which a file is either whole and on the disk, or not there."""

    def _save(self, name: str, content: "File[Any]") -> str:
        """Write beside the place, force it to the disk, then move it there."""
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with write_durably(target) as draft:
            draft.writelines(content.chunks())
        return name

    def check(self) -> None:
        """Make the folder.

        Raises:
            OSError: It cannot be made.
        """
        Path(self.location).mkdir(parents=True, exist_ok=True, mode=0o700)

    def exists(self, name: str) -> bool:  # noqa: ARG002 - as Django calls it
        """Return that any name is free: they are random, and who writes one anew writes the same."""
        return False

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the folders and the files in a folder; none where it was never made."""
        return super().listdir(path) if Path(self.path(path)).is_dir() else ([], [])

    def delete(self, name: str) -> None:
        """Remove a file and what a killed process left of it."""
        target = Path(self.path(name))
        for path in (target, *target.parent.glob(f"{target.name}.*.draft")):
            path.unlink(missing_ok=True)


def get_store() -> Storage:
    """Return the storage of sealed files."""
    return storages[ALIAS]


def check_store() -> None:
    """Refuse a store that cannot be used, before anybody sends anything.

    Raises:
        InputError: The bucket does not answer.
        OSError: The folder cannot be made.
    """
    get_store().check()  # type: ignore[attr-defined]  # both of ours have it


def place_file(name: str) -> str:
    """Return a file's path in the store: no folder grows beyond what a file system likes."""
    return f"{name[:2]}/{name}"


def write_sealed(name: str, sealed: bytes) -> None:
    """Write a sealed file; when this returns, it is safe."""
    get_store().save(place_file(name), ContentFile(sealed))


def read_sealed(name: str) -> bytes:
    """Return a sealed file as it lies there.

    Raises:
        FileNotFoundError: It is not there.
    """
    with get_store().open(place_file(name), "rb") as file:
        content: bytes = file.read()
    return content


def delete_sealed(name: str) -> None:
    """Remove a sealed file; that it is gone already is no fault."""
    get_store().delete(place_file(name))


def list_sealed() -> set[str]:
    """Return the names of all files in the store, without those half written."""
    store = get_store()
    return {name for folder in store.listdir("")[0] for name in store.listdir(folder)[1] if not name.endswith(".draft")}
