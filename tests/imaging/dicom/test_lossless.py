"""Lossless JPEG: samples come back as they were written, whatever their depth, and restarts are honoured."""

import numpy as np
import pytest

from secondlook.imaging.container import DamagedError
from secondlook.imaging.dicom.lossless import decode_lossless
from tests.dicom import encode_lossless


@pytest.mark.parametrize("bits", [2, 8, 10, 12, 15, 16])
@pytest.mark.parametrize("restart_rows", [0, 1, 7])
def test_samples_come_back(bits: int, restart_rows: int) -> None:
    samples = np.random.default_rng(bits).integers(0, 1 << bits, (23, 31)).astype(np.uint16)
    samples[0, :2] = 0, (1 << bits) - 1  # the greatest difference, which at 16 bits has no further bits
    data = encode_lossless(samples, bits, restart_rows=restart_rows)
    assert np.array_equal(decode_lossless(data, 23, 31, 1)[..., 0], samples)


def test_a_difference_of_half_the_range_has_no_further_bits() -> None:
    samples = np.array([[0, 32768, 0, 1, 32769, 7]], np.uint16)
    assert np.array_equal(decode_lossless(encode_lossless(samples, 16), 1, 6, 1)[..., 0], samples)


def test_long_pictures_are_decoded_across_chunks() -> None:
    samples = np.random.default_rng(0).integers(0, 4096, (160, 300)).astype(np.uint16)
    data = encode_lossless(samples, 12)
    assert len(data) > 2 * (1 << 15)
    assert np.array_equal(decode_lossless(data, 160, 300, 1)[..., 0], samples)


def test_colours_come_back_across_chunks() -> None:
    samples = np.random.default_rng(0).integers(0, 256, (110, 201, 3)).astype(np.uint8)
    assert np.array_equal(decode_lossless(encode_lossless(samples, 8), 110, 201, 3), samples)


def test_a_code_that_stands_for_nothing_is_refused() -> None:
    data = encode_lossless(np.zeros((4, 8), np.uint16), 12)
    start = data.index(b"\xff\xda") + 10
    with pytest.raises(DamagedError, match="stands for nothing"):
        decode_lossless(data[:start] + b"\xfb" * 20 + b"\xff\xd9", 4, 8, 1)


def test_a_missing_strip_is_refused() -> None:
    data = encode_lossless(np.zeros((6, 8), np.uint16), 12, restart_rows=2)
    last = data.rindex(b"\xff\xd1")
    with pytest.raises(DamagedError, match="ends too early"):
        decode_lossless(data[:last] + b"\xff\xd9", 6, 8, 1)
