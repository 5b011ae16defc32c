"""Server time of every list, on pages and by the API, with 100,000 pictures in the database; memory of the process.

Each address is asked by Django's test client through the whole middleware: pages as somebody who is logged in, the API
with a bearer token.
"""

import argparse
import multiprocessing
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.practice import fill_site, set_up

if TYPE_CHECKING:
    from django.test import Client

LONGEST_MS = 100
LARGEST_MB = 400


def log_in() -> "Client":
    """Return a browser in which a doctor is logged in who is all that lists may ask for."""
    from django.test import Client

    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.accounts.sessions import PROVEN

    client = Client(headers={"accept-language": "en"}, SERVER_NAME="localhost")
    client.force_login(User.objects.get())
    session = client.session
    session[PROVEN] = True
    session.save()
    return client


# The keys are those of rows that lie late in their lists.
PAGES = {
    "patients": "/patients/",
    "patients by name": "/patients/?text=chloe+7",
    "patients, no such name": "/patients/?text=zzz",
    "patients, newest": "/patients/?sort=new",
    "patients with an urgent result": "/patients/?triage=urgent",
    "lesions": "/lesions/",
    "patients, late": "/patients/?sort=new&after={patient}",
    "lesions, late": "/lesions/?after={lesion}",
    "lesions, urgent": "/lesions/?triage=urgent",
    "lesions, label and dates": "/lesions/?label=skin:df&since=2024-01-01&until=2024-06-30",
    "lesions by patient": "/lesions/?text=gul+77",
    "results": "/results/",
    "results, oldest": "/results/?sort=old",
    "results, highest probability": "/results/?sort=risk",
    "results, late": "/results/?after={picture}",
    "results, urgent and late": "/results/?triage=urgent&after={picture}",
    "results, urgent": "/results/?triage=urgent",
    "results, rare mixture": "/results/?triage=urgent&label=skin:df&review=disagreed",
    "results that fit nothing": "/results/?triage=urgent&label=skin:df&review=disagreed&until=1999-01-01",
    "results by date": "/results/?since=2023-03-01&until=2023-03-07",
    "results waiting for review": "/results/?review=waiting",
    "results where doctor and model disagree": "/results/?review=disagreed",
    "results by patient": "/results/?text=igor+42",
    "results of half the patients": "/results/?text=sen+1&triage=refer",
    "review queue": "/review/",
    "home": "/",
    "audit log": "/audit/",
    "audit log of a picture": "/audit/?key={picture}",
}
DOORS = {
    "patients": "/patients",
    "patients, 100 late": "/patients?limit=100&after={patient}",
    "patients by name": "/patients?text=chloe+7",
    "patients, no such name": "/patients?text=zzz",
    "patients with an urgent result": "/patients?triage=urgent",
    "lesions": "/lesions",
    "lesions, 100 late": "/lesions?limit=100&after={lesion}",
    "lesions of a patient": "/lesions?patient={patient}",
    "lesions, urgent": "/lesions?triage=urgent",
    "lesions, rare mixture": "/lesions?triage=urgent&label=df",
    "visits": "/visits",
    "visits, 100 late": "/visits?limit=100&after={visit}",
    "visits of a patient": "/visits?patient={patient}",
    "pictures": "/pictures",
    "pictures, 100 late": "/pictures?limit=100&after={picture}",
    "pictures of a patient": "/pictures?patient={patient}",
    "pictures of a visit": "/pictures?visit={visit}",
    "pictures of a lesion": "/pictures?lesion={lesion}",
    "pictures, urgent": "/pictures?triage=urgent",
    "pictures, urgent, not acknowledged": "/pictures?triage=urgent&acknowledged=false",
    "pictures waiting for review": "/pictures?state=answered&reviewed=false",
    "pictures where doctor and model disagree": "/pictures?disagreed=true",
    "pictures, rare mixture": "/pictures?triage=urgent&task=skin&label=df&disagreed=true",
    "pictures that fit nothing": "/pictures?state=failed&label=df",
    "results": "/results",
    "results, 100 late": "/results?limit=100&after={result}",
    "results of a picture": "/results?picture={picture}",
    "opinions": "/opinions",
    "opinions, 100 late": "/opinions?limit=100&after={opinion}",
    "opinions on a picture": "/opinions?picture={picture}",
}


