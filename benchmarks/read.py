"""Reading pictures: a 12-megapixel photograph whole and reduced, and the peak memory of the largest files accepted.

python -m benchmarks.read
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from secondlook.imaging.limits import MAX_FILE_BYTES
from secondlook.imaging.read import read_picture
from secondlook.imaging.resize import resize_picture
from tests.drawing import draw_phone_photo, encode
from tests.hostile import LARGEST_KINDS, build_largest

ROUNDS = 5
TARGET_PX = 224
SCRIPT = """
import sys, time
from pathlib import Path
from secondlook.imaging.read import read_picture
started = time.process_time()
read_picture(Path(sys.argv[1]))
print(time.process_time() - started, Path("/proc/self/status").read_text())
"""


def measure_cpu_ms(work: Callable[[], object]) -> float:
    """Return the least processor time of a few rounds, in milliseconds."""
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - started))
    return min(spent)


def compare_scales() -> None:
    """Print what decoding a phone's photograph at reduced scale saves and changes."""
    data = encode(draw_phone_photo(0, "mel"), quality=90)
    whole = measure_cpu_ms(lambda: resize_picture(read_picture(data).pixels, TARGET_PX))
    reduced = measure_cpu_ms(lambda: resize_picture(read_picture(data, target_px=TARGET_PX).pixels, TARGET_PX))
    images = [resize_picture(read_picture(data, target_px=target).pixels, TARGET_PX) for target in (None, TARGET_PX)]
    change = np.abs(images[0].astype(int) - images[1]).mean()
    print(f"12-megapixel JPEG to {TARGET_PX} px: whole {whole:.0f} ms, reduced {reduced:.0f} ms")
    print(f"  {whole / reduced:.1f} times as fast; mean difference {change:.2f} of 255")


def measure_largest() -> None:
    """Print processor time and peak memory of the largest files, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "largest")
        for kind in LARGEST_KINDS:
            path.write_bytes(build_largest(kind).ljust(MAX_FILE_BYTES, b"\0"))
            with Image.open(path) as image:
                size = "{} × {}".format(*image.size)
            result = subprocess.run(
                [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True
            )
            seconds, status = result.stdout.split(" ", 1)
            peak = re.search(r"VmHWM:\s+(\d+) kB", status)
            print(f"{kind:24} {size}: {float(seconds):4.1f} s, {int(peak[1]) / 1024 if peak else 0:.0f} MB")


if __name__ == "__main__":
    compare_scales()
    measure_largest()
