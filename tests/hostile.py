"""Files that a reader must refuse, and the largest that it must bear: all made here, none committed."""

import io
import struct
import zipfile
import zlib

from PIL import Image, ImageCms

from tests.drawing import ORIENTATION_TAG, draw_lesion, encode

LARGEST = (8000, 6250)  # 50 megapixels
LARGEST_WEBP = (6100, 4500)  # what fits into memory: libwebp holds three copies


def build_png(width: int, height: int, *, depth: int = 8, colour: int = 2, rows: int | None = None) -> bytes:
    """Return a black PNG that claims this size and holds as many rows (all by default)."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = b"\0" + bytes(-(-width * samples * depth // 8))
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    palette = [build_chunk(b"PLTE", bytes(range(256)) * 3)] if colour == 3 else []
    header = build_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(palette) + build_chunk(b"IDAT", packed) + build_chunk(b"IEND", b"")


def build_chunk(name: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def insert_chunk(png: bytes, name: bytes, body: bytes) -> bytes:
    """Return the PNG with one more chunk after its header."""
    return png[:33] + build_chunk(name, body) + png[33:]


def build_profile_bomb() -> bytes:
    """Return a PNG whose colour profile unpacks to 64 MB."""
    body = b"x\0\0" + zlib.compress(bytes(1 << 26), 9)
    return insert_chunk(encode(draw_lesion(0, size=(40, 30)), "PNG"), b"iCCP", body)


def build_text_bomb() -> bytes:
    """Return a PNG whose comment unpacks to 64 MB."""
    body = b"x\0\0" + zlib.compress(bytes(1 << 26), 9)
    return insert_chunk(encode(draw_lesion(0, size=(40, 30)), "PNG"), b"zTXt", body)


def build_scan_bomb(scans: int = 2000) -> bytes:
    """Return a progressive JPEG whose last scan is repeated: few bytes, much work."""
    data = encode(draw_lesion(0, size=(64, 48)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def build_endless(kind: str) -> bytes:
    """Return a file of tens of megabytes of tiny parts, named in ``ENDLESS``, that costs a careless reader minutes."""
    file_format, at, part, count = ENDLESS[kind]
    if file_format == "BMP":
        header = struct.pack("<IHHIIiiHHIIiiII", 29_000_000, 0, 0, 54, 40, 8000, 6250, 1, 8, 1, 0, 0, 0, 0, 0)
        return b"BM" + header + part * count
    data = encode(draw_lesion(0, size=(64, 48)), file_format, progressive=True)
    place = data.rindex(at) if isinstance(at, bytes) else at
    return data[:place] + part[:2] * (file_format == "GIF") + part[2 * (file_format == "GIF") :] * count + data[place:]


def build_tile_bomb() -> bytes:
    """Return a 64×64 TIFF whose only tile claims 65,520 × 65,520 pixels."""
    packed = zlib.compress(bytes(64 * 64 * 3))
    tags = [(256, 4, 64), (257, 4, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1)]
    tags += [(322, 4, 65520), (323, 4, 65520), (324, 4, 8), (325, 4, len(packed))]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    start = 8 + len(packed) + len(packed) % 2
    body = packed.ljust(start - 8, b"\0") + struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", start) + body


def claim_jpeg_size(width: int, height: int) -> bytes:
    """Return a small JPEG whose header claims this size."""
    data = encode(draw_lesion(0, size=(64, 48)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def claim_gif_size(width: int, height: int, *, frame: bool = False) -> bytes:
    """Return a small GIF whose canvas, or first frame, claims this size."""
    data = encode(draw_lesion(0, size=(64, 48)), "GIF")
    at = data.index(b"\x2c", 13 + 768) + 5 if frame else 6
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


def claim_webp_size(width: int, height: int) -> bytes:
    """Return a small WebP whose canvas claims this size."""
    canvas = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + encode(draw_lesion(0, size=(64, 48)), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def claim_bmp_size(width: int, height: int) -> bytes:
    """Return a small BMP whose header claims this size."""
    data = encode(draw_lesion(0, size=(64, 48)), "BMP")
    return data[:18] + struct.pack("<ii", width, height) + data[26:]


def claim_tiff_size(width: int, height: int) -> bytes:
    """Return a small TIFF whose directory claims this size."""
    data = encode(draw_lesion(0, size=(64, 48)), "TIFF")
    for tag, old, new in ((256, 64, width), (257, 48, height), (278, 48, height)):
        entry = data.index(struct.pack("<HH", tag, 4) + struct.pack("<II", 1, old))
        data = data[: entry + 8] + struct.pack("<I", new) + data[entry + 12 :]
    return data


def build_zip() -> bytes:
    """Return a ZIP archive that holds a picture."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mole.jpg", encode(draw_lesion(0, size=(64, 48))))
    return stream.getvalue()


