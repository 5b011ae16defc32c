"""One upload in, one answer out; page and API call the same function."""

import base64
import io
import threading
from dataclasses import dataclass

from django.core.files.base import File
from PIL import Image

from secondlook.clinic.look.predictors import find_predictor
from secondlook.explanation.overlay import draw_overlay, encode_png
from secondlook.imaging.read import Picture, read_picture
from secondlook.imaging.resize import read_size
from secondlook.inference.predictor import Prediction, Predictor

# Reading the worst picture takes up to 600 MB for a moment: two at a time in a process, others wait their turn.
TURNS = threading.BoundedSemaphore(2)
HEATMAP_PX = 64
LONGEST_SHOWN_PX = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What one picture gave.

    Attributes:
        prediction: What the predictor said.
        picture: The picture as it was read, without any metadata.
        predictor: Who said it.
    """

    prediction: Prediction
    picture: Picture
    predictor: Predictor


def answer_upload(upload: "File[bytes]", *, bundle: str | None = None) -> Answer:
    """Read an uploaded picture once and predict; nothing of it is kept.

    Raises:
        InputError: The file is no picture that can be read, or the bundle is not on offer.
        BundleError: The bundles could not be loaded.
    """
    predictor = find_predictor(bundle)
    with TURNS:
        # The target is the one that the predictor itself reads with, so that every door sees the same pixels.
        picture = read_picture(upload.read(), target_px=max(read_size(predictor.bundle.facts.input_size_px)))
        return Answer(predictor.predict(picture), picture, predictor)


def encode_heatmap(prediction: Prediction) -> str:
    """Return the heatmap of the label as a PNG data URI, for the part of the picture that the network saw."""
    return encode_uri(encode_png(draw_overlay(prediction.heatmap, (HEATMAP_PX, HEATMAP_PX))), "image/png")


def encode_picture(picture: Picture) -> str:
    """Return the picture as a JPEG data URI of moderate size, for any browser to show."""
    image = Image.fromarray(picture.pixels)
    image.thumbnail((LONGEST_SHOWN_PX, LONGEST_SHOWN_PX), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=88)
    return encode_uri(stream.getvalue(), "image/jpeg")


def encode_uri(content: bytes, media_type: str) -> str:
    """Return the content as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
