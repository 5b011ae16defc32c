"""Drawn DICOM files in every transfer syntax that is read, each with identifiers planted, and hostile ones."""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, generate_uid
from rle.utils import encode_pixel_data

NATIVE = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "big endian": "1.2.840.10008.1.2.2",
    "deflated": "1.2.840.10008.1.2.1.99",
}
PACKED = {
    "JPEG": "1.2.840.10008.1.2.4.50",
    "JPEG lossless": "1.2.840.10008.1.2.4.57",
    "JPEG lossless, first order": "1.2.840.10008.1.2.4.70",
    "JPEG 2000 lossless": "1.2.840.10008.1.2.4.90",
    "JPEG 2000": "1.2.840.10008.1.2.4.91",
    "RLE": "1.2.840.10008.1.2.5",
}
SYNTAXES = NATIVE | PACKED
CLASSES = {"CR": "1.2.840.10008.5.1.4.1.1.1", "DX": "1.2.840.10008.5.1.4.1.1.1.1"}
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# None of these may come out anywhere.
IDENTIFIERS = {
    "PatientName": "Zanzibar^Quentin",
    "PatientID": "QX-7741-K",
    "PatientBirthDate": "19070511",
    "PatientAddress": "Foxglove Lane 9",
    "InstitutionName": "Larkspur Clinic",
    "ReferringPhysicianName": "Ptolemy^Dr",
    "AccessionNumber": "ACC55107",
    "StudyDescription": "Wobbly knee of Quentin",
    "StudyDate": "19990401",
    "ImageComments": "Cousin of Ignatius",
    "DeviceSerialNumber": "SN-88213",
    "BodyPartExamined": "ZANZIBAR",
    "ViewPosition": "QUENTIN",
    "StudyInstanceUID": "1.2.999.7741.55107",
    "FrameOfReferenceUID": "1.2.999.88213",
}
NESTED_IDENTIFIER = "Mulberry^Nora"


def draw_ramp(rows: int = 32, columns: int = 64, *, bits: int = 12) -> NDArray[np.uint16]:
    """Return uint16 rows×columns that runs evenly through all values of so many bits, the least first."""
    return np.rint(np.linspace(0, (1 << bits) - 1, rows * columns)).reshape(rows, columns).astype(np.uint16)


def build_dicom(
    samples: NDArray[Any],
    syntax: str = "explicit",
    *,
    modality: str = "CR",
    photometric: str = "MONOCHROME2",
    bits: int | None = None,
    frame: bytes | None = None,
    meta: bool = True,
    **attributes: Any,
) -> bytes:
    """Return a DICOM file of these samples.

    Args:
        samples: H×W or H×W×3, of 8 or 16 bits, signed or not.
        syntax: A key of ``SYNTAXES``.
        modality: Modality.
        photometric: Photometric interpretation.
        bits: Bits that count; all by default.
        frame: The pixel data as stored, in place of the encoded samples.
        meta: Whether there are a preamble and a meta header.
        attributes: More attributes by keyword, or others in place of the usual ones; ``None`` takes one away.
    """
    allocated = 8 * samples.dtype.itemsize
    stored = allocated if bits is None else bits
    dataset = Dataset()
    for keyword, value in IDENTIFIERS.items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = CLASSES.get(modality, CAPTURE)
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["drawn"])
    dataset.Modality = modality
    dataset.RequestAttributesSequence = Sequence([_build_nested()])
    dataset.Rows, dataset.Columns = samples.shape[:2]
    dataset.SamplesPerPixel = 3 if samples.ndim == 3 else 1
    if samples.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = allocated, stored, stored - 1
    dataset.PixelRepresentation = int(samples.dtype.kind == "i")
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    if frame is None:
        frame = ENCODERS[syntax](samples, stored) if syntax in PACKED else _order_bytes(samples, syntax)
    if syntax in PACKED:
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    else:
        dataset.PixelData = frame + b"\0" * (len(frame) % 2)
        dataset["PixelData"].VR = "OW" if allocated == 16 or syntax in ("implicit", "big endian") else "OB"
    return _write(dataset, SYNTAXES[syntax], meta)


def _build_nested() -> Dataset:
    inner, outer = Dataset(), Dataset()
    inner.PersonName = NESTED_IDENTIFIER
    outer.ScheduledProcedureStepDescription = NESTED_IDENTIFIER
    outer.ScheduledProtocolCodeSequence = Sequence([inner])
    return outer


