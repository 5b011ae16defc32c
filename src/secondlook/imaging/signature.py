"""Tell what a file is from its first bytes, never from its name."""

from importlib.util import find_spec
from typing import Final, Literal

from secondlook.imaging.refusal import refuse

Format = Literal["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "HEIC", "DICOM"]

# A plain install leaves the library for it out.
READS_HEIC: Final = find_spec("pillow_heif") is not None
ACCEPTED: Final = (
    "a picture (JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or DICOM)"
    if READS_HEIC
    else "a picture (JPEG, PNG, WebP, TIFF, BMP, GIF or DICOM)"
)

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

_PREAMBLE_BYTES: Final = 128
# The first attributes' types of a DICOM file that writes them.
_BARE_VRS: Final = (b"UL", b"CS", b"UI", b"DA", b"TM", b"LO", b"SH", b"DT", b"OB")

_REFUSED: Final[tuple[tuple[int, bytes, str, str], ...]] = (
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
        raise refuse(ACCEPTED, "an empty file", "Check that the upload or copy was complete.")
    if data[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM":
        _check_preamble(data[:_PREAMBLE_BYTES])
        return "DICOM"
    for start, name in _STARTS:
        if data.startswith(start):
            return name
    if _is_bare_dicom(data):
        return "DICOM"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_BYTES:
        return "BMP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "HEIC"
    found, advice = _describe(data)
    raise refuse(ACCEPTED, found, advice)


def _check_preamble(preamble: bytes) -> None:
    """Refuse a DICOM file that is a file of another kind as well: its first 128 bytes are free (PS3.10, 7.1).

    A TIFF there is meant (PS3.10, 7.1); programs, scripts and documents are not.
    """
    meant = not any(preamble) or preamble.startswith((b"II*\0", b"MM\0*"))
    if not meant and _is_other(preamble):
        raise refuse(
            ACCEPTED,
            "a DICOM file that begins as a file of another kind, as programs in disguise do",
            "Do not open it; have the picture exported anew from the archive, and send that.",
        )


def _is_other(preamble: bytes) -> bool:
    known = any(preamble.startswith(magic, offset) for offset, magic, _, _ in _REFUSED)
    program = preamble.startswith((b"#!", b"\xfe\xed\xfa", b"\xca\xfe\xba\xbe", b"dex\n", b"@echo", b"<"))
    # Programs of Apple's computers are also written backwards.
    turned = preamble[1:4] == b"\xfa\xed\xfe"
    return known or program or turned or any(preamble.startswith(start) for start, _ in _STARTS)


def _is_bare_dicom(data: bytes) -> bool:
    """Tell whether these are DICOM attributes from the first byte on, as old files have them."""
    if data[:4] in (b"\x02\0\0\0", b"\x02\0\x01\0", b"\x02\0\x02\0", b"\x02\0\x10\0"):
        return data[4:6] in _BARE_VRS
    for order, group in (("little", b"\x08\0"), ("big", b"\0\x08")):
        element, length = data[2:4], data[4:8]
        if data[:2] == group and int.from_bytes(element, order) <= 0xFF:  # type: ignore[arg-type]
            following = 8 + int.from_bytes(length, order)  # type: ignore[arg-type]
            return data[4:6] in _BARE_VRS or data[following : following + 2] == group
    return False


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
