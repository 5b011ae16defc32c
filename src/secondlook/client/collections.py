"""The kinds of records that a site keeps, each with what can be done to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from pydantic import ValidationError

from secondlook.client import records
from secondlook.client.faults import DownError
from secondlook.client.transport import Transport
from secondlook.errors import InputError

Item = TypeVar("Item", bound=records.Record)
New = TypeVar("New", bound=records.Order)
Change = TypeVar("Change", bound=records.Order)
Said = TypeVar("Said", bound=records.Record)
File = str | Path | bytes | BinaryIO


class Collection(Generic[Item]):
    """Records of one kind, to be read."""

    def __init__(self, transport: Transport, name: str, record: type[Item]) -> None:
        self._transport = transport
        self._name = name
        self._record = record
        self._page: type[records.Page[Item]] = records.Page[record]  # type: ignore[valid-type]  # known when it runs

    def get(self, key: str) -> Item:
        """Return one record.

        Raises:
            MissingError: There is none of that key that the token's person may see.
        """
        return self._ask("GET", key)

    def list(self, **wanted: str | int | bool | None) -> Iterator[Item]:
        """Yield the records for which all holds that is wanted, page after page.

        Args:
            wanted: Filters as the site's interface names them, such as ``patient``; None narrows nothing.

        Raises:
            RefusedError: There is no such filter, or it cannot be so.
        """
        query = {name: value for name, value in wanted.items() if value is not None}
        response = self._transport.send("GET", self._name, params=query)
        while True:
            page = read_record(self._page, response.content)
            yield from page.items
            if page.next is None:
                return
            response = self._transport.send("GET", page.next)

    def _ask(self, method: str, path: str = "", **options: Any) -> Item:
        address = f"{self._name}/{path}" if path else self._name
        return read_record(self._record, self._transport.send(method, address, **options).content)


class Removable(Collection[Item]):
    """Records that can be taken out of every list, and brought back."""

    def remove(self, key: str) -> None:
        """Take a record out of every list, with all that belongs to it."""
        self._transport.send("DELETE", f"{self._name}/{key}")

    def restore(self, key: str) -> Item:
        """Bring a removed record back, with what went with it."""
        return self._ask("POST", f"{key}/restore")


class Kept(Removable[Item], Generic[Item, New, Change]):
    """Records that can be added and changed."""

    def add(self, new: New) -> Item:
        """Add a record, and return it with its key.

        Raises:
            RefusedError: Something in it cannot be so; ``faults`` says what.
        """
        return self._ask("POST", json=new.model_dump(mode="json"))

    def change(self, key: str, change: Change) -> Item:
        """Change a record; what is not given stays.

        Raises:
            RefusedError: Something in it cannot be so; ``faults`` says what.
        """
        return self._ask("PATCH", key, json=change.model_dump(mode="json", exclude_unset=True))


class Pictures(Removable[records.Picture]):
    """Pictures of visits."""

    def send(self, file: File, *, visit: str, lesion: str = "", task: str = "auto") -> records.Picture:
        """Send a picture of a visit, and return it with what was said of it; its name is not sent.

        Args:
            file: A path, the bytes of a file, or an open file.
            visit: Key of the visit.
            lesion: Key of the lesion that it shows, if that is known.
            task: What it shows, such as ``skin``; with ``auto`` the picture itself says it.

        Raises:
            InputError: The file cannot be read here.
            RefusedError: It is no picture that the site can read, or the task is not on offer.
        """
        fields = {"visit": visit, "lesion": lesion, "task": task}
        return self._ask("POST", data=fields, files={"file": ("picture", read_file(file))})

    def read(self, key: str, *, form: records.Form = "shown") -> bytes:
        """Return a picture's bytes.

        Args:
            key: The picture.
            form: ``shown``, a JPEG in full size; ``seen``, a WebP of the very pixels that the model was given; or
                ``original``, the file as it was sent, where the practice keeps it.
        """
        return self._transport.send("GET", f"{self._name}/{key}/file", params={"form": form}).content

    def ask(self, key: str, *, task: str = "auto") -> records.Picture:
        """Have a picture answered for another task, or once more; the results before stay."""
        return self._ask("POST", f"{key}/ask", json={"task": task})

    def acknowledge(self, key: str) -> records.Picture:
        """Take an urgent result off the top of everyone's page."""
        return self._ask("POST", f"{key}/acknowledge")


class Results(Collection[records.Result]):
    """What models said."""

    def reproduce(self, key: str) -> records.Reproduction:
        """Have a result said once more, and compare it to the last digit."""
        content = self._transport.send("POST", f"{self._name}/{key}/reproduce").content
        return read_record(records.Reproduction, content)


class Opinions(Collection[records.Opinion]):
    """What doctors said."""

    def add(self, new: records.NewOpinion) -> records.Opinion:
        """Say what a doctor thinks of a result, or what the histology found."""
        return self._ask("POST", json=new.model_dump(mode="json"))


class Reports:
    """Reports as PDF, in the patient's language."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def visit(self, key: str) -> bytes:
        """Make the report of a visit."""
        return self._transport.send("GET", f"visits/{key}/report").content

    def lesion(self, key: str) -> bytes:
        """Make the report of a lesion: its latest pictures, and what changed."""
        return self._transport.send("GET", f"lesions/{key}/report").content


def read_record(record: type[Said], content: bytes) -> Said:
    """Return a record from its JSON.

    Raises:
        DownError: It is none; this client and the site do not fit.
    """
    try:
        return record.model_validate_json(content)
    except ValidationError as error:
        raise DownError(
            f"Expected {record.__name__} as this version of Secondlook knows it; the site gave something else. "
            "Bring both to the same version."
        ) from error


def read_file(file: File) -> bytes:
    """Return the bytes of a file.

    Raises:
        InputError: It cannot be read.
    """
    if isinstance(file, bytes):
        return file
    if not isinstance(file, str | Path):
        return file.read()
    path = Path(file)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Expected a picture file, got {path.name!r}: {error.strerror}. Check its name.") from error
