"""Every route is called by every role, of the row's own practice and of another; the table is printed (`-s`)."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from secondlook.clinic.accounts.actors import find_actor
from secondlook.clinic.accounts.models import Practice, Role, User
from secondlook.clinic.accounts.rules import ROUTES, Audience, list_routes
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.services import make_token
from secondlook.clinic.audit.models import Entry
from tests.clinic.conftest import AsRole, MakePerson
from tests.clinic.rows import ADDRESSES, BODIES, OPEN, OWN, PERSONAL, Rows, make_rows

ROLES = (
    "anonymous",
    "patient",
    "other patient",
    "clinician",
    "reviewer",
    "administrator",
    "clinician elsewhere",
    "administrator elsewhere",
    "site administrator",
)
OUTSIDE = {"other patient", "clinician elsewhere", "administrator elsewhere"}
CLINICIANS = {"clinician", "clinician elsewhere", "reviewer"}
ADMINISTRATORS = {"administrator", "administrator elsewhere"}
PATIENTS = {"patient", "other patient"}
# Written out once more on purpose: what the rules' names promise.
PROMISED = {
    Audience.ANYBODY: set(ROLES),
    Audience.SIGNED_IN: set(ROLES) - {"anonymous"},
    Audience.MEMBER: CLINICIANS | ADMINISTRATORS | PATIENTS,
    Audience.CLINICAL: CLINICIANS,
    Audience.REVIEWER: {"reviewer"},
    Audience.ADMINISTRATOR: ADMINISTRATORS,
    Audience.PATIENT_OR_CLINICAL: CLINICIANS | PATIENTS,
    Audience.SITE_ADMINISTRATOR: {"site administrator"},
}
DOORS = ("api:", "v2")
Ask = Callable[[str, str, dict[str, Any]], Any]


@pytest.fixture
def people(practice: Practice, make_person: MakePerson) -> dict[str, User | None]:
    """Return somebody for each role."""
    elsewhere = Practice.objects.create(name="Practice by the sea", patients_see_results=True)
    return {
        "anonymous": None,
        "patient": make_person("patient"),
        "other patient": make_person("patient"),
        "clinician": make_person("clinician"),
        "reviewer": make_person("reviewer"),
        "administrator": make_person("administrator"),
        "clinician elsewhere": make_person("clinician", practice=elsewhere),
        "administrator elsewhere": make_person("administrator", practice=elsewhere),
        "site administrator": make_person(None, is_site_administrator=True),
    }


@pytest.fixture
def rows(practice: Practice, people: dict[str, User | None]) -> Rows:
    """Return a row of each kind, of the practice."""
    clinician, account = people["clinician"], people["patient"]
    assert clinician is not None
    assert account is not None
    return make_rows(practice, clinician=clinician, account=account)


@pytest.fixture
def browsers(people: dict[str, User | None], as_role: AsRole) -> dict[str, Client]:
    """Return a browser for each role, logged in."""
    return {role: as_role(user=user) if user else Client() for role, user in people.items()}


@pytest.fixture
def programs(people: dict[str, User | None]) -> dict[str, Client]:
    """Return a program for each role, with a token of every scope where its person is in a practice."""
    return {role: Client(headers=make_header(user)) for role, user in people.items()}


def make_header(user: User | None) -> dict[str, str]:
    """Return the header with a fresh token."""
    actor = find_actor(user) if user else None
    if actor is None:
        return {}
    _token, text = make_token(actor=actor, name="A program", scopes=tuple(Scope), days=3)
    return {"authorization": f"Bearer {text}"}


def list_operations() -> Iterator[tuple[str, str]]:
    """Give the name and a method of each operation of the API."""
    from secondlook.clinic.api.routes import api

    for operations in api.get_openapi_schema()["paths"].values():
        for method, operation in operations.items():
            yield f"api:{operation['operationId']}", method.upper()


def find_address(route: str, rows: Rows) -> str:
    """Return the address of a route, about the practice's row where it is about one."""
    place = list_routes()[route]
    if "<" not in place:
        return reverse(route)
    known = ADDRESSES | PERSONAL | OPEN
    assert route in known, f"{route} ({place}) has a key: write into tests/clinic/rows.py which row it is about."
    return reverse(route, kwargs=known[route](rows))


