"""DICOM files that are refused: of other kinds, damaged, or made to cost; none of them takes long."""

import contextlib
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondlook.errors import InputError
from secondlook.imaging.read import read_picture
from tests.dicom import (
    ENCODERS,
    IDENTIFIERS,
    LARGEST_DICOM,
    PACKED,
    SYNTAXES,
    build_dicom,
    build_endless_elements,
    build_inflating,
    build_largest_dicom,
    build_lut,
    build_nested,
    build_packed_runs,
    draw_ramp,
    encode_jpeg,
    encode_jpeg2000,
    encode_lossless,
)
from tests.imaging.test_memory import LIMIT_MB, SCRIPT

RAMP = draw_ramp()
GREY = draw_ramp(bits=8).astype(np.uint8)
COLOUR = np.zeros((8, 8, 3), np.uint8)
WHOLE = build_dicom(RAMP, bits=12)
PIXELS_AT = WHOLE.rindex(b"\xe0\x7f\x10\0")
NOISE = np.random.default_rng(1).integers(0, 4096, (60, 90)).astype(np.uint16)
TEXTS = [*IDENTIFIERS.values()]


def begin_with(start: bytes) -> bytes:
    return start + WHOLE[len(start) :]


def change_size(codestream: bytes, *, at: int, value: int) -> bytes:
    """Return a JPEG 2000 with another number of 32 bits in its size marker."""
    return codestream[: 4 + at] + value.to_bytes(4) + codestream[8 + at :]


OTHERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "CT": (lambda: build_dicom(RAMP, modality="CT"), r"a slice of a computed tomography \(CT\)"),
    "MR": (lambda: build_dicom(RAMP, modality="MR"), r"magnetic resonance tomography \(MR\)"),
    "US": (lambda: build_dicom(RAMP, modality="US"), r"an ultrasound picture \(US\)"),
    "SM": (lambda: build_dicom(COLOUR, modality="SM", photometric="RGB"), r"a microscope slide \(SM\)"),
    "unknown": (lambda: build_dicom(RAMP, modality="QUENTIN"), "of another or no modality"),
    "none": (lambda: build_dicom(RAMP, Modality=None), "of another or no modality"),
    "frames": (lambda: build_dicom(RAMP, NumberOfFrames=3), "a series of 3 pictures"),
    "directory": (lambda: WHOLE[:PIXELS_AT] + b"\x04\0\x20\x12SQ\0\0\0\0\0\0", "a DICOMDIR"),
    "no pixels": (lambda: WHOLE[:PIXELS_AT], "without pixel data"),
    "X-ray in colour": (lambda: build_dicom(COLOUR, modality="DX", photometric="RGB"), "an X-ray in colour"),
    "HSV": (lambda: build_dicom(COLOUR, modality="XC", photometric="HSV"), "stored in a rare or unknown way"),
    "partial": (
        lambda: build_dicom(COLOUR, modality="XC", photometric="YBR_PARTIAL_420"),
        "stored in a rare or unknown way",
    ),
    "no photometric": (lambda: build_dicom(RAMP, PhotometricInterpretation=None), "in a rare or unknown way"),
    "deep colour": (
        lambda: build_dicom(COLOUR.astype(np.uint16), modality="XC", photometric="RGB"),
        "a picture of 16 bits a sample",
    ),
    "32 bits": (lambda: build_dicom(RAMP.astype(np.uint32)), "a picture of 32 bits a sample"),
    "one bit": (lambda: build_dicom(GREY, BitsAllocated=1, BitsStored=1, HighBit=0), "a picture of 1 bits a sample"),
    "JPEG-LS": (
        lambda: build_dicom(RAMP, "JPEG 2000").replace(b"1.2.4.91", b"1.2.4.80"),
        "compressed as JPEG-LS",
    ),
}
DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "cut in the pixels": (lambda: WHOLE[:-100], "it ends too early"),
    "cut before them": (lambda: WHOLE[:600], "it ends too early|without pixel data"),
    "fewer pixels than claimed": (lambda: build_dicom(RAMP, bits=12, Rows=33), "cut short: 4096 of 4224 bytes"),
    "too large": (lambda: build_dicom(RAMP, Rows=65500, Columns=65500), "at most 50 megapixels"),
    "no size": (lambda: build_dicom(RAMP, Rows=0), "0 pixels"),
    "bits": (lambda: build_dicom(RAMP, BitsStored=17), "17 bits up to bit 15 of 16"),
    "samples": (lambda: build_dicom(RAMP, SamplesPerPixel=3), "3 samples a pixel"),
    "aspect": (lambda: build_dicom(RAMP, PixelAspectRatio=[1, 1000]), "times as long as wide"),
    "aspect beyond the limit": (
        lambda: build_dicom(np.zeros((3000, 3000), np.uint8), PixelAspectRatio=[10, 1]),
        "at most 50 megapixels",
    ),
    "odd halves": (
        lambda: build_dicom(COLOUR[:, :7], modality="XC", photometric="YBR_FULL_422"),
        "its width is odd",
    ),
    "table too short": (
        lambda: build_dicom(RAMP, VOILUTSequence=build_lut(list(range(9)))).replace(
            b"\x28\0\x02\x30US\x06\0\x09", b"\x28\0\x02\x30US\x06\0\xff"
        ),
        "lookup tables is broken",
    ),
    "palette missing": (lambda: build_dicom(GREY, modality="OT", photometric="PALETTE COLOR"), "tables is broken"),
    "JPEG of another size": (lambda: build_dicom(GREY, "JPEG", Rows=31), "of another size"),
    "JPEG in colour": (lambda: build_dicom(GREY, "JPEG", frame=encode_jpeg(np.stack([GREY] * 3, 2))), "other colours"),
    "JPEG for lossless": (lambda: build_dicom(GREY, "JPEG lossless", frame=encode_jpeg(GREY)), "is not lossless"),
    "lossless of another size": (lambda: build_dicom(RAMP, "JPEG lossless", Rows=31), "of another size"),
    "lossless, other predictor": (
        lambda: build_dicom(RAMP, "JPEG lossless", frame=encode_lossless(RAMP, 12, predictor=4)),
        "predicts its pixels in a rare way",
    ),
    "JPEG 2000 of another size": (lambda: build_dicom(RAMP, "JPEG 2000", Rows=31), "of another size"),
    "JPEG 2000 of giant size": (
        lambda: build_dicom(RAMP, "JPEG 2000", frame=change_size(encode_jpeg2000(RAMP, 12), at=4, value=60_000)),
        "of another size",
    ),
    "JPEG 2000 of tiny tiles": (
        lambda: build_dicom(
            np.zeros((300, 300), np.uint16),
            "JPEG 2000",
            frame=change_size(
                change_size(encode_jpeg2000(np.zeros((300, 300), np.uint16), 12), at=20, value=1), at=24, value=1
            ),
        ),
        "too many tiles",
    ),
    "no JPEG 2000": (lambda: build_dicom(RAMP, "JPEG 2000", frame=b"nothing of the kind"), "is not"),
    "runs of too few": (lambda: build_dicom(RAMP, "RLE", frame=build_packed_runs(4, 4, 2)), "damaged"),
    "runs of too many": (lambda: build_dicom(RAMP, "RLE", frame=build_packed_runs(9000, 9000, 3)), "damaged"),
    "deflated to 130 MB": (lambda: build_inflating(130), "unpacks to more than 110 MB"),
    "deflated and cut": (lambda: build_dicom(NOISE, "deflated")[:-300], "it ends too early"),
    "nested": (lambda: build_nested(20_000), "nested more than 32 deep"),
    "nested, of stated length": (lambda: build_nested(2_000, stated=True), "nested more than 32 deep"),
    "endless": (build_endless_elements, "more than 100000 parts"),
    "noise": (lambda: WHOLE[:132] + bytes(range(256)) * 99, "damaged"),
}
PREAMBLES = {
    "Windows": b"MZ\x90\0",
    "Linux": b"\x7fELF\x02",
    "macOS": b"\xcf\xfa\xed\xfe",
    "macOS, big endian": b"\xfe\xed\xfa\xcf",
    "Java": b"\xca\xfe\xba\xbe",
    "shell": b"#!/bin/sh\n",
    "batch": b"@echo off",
    "page": b"<script>",
    "PDF": b"%PDF-1.7",
    "ZIP": b"PK\x03\x04",
    "JPEG": b"\xff\xd8\xff\xe0",
}


