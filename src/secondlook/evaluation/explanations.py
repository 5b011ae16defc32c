"""Whether a bundle's heatmaps can be believed: against random maps, lesion masks, occlusion and shuffled weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.data.masks import find_mask, read_mask
from secondlook.errors import DatasetError
from secondlook.evaluation.faithfulness import (
    align_mask,
    correlate_ranks,
    draw_centre,
    hits_inside,
    measure_area,
    measure_heat_inside,
    trace_deletion,
    trace_insertion,
)
from secondlook.evaluation.intervals import bootstrap_measures
from secondlook.evaluation.measures import DIGITS, write_interval
from secondlook.evaluation.metrics import compute_share
from secondlook.evaluation.stress.sample import draw_sample, map_pictures, read_original, seed_picture
from secondlook.explanation.heatmap import smooth_heatmap
from secondlook.imaging.read import Picture
from secondlook.inference.bundle import Bundle
from secondlook.inference.graph import shuffle_weights
from secondlook.inference.occlusion import CELLS, measure_occlusion, scale_maps
from secondlook.inference.predictor import Predictor, calibrate, read_input
from secondlook.inference.session import Session

Heat = NDArray[np.float32]
Floats = NDArray[np.float64]
Row = dict[str, Any]

PICTURES = 40
STEPS = 8
SHUFFLES = 3
CURVES = ("deletion", "insertion")
BASELINES = ("random", "centre")


@dataclass(frozen=True)
class Explained:
    """What is at hand to question a bundle's maps.

    Attributes:
        predictor: The bundle.
        shuffled: Its graph with shuffled weights, several times.
        masks: Folder of masks, or none.
        seed: Seed of the random maps.
    """

    predictor: Predictor
    shuffled: tuple[Session, ...]
    masks: Path | None
    seed: int

    @property
    def bundle(self) -> Bundle:
        """The bundle's files."""
        return self.predictor.bundle


