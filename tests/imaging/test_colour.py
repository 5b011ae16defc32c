"""Colours: whatever a file stores comes out as the RGB that a viewer shows."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from secondlook.imaging.read import read_picture
from tests.drawing import draw_lesion, encode
from tests.hostile import build_png, insert_chunk

LESION = draw_lesion(2, "bcc", size=(120, 90))
GREY = LESION.convert("L")


def read(image: Image.Image, file_format: str = "PNG", **options: object) -> NDArray[np.int64]:
    return read_picture(encode(image, file_format, **options)).pixels.astype(int)


def as_grey(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.repeat(np.rint(values).astype(int)[..., None], 3, axis=2)


def test_alpha_is_laid_on_white() -> None:
    alpha = Image.linear_gradient("L").resize(LESION.size)
    seen = np.asarray(alpha, float)[..., None] / 255
    expected = np.asarray(LESION) * seen + 255 * (1 - seen)
    image = LESION.copy()
    image.putalpha(alpha)
    assert np.abs(read(image) - expected).max() <= 1
    assert np.abs(read(image, "TIFF") - expected).max() <= 1
    grey = GREY.copy()
    grey.putalpha(alpha)
    assert np.abs(read(grey) - as_grey(np.asarray(GREY) * seen[..., 0] + 255 * (1 - seen[..., 0]))).max() <= 1


def test_transparent_palette_entries_are_white() -> None:
    image = Image.new("P", (40, 30), 7)
    image.putpalette([10, 20, 30] * 256)
    image.paste(9, (0, 0, 20, 30))
    pixels = read(image, transparency=9)
    assert (pixels[:, :20] == 255).all()
    assert (pixels[:, 20:] == (10, 20, 30)).all()
    assert np.array_equal(read(image, "GIF", transparency=9), pixels)


@pytest.mark.parametrize(
    ("mode", "file_format"), [("1", "PNG"), ("1", "TIFF"), ("L", "PNG"), ("L", "JPEG"), ("P", "BMP")]
)
def test_plain_modes(mode: str, file_format: str) -> None:
    image = LESION.convert(mode)
    expected = np.asarray(image.convert("RGB")).astype(int)
    options = {"quality": 98} if file_format == "JPEG" else {}
    assert np.abs(read(image, file_format, **options) - expected).mean() < 1


def test_bilevel_fax_compression() -> None:
    image = LESION.convert("1")
    assert np.array_equal(read(image, "TIFF", compression="group4"), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("greatest", [255, 1023, 4095, 65535])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_by_its_real_range(greatest: int, file_format: str) -> None:
    values = np.linspace(17, greatest, 120 * 90).reshape(90, 120).astype(np.uint16)
    expected = as_grey((values - 17.0) * 255 / (greatest - 17))
    assert np.abs(read(Image.fromarray(values), file_format) - expected).max() <= 1


def test_big_endian_16_bit_tiff() -> None:
    values = np.linspace(0, 4095, 120 * 90).reshape(90, 120).astype(">u2")
    image = Image.frombytes("I;16B", (120, 90), values.tobytes())
    assert np.abs(read(image, "TIFF") - as_grey(values * 255.0 / 4095)).max() <= 1


def test_32_bit_integers_and_inverted_grey() -> None:
    values = np.linspace(-50_000, 70_000, 120 * 90).reshape(90, 120).astype(np.int32)
    assert np.abs(read(Image.fromarray(values), "TIFF") - as_grey((values + 50_000.0) * 255 / 120_000)).max() <= 1
    inverted = encode(ImageOps.invert(GREY), "TIFF", tiffinfo={262: 0})
    assert np.array_equal(read_picture(inverted).pixels[..., 0], np.asarray(Image.open(io.BytesIO(inverted))))


@pytest.mark.parametrize("compression", ["raw", "tiff_adobe_deflate"])
def test_float_tiff_is_scaled_and_bears_nonsense(compression: str) -> None:
    values = np.linspace(-3.5, 12.25, 120 * 90).reshape(90, 120).astype(np.float32)
    expected = as_grey((values + 3.5) * 255 / 15.75)
    values[0, :3] = np.nan, np.inf, -np.inf
    expected[0, :3] = [[0] * 3, [255] * 3, [0] * 3]
    assert np.abs(read(Image.fromarray(values), "TIFF", compression=compression) - expected).max() <= 1


@pytest.mark.parametrize("value", [0.0, 5.5, np.nan, np.inf])
def test_deep_grey_without_a_range_is_black(value: float) -> None:
    values = np.full((30, 40), value, np.float32)
    assert not read(Image.fromarray(values), "TIFF").any()


def test_extreme_floats_do_not_overflow() -> None:
    values = np.array([[np.finfo(np.float32).min, 0, np.finfo(np.float32).max]] * 3, np.float32)
    assert read(Image.fromarray(values), "TIFF")[0, :, 0].tolist() == [0, 128, 255]


def test_16_bit_colour_keeps_its_upper_bits() -> None:
    assert read_picture(build_png(20, 10, depth=16, colour=2)).pixels.shape == (10, 20, 3)
    assert (read_picture(build_png(20, 10, depth=16, colour=6)).pixels == 255).all()


def test_adobe_cmyk_and_plain_cmyk_jpegs_look_alike() -> None:
    inks = LESION.convert("CMYK")
    adobe = encode(inks, "JPEG", quality=95)
    at = adobe.index(b"\xff\xee")
    length = int.from_bytes(adobe[at + 2 : at + 4])
    expected = np.asarray(inks.convert("RGB")).astype(int)
    assert np.abs(read_picture(adobe).pixels - expected).mean() < 4
    inverted = Image.merge("CMYK", [ImageOps.invert(band) for band in inks.split()])
    stored = encode(inverted, "JPEG", quality=95)
    without_marker = stored[: stored.index(b"\xff\xee")] + stored[stored.index(b"\xff\xee") + 2 + length :]
    assert np.abs(read_picture(without_marker).pixels - expected).mean() < 4


def test_cmyk_tiff() -> None:
    inks = LESION.convert("CMYK")
    assert np.array_equal(read(inks, "TIFF"), np.asarray(inks.convert("RGB")))


def linear_profile() -> bytes:
    """Return an RGB profile with sRGB's primaries and no gamma, made from Pillow's sRGB profile by its curves."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132])
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    linear = b"curv" + bytes(4) + (0).to_bytes(4)
    offset = len(profile)
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        profile[tags[name] + 4 : tags[name] + 12] = offset.to_bytes(4) + len(linear).to_bytes(4)
    profile += linear
    profile[:4] = len(profile).to_bytes(4)
    return bytes(profile)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_an_embedded_profile_is_applied(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {"quality": 100} if file_format == "JPEG" else {}
    picture = read_picture(encode(LESION, file_format, icc_profile=linear_profile(), **options))
    light = np.asarray(LESION) / 255
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert picture.source.profile_applied
    assert np.abs(picture.pixels - expected).mean() < (3 if file_format == "JPEG" else 1.5)


def test_a_profile_of_another_space_or_a_broken_one_is_left_alone() -> None:
    profile = linear_profile()
    for embedded in (profile[:16] + b"CMYK" + profile[20:], profile[:200], b"no profile at all"):
        picture = read_picture(encode(LESION, "TIFF", icc_profile=embedded))
        assert not picture.source.profile_applied
        assert np.array_equal(picture.pixels, np.asarray(LESION))


def test_a_large_picture_is_converted_in_strips_without_seams() -> None:
    image = LESION.resize((2400, 1801))
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    seen = np.asarray(image.getchannel("A"), float)[..., None] / 255
    expected = np.asarray(image.convert("RGB")) * seen + 255 * (1 - seen)
    data = encode(image, "PNG", compress_level=1)
    whole = read_picture(data).pixels
    assert np.abs(whole - expected).max() <= 1
    reduced = read_picture(data, target_px=128).pixels
    assert np.abs(reduced.astype(int) - np.asarray(Image.fromarray(whole).reduce(7))).max() <= 1


def test_metadata_does_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a name"
    picture = read_picture(insert_chunk(encode(LESION, "PNG", exif=exif), b"tEXt", b"Comment\0a name"))
    assert "a name" not in repr(picture)
    assert picture.source.__slots__ == ("format", "width", "height", "orientation_applied", "profile_applied", "dicom")