# Format, where the parts go, one part, how many. A GIF's comment block opens once.
ENDLESS: dict[str, tuple[str, int | bytes, bytes, int]] = {
    "jpeg-fill": ("JPEG", 2, b"\xff", 29_000_000),
    "jpeg-segments": ("JPEG", 2, b"\xff\xe1\0\2", 7_000_000),
    "jpeg-comments": ("JPEG", b"\xff\xda", b"\xff\xfe\0\2", 7_000_000),
    "gif-blocks": ("GIF", 13 + 768, b"\x21\xfe\1a", 14_000_000),
    "png-chunks": ("PNG", 33, build_chunk(b"tEXt", b""), 2_400_000),
    "bmp-runs": ("BMP", 0, b"\1\1", 14_000_000),
}

NOT_PICTURES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "an empty file"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>', "an SVG drawing"),
    "svg-bare": (b'\xef\xbb\xbf <svg width="9"></svg>', "an SVG drawing"),
    "html": (b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>", "a web page"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a PDF document"),
    "zip": (build_zip(), "a ZIP archive"),
    "mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64), "an MP4 or QuickTime video"),
    "mov": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(64), "an MP4 or QuickTime video"),
    "avi": (b"RIFF\x10\0\0\0AVI LIST" + bytes(64), "an AVI video"),
    "webm": (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01webm" + bytes(64), "a WebM or Matroska video"),
    "avif": (b"\0\0\0\x1cftypavif" + bytes(64), "an AVIF picture"),
    "text": (b"This is a note about a mole, and no picture of it.", "a text file"),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(64), "a program"),
    "random": (bytes(range(200, 256)) + bytes(64), "a file of an unknown kind"),
}

CLAIMS: dict[str, bytes] = {
    "jpeg": claim_jpeg_size(65500, 65500),
    "png": build_png(65500, 65500, rows=1),
    "gif-canvas": claim_gif_size(65500, 65500),
    "gif-frame": claim_gif_size(65500, 65500, frame=True),
    "webp": claim_webp_size(65500, 65500),
    "bmp": claim_bmp_size(65500, 65500),
    "tiff": claim_tiff_size(65500, 65500),
}


def build_largest(kind: str) -> bytes:
    """Return one of the largest files that are accepted, named in ``LARGEST_KINDS``."""
    mode, file_format, options = LARGEST_KINDS[kind]
    if kind == "png-colour-16":
        return build_png(*LARGEST, depth=16)
    image = Image.linear_gradient("L").resize(LARGEST_WEBP if file_format == "WEBP" else LARGEST)
    if mode == "I;16":
        image = image.convert("I").convert("I;16")
    elif mode in ("RGB", "RGBA", "CMYK"):
        image = Image.merge(mode, [image] * len(mode))
    else:
        image = image.convert(mode)
    return encode(image, file_format, **options)


_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_TURNED = Image.Exif()
_TURNED[ORIENTATION_TAG] = 6
LARGEST_KINDS: dict[str, tuple[str, str, dict[str, object]]] = {
    "jpeg": ("RGB", "JPEG", {"subsampling": 0}),
    "jpeg-profile-turned": ("RGB", "JPEG", {"icc_profile": _SRGB, "exif": _TURNED}),
    "jpeg-progressive": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "jpeg-cmyk": ("CMYK", "JPEG", {}),
    "jpeg-cmyk-progressive": ("CMYK", "JPEG", {"progressive": True}),
    "png-profile": ("RGB", "PNG", {"icc_profile": _SRGB, "compress_level": 1}),
    "png-alpha": ("RGBA", "PNG", {"compress_level": 1}),
    "png-palette": ("P", "PNG", {"compress_level": 1, "transparency": 3}),
    "png-grey-16": ("I;16", "PNG", {"compress_level": 1}),
    "png-colour-16": ("RGB", "PNG", {}),
    "gif": ("P", "GIF", {}),
    "webp-alpha-lossless": ("RGBA", "WEBP", {"lossless": True, "quality": 0, "method": 0}),
    "tiff-lzw": ("RGB", "TIFF", {"compression": "tiff_lzw"}),
    "tiff-float": ("F", "TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-cmyk": ("CMYK", "TIFF", {"compression": "tiff_adobe_deflate"}),
}
