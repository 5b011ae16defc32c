"""DICOM: every transfer syntax gives the same samples, shown as a radiologist expects, and nobody is named."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from secondlook.cli import app
from secondlook.errors import InputError
from secondlook.imaging.read import read_picture
from tests.dicom import (
    IDENTIFIERS,
    NATIVE,
    NESTED_IDENTIFIER,
    PACKED,
    SYNTAXES,
    build_dicom,
    build_lut,
    build_palette,
    draw_ramp,
    encode_bare_rgb_jpeg,
    encode_jpeg,
    encode_jpeg2000,
)
from tests.drawing import draw_lesion

DATA = Path(os.environ.get("SECONDLOOK_DATA", Path(__file__).parents[4] / "shared" / "data")) / "dicom"
RAMP = draw_ramp()
# From 0 to 4095 in a straight line (PS3.3, C.11.2.1.2.1).
FULL_WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
LESION = np.asarray(draw_lesion(2, "mel", size=(64, 48)))


def levels(data: bytes) -> np.ndarray:
    """Return the grey levels of a DICOM file's picture, int H×W."""
    pixels = read_picture(data).pixels.astype(int)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


@pytest.mark.parametrize("syntax", [name for name in SYNTAXES if name != "JPEG"])
@pytest.mark.parametrize("signed", [False, True])
def test_every_syntax_gives_the_samples_that_were_stored(syntax: str, signed: bool) -> None:
    samples = RAMP.astype(np.int16) - 2048 if signed else RAMP
    centre = 0 if signed else 2048
    data = build_dicom(samples, syntax, bits=12, WindowCenter=centre, WindowWidth=4096)
    assert np.array_equal(levels(data), np.rint(RAMP * (255 / 4095)))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_eight_bits_without_a_window_are_shown_as_they_are(syntax: str) -> None:
    samples = draw_ramp(41, 65, bits=8).astype(np.uint8)
    found = levels(build_dicom(samples, syntax, modality="OT"))
    assert np.abs(found - samples).max() <= (2 if syntax == "JPEG" else 0)


@pytest.mark.parametrize("bits", range(10, 17))
def test_ten_to_sixteen_bits_use_all_levels(bits: int) -> None:
    top = (1 << bits) - 1
    found = levels(build_dicom(draw_ramp(bits=bits), bits=bits, WindowCenter=(top + 1) / 2, WindowWidth=top + 1))
    assert (found[0, 0], found[-1, -1]) == (0, 255)
    assert len(np.unique(found)) == 256


def test_monochrome1_is_inverted() -> None:
    plain, inverted = (
        levels(build_dicom(RAMP, bits=12, photometric=name, **FULL_WINDOW)) for name in ("MONOCHROME2", "MONOCHROME1")
    )
    assert inverted[0, 0] == 255
    assert np.abs(plain + inverted - 255).max() <= 1


def test_bits_beside_those_that_count_are_left_out() -> None:
    overlay = RAMP | (np.arange(RAMP.size, dtype=np.uint16).reshape(RAMP.shape) % 16 << 12)
    assert np.array_equal(levels(build_dicom(overlay, bits=12, **FULL_WINDOW)), np.rint(RAMP * (255 / 4095)))
    high = (RAMP << 4) | 9
    found = levels(build_dicom(high, bits=12, HighBit=15, **FULL_WINDOW))
    assert np.array_equal(found, np.rint(RAMP * (255 / 4095)))


def test_rescale_is_applied_before_the_window() -> None:
    data = build_dicom(RAMP, bits=12, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=3096, WindowWidth=8192)
    expected = np.clip((2.0 * RAMP - 1000 - 3095.5) / 8191 + 0.5, 0, 1) * 255
    assert np.array_equal(levels(data), np.rint(expected))


def test_a_modality_table_is_applied_and_its_ends_hold() -> None:
    # From stored 100 on: 4095, 4094, …; below 100 the first entry, beyond 2099 the last.
    table = build_lut(list(range(4095, 2095, -1)), first=100)
    found = levels(build_dicom(RAMP, bits=12, ModalityLUTSequence=table, **FULL_WINDOW))
    expected = 4095 - np.clip(RAMP.astype(int) - 100, 0, 1999)
    assert np.array_equal(found, np.rint(expected * (255 / 4095)))


