"""The worst files that are accepted, read in a process of their own whose peak memory is measured."""

import subprocess
import sys
from pathlib import Path

import pytest

from secondlook.imaging.limits import MAX_FILE_BYTES
from tests.hostile import build_largest

LIMIT_MB = 600
# The hungriest of each way to decode; ``benchmarks/read.py`` measures all.
WORST = ("jpeg-profile-turned", "jpeg-cmyk-progressive", "webp-alpha-lossless", "tiff-float")
# The peak comes from the kernel's own record: ru_maxrss would count the parent that was forked from.
SCRIPT = """
import re, sys
from pathlib import Path
from secondlook.imaging.read import read_picture
picture = read_picture(Path(sys.argv[1]))
assert picture.source.width * picture.source.height > 27_000_000
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("kind", WORST)
def test_the_largest_files_stay_under_the_limit(kind: str, tmp_path: Path) -> None:
    data = build_largest(kind)
    assert len(data) <= MAX_FILE_BYTES
    path = tmp_path / "largest"
    path.write_bytes(data.ljust(MAX_FILE_BYTES, b"\0"))
    result = subprocess.run([sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) / 1024 < LIMIT_MB
