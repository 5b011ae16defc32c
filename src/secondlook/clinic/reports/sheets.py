"""One picture as a report shows it: with its outline, with its heatmap, and with all that was said of it."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from secondlook.clinic.cases.models import Opinion, Picture, Result
from secondlook.clinic.cases.results import present_result, restore_outline, restore_prediction
from secondlook.clinic.files.services import read_file
from secondlook.clinic.look.presentation import Presented, PresentedNowhere
from secondlook.clinic.timeline.course import Comparison
from secondlook.explanation.contour import Line
from secondlook.explanation.overlay import blend_overlay
from secondlook.explanation.segmentation.preparation import Pixels
from secondlook.imaging.read import read_picture
from secondlook.inference.predictor import Prediction

LONGEST_PX = 900
HALO, BORDER, OUTSIDE = "#101418", "#ffffff", "#e6ebea"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture of a report.

    Attributes:
        picture: The picture.
        number: Its place in the report.
        plain: Name of the drawing with the outline.
        heated: Name of the drawing with the heatmap; empty where there is none.
        result: The latest answer; nothing where there is none.
        answer: The same in the patient's language.
        opinions: What doctors and the histology said, the latest first.
    """

    picture: Picture
    number: int
    plain: str
    heated: str
    result: Result | None
    answer: Presented | PresentedNowhere | None
    opinions: tuple[Opinion, ...]


def make_sheet(picture: Picture, *, number: int) -> tuple[Sheet, dict[str, bytes]]:
    """Return a picture for a report in the language that is set, and its drawings by name.

    Raises:
        FileLostError: The picture's file is not there.
        BundleError: The bundles could not be loaded.
    """
    result = picture.results.first()
    pixels = read_small(picture)
    drawn = {f"plain-{number}": draw_plain(pixels, result)}
    heat = draw_heat(pixels, result)
    if heat:
        drawn[f"heated-{number}"] = heat
    sheet = Sheet(
        picture=picture,
        number=number,
        plain=f"plain-{number}",
        heated=f"heated-{number}" if heat else "",
        result=result,
        answer=present_result(result) if result else None,
        opinions=tuple(picture.opinions.select_related("author", "result")),
    )
    return sheet, drawn


def read_small(picture: Picture) -> Pixels:
    """Return a picture as large as paper can show it: uint8 H×W×3, RGB."""
    image = Image.fromarray(read_picture(read_file(picture.shown), target_px=LONGEST_PX).pixels)
    image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.BICUBIC)
    return np.asarray(image)


def draw_plain(pixels: Pixels, result: Result | None) -> bytes:
    """Return the picture with the lesion's outline as JPEG."""
    image = Image.fromarray(pixels)
    outline = restore_outline(result) if result else None
    if outline is not None:
        draw_border(image, outline.border * (image.width / outline.size[0]))
    return encode_jpeg(image)


def draw_border(image: Image.Image, border: Line) -> None:
    """Draw a closed line over a picture, in place."""
    points = [(float(x), float(y)) for x, y in np.vstack([border, border[:1]])]
    draw = ImageDraw.Draw(image)
    for colour, width in ((HALO, 5), (BORDER, 3)):
        draw.line(points, fill=colour, width=width, joint="curve")


def draw_comparison(comparison: Comparison) -> dict[str, bytes]:
    """Return both pictures with the lesion's outline, the later one laid over the earlier one where they match.

    Raises:
        FileLostError: A picture's file is not there.
    """
    drawn = []
    for picture, sight in zip((comparison.earlier, comparison.later), comparison.pair.sights, strict=True):
        image = Image.fromarray(read_small(picture))
        if sight.border is not None:
            draw_border(image, sight.border * (image.width / sight.width))
        drawn.append(image)
    earlier, later = drawn
    if comparison.aligned:
        factors = [image.width / sight.width for image, sight in zip(drawn, comparison.pair.sights, strict=True)]
        way = comparison.pair.registration.placement.rescale(factors[0], factors[1])
        numbers = (way.across, -way.down, way.shift_x, way.down, way.across, way.shift_y)
        later = later.transform(
            earlier.size, Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC, fillcolor=OUTSIDE
        )
    return {"earlier": encode_jpeg(earlier), "later": encode_jpeg(later)}


def draw_heat(pixels: Pixels, result: Result | None) -> bytes:
    """Return the picture with its heatmap as JPEG; nothing where there is none."""
    prediction = restore_prediction(result) if result else None
    if not isinstance(prediction, Prediction) or not prediction.heatmaps:
        return b""
    return encode_jpeg(blend_overlay(pixels, prediction.heatmap, seen=prediction.seen))


def encode_jpeg(image: Image.Image) -> bytes:
    """Return a picture as JPEG."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    return stream.getvalue()