def refuse(data: bytes) -> str:
    """Return the refusal, which comes quickly and names nobody."""
    started = time.process_time()
    with pytest.raises(InputError) as refusal:
        read_picture(data)
    assert time.process_time() - started < 2
    message = str(refusal.value)
    assert message.startswith("Expected ")
    assert message.endswith(".")
    assert not [text for text in TEXTS if text.lower() in message.lower()]
    return message


@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds_are_refused_by_name(name: str) -> None:
    build, words = OTHERS[name]
    message = refuse(build())
    assert re.search(words, message), message


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_and_costly_files_are_refused(name: str) -> None:
    build, words = DAMAGED[name]
    message = refuse(build())
    assert re.search(words, message), message


@pytest.mark.parametrize("name", PREAMBLES)
def test_programs_in_disguise_are_refused(name: str) -> None:
    assert "begins as a file of another kind" in refuse(begin_with(PREAMBLES[name]))


@pytest.mark.parametrize("start", [b"", b"II*\0", b"MM\0*", b"Exported by Foo"])
def test_other_preambles_are_read(start: bytes) -> None:
    assert np.array_equal(read_picture(begin_with(start)).pixels, read_picture(WHOLE).pixels)


@pytest.mark.parametrize("syntax", PACKED)
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_packed_pixels_that_are_cut_short_are_refused(syntax: str, share: float) -> None:
    samples = (NOISE >> 4).astype(np.uint8) if syntax == "JPEG" else NOISE
    bits = 8 if syntax == "JPEG" else 12
    frame = ENCODERS[syntax](samples, bits)
    assert "damaged" in refuse(build_dicom(samples, syntax, bits=bits, frame=frame[: int(len(frame) * share)]))


@pytest.mark.parametrize("levels", [1, 10])
def test_sequences_of_usual_depth_are_stepped_over(levels: int) -> None:
    for stated in (False, True):
        assert read_picture(build_nested(levels, stated=stated)).pixels.shape == (32, 64, 3)


def test_a_broken_part_of_stated_length_does_no_harm() -> None:
    at = WHOLE.index(b"\x08\0\x60\0CS")
    broken = b"\x08\0\x40\x11SQ\0\0" + (20).to_bytes(4, "little") + b"\xfe\xff\0\xe0" + b"\xff\xff\xff\x7f" + bytes(12)
    assert np.array_equal(read_picture(WHOLE[:at] + broken + WHOLE[at:]).pixels, read_picture(WHOLE).pixels)


MUTATED = [build_dicom(GREY, syntax, WindowCenter=100, WindowWidth=200) for syntax in SYNTAXES]
MUTATED += [
    build_dicom(RAMP, bits=12, meta=False),
    build_dicom(RAMP, "implicit", bits=12, VOILUTSequence=build_lut(list(range(64))), PixelSpacing=[0.2, 0.1]),
]


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_mutated_files_give_a_picture_or_a_refusal(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(MUTATED)))
    reach = st.one_of(st.integers(128, 2400), st.integers(0, len(mutated) - 1))
    for place, value in data.draw(st.lists(st.tuples(reach, st.integers(0, 255)), min_size=1, max_size=8)):
        mutated[min(place, len(mutated) - 1)] = value
    cut = data.draw(st.one_of(st.just(len(mutated)), st.integers(0, len(mutated))))
    with warnings.catch_warnings(record=True) as raised, contextlib.suppress(InputError):
        # As errors they would pass for refusals.
        warnings.simplefilter("always")
        picture = read_picture(bytes(mutated[:cut]), target_px=data.draw(st.sampled_from([None, 32])))
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.shape[2] == 3
    assert not raised


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("kind", LARGEST_DICOM)
def test_the_largest_files_stay_under_the_limit(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "largest"
    path.write_bytes(build_largest_dicom(kind))
    started = time.monotonic()
    result = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) / 1024 < LIMIT_MB
    assert time.monotonic() - started < 120
