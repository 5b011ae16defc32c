"""Pages that a data set is shown on: one HTML file each, which needs no network."""

import base64
import io
import os
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from PIL import Image

from secondlook.errors import DatasetError
from secondlook.imaging.read import read_picture

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style</style>
</head>
<body>
$body
</body>
</html>
""")


def write_page(path: Path, *, title: str, body: str) -> None:
    """Write a page, replaced atomically; its folder is made where it is missing.

    Args:
        path: The file.
        title: Plain text.
        body: HTML of everything inside the body.

    Raises:
        DatasetError: The file cannot be written.
    """
    style = files("secondlook.data").joinpath("page.css").read_text(encoding="utf-8")
    page = PAGE.substitute(title=escape(title), style=style, body=body)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise DatasetError(
            f"Expected to write the page {path.name}: {error.strerror}. Choose another place, or free some."
        ) from error


def draw_picture(path: Path, *, alt: str, side_px: int) -> str:
    """Return a picture as an HTML image that is part of the page, its longer side at most ``side_px``.

    Raises:
        InputError: The picture cannot be read.
    """
    image = Image.fromarray(read_picture(path, target_px=side_px).pixels)
    image.thumbnail((side_px, side_px))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=85)
    source = base64.b64encode(content.getvalue()).decode()
    width, height = image.size
    return f'<img src="data:image/jpeg;base64,{source}" width="{width}" height="{height}" alt="{escape(alt)}">'