def test_a_table_may_begin_below_zero() -> None:
    table = build_lut(list(range(4096)), first=-2048)
    data = build_dicom(RAMP.astype(np.int16) - 2048, bits=12, ModalityLUTSequence=table, **FULL_WINDOW)
    assert np.array_equal(levels(data), np.rint(RAMP * (255 / 4095)))


@pytest.mark.parametrize("syntax", NATIVE)
def test_a_table_of_values_of_interest_goes_before_the_window(syntax: str) -> None:
    # Entries of 12 bits in a table that claims 16: white is 4095.
    table = build_lut([min(2 * index, 4095) for index in range(4096)])
    data = build_dicom(RAMP, syntax, bits=12, VOILUTSequence=table, WindowCenter=5, WindowWidth=1)
    assert np.array_equal(levels(data), np.rint(np.minimum(2 * RAMP.astype(int), 4095) * (255 / 4095)))


def test_values_beyond_a_small_table_get_its_last_entry() -> None:
    table = build_lut(list(range(256)), bits=8)
    found = levels(build_dicom(RAMP, bits=12, VOILUTSequence=table))
    assert np.array_equal(found, np.minimum(RAMP, 255))


@pytest.mark.parametrize(
    ("function", "expected"),
    [("LINEAR", [0, 64, 128, 255]), ("LINEAR_EXACT", [0, 64, 128, 255]), ("SIGMOID", [2, 31, 128, 251])],
)
def test_window_functions(function: str, expected: list[int]) -> None:
    samples = np.array([[0, 1024, 2048, 4095]], np.uint16)
    found = levels(build_dicom(samples, bits=12, VOILUTFunction=function, WindowCenter=2048, WindowWidth=4096))
    by_hand = {
        "LINEAR": [0, 1024 / 4095, 2048 / 4095, 1],
        "LINEAR_EXACT": [0, 0.25, 0.5, 4095 / 4096],
        "SIGMOID": [1 / (1 + np.exp(2)), 1 / (1 + np.exp(1)), 0.5, 1 / (1 + np.exp(-4 * 2047 / 4096))],
    }[function]
    assert np.array_equal(found[0], np.rint(255 * np.array(by_hand)))
    assert np.abs(found[0] - expected).max() <= 40


def test_of_several_windows_the_first_is_used_and_an_impossible_one_is_left_out() -> None:
    several = build_dicom(RAMP, bits=12, WindowCenter=[2048, 100], WindowWidth=[4096, 10])
    assert np.array_equal(levels(several), np.rint(RAMP * (255 / 4095)))
    impossible, without = build_dicom(RAMP, bits=12, WindowCenter=5, WindowWidth=0), build_dicom(RAMP, bits=12)
    assert np.array_equal(levels(impossible), levels(without))


def test_without_a_window_the_real_range_is_shown_and_a_marker_does_not_squash_it() -> None:
    film = np.rint(np.linspace(1000, 1400, 200 * 300)).reshape(200, 300).astype(np.uint16)
    film[5:9, 5:25] = 4095
    found = levels(build_dicom(film, bits=12))
    assert found[0, 0] == 0
    assert found[-1, -1] == 255
    assert abs(found[100, 150] - 128) <= 3
    assert levels(build_dicom(np.full((20, 30), 7, np.uint16), bits=12)).max() == 0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_count(photometric: str) -> None:
    film = np.rint(np.linspace(1000, 1400, 100 * 100)).reshape(100, 100).astype(np.int16)
    film[:, :40] = -2000
    found = levels(build_dicom(film, photometric=photometric, PixelPaddingValue=-2000))
    assert not found[:, :40].any()
    assert found[:, 40:].max() == 255
    assert abs(np.median(found[:, 40:]) - 128) <= 3


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"PixelAspectRatio": [2, 1]}, (64, 64)),
        ({"PixelAspectRatio": [1, 2]}, (128, 32)),
        ({"PixelSpacing": [0.3, 0.2]}, (64, 48)),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, (96, 32)),
        ({"PixelSpacing": [0.2, 0.2001]}, (64, 32)),
        ({"PixelSpacing": [0, 0]}, (64, 32)),
    ],
)
def test_pixels_become_square(attributes: dict[str, list[float]], size: tuple[int, int]) -> None:
    picture = read_picture(build_dicom(RAMP, bits=12, **attributes))
    assert picture.pixels.shape[1::-1] == size
    assert (picture.source.width, picture.source.height) == size


