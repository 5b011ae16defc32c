"""Uploads on their way in: small ones in memory while there is room, others encrypted in a file without a name.

A request's body is written into one as it arrives, and each picture in it into another. A process that dies leaves
nothing of them: the system takes back a file that nobody holds open.
"""

import io
import secrets
import tempfile
import threading
from typing import IO, Any, Final, cast

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

KEY_BYTES, BLOCK_BYTES, PIECE_BYTES = 32, 16, 65_536


class Room:
    """The memory that all uploads of this process share."""

    def __init__(self, size_bytes: int) -> None:
        self.left_bytes = size_bytes
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> bool:
        """Take so much of it, if it is there."""
        with self._lock:
            fits = size_bytes <= self.left_bytes
            self.left_bytes -= size_bytes if fits else 0
        return fits

    def give(self, size_bytes: int) -> None:
        """Give so much of it back."""
        with self._lock:
            self.left_bytes += size_bytes


ROOM: Final = Room(16 * 2**20)


class TransitFile(io.BufferedIOBase):
    """A file for the length of one request, written once from its start to its end.

    One that grows too large for the memory goes on in a file: AES-256 in counter mode (NIST SP 800-38A) under a key
    that only this object holds. That carries no seal, for it has no name under which anybody else could open it.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self._taken = 0
        self._key = b""
        self._cipher: CipherContext | None = None
        self._place = 0

    def _start_cipher(self, place: int) -> CipherContext:
        """Return the cipher as it stands at a place of the file; it turns plain into sealed and back."""
        block, within = divmod(place, BLOCK_BYTES)
        cipher = Cipher(AES(self._key), CTR(block.to_bytes(BLOCK_BYTES))).encryptor()
        cipher.update(bytes(within))
        return cipher

    def _turn(self, data: bytes, place: int) -> bytes:
        """Return data of this place of the file, sealed where they were plain and plain where they were sealed."""
        if self._cipher is None or place != self._place:
            self._cipher = self._start_cipher(place)
        self._place = place + len(data)
        return self._cipher.update(data)

    def _take_room(self, size_bytes: int) -> bool:
        """Return whether so much more may be kept in memory."""
        fits = self._taken + size_bytes <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE and ROOM.take(size_bytes)
        self._taken += size_bytes if fits else 0
        return fits

    def _leave_memory(self) -> None:
        """Go on in an encrypted file."""
        sealed = tempfile.TemporaryFile(dir=str(settings.CONFIGURATION.data_folder))  # noqa: SIM115 - closed with this object
        kept, self._file, self._key = self._file, sealed, secrets.token_bytes(KEY_BYTES)
        kept.seek(0)
        while part := kept.read(PIECE_BYTES):
            sealed.write(self._turn(part, self._place))
        kept.close()
        self._give_room()

    def _give_room(self) -> None:
        ROOM.give(self._taken)
        self._taken = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def seekable(self) -> bool:
        """Return that any place of it can be read."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, or all that are left."""
        place = self._file.tell() if self._key else 0
        data = self._file.read(-1 if size is None else size)
        return self._turn(data, place) if self._key else data

    def write(self, data: Any) -> int:
        """Add bytes.

        Raises:
            OSError: The disk has no room.
        """
        if not self._key and not self._take_room(len(data)):
            self._leave_memory()
        return self._file.write(self._turn(bytes(data), self._file.tell()) if self._key else data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def close(self) -> None:
        """Let the memory or the file go; the system takes the file back."""
        self._give_room()
        self._file.close()
        super().close()


class TransitUploadHandler(FileUploadHandler):
    """Has each picture of a form come as such a file."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a picture."""
        super().new_file(*args, **kwargs)
        self.file = TransitFile()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - as Django calls it
        """Add a part of it."""
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        """Return the picture."""
        self.file.seek(0)
        return UploadedFile(
            cast("IO[bytes]", self.file),
            self.file_name,
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        """Drop a picture that was not sent to its end."""
        if hasattr(self, "file"):
            self.file.close()