def _order_bytes(samples: NDArray[Any], syntax: str) -> bytes:
    if syntax != "big endian":
        return samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    if samples.dtype.itemsize == 1:  # as words
        data = samples.tobytes()
        return np.frombuffer(data + b"\0" * (len(data) % 2), "u2").byteswap().tobytes()
    return samples.astype(samples.dtype.newbyteorder(">")).tobytes()


def _write(dataset: Dataset, syntax: str, meta: bool) -> bytes:
    stream = io.BytesIO()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.save_as(stream, enforce_file_format=True)
    data = stream.getvalue()
    if meta:
        return data
    length = int.from_bytes(data[140:144], "little")
    return data[144 + length :]


def build_lut(entries: list[int], first: int = 0, *, bits: int = 16) -> Sequence:
    """Return a sequence with one lookup table."""
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new(0x00283006, "US", entries)
    return Sequence([item])


def encode_jpeg(samples: NDArray[Any], _bits: int = 8, **options: Any) -> bytes:
    """Return a JPEG of 8-bit samples."""
    stream = io.BytesIO()
    Image.fromarray(samples).save(stream, "JPEG", quality=98, subsampling=0, **options)
    return stream.getvalue()


def encode_bare_rgb_jpeg(samples: NDArray[np.uint8]) -> bytes:
    """Return a JPEG whose components are red, green and blue, without any marker that says so."""
    stream = io.BytesIO()
    # Pillow writes the three channels of YCbCr as they are; its JFIF marker is then cut out.
    Image.frombytes("YCbCr", samples.shape[1::-1], samples.tobytes()).save(stream, "JPEG", quality=98, subsampling=0)
    data = stream.getvalue()
    return data[:2] + data[4 + int.from_bytes(data[4:6]) :]


def encode_jpeg2000(samples: NDArray[Any], bits: int) -> bytes:
    """Return a lossless JPEG 2000 of the samples; colours are turned into YBR_RCT."""
    return bytes(encode_array(samples, bits_stored=bits, photometric_interpretation=1 if samples.ndim == 3 else 2))


def encode_lossless(samples: NDArray[Any], bits: int, *, predictor: int = 1, restart_rows: int = 0) -> bytes:
    """Return a lossless JPEG of the samples (ITU-T T.81, annex H), written plainly: one bit string, one code length."""
    rows, columns = samples.shape[:2]
    planes = samples.reshape(rows, columns, -1).astype(int) & ((1 << bits) - 1)
    count = planes.shape[2]
    sizes = range(17)
    head = b"\xff\xd8"
    head += _segment(0xC3, bytes([bits]) + rows.to_bytes(2) + columns.to_bytes(2) + bytes([count]))
    head = head[:-1] + bytes([count]) + b"".join(bytes([index + 1, 0x11, 0]) for index in range(count))
    head = head[:4] + (8 + 3 * count).to_bytes(2) + head[6:]
    # All 17 codes have 5 bits, so the code is the size itself.
    head += _segment(0xC4, bytes([0]) + bytes([0, 0, 0, 0, 17] + [0] * 11) + bytes(sizes))
    if restart_rows:
        head += _segment(0xDD, (restart_rows * columns).to_bytes(2))
    chosen = b"".join(bytes([index + 1, 0]) for index in range(count))
    head += _segment(0xDA, bytes([count]) + chosen + bytes([predictor, 0, 0]))
    step = restart_rows or rows
    parts = [_pack(planes[top : top + step], bits) for top in range(0, rows, step)]
    body = parts[0] + b"".join(bytes([0xFF, 0xD0 + index % 8]) + part for index, part in enumerate(parts[1:]))
    return head + body + b"\xff\xd9"


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


def _pack(planes: NDArray[Any], bits: int) -> bytes:
    text = "".join(_find_bits(planes, bits))
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8).replace(b"\xff", b"\xff\0")


def _find_bits(planes: NDArray[Any], bits: int) -> Iterator[str]:
    rows, columns, count = planes.shape
    for row in range(rows):
        for column in range(columns):
            for index in range(count):
                if column:
                    predicted = planes[row, column - 1, index]
                else:
                    predicted = planes[row - 1, 0, index] if row else 1 << (bits - 1)
                difference = (int(planes[row, column, index]) - int(predicted) + 32767) % 65536 - 32767
                size = abs(difference).bit_length()
                extra = difference if difference >= 0 else difference + (1 << size) - 1
                yield f"{size:05b}" + (f"{extra:0{size}b}" if 0 < size < 16 else "")


