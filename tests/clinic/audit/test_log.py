"""The log as a practice's administrators see it; no one else does."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.test import Client

import secondlook.clinic
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.audit.search import PAGE_ROWS
from secondlook.clinic.audit.services import record
from secondlook.clinic.audit.words import ACTIONS
from tests.clinic.conftest import AsRole, MakePerson

CLINIC = Path(secondlook.clinic.__file__).parent


@pytest.fixture
def administrator(as_role: AsRole) -> Client:
    """Return an administrator's browser."""
    return as_role("administrator")


def read_log(client: Client, query: str = "") -> str:
    """Return the page."""
    response = client.get(f"/audit/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_log_tells_who_did_what(administrator: Client, make_person: MakePerson, practice: Practice) -> None:
    doctor = make_person("clinician", first_name="Ada", last_name="Hill")
    record(doctor, "patient.seen", practice=practice, kind="patient", key="abc123", details={"fields": ["name"]})
    page = read_log(administrator)
    for word in ("Patient seen", "Ada Hill", "abc123", "fields: name"):
        assert word in page
    assert "Logged in" in page


def test_another_practices_entries_are_not_there(administrator: Client) -> None:
    record(None, "patient.seen", practice=Practice.objects.create(name="Elsewhere"), key="theirs")
    assert "theirs" not in read_log(administrator)
    assert "theirs" not in read_csv(administrator)


def read_csv(client: Client, query: str = "") -> str:
    """Return the log as CSV."""
    response = client.get(f"/audit/log.csv{query}")
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ["patient", "clinician", "reviewer"])
@pytest.mark.parametrize("route", ["/audit/", "/audit/log.csv"])
def test_only_administrators_see_it(as_role: AsRole, role: str, route: str) -> None:
    assert as_role(role).get(route).status_code == 403


def test_it_is_narrowed_by_person_action_key_and_day(
    administrator: Client, make_person: MakePerson, practice: Practice
) -> None:
    doctor = make_person("clinician")
    record(doctor, "patient.seen", practice=practice, key="one")
    record(None, "pictures.expired", practice=practice, key="two")
    everything = read_log(administrator)
    assert "one" in everything
    assert "two" in everything
    for query in (f"?person={doctor.key}", "?action=patient.seen", "?key=one"):
        page = read_log(administrator, query)
        assert ">one</a>" in page, query
        assert ">two</a>" not in page, query
    assert "No entry fits" in read_log(administrator, "?until=2020-01-01")
    assert ">one</a>" in read_log(administrator, "?since=2020-01-01")
    assert ">one</a>" in read_log(administrator, "?since=nonsense&before=nonsense")


def test_a_long_log_has_pages(administrator: Client, practice: Practice) -> None:
    for number in range(PAGE_ROWS + 5):
        record(None, "patient.seen", practice=practice, key=f"k{number}")
    first = read_log(administrator)
    older = re.search(r'href="/audit/\?(before=\d+)"', first)
    assert older
    second = read_log(administrator, f"?{older[1]}")
    keys = [*re.findall(r">(k\d+)</a>", first), *re.findall(r">(k\d+)</a>", second)]
    assert keys == [f"k{number}" for number in reversed(range(PAGE_ROWS + 5))]
    assert "Latest" in second


def test_the_csv_holds_the_whole_list_and_is_itself_written_down(administrator: Client, practice: Practice) -> None:
    record(None, "patient.seen", practice=practice, key="k", details={"a": 1})
    rows = list(csv.DictReader(io.StringIO(read_csv(administrator))))
    assert [int(row["number"]) for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-2]["details"] == '{"a": 1}'
    assert rows[-1]["action"] == "audit.exported"
    narrowed = list(csv.DictReader(io.StringIO(read_csv(administrator, "?action=patient.seen"))))
    assert [row["key"] for row in narrowed] == ["k"]


def test_the_chain_can_be_checked_from_the_page(administrator: Client, practice: Practice) -> None:
    record(None, "patient.seen", practice=practice)
    page = administrator.post("/audit/verify/", follow=True).content.decode()
    assert "The log holds" in page
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET action = 'x' WHERE number = 2")
    page = administrator.post("/audit/verify/", follow=True).content.decode()
    assert "does not hold from entry 2 on" in page


def test_a_failed_login_is_written_down_without_what_was_tried(
    make_person: MakePerson, client: Client, practice: Practice
) -> None:
    user = make_person("clinician", email="ada@example.org", password="an unlikely heron 7")  # noqa: S106 - of nobody
    for email in ("ada@example.org", "nobody@example.org"):
        client.post("/account/login/", {"login": email, "password": "wrong and secret"})
    entry = Entry.objects.get(action="login.failed")
    assert (entry.key, entry.user_id, entry.practice_id) == (user.key, None, practice.pk)
    assert "secret" not in str(entry.details)


def test_every_action_has_words() -> None:
    found = set()
    for path in CLINIC.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'\brecord\(\s*[^()"]*"([a-z]+\.[a-z_]+)"', text))
    assert len(found) > 20
    assert found - set(ACTIONS) == set()
