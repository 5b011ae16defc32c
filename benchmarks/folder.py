"""A folder of pictures: `secondlook predict` against a plain Pillow + torch script and against ONNX Runtime alone.

The plain script runs the network of the bundle's recipe, with random weights: its speed is that of trained ones.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.plain import PlainModel
from benchmarks.timing import Work, measure_rates, print_table, read_options
from secondlook.imaging.read import read_picture
from secondlook.imaging.resize import resize_picture
from secondlook.inference.bundle import read_facts
from secondlook.inference.predictor import load_predictor
from secondlook.inference.session import Session
from tests.drawing import draw_lesion

PICTURES = 64
SIZE = (600, 450)  # HAM10000's
LABELS = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def draw_folder(folder: Path, *, count: int = PICTURES, size: tuple[int, int] = SIZE) -> list[Path]:
    """Write drawn lesions as JPEG and return their files."""
    files = []
    for seed in range(count):
        label = LABELS[seed % len(LABELS)]
        file = folder / label / f"{seed:03}.jpg"
        file.parent.mkdir(exist_ok=True)
        draw_lesion(seed, label, size=size).save(file, quality=92)
        files.append(file)
    return files


def run_process(command: list[str]) -> int:
    """Run a command that answers for the whole folder."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")
    return PICTURES


def prepare(bundle: Path, folder: Path, files: list[Path]) -> tuple[dict[str, Work], dict[str, Work]]:
    """Return the contenders within one process, and those started from the shell."""
    facts = read_facts(bundle)
    predictor = load_predictor(bundle)
    plain = PlainModel(facts)
    session = Session(bundle / "model.onnx")
    images = [resize_picture(read_picture(file).pixels, facts.input_size_px) for file in files]
    inside: dict[str, Work] = {
        "secondlook.load().predict": lambda: len(predictor.predict(files)),
        "plain Pillow + torch eager": lambda: len([plain.predict(file) for file in files]),
        "ONNX Runtime alone, no decoding": lambda: len([session.run(image[np.newaxis]) for image in images]),
    }
    secondlook = [str(Path(sys.executable).with_name("secondlook")), "predict", str(folder), "--format", "csv"]
    script = [sys.executable, "-m", "benchmarks.plain", str(bundle), str(folder)]
    outside: dict[str, Work] = {
        "secondlook predict": lambda: run_process([*secondlook, "--bundle", str(bundle)]),
        "plain Pillow + torch script": lambda: run_process(script),
    }
    return inside, outside


def run(bundle: Path, *, rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        inside, outside = prepare(bundle, Path(name), draw_folder(Path(name)))
        rates = measure_rates(inside, rounds=rounds, clock=time.process_time)
        print_table(
            f"{PICTURES} JPEG pictures of {SIZE[0]}×{SIZE[1]}, one thread, within a running process",
            "pictures/s of CPU",
            rates,
            ours="secondlook.load().predict",
        )
        rates = measure_rates(outside, rounds=max(1, rounds // 2))
        print_table(
            "The same from the shell, start included, by the clock on the wall",
            "pictures/s",
            rates,
            ours="secondlook predict",
        )


if __name__ == "__main__":
    chosen = read_options(__doc__ or "")
    run(chosen.bundle, rounds=chosen.rounds)