def encode_runs(samples: NDArray[Any], _bits: int) -> bytes:
    """Return an RLE frame of the samples."""
    rows, columns = samples.shape[:2]
    return bytes(
        encode_pixel_data(
            samples.tobytes(),
            rows=rows,
            columns=columns,
            bits_allocated=8 * samples.dtype.itemsize,
            samples_per_pixel=samples.size // (rows * columns),
            number_of_frames=1,
            planar_configuration=0,
            byteorder="<",
        )
    )


ENCODERS: dict[str, Callable[[NDArray[Any], int], bytes]] = {
    "JPEG": encode_jpeg,
    "JPEG lossless": encode_lossless,
    "JPEG lossless, first order": encode_lossless,
    "JPEG 2000 lossless": encode_jpeg2000,
    "JPEG 2000": encode_jpeg2000,
    "RLE": encode_runs,
}


def build_deflated(body: bytes) -> bytes:
    """Return a DICOM file whose deflated data set is this one."""
    head = build_dicom(draw_ramp(), "deflated")
    length = 144 + int.from_bytes(head[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return head[:length] + packer.compress(body) + packer.flush()


def build_inflating(megabytes: int) -> bytes:
    """Return a small deflated DICOM file whose pixel data unpack to so many megabytes."""
    whole = build_dicom(draw_ramp(), meta=False)
    size = megabytes * 1_000_000
    at = whole.rindex(b"\xe0\x7f\x10\0OW") + 8
    return build_deflated(whole[:at] + size.to_bytes(4, "little") + bytes(size))


def build_nested(levels: int, *, stated: bool = False) -> bytes:
    """Return a DICOM file with sequences in sequences before its pixel data, so many levels deep."""
    whole = build_dicom(draw_ramp())
    if stated:
        bomb = b""
        for _ in range(levels):
            item = b"\xfe\xff\0\xe0" + len(bomb).to_bytes(4, "little") + bomb
            bomb = b"\x08\0\x40\x11SQ\0\0" + len(item).to_bytes(4, "little") + item
    else:
        unstated = b"\xff" * 4
        bomb = (b"\x08\0\x40\x11SQ\0\0" + unstated + b"\xfe\xff\0\xe0" + unstated) * levels
        bomb += (b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)) * levels
    at = whole.index(b"\x08\0\x60\0CS")
    return whole[:at] + bomb + whole[at:]


def build_endless_elements() -> bytes:
    """Return a DICOM file of millions of tiny attributes."""
    whole = build_dicom(draw_ramp())
    at = whole.index(b"\x08\0\x60\0CS")
    return whole[:at] + b"\x08\0\x01\0UN\0\0\0\0\0\0" * 2_300_000 + whole[at:]


def build_packed_runs(rows: int, columns: int, segments: int) -> bytes:
    """Return an RLE frame of runs of zeros that fill so many planes."""
    run = b"\x81\0" * -(-rows * columns // 128)
    offsets = [64 + index * len(run) for index in range(segments)]
    head = segments.to_bytes(4, "little") + b"".join(offset.to_bytes(4, "little") for offset in offsets)
    return head.ljust(64, b"\0") + run * segments


def build_palette(colours: NDArray[np.uint16]) -> dict[str, object]:
    """Return the attributes of a palette, uint16 N×3."""
    attributes: dict[str, object] = {}
    for name, column in zip(("Red", "Green", "Blue"), colours.T, strict=True):
        attributes[f"{name}PaletteColorLookupTableDescriptor"] = [len(column), 0, 16]
        attributes[f"{name}PaletteColorLookupTableData"] = column.astype("<u2").tobytes()
    return attributes


def build_largest_dicom(kind: str) -> bytes:
    """Return one of the largest DICOM files that are accepted, named in ``LARGEST_DICOM``."""
    if kind == "rle-ybr":
        colour = np.broadcast_to(np.uint8(0), (6250, 8000, 3))
        frame = build_packed_runs(6250, 8000, 3)
        return build_dicom(colour, "RLE", modality="XC", photometric="YBR_FULL", frame=frame)
    samples = np.zeros((5000, 5480, 3), np.uint8)
    return build_dicom(samples, "JPEG 2000", modality="XC", photometric="YBR_RCT")


LARGEST_DICOM = ("rle-ybr", "jpeg2000-colour")
