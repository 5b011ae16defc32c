"""Tell what a file is from its first bytes, never from its name."""

from typing import Final, Literal

from secondlook.errors import InputError

Format = Literal["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "HEIC"]

ACCEPTED: Final = "a picture (JPEG, PNG, WebP, TIFF, BMP, GIF or HEIC)"

_STARTS: Final[tuple[tuple[bytes, Format], ...]] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)
_BMP_HEADER_BYTES: Final = (12, 40, 52, 56, 64, 108, 124)
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")

_SAVE: Final = "Save it as a JPEG or PNG picture and send that."
_STILL: Final = "Take a still photograph, or save one frame as a JPEG picture, and send that."
_EXPORT: Final = "Export the page or the picture in it as JPEG or PNG and send that."
_PHOTO: Final = "Send the photograph itself, as it came from the camera."
_UNPACK: Final = "Unpack it and send the pictures in it."

_REFUSED: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (128, b"DICM", "a DICOM file", "This version does not read DICOM yet: export the picture as JPEG or PNG."),
    (0, b"%PDF", "a PDF document", _EXPORT),
    (0, b"%!PS", "a PostScript document", _EXPORT),
    (0, b"{\\rtf", "a text document", _EXPORT),
    (0, b"\xd0\xcf\x11\xe0", "an Office document", _EXPORT),
    (0, b"PK\x03\x04", "a ZIP archive or an Office document", _UNPACK),
    (0, b"PK\x05\x06", "an empty ZIP archive", _UNPACK),
    (0, b"\x1f\x8b", "a gzip archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\x1a\x45\xdf\xa3", "a WebM or Matroska video", _STILL),
    (0, b"\0\0\x01\xba", "an MPEG video", _STILL),
    (0, b"\0\0\x01\xb3", "an MPEG video", _STILL),
    (0, b"FLV", "a Flash video", _STILL),
    (8, b"AVI ", "an AVI video", _STILL),
    (8, b"WAVE", "a sound recording", _PHOTO),
    (0, b"ID3", "a sound recording", _PHOTO),
    (4, b"ftypavif", "an AVIF picture", _SAVE),
    (4, b"ftypavis", "an AVIF picture", _SAVE),
    (4, b"ftypcrx", "a camera's raw file", _SAVE),
    (4, b"ftyp", "an MP4 or QuickTime video", _STILL),
    (4, b"moov", "a QuickTime video", _STILL),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _SAVE),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _SAVE),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture", _SAVE),
    (0, b"\xff\x0a", "a JPEG XL picture", _SAVE),
    (0, b"8BPS", "a Photoshop document", _SAVE),
    (0, b"\x7fELF", "a program", _PHOTO),
    (0, b"MZ", "a program", _PHOTO),
)


def find_format(data: bytes) -> Format:
    """Return the format of a picture's bytes.

    Raises:
        InputError: The bytes are not a picture that Secondlook reads; the text says what they look like.
    """
    if not data:
        raise InputError(f"Expected {ACCEPTED}, got an empty file. Check that the upload or copy was complete.")
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_BYTES:
        return "BMP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "HEIC"
    found, advice = _describe(data)
    raise InputError(f"Expected {ACCEPTED}, got {found}. {advice}")


def _describe(data: bytes) -> tuple[str, str]:
    """Return what the bytes look like, and what to do about it."""
    for offset, magic, found, advice in _REFUSED:
        if data.startswith(magic, offset):
            return found, advice
    text = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG drawing", _SAVE
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "a web page", "Save the picture that it shows, not the page, and send that."
    if text.startswith((b"<?xml", b"<!doctype", b"<")):
        return "an XML file", _PHOTO
    if b"%pdf-" in text:
        return "a PDF document", _EXPORT
    if not any(byte < 9 for byte in data[:1024]):
        return "a text file", _PHOTO
    return "a file of an unknown kind", "Check that it opens in a picture viewer; then save it as JPEG or PNG."