def test_colours_come_out_as_drawn() -> None:
    image = Image.fromarray(LESION)
    luma = np.asarray(image.convert("YCbCr"))
    halved = np.concatenate([luma[:, ::2, :1], luma[:, 1::2, :1], luma[:, ::2, 1:]], axis=2)
    files = {
        "RGB": build_dicom(LESION, modality="XC", photometric="RGB"),
        "planes": build_dicom(
            LESION,
            modality="XC",
            photometric="RGB",
            PlanarConfiguration=1,
            frame=LESION.transpose(2, 0, 1).tobytes(),
        ),
        "big endian": build_dicom(LESION, "big endian", modality="XC", photometric="RGB"),
        "YBR": build_dicom(luma, modality="XC", photometric="YBR_FULL"),
        "RLE": build_dicom(LESION, "RLE", modality="XC", photometric="RGB"),
        "RLE, YBR": build_dicom(luma, "RLE", modality="XC", photometric="YBR_FULL"),
        "lossless": build_dicom(LESION, "JPEG lossless", modality="XC", photometric="RGB"),
        "JPEG": build_dicom(LESION, "JPEG", modality="XC", photometric="YBR_FULL_422", frame=encode_jpeg(LESION)),
        "bare": build_dicom(LESION, "JPEG", modality="XC", photometric="RGB", frame=encode_bare_rgb_jpeg(LESION)),
        "JPEG 2000": build_dicom(LESION, "JPEG 2000", modality="XC", photometric="YBR_RCT"),
        "halved": build_dicom(luma, modality="XC", photometric="YBR_FULL_422", frame=halved.tobytes()),
    }
    tolerance = {"YBR": 2, "RLE, YBR": 2, "JPEG": 3, "bare": 3, "halved": 3}
    for name, data in files.items():
        found = read_picture(data).pixels.astype(int)
        assert np.abs(found - LESION).mean() <= tolerance.get(name, 0), name


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_looked_up(bits: int) -> None:
    colours = np.random.default_rng(3).integers(0, 256, (256, 3)).astype(np.uint16)
    colours[:3] = 255
    samples = draw_ramp(16, 16, bits=8).astype(np.uint8)
    palette = build_palette(colours * (257 if bits == 16 else 1))
    picture = read_picture(build_dicom(samples, modality="OT", photometric="PALETTE COLOR", **palette))
    assert np.array_equal(picture.pixels, colours[samples])


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "big endian"])
def test_old_files_without_a_header_are_read(syntax: str) -> None:
    data = build_dicom(RAMP, syntax, bits=12, meta=False, **FULL_WINDOW)
    assert b"DICM" not in data
    assert np.array_equal(levels(data), np.rint(RAMP * (255 / 4095)))


def test_a_large_picture_comes_out_reduced() -> None:
    picture = read_picture(build_dicom(draw_ramp(900, 1200), bits=12), target_px=100)
    assert picture.pixels.shape == (225, 300, 3)
    assert (picture.source.width, picture.source.height) == (1200, 900)


def test_facts_of_the_technique_are_kept() -> None:
    data = build_dicom(
        RAMP, "JPEG 2000", modality="DX", bits=12, PixelSpacing=[0.14, 0.14], BodyPartExamined="KNEE", ViewPosition="AP"
    )
    facts = read_picture(data).source.dicom
    assert facts is not None
    assert (facts.modality, facts.photometric, facts.bits_stored) == ("DX", "MONOCHROME2", 12)
    assert facts.transfer_syntax == "JPEG 2000 Image Compression"
    assert (facts.spacing_mm, facts.body_part, facts.view) == ((0.14, 0.14), "KNEE", "AP")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_no_identifier_leaves_the_reader(syntax: str) -> None:
    data = build_dicom(draw_ramp(bits=8).astype(np.uint8), syntax)
    shown = repr(read_picture(data))
    planted = [*IDENTIFIERS.values(), NESTED_IDENTIFIER]
    assert syntax == "deflated" or all(text.encode() in data for text in planted)
    assert not [text for text in planted if text.lower() in shown.lower()]


