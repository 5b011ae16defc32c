"""One upload in, one answer out; page and API call the same function."""

import base64
import io
import threading
from dataclasses import dataclass

from django.core.files.base import File
from PIL import Image

from secondlook.clinic.look.predictors import find_auto, find_choice, find_predictor
from secondlook.conditions import find_task
from secondlook.explanation.overlay import draw_overlay, encode_png
from secondlook.imaging.read import Picture, read_picture
from secondlook.inference.auto import Unplaced
from secondlook.inference.predictor import Prediction, Predictor, choose_target
from secondlook.inference.router import Route

# Reading the worst picture takes up to 600 MB for a moment: two at a time in a process, others wait their turn.
TURNS = threading.BoundedSemaphore(2)
HEATMAP_PX = 64
LONGEST_SHOWN_PX = 1024
SHOWN_TARGET_PX = 384  # a picture of 4 by 3 is read with at least as many pixels as are shown


@dataclass(frozen=True, slots=True)
class Answer:
    """What one picture gave.

    Attributes:
        prediction: What the predictor said.
        picture: The picture as it was read, without any metadata.
        predictor: Who said it.
        route: Where the picture was led, where nobody chose its task.
    """

    prediction: Prediction
    picture: Picture
    predictor: Predictor
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """What a picture gave that belongs to no task on offer.

    Attributes:
        prediction: Why.
        picture: The picture as it was read, without any metadata.
    """

    prediction: Unplaced
    picture: Picture


def answer_upload(upload: "File[bytes]", *, bundle: str | None = None, task: str | None = None) -> Answer | NoAnswer:
    """Read an uploaded picture once and predict; nothing of it is kept.

    Args:
        upload: The picture.
        bundle: Name of the bundle that answers.
        task: Where no bundle is named, the task; without one, or with ``auto``, the picture itself says it.

    Raises:
        InputError: The file is no picture that can be read, or the bundle or task is not on offer.
        BundleError: The bundles could not be loaded.
    """
    predictor = find_predictor(bundle) if bundle is not None else choose_predictor(task)
    with TURNS:
        return answer_picture(upload.read(), predictor)


def read_shown(upload: "File[bytes]", answer: Answer | NoAnswer) -> Picture:
    """Return the picture for people to look at: what the answer was made from, or where that was reduced, read anew.

    Raises:
        InputError: The file cannot be read any more.
    """
    if answer.picture.is_whole:
        return answer.picture
    upload.seek(0)
    with TURNS:
        return read_picture(upload.read(), target_px=SHOWN_TARGET_PX)


def choose_predictor(task: str | None) -> Predictor | None:
    """Return who answers a task; nothing where the picture itself is to say it.

    Raises:
        InputError: The task is not on offer.
        BundleError: The bundles could not be loaded.
    """
    chosen = find_choice(task)
    return find_predictor(chosen.name) if chosen else None


def read_upload(data: bytes, predictor: Predictor | None) -> Picture:
    """Return the very pixels that a file is answered from, by this predictor or where the picture is led.

    Raises:
        InputError: The file is no picture that can be read.
        BundleError: The bundles could not be loaded.
    """
    if predictor is None:
        return find_auto().lead(data)[0]
    # The target is the one that the predictor itself reads with, so that every door sees the same pixels.
    return read_picture(data, target_px=choose_target(predictor.bundle.facts.input_size_px))


def answer_picture(source: bytes | Picture, predictor: Predictor | None) -> Answer | NoAnswer:
    """Predict a picture, given as its file or as the pixels that ``read_upload`` made of it.

    Raises:
        InputError: The file is no picture that can be read.
        BundleError: The bundles could not be loaded.
    """
    if predictor is not None:
        picture = source if isinstance(source, Picture) else read_upload(source, predictor)
        return Answer(predictor.predict(picture), picture, predictor)
    auto = find_auto()
    looked = auto.look(source)
    if isinstance(looked.prediction, Unplaced):
        return NoAnswer(looked.prediction, looked.picture)
    return Answer(looked.prediction, looked.picture, auto.predictors[looked.prediction.task], looked.route)


def encode_heatmap(prediction: Prediction, label: str | None = None) -> str:
    """Return the heatmap of a label, the named one by default, as a PNG data URI, for what the network saw.

    Raises:
        InputError: The task has no such label.
    """
    chosen = prediction.label if label is None else find_task(prediction.task).find_label(label).key
    overlay = draw_overlay(prediction.heatmaps[chosen], (HEATMAP_PX, HEATMAP_PX))
    return encode_uri(encode_png(overlay), "image/png")


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
