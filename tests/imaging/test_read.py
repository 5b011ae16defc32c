"""Reading pictures: every format comes out upright and right, everything else is refused with a reason."""

import contextlib
import io
import struct
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from secondlook.errors import InputError
from secondlook.imaging.limits import MAX_FILE_BYTES
from secondlook.imaging.read import read_picture
from tests.drawing import draw_lesion, draw_phone_photo, encode, encode_turned
from tests.hostile import (
    CLAIMS,
    ENDLESS,
    NOT_PICTURES,
    build_endless,
    build_png,
    build_profile_bomb,
    build_scan_bomb,
    build_text_bomb,
    build_tile_bomb,
    insert_chunk,
)

LESION = draw_lesion(1, "mel", size=(240, 180))
SAVED = {
    "JPEG": encode(LESION, "JPEG", quality=95, subsampling=0),
    "JPEG, progressive": encode(LESION, "JPEG", quality=95, subsampling=0, progressive=True),
    "PNG": encode(LESION, "PNG"),
    "WebP": encode(LESION, "WEBP", lossless=True),
    "TIFF": encode(LESION, "TIFF"),
    "TIFF, LZW": encode(LESION, "TIFF", compression="tiff_lzw"),
    "TIFF, deflate": encode(LESION, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, BigTIFF": encode(LESION, "TIFF", big_tiff=True),
    "TIFF, JPEG": encode(LESION, "TIFF", compression="jpeg", quality=95),
    "BMP": encode(LESION, "BMP"),
    "GIF": encode(LESION.quantize(256), "GIF"),
}
TOLERANCE = {"JPEG": 3.0, "JPEG, progressive": 3.0, "TIFF, JPEG": 4.0, "GIF": 2.0}


def difference(pixels: np.ndarray, expected: Image.Image) -> float:
    """Return the mean difference in grey levels."""
    return float(np.abs(pixels.astype(int) - np.asarray(expected.convert("RGB")).astype(int)).mean())


@pytest.mark.parametrize("name", SAVED)
def test_each_format_comes_out_as_drawn(name: str) -> None:
    picture = read_picture(SAVED[name])
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == (180, 240, 3)
    assert picture.source.format == name.split(",")[0]
    assert (picture.source.width, picture.source.height) == (240, 180)
    assert difference(picture.pixels, LESION) <= TOLERANCE.get(name, 0.0)


def test_heic_is_read_where_the_extra_is_installed() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    data = io.BytesIO()
    pillow_heif.from_pillow(LESION).save(data, quality=95)
    picture = read_picture(data.getvalue())
    assert picture.source.format == "HEIC"
    assert difference(picture.pixels, LESION) < 3


def test_heic_without_the_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InputError, match=r"pip install 'secondlook\[heic\]'"):
        read_picture(b"\0\0\0\x18ftypheic" + bytes(32))


def test_path_bytes_and_stream_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mole.jpg"
    path.write_bytes(SAVED["JPEG"])
    expected = read_picture(SAVED["JPEG"])
    for source in (path, str(path), io.BytesIO(SAVED["JPEG"]), Trickle(SAVED["JPEG"])):
        picture = read_picture(source)
        assert np.array_equal(picture.pixels, expected.pixels)
        assert picture.source == expected.source


