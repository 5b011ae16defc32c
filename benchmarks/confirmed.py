"""Similar confirmed cases of a practice with 100,000 confirmed pictures: time of a look, of the first one, and memory.

The embeddings are random around as many centres as there are labels, so that many lie close together as real ones do.
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import lists, practice

PICTURES = 111_120  # a tenth of them are another practice's
LONGEST_MS = 20


def fill_site(folder: Path, pictures: int) -> None:
    """Make a site with so many pictures that were all answered and confirmed."""
    practice.fill_site(folder, pictures)
    from secondlook.clinic.cases.models import Picture

    Picture.objects.update(confirmed_label="nv", reviewed=True)


def measure(rounds: int) -> None:
    """Ask for the similar cases of results all over the practice, and print how long that takes."""
    from secondlook.clinic.accounts.actors import find_actor
    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.cases.models import Result
    from secondlook.clinic.timeline.similar import find_similar, open_cases

    actor = find_actor(User.objects.get())
    assert actor is not None
    asked = Result.objects.filter(picture__practice=actor.practice).exclude(triage="not_evaluable")
    results = list(asked.select_related("picture")[: 50 * rounds : 50])
    before = lists.read_peak_mb()
    start = time.perf_counter()
    assert find_similar(actor, results[0])
    first = time.perf_counter() - start
    spent = []
    for result in results:
        begun = time.perf_counter(), time.thread_time()
        assert find_similar(actor, result)
        spent.append((1000 * (time.perf_counter() - begun[0]), 1000 * (time.thread_time() - begun[1])))
    wall, cpu = (statistics.quantiles(values, n=20)[-1] for values in zip(*spent, strict=True))
    cases = len(open_cases(actor.practice.pk, results[0].bundle_sha256))
    print(f"\nSimilar confirmed cases among {cases:,} pictures of {practice.DIMENSIONS} numbers in SQLite")
    verdict = "" if wall <= LONGEST_MS else "   TOO SLOW"
    print(f"  one look: p95 {wall:.1f} ms by the clock, {cpu:.1f} ms of the processor{verdict}")
    print(f"  the first look, which loads them all: {first:.1f} s")
    now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  most memory of the process: {now:.0f} MB, before that {before:.0f} MB")


def run(
    _bundle: Path | None = None, *, rounds: int = 100, pictures: int = PICTURES, folder: Path | None = None
) -> None:
    """Fill a database in a process of its own, and measure in this one."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        if not (place / "secondlook.sqlite3").exists():
            filling = multiprocessing.get_context("spawn").Process(target=fill_site, args=(place, pictures))
            filling.start()
            filling.join()
        practice.set_up(place)
        measure(rounds)


def main() -> None:
    """Run with options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="how often similar cases are asked for")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="rows in the database")
    parser.add_argument("--folder", type=Path, help="a site that was filled before, or where it is kept for next time")
    options = parser.parse_args()
    run(rounds=options.rounds, pictures=options.pictures, folder=options.folder)


if __name__ == "__main__":
    main()