def find_keys() -> dict[str, str]:
    """Return the keys of an opinion that lies late in its list, and of all that it is about."""
    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.cases.models import Opinion

    practice = User.objects.get().memberships.all()[0].practice
    given = Opinion.objects.filter(practice=practice).order_by("pk")
    shown = given.select_related("result", "picture__patient", "picture__visit", "picture__lesion")
    opinion: Any = shown[given.count() // 20]
    picture = opinion.picture
    rows = (opinion, opinion.result, picture, picture.patient, picture.visit, picture.lesion)
    return {row._meta.model_name: row.key for row in rows}


def take_token() -> "Client":
    """Return a program that has a token of the doctor's."""
    from django.test import Client

    from secondlook.clinic.accounts.actors import find_actor
    from secondlook.clinic.accounts.models import User
    from secondlook.clinic.api.models import Scope
    from secondlook.clinic.api.services import make_token

    actor = find_actor(User.objects.get())
    assert actor is not None
    _token, text = make_token(actor=actor, name="benchmark", scopes=tuple(Scope), days=1)
    return Client(headers={"authorization": f"Bearer {text}"}, SERVER_NAME="localhost")


def measure_addresses(client: "Client", addresses: dict[str, str], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the 95th percentiles of each address's milliseconds by the clock, and of the processor's; in turns."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in addresses}
    for turn in range(rounds + 1):
        for name, address in addresses.items():
            start = time.perf_counter(), time.thread_time()
            response = client.get(address)
            spent = 1000 * (time.perf_counter() - start[0]), 1000 * (time.thread_time() - start[1])
            assert response.status_code == 200, f"{address}: {response.status_code}"
            if turn:  # the first warms templates and caches up
                times[name].append(spent)
    return {
        name: (read_p95(wall), read_p95(cpu))
        for name, (wall, cpu) in ((name, tuple(zip(*spent, strict=True))) for name, spent in times.items())
    }


def read_p95(values: Iterable[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def walk_pages(client: "Client", pages: int) -> float:
    """Go through the results page by page, and return the slowest page's milliseconds of the processor."""
    address, slowest = "/results/?triage=routine", 0.0
    for _page in range(pages):
        start = time.thread_time()
        content = client.get(address).content.decode()
        slowest = max(slowest, 1000 * (time.thread_time() - start))
        onward = re.search(r'rel="next" href="([^"]+)"', content)
        assert onward, f"{address} has no next page"
        address = onward[1].replace("&amp;", "&")
    return slowest


def run(_bundle: Path | None = None, *, rounds: int = 40, pictures: int = 100_000, folder: Path | None = None) -> None:
    """Fill a database, then measure every list, each in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        if not (place / "secondlook.sqlite3").exists():
            run_apart(fill_site, place, pictures)
        run_apart(measure_site, place, rounds)


def run_apart(work: Callable[..., None], *arguments: Any) -> None:
    """Do something in a process of its own, whose memory is then its own too."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == 0, f"{work.__name__} failed"


def measure_site(folder: Path, rounds: int) -> None:
    """Print what every list takes in a web process with its models loaded."""
    set_up(folder)
    from secondlook.clinic.cases.models import Picture
    from secondlook.clinic.look.predictors import start_loading

    start_loading().result()
    pictures, keys, browser = Picture.objects.count(), find_keys(), log_in()
    pages = {name: address.format(**keys) for name, address in PAGES.items()}
    doors = {name: "/api/v1" + address.format(**keys) for name, address in DOORS.items()}
    print(f"\nLists of the clinic, {pictures:,} pictures in SQLite")
    print_times(measure_addresses(browser, pages, rounds))
    print(f"  {'the slowest of 40 pages in a row':<42}  {walk_pages(browser, 40):27.1f} ms of the processor")
    print(f"\nThe same by the API, {pictures:,} pictures in SQLite")
    print_times(measure_addresses(take_token(), doors, rounds))
    peak = read_peak_mb()
    print(f"  memory of the process, its models loaded: {peak:.0f} MB{'   TOO LARGE' if peak > LARGEST_MB else ''}")


def print_times(times: dict[str, tuple[float, float]]) -> None:
    """Print 95th percentiles."""
    for name, (wall, cpu) in times.items():
        verdict = "" if wall <= LONGEST_MS else "   TOO SLOW"
        print(f"  {name:<42}  p95 {wall:6.1f} ms by the clock, {cpu:5.1f} ms of the processor{verdict}")


def read_peak_mb() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run with options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="how often each list is asked for")
    parser.add_argument("--pictures", type=int, default=100_000, help="rows in the database")
    parser.add_argument("--folder", type=Path, help="a site that was filled before, or where it is kept for next time")
    options = parser.parse_args()
    run(rounds=options.rounds, pictures=options.pictures, folder=options.folder)


if __name__ == "__main__":
    main()