class Trickle(io.RawIOBase):
    """A stream that hands out little at a time, as a socket does, and counts what was taken."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        part = self.inner.read(min(size, 65_536))
        self.taken += len(part)
        return part


def test_a_stream_is_read_no_further_than_one_byte_beyond_the_limit() -> None:
    stream = Trickle(bytes(MAX_FILE_BYTES + 500_000))
    with pytest.raises(InputError, match="at most 30 MB"):
        read_picture(stream)
    assert stream.taken == MAX_FILE_BYTES + 1


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(SAVED["PNG"])
    assert read_picture(path).source.format == "PNG"
    path = tmp_path / "mole.jpg"
    path.write_bytes(NOT_PICTURES["pdf"][0])
    with pytest.raises(InputError, match="got a PDF document"):
        read_picture(path)


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        read_picture(tmp_path / "mole.jpg")
    assert "mole.jpg" in str(refusal.value)
    assert str(tmp_path) not in str(refusal.value)
    with pytest.raises(InputError, match="Is a directory"):
        read_picture(tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    turned = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: np.rot90(p, -1),
        7: lambda p: np.rot90(p, 2).swapaxes(0, 1),
        8: lambda p: np.rot90(p),
    }
    stored = np.asarray(Image.open(io.BytesIO(encode_turned(LESION, orientation))))
    expected = turned[orientation](stored)
    picture = read_picture(encode_turned(LESION, orientation))
    assert np.array_equal(picture.pixels, expected)
    assert (picture.source.height, picture.source.width) == expected.shape[:2]
    assert picture.source.orientation_applied == (orientation != 1)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_in_other_formats(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture = read_picture(encode(LESION, file_format, exif=exif, **options))
    assert np.array_equal(picture.pixels, np.rot90(np.asarray(LESION), -1))
    assert (picture.source.width, picture.source.height) == (180, 240)


def test_damaged_exif_costs_the_orientation_only() -> None:
    whole = encode_turned(LESION, 6)
    at = whole.index(b"Exif\0\0") + 6
    for damaged in (whole[:at] + bytes(8) + whole[at + 8 :], whole[: at + 4] + b"\xff" * 4 + whole[at + 8 :]):
        assert read_picture(damaged).source.orientation_applied is False


def test_large_jpegs_are_reduced_and_stay_near() -> None:
    photo = draw_phone_photo(3, "nv")
    data = encode(photo, quality=90)
    picture = read_picture(data, target_px=224)
    assert 448 <= min(picture.pixels.shape[:2]) < 1000
    assert (picture.source.width, picture.source.height) == photo.size
    whole = Image.fromarray(read_picture(data).pixels).resize((224, 168), Image.Resampling.BICUBIC, reducing_gap=None)
    reduced = np.asarray(Image.fromarray(picture.pixels).resize((224, 168), Image.Resampling.BICUBIC))
    assert difference(reduced, whole) < 1.0


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF"])
def test_a_small_picture_is_never_reduced_below_twice_the_target(name: str) -> None:
    assert read_picture(SAVED[name], target_px=91).pixels.shape == (180, 240, 3)
    assert read_picture(SAVED[name], target_px=45).pixels.shape == (90, 120, 3)


@pytest.mark.parametrize("target", [0, -5])
def test_a_senseless_target_is_refused(target: int) -> None:
    with pytest.raises(InputError, match="at least 1 pixel"):
        read_picture(SAVED["JPEG"], target_px=target)


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_read(file_format: str) -> None:
    others = [draw_lesion(seed, "vasc", size=LESION.size) for seed in (5, 6)]
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture = read_picture(encode(LESION, file_format, save_all=True, append_images=others, **options))
    assert difference(picture.pixels, LESION) < 4


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_what_is_no_picture_is_refused_by_its_kind(name: str) -> None:
    data, kind = NOT_PICTURES[name]
    with pytest.raises(InputError) as refusal:
        read_picture(data)
    assert kind in str(refusal.value)
    assert str(refusal.value).startswith("Expected a picture (JPEG, PNG")


@pytest.mark.parametrize("name", CLAIMS)
def test_a_header_that_claims_too_much_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"at most 50 megapixels, got a \w+ file that claims 65500 × 65500"):
        read_picture(CLAIMS[name])


def test_a_decompression_bomb_is_refused() -> None:
    bomb = build_png(9400, 9400)
    assert len(bomb) < 300_000
    with pytest.raises(InputError, match="88 megapixels"):
        read_picture(bomb)


def test_a_tile_that_unpacks_beyond_the_picture_is_refused() -> None:
    with pytest.raises(InputError, match="at most 440 MB to decode"):
        read_picture(build_tile_bomb())


def test_a_tiff_that_lacks_strips_is_refused() -> None:
    data = SAVED["TIFF"]
    height = data.index(struct.pack("<HHII", 257, 4, 1, 180)) + 8
    with pytest.raises(InputError, match="lacks a part of the picture"):
        read_picture(data[:height] + struct.pack("<I", 65460) + data[height + 4 :])


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    with pytest.raises(InputError, match="more than 64 scans"):
        read_picture(build_scan_bomb())


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_tiny_parts_are_refused_at_once(name: str) -> None:
    data = build_endless(name)
    started = time.process_time()
    with pytest.raises(InputError, match="damaged, cut short"):
        read_picture(data)
    assert time.process_time() - started < 1.5


def test_a_colour_profile_of_megabytes_is_refused() -> None:
    with pytest.raises(InputError, match="colour profile is larger than 4 MB"):
        read_picture(encode(LESION, "TIFF", icc_profile=bytes(5_000_000)))
    with pytest.raises(InputError, match="colour profile unpacks to more than 1024 kB"):
        read_picture(build_profile_bomb())


def test_text_in_a_png_is_never_unpacked() -> None:
    assert read_picture(build_text_bomb()).pixels.shape == (30, 40, 3)
    endless = insert_chunk(encode(LESION, "PNG"), b"tEXt", b"Comment\0" + bytes(20_000_000))
    assert np.array_equal(read_picture(endless).pixels, np.asarray(LESION))


@pytest.mark.parametrize("name", SAVED)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.98])
def test_truncated_files_are_refused(name: str, share: float) -> None:
    data = SAVED[name]
    with pytest.raises(InputError, match="damaged, cut short"):
        read_picture(data[: max(16, int(len(data) * share))])


def test_truncated_files_are_refused_whatever_another_library_lets_pillow_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(InputError, match="damaged, cut short"):
        read_picture(SAVED["JPEG"][: len(SAVED["JPEG"]) // 2])


def test_an_altered_png_is_refused() -> None:
    data = bytearray(SAVED["PNG"])
    data[len(data) // 2] ^= 0x10
    with pytest.raises(InputError, match="a checksum is wrong"):
        read_picture(bytes(data))


def test_a_size_of_nothing_is_refused() -> None:
    data = SAVED["GIF"]
    with pytest.raises(InputError, match="0 × 0"):
        read_picture(data[:6] + bytes(4) + data[10 : data.index(b"\x2c\0\0\0\0") + 5] + bytes(4) + data[-400:])


MUTATED = [*SAVED.values(), encode_turned(LESION, 6), encode(LESION.convert("RGBA"), "PNG")]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_mutated_bytes_give_a_picture_or_a_refusal(data: st.DataObject) -> None:
    mutated = bytearray(data.draw(st.sampled_from(MUTATED)))
    # Most damage worth the name lies in the header; some lies anywhere.
    reach = st.one_of(st.integers(0, 400), st.integers(0, len(mutated) - 1))
    for place, value in data.draw(st.lists(st.tuples(reach, st.integers(0, 255)), min_size=1, max_size=8)):
        mutated[min(place, len(mutated) - 1)] = value
    cut = data.draw(st.one_of(st.just(len(mutated)), st.integers(0, len(mutated))))
    with warnings.catch_warnings(record=True) as raised, contextlib.suppress(InputError):
        # As errors they would pass for refusals.
        warnings.simplefilter("always")
        picture = read_picture(bytes(mutated[:cut]), target_px=data.draw(st.sampled_from([None, 32])))
        assert picture.pixels.dtype == np.uint8
        assert picture.pixels.ndim == 3
    assert not raised


def test_tiff_directories_full_of_nonsense_raise_no_warning() -> None:
    data = SAVED["TIFF"]
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    nonsense = struct.pack("<HHII", 306, 2, 1 << 30, 1 << 31)
    entries = data[start + 2 : start + 2 + 12 * count] + nonsense
    moved = data[:4] + struct.pack("<I", len(data)) + data[8:] + struct.pack("<H", count + 1) + entries + bytes(4)
    with pytest.warns(UserWarning, match="Tag data larger than file"):
        Image.open(io.BytesIO(moved))
    assert np.array_equal(read_picture(moved).pixels, np.asarray(LESION))


def test_threads_read_side_by_side_and_leave_the_warning_filters_alone() -> None:
    before = list(warnings.filters)
    found: list[bool] = []

    def read_all() -> None:
        for name, data in SAVED.items():
            found.append(difference(read_picture(data).pixels, LESION) <= TOLERANCE.get(name, 0.0))

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * (4 * len(SAVED))
    assert list(warnings.filters) == before
