"""What one picture may cost, checked before anything is decoded."""

from typing import Final

from secondlook.errors import InputError
from secondlook.imaging.refusal import refuse
from secondlook.imaging.signature import ACCEPTED, Format

MAX_FILE_BYTES: Final = 30_000_000
MAX_PIXELS: Final = 50_000_000
MAX_PROFILE_BYTES: Final = 4_000_000
# What one decoding may hold at once; with the file, the result and Python itself it stays under 600 MB.
MAX_DECODING_BYTES: Final = 440_000_000


def check_size(kind: Format, width: int, height: int) -> None:
    """Check the size that a file claims.

    Raises:
        InputError: There are no pixels, or too many.
    """
    if width < 1 or height < 1:
        raise refuse_damaged(kind, f": it claims {width} × {height} pixels")
    if width * height > MAX_PIXELS:
        raise refuse(
            "a picture of at most {limit} megapixels",
            "a {kind} file that claims {width} × {height} ({megapixels:.0f} megapixels)",
            "Save it smaller and send that.",
            limit=MAX_PIXELS // 1_000_000,
            kind=kind,
            width=width,
            height=height,
            megapixels=width * height / 1e6,
        )


def check_memory(kind: Format, width: int, height: int, needed: int) -> None:
    """Check the memory in bytes that decoding a picture takes.

    Raises:
        InputError: It is too much.
    """
    if needed > MAX_DECODING_BYTES:
        raise refuse(
            "a picture that takes at most {limit} MB to decode",
            "a {kind} file of {width} × {height} pixels that takes {needed:.0f} MB",
            "Save it as JPEG or smaller, and send that.",
            limit=MAX_DECODING_BYTES // 1_000_000,
            kind=kind,
            width=width,
            height=height,
            needed=needed / 1e6,
        )


def check_profile(kind: Format, profile: bytes | None) -> bytes | None:
    """Return an embedded colour profile of bearable size.

    Raises:
        InputError: It is too large.
    """
    if profile and len(profile) > MAX_PROFILE_BYTES:
        raise refuse_damaged(kind, f": its colour profile is larger than {MAX_PROFILE_BYTES // 1_000_000} MB")
    return profile


def refuse_damaged(kind: Format, detail: str = "") -> InputError:
    """Return the refusal of a file that cannot be decoded."""
    return refuse(
        ACCEPTED,
        "a {kind} file that is damaged, cut short or of a rare kind{detail}",
        "Send the original once more, or open it in a picture viewer and save it anew as JPEG or PNG.",
        kind=kind,
        detail=detail,
    )
