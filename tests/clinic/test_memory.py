"""Memory that one request has given back is kept for the next one."""

import platform
import subprocess
import sys

import pytest

# As many bytes as a photograph's pixels, written to in one thread after another, as requests are.
PROGRAM = """
import resource, threading
from secondlook.clinic.memory import keep_memory
{first}
def work():
    parts = [bytearray(b"x") * 1_500_000 for _ in range(4)]
def run(count):
    for _ in range(count):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
run(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
run(20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_faults(first: str) -> int:
    """Return the page faults of twenty threads after a first line."""
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(first=first)], capture_output=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_pages_are_not_taken_anew_for_each_thread() -> None:
    assert count_faults("keep_memory()") * 10 < count_faults("")
