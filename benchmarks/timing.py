"""Compare ways to do one job: taken in turns, so that a busy machine slows all of them alike."""

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from secondlook.inference.bundle import find_bundle

Work = Callable[[], int]


def measure_rates(
    contenders: Mapping[str, Work], *, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Run every contender once per round and return the median of its rates.

    Args:
        contenders: Name → a function that does the job and returns how many pictures it did.
        rounds: How often each is run; a first, unmeasured run warms it up.
        clock: The wall's, or ``time.process_time`` for work on one thread, which other work then does not disturb.
    """
    for work in contenders.values():
        work()
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            start = clock()
            done = work()
            rates[name].append(done / (clock() - start))
    return {name: statistics.median(values) for name, values in rates.items()}


def print_table(title: str, unit: str, figures: Mapping[str, float], *, ours: str) -> None:
    """Print figures with their ratio to ours."""
    print(f"\n{title}")
    width = max(map(len, figures))
    for name, figure in figures.items():
        print(f"  {name:<{width}}  {figure:9.2f} {unit}   {figure / figures[ours]:6.2f} ×")


def describe_machine() -> str:
    """Return the processor's name and the number of its cores, where the system tells."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()


def read_options(about: str, arguments: Iterable[str] | None = None) -> argparse.Namespace:
    """Read the options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--bundle", default="skin", help="a shipped bundle's name, or a bundle folder")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender is measured")
    options = parser.parse_args(None if arguments is None else list(arguments))
    options.bundle = find_bundle(options.bundle)
    return options