def test_no_identifier_reaches_an_answer(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "whole.dcm").write_bytes(build_dicom(LESION, modality="XC", photometric="RGB"))
    (tmp_path / "old").write_bytes(build_dicom(RAMP, bits=12, meta=False))
    (tmp_path / "cut.dcm").write_bytes(build_dicom(RAMP)[:-50])
    (tmp_path / "other.dcm").write_bytes(build_dicom(RAMP, modality="QUENTIN"))
    result = CliRunner().invoke(app, ["predict", str(tmp_path), "--bundle", str(tiny_bundle), "--format", "json"])
    assert result.exit_code == 1
    answers = json.loads(result.stdout)
    assert len(answers if isinstance(answers, list) else answers["pictures"]) == 4
    for text in [*IDENTIFIERS.values(), NESTED_IDENTIFIER]:
        assert text.lower() not in result.output.lower()


@pytest.mark.skipif(not DATA.exists(), reason="no real pictures: ../shared/data is absent")
class TestSharedFiles:
    def test_a_chest_has_dark_lungs_and_a_light_spine(self) -> None:
        for name in ("CR-MONO1-10-chest", "RG1_J2KI.dcm"):
            found = levels((DATA / name).read_bytes())
            height, width = found.shape
            spine = found[height // 2, int(width * 0.48) : int(width * 0.52)].mean()
            rows = slice(int(height * 0.35), int(height * 0.4))
            lungs = [found[rows, int(width * at) : int(width * (at + 0.04))].mean() for at in (0.3, 0.68)]
            assert spine - max(lungs) > 25, name

    def test_a_lower_leg_is_light_on_dark_and_lossy_is_near_lossless(self) -> None:
        lossy, lossless = (levels((DATA / name).read_bytes()) for name in ("RG3_J2KI.dcm", "RG3_J2KR.dcm"))
        assert np.abs(lossy - lossless).mean() < 1.5
        height, width = lossless.shape
        bone = lossless[height // 3, int(width * 0.45) : int(width * 0.49)].mean()
        film = lossless[height // 3, int(width * 0.29) : int(width * 0.33)].mean()
        assert bone > 120
        assert film < 40

    @pytest.mark.parametrize("name", ["mlut_18.dcm", "vlut_04.dcm"])
    def test_a_test_pattern_shows_its_greys(self, name: str) -> None:
        found = levels((DATA / name).read_bytes())
        # The squares of 10 % to 90 % of the SMPTE pattern, and of 0 % and 100 %.
        squares = {10: (270, 130), 30: (170, 130), 70: (170, 380), 90: (270, 390), 0: (320, 130), 100: (320, 395)}
        for percent, (row, column) in squares.items():
            assert abs(found[row, column] - 2.55 * percent) < 6, percent

    @pytest.mark.parametrize("name", ["bad_sequence.dcm", "explicit_VR-UN.dcm", "JPEG-LL.dcm"])
    def test_slices_and_scintigrams_are_refused(self, name: str) -> None:
        with pytest.raises(InputError, match=r"Expected one X-ray or photograph as DICOM .*\((CT|NM)\)"):
            read_picture(DATA / name)

    def test_a_lossless_jpeg_has_its_table_applied(self) -> None:
        picture = read_picture(DATA / "CR-ModalitySequenceLUT.dcm")
        assert picture.pixels.shape == (1576, 1976, 3)
        teeth, above = picture.pixels[1050:1150, 900:1100], picture.pixels[100:400, 900:1100]
        assert above.max() < 20
        assert teeth.mean() > 90


def test_packed_syntaxes_are_all_drawn() -> None:
    assert set(PACKED) <= set(SYNTAXES)
    assert encode_jpeg2000(RAMP, 12).startswith(b"\xff\x4f\xff\x51")
