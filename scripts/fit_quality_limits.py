"""Fit the limits of ``secondlook.imaging.quality`` on real pictures, and report what the present ones flag.

    python scripts/fit_quality_limits.py [--data FOLDER] [--sample 1500] [--seed 0]

Photographs (HAM10000, PAD-UFES-20) and radiographs (chests, knees) are fitted apart. A flag's limit is the figure that
0.1 % of the undamaged pictures do not reach. The limit beyond which a picture counts as impossible to judge is the
median figure of the same pictures severely damaged. Sizes are judged by what they cost in sharpness: pictures are
shrunk to a given shorter side and enlarged again.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from secondlook.conditions import Kind
from secondlook.imaging.quality import LIMITS, VIEW_PX, Limit, assess_quality, measure_quality
from secondlook.imaging.read import read_picture
from secondlook.imaging.resize import resize_picture

Pixels = NDArray[np.uint8]
Figures = list[dict[str, float]]
Limits = dict[str, Limit]
FOLDERS: dict[Kind, dict[str, tuple[str, ...]]] = {
    "photograph": {
        "HAM10000, 200×150": ("ham10000/images_200x150",),
        "HAM10000, 224×224": ("ham10000/images_224x224",),
        "PAD-UFES-20": ("pad_ufes20/images",),
    },
    "radiograph": {
        "chests, normal": ("chest_xray/train/NORMAL",),
        "chests, pneumonia": ("chest_xray/train/PNEUMONIA",),
        "knees": tuple(f"knee_oa/{part}/{grade}" for part in ("train", "val") for grade in range(5)),
    },
}


def blur(spread_px: float) -> Callable[[Pixels], Pixels]:
    """Return a Gaussian blur whose spread is given in pixels of the view that quality is measured on."""

    def damage(pixels: Pixels) -> Pixels:
        image = Image.fromarray(pixels)
        return np.asarray(image.filter(ImageFilter.GaussianBlur(spread_px * min(image.size) / VIEW_PX)))

    return damage


def expose(stops: float) -> Callable[[Pixels], Pixels]:
    """Return a change of exposure by so many stops, in light and not in grey levels."""

    def damage(pixels: Pixels) -> Pixels:
        light = (pixels / 255.0) ** 2.2 * 2.0**stops
        shown: Pixels = np.rint(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)
        return shown

    return damage


def fade(share: float) -> Callable[[Pixels], Pixels]:
    """Return a fading of every pixel towards the mean colour, to this share of the contrast."""

    def damage(pixels: Pixels) -> Pixels:
        mean = pixels.mean((0, 1))
        faded: Pixels = np.clip(np.rint(mean + (pixels - mean) * share), 0, 255).astype(np.uint8)
        return faded

    return damage


def shrink(side_px: int) -> Callable[[Pixels], Pixels]:
    """Return a reduction to a picture of this side."""
    return lambda pixels: resize_picture(pixels, side_px)


# For each flag: a mild damage, and the severe one whose median figure is the limit of what can be judged.
DAMAGES: dict[str, tuple[tuple[str, Callable[[Pixels], Pixels]], tuple[str, Callable[[Pixels], Pixels]]]] = {
    "blurred": (("blur of 2 px", blur(2)), ("blur of 4 px", blur(4))),
    "dark": (("2 stops less", expose(-2)), ("4 stops less", expose(-4))),
    "bright": (("1 stop more", expose(1)), ("2 stops more", expose(2))),
    "flat": (("contrast × 0.25", fade(0.25)), ("contrast × 0.1", fade(0.1))),
}
SIDES_PX = (128, 112, 96, 80, 64, 48, 40, 32, 24)


def read_sample(folders: list[Path], count: int, seed: int) -> list[Pixels]:
    """Return the pixels of a seeded sample of the pictures of some folders."""
    paths = sorted(path for folder in folders for path in folder.iterdir())
    chosen = np.random.default_rng(seed).choice(len(paths), min(count, len(paths)), replace=False)
    return [read_picture(paths[index]).pixels for index in sorted(chosen)]


def share_flagged(figures: Iterable[dict[str, float]], code: str, limits: Limits) -> float:
    """Return the share of figures that the present limit flags, in percent."""
    return 100 * float(np.mean([not limits[code].is_passed(figure[code]) for figure in figures]))


def share_stopped(figures: Iterable[dict[str, float]], code: str, limits: Limits) -> float:
    """Return the share of figures that the present limit makes impossible to judge, in percent."""
    return 100 * float(np.mean([not limits[code].is_evaluable(figure[code]) for figure in figures]))


def report_fit(undamaged: Figures, pictures: list[Pixels], limits: Limits) -> None:
    """Print fitted limits, and how the present ones do on damaged pictures."""
    print("flag      fitted flag/stop   present flag/stop   damaged pictures: flagged, impossible to judge")
    for code, damages in DAMAGES.items():
        figures = [figure[code] for figure in undamaged]
        flag = np.percentile(figures, 99.9 if limits[code].worse_above else 0.1)
        damaged = {name: [measure_quality(damage(pixels)) for pixels in pictures] for name, damage in damages}
        stop = np.median([figure[code] for figure in damaged[damages[1][0]]])
        shares = "; ".join(
            f"{name}: {share_flagged(found, code, limits):.1f} %, {share_stopped(found, code, limits):.1f} %"
            for name, found in damaged.items()
        )
        print(f"{code:8}  {flag:7.2f} {stop:7.2f}   {limits[code].flag:7.2f} {limits[code].stop:7.2f}       {shares}")


def report_sizes(pictures: list[Pixels], limits: Limits) -> None:
    """Print what a small size costs in sharpness."""
    print("shorter side: median sharpness, share of pictures below the sharpness limits (flag, stop)")
    for side in SIDES_PX:
        figures = [measure_quality(shrink(side)(pixels)) for pixels in pictures]
        median = np.median([figure["blurred"] for figure in figures])
        flagged, stopped = (share(figures, "blurred", limits) for share in (share_flagged, share_stopped))
        print(f"  {side:4} px: {median:5.2f}, {flagged:5.1f} %, {stopped:5.1f} %")


def report_shares(samples: dict[str, list[Pixels]], kind: Kind) -> None:
    """Print the share of undamaged pictures that the present limits flag."""
    for name, pictures in samples.items():
        found = [assess_quality(pixels, kind=kind) for pixels in pictures]
        by_code = {
            code: sum(any(flag.code == code for flag in quality.flags) for quality in found) for code in LIMITS[kind]
        }
        flagged = sum(bool(quality.flags) for quality in found)
        stopped = sum(not quality.evaluable for quality in found)
        counts = ", ".join(f"{code} {count}" for code, count in by_code.items() if count) or "none"
        share = 100 * flagged / len(found)
        print(f"{name}: {len(found)} pictures, {flagged} flagged ({share:.2f} %; {counts}), {stopped} not evaluable")


def main() -> None:
    """Measure, fit and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SECONDLOOK_DATA", "../shared/data")))
    parser.add_argument("--sample", type=int, default=1500, help="pictures of each folder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for kind, sets in FOLDERS.items():
        samples = {
            name: read_sample([options.data / folder for folder in folders], options.sample, options.seed)
            for name, folders in sets.items()
        }
        print(f"\n{kind}s")
        report_shares(samples, kind)
        undamaged = [measure_quality(pixels) for pictures in samples.values() for pixels in pictures]
        some = [pixels for pictures in samples.values() for pixels in pictures[:200]]
        report_fit(undamaged, some, LIMITS[kind])
        report_sizes(some, LIMITS[kind])


if __name__ == "__main__":
    main()