def measure_explanations(
    predictor: Predictor,
    graph: bytes,
    manifest: Manifest,
    *,
    masks: Path | None = None,
    pictures: int | None = PICTURES,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> dict[str, Any]:
    """Measure whether the heatmaps of the named labels are better than maps that know nothing.

    Args:
        predictor: The bundle, ready to predict.
        graph: Its ``model.onnx``, to shuffle the weights of.
        manifest: The pictures.
        masks: A folder of lesion masks, each named like its picture (perhaps with ``_segmentation`` or ``_mask``).
        pictures: How many are drawn, evenly over the labels; None for all.
        seed: Seed of the draw, the random maps, the shuffling and the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        The ``explanations`` of ``evidence.json``; docs/stress.md explains it.

    Raises:
        DatasetError: There is no picture to measure on.
    """
    sample = draw_sample(manifest, pictures=pictures, seed=seed)
    shuffled = tuple(Session(shuffle_weights(graph, seed=seed + number)) for number in range(SHUFFLES))
    explained = Explained(predictor, shuffled, masks, seed)

    def question(path: Path) -> Row | None:
        picture = read_original(predictor.bundle.facts.input_size_px, path)
        return None if picture is None else question_picture(explained, picture, path)

    found = map_pictures(question, sample.manifest.paths(), description="Explaining", track=track)
    rows = [row for row in found if row is not None]
    if not rows:
        raise DatasetError("Expected pictures to explain; none of them can be read.")
    read = [row is not None for row in found]
    frame = sample.manifest.frame[read]
    groups = frame["group"].astype(str).to_numpy(dtype=np.str_)
    kept = Manifest(frame, sample.manifest.root, sample.manifest.task)

    def bound(names: Sequence[str]) -> dict[str, Any]:
        return _bound_means(rows, groups, names, seed=seed, resamples=resamples)

    return {
        "sample": {**sample.describe(), "pictures": len(kept), "groups": int(frame["group"].nunique())},
        "map": predictor.bundle.facts.graph.map,
        "steps": STEPS,
        **{curve: _describe_curve(curve, rows, bound) for curve in CURVES},
        "occlusion": bound(["occlusion/map", "occlusion/random", "occlusion/gain"]),
        "shuffled_weights": {"shuffles": SHUFFLES, **bound(["shuffled_weights/map", "shuffled_weights/random"])},
        "masks": _describe_masks(rows, bound),
    }


def question_picture(explained: Explained, picture: Picture, path: Path) -> Row:
    """Return every measure of one picture's map and of the maps that know nothing: name → number or curve."""
    predictor, bundle = explained.predictor, explained.bundle
    prediction = predictor.predict(picture)
    label = predictor.task.keys.index(prediction.label)
    _, image = read_input(picture, bundle.facts.input_size_px, resize=bundle.facts.resize)
    shown = prediction.heatmaps[prediction.label]
    generator = seed_picture(picture.pixels, "map", seed=explained.seed)
    noise = generator.random(shown.shape).astype(np.float32)
    maps = {"map": shown, "random": noise, "centre": draw_centre(shown.shape)}
    heats = {name: smooth_heatmap(heat, (image.shape[1], image.shape[0])) for name, heat in maps.items()}

    def answer(pixels: NDArray[np.uint8]) -> float:
        return float(calibrate(bundle.session.run(pixels[None]).logits[0], bundle.calibration)[label])

    row: Row = {}
    for curve, trace in zip(CURVES, (trace_deletion, trace_insertion), strict=True):
        better = -1 if curve == "deletion" else 1
        for name, heat in heats.items():
            row[f"{curve}/{name}/curve"] = trace(answer, image, heat, steps=STEPS)
            row[f"{curve}/{name}"] = measure_area(row[f"{curve}/{name}/curve"])
        row |= {f"{curve}/over_{name}": better * (row[f"{curve}/map"] - row[f"{curve}/{name}"]) for name in BASELINES}
    row |= _compare_occlusion(bundle.session, image, label, maps)
    maps_of_shuffled = (map_label(session, image, label) for session in explained.shuffled)
    row["shuffled_weights/map"] = np.mean([correlate_ranks(shown, other) for other in maps_of_shuffled])
    row["shuffled_weights/random"] = correlate_ranks(shown, noise)
    file = None if explained.masks is None else find_mask(explained.masks, path)
    return row if file is None else row | _compare_mask(read_mask(file), picture, prediction.seen, heats)


def map_label(session: Session, image: NDArray[np.uint8], label: int) -> Heat:
    """Return a graph's heatmap of one label, float32 h×w in 0…1, as the predictor shows it."""
    activation = session.run(image[None]).map
    return scale_maps(measure_occlusion(session, image) if activation is None else activation[0])[label]


def _compare_occlusion(session: Session, image: NDArray[np.uint8], label: int, maps: Mapping[str, Heat]) -> Row:
    """Compare maps with the model-free one, on its grid; a bundle whose map is that one agrees with itself."""
    hidden = scale_maps(measure_occlusion(session, image))[label]
    grid = {name: smooth_heatmap(heat, (CELLS, CELLS)) for name, heat in maps.items()}
    agreement = {f"occlusion/{name}": correlate_ranks(grid[name], hidden) for name in ("map", "random")}
    return agreement | {"occlusion/gain": agreement["occlusion/map"] - agreement["occlusion/random"]}


def _compare_mask(
    mask: NDArray[np.bool_], picture: Picture, seen: tuple[float, float, float, float], heats: Mapping[str, Heat]
) -> Row:
    height, width = picture.pixels.shape[:2]
    lesion = align_mask(mask, (width, height), seen=seen, size=heats["map"].shape)
    if not lesion.any() or lesion.all() or not heats["map"].any():
        return {}
    shares = {name: measure_heat_inside(heat, lesion) for name, heat in heats.items()}
    chance = float(lesion.mean())
    return {
        **{f"masks/{name}": share for name, share in shares.items()},
        "masks/chance": chance,
        "masks/over_chance": shares["map"] - chance,
        "masks/over_centre": shares["map"] - shares["centre"],
        "masks/pointing": float(hits_inside(heats["map"], lesion)),
    }


def _describe_curve(
    curve: str, rows: Sequence[Row], bound: Callable[[Sequence[str]], dict[str, Any]]
) -> dict[str, Any]:
    names = ("map", *BASELINES)
    means = {name: np.mean([row[f"{curve}/{name}/curve"] for row in rows], axis=0) for name in names}
    return {
        **bound([*(f"{curve}/{name}" for name in names), *(f"{curve}/over_{name}" for name in BASELINES)]),
        "curves": {name: np.round(mean, DIGITS).tolist() for name, mean in means.items()},
    }


def _describe_masks(rows: Sequence[Row], bound: Callable[[Sequence[str]], dict[str, Any]]) -> dict[str, Any]:
    count = sum("masks/map" in row for row in rows)
    names = ("map", "random", "centre", "chance", "over_chance", "over_centre", "pointing")
    return {"pictures": count, **bound([f"masks/{name}" for name in names])} if count else {}


def _bound_means(
    rows: Sequence[Row], groups: NDArray[np.str_], names: Sequence[str], *, seed: int, resamples: int
) -> dict[str, Any]:
    """Return the mean of each measure over the pictures that have it, with its interval, by the name's last part."""
    values = {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in names}

    def measure(weights: Floats) -> dict[str, Floats]:
        return {
            name: compute_share(weights[..., known] @ column[known], weights[..., known].sum(axis=-1))
            for name, column in values.items()
            if (known := ~np.isnan(column)).any()
        }

    bounded = bootstrap_measures(measure, groups, seed=seed, resamples=resamples)
    return {name.rpartition("/")[2]: write_interval(interval) for name, interval in bounded.items()}