def ask(client: Client, method: str | None, address: str, body: Any) -> Any:
    """Return the response to a request; what takes no GET is posted to."""
    sent = json.dumps(body) if body is not None else ""
    response = client.generic(method or "GET", address, data=sent, content_type="application/json")
    return client.post(address) if method is None and response.status_code == 405 else response


def call(client: Client, method: str | None, address: str, body: Any) -> str:
    """Return in a word how a request ends; nothing that it does stays."""
    with transaction.atomic():
        response = ask(client, method, address, body)
        transaction.set_rollback(True)
    if response.status_code == 401 or response.headers.get("Location", "").startswith("/account/login/?next="):
        return "log in"
    return {403: "no", 404: "nothing", 302: "yes"}.get(response.status_code, "yes")


def expect(route: str, role: str) -> set[str]:
    """Return how a request must end."""
    if role not in PROMISED[ROUTES[route]]:
        # A program without a practice has no token, so it is nobody.
        return {"log in"} if role == "anonymous" or is_nobody(route, role) else {"no"}
    if route in OPEN or route in OWN:
        return {"yes", "nothing", "no"}
    if (route in ADDRESSES and role in OUTSIDE) or (route in PERSONAL and role != "clinician"):
        return {"nothing"}
    return {"yes"}


def is_nobody(route: str, role: str) -> bool:
    """Return whether somebody cannot have a token."""
    return route.startswith(DOORS) and role == "site administrator"


def test_every_route_answers_each_role_as_the_rules_promise(
    rows: Rows, browsers: dict[str, Client], programs: dict[str, Client]
) -> None:
    methods = dict(list_operations())
    table, wrong = {}, []
    for route in ROUTES:
        clients = programs if route.startswith(DOORS) else browsers
        address = find_address(route, rows)
        found = {role: call(clients[role], methods.get(route), address, BODIES.get(route, {})) for role in ROLES}
        table[route] = found
        wrong += [(route, role, found[role]) for role in ROLES if found[role] not in expect(route, role)]
    print_table(table)
    assert not wrong, "\n".join(f"{route} as {role}: {ended}" for route, role, ended in wrong)
    assert len(table) > 100


def print_table(table: dict[str, dict[str, str]]) -> None:
    """Print who gets what where."""
    print("\n" + "route".ljust(40) + " ".join(ROLES))  # noqa: T201 - the table is the point
    for route, found in table.items():
        print(route.ljust(40) + " ".join(found[role].ljust(len(role)) for role in ROLES))  # noqa: T201


def test_no_role_is_forgotten() -> None:
    assert set(Role.values) <= set(ROLES)
    assert PROMISED.keys() == set(Audience)


# Forms with no more than a patient's name, what belongs to a page that was logged, and what is refused without a word.
UNLOGGED = {
    *(f"cases:{verb}" for verb in ("new_patient", "new_lesion", "new_visit", "send", "small", "export", "opinion")),
    *("timeline:course", "timeline:difference", "keeping:data", "people:invite_patient"),
}


def test_whatever_shows_or_changes_something_of_a_patient_is_in_the_log(
    rows: Rows, browsers: dict[str, Client], programs: dict[str, Client]
) -> None:
    clinical, methods = {Audience.CLINICAL, Audience.PATIENT_OR_CLINICAL, Audience.REVIEWER}, dict(list_operations())
    silent = set()
    for route in (route for route, audience in ROUTES.items() if audience in clinical):
        client = programs["reviewer"] if route in methods else browsers["reviewer"]
        with transaction.atomic():
            before = Entry.objects.count()
            response = ask(client, methods.get(route), find_address(route, rows), BODIES.get(route, {}))
            if response.status_code < 400 and Entry.objects.count() == before:
                silent.add(route)
            transaction.set_rollback(True)
    assert silent == UNLOGGED
