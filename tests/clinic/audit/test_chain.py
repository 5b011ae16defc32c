"""The log only grows, and whatever is done to it behind its back is found."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from secondlook.clinic.accounts.actors import find_actor
from secondlook.clinic.accounts.models import Practice, User
from secondlook.clinic.audit.chain import FIRST, ChainError, Head, prove_chain, seal_entry
from secondlook.clinic.audit.guards import install_guards, remove_guards
from secondlook.clinic.audit.models import Entry
from secondlook.clinic.audit.services import record

MakePerson = Callable[..., User]


@pytest.fixture
def log(practice: Practice, make_person: MakePerson) -> list[Entry]:
    """Return the entries of a log."""
    actor = find_actor(make_person("clinician"))
    assert actor
    return [
        record(actor, "patient.seen", about=practice),
        record(actor.user, "login.done"),
        record(None, "retention.done", practice=practice, details={"pictures": 3, "dé": [1.5, None]}),
        record(actor, "export.made", kind="patient", key="abc"),
    ]


@pytest.fixture
def guards(db: None) -> Iterator[None]:
    """Have the database itself refuse changes."""
    install_guards(connection)
    yield
    remove_guards(connection)


def prove(**options: Any) -> Head:
    """Prove the chain as it is in the database."""
    return prove_chain(Entry.objects.order_by("number"), **options)


def run(statement: str, *parameters: object) -> None:
    """Change the database behind the site's back."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_an_untouched_chain_holds(log: list[Entry]) -> None:
    assert [entry.number for entry in log] == [1, 2, 3, 4]
    assert prove() == Head(4, log[-1].seal)
    assert prove(known=Head(2, log[1].seal)) == prove(known=Head(0, FIRST)) == prove()


def test_an_empty_chain_holds(db: None) -> None:
    assert prove() == Head(0, FIRST)


def test_an_entry_says_who_did_what_where(log: list[Entry], practice: Practice) -> None:
    seen, login, retention, _ = (Entry.objects.get(number=number) for number in (1, 2, 3, 4))
    assert (seen.user_id, seen.practice_id, seen.kind, seen.key) == (
        log[0].user_id,
        practice.pk,
        "practice",
        practice.key,
    )
    assert (login.practice_id, retention.user_id) == (None, None)
    assert retention.details == {"pictures": 3, "dé": [1.5, None]}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "patient.saved"),
        ("user_id", 0),
        ("practice_id", None),
        ("at", "2020-01-01 00:00:00"),
        ("key", "other"),
        ("kind", "other"),
        ("details", '{"pictures": 4}'),
        ("seal", "0" * 64),
    ],
)
@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_changed_entry_is_found(log: list[Entry], column: str, value: object, number: int) -> None:
    run(f"UPDATE audit_entry SET {column} = %s WHERE number = %s", value, number)  # noqa: S608 - names of ours
    with pytest.raises(ChainError, match=f"Entry {number} "):
        prove()


def test_a_removed_entry_is_found(log: list[Entry]) -> None:
    run("DELETE FROM audit_entry WHERE number = 2")
    with pytest.raises(ChainError, match="After entry 1 comes entry 3"):
        prove()


def test_a_removed_entry_is_found_though_the_others_are_numbered_anew(log: list[Entry]) -> None:
    run("DELETE FROM audit_entry WHERE number = 2")
    run("UPDATE audit_entry SET number = 2 WHERE number = 3")
    run("UPDATE audit_entry SET number = 3 WHERE number = 4")
    with pytest.raises(ChainError, match="Entry 2 "):
        prove()


def test_a_cut_end_is_found_by_who_knows_it(log: list[Entry]) -> None:
    known = prove()
    run("DELETE FROM audit_entry WHERE number > 2")
    assert prove().number == 2
    with pytest.raises(ChainError, match="it was cut"):
        prove(known=known)


def test_a_chain_written_anew_without_the_key_is_found(log: list[Entry], settings: Any) -> None:
    key = settings.FILES_KEY
    settings.FILES_KEY = bytes(range(32))
    entry = Entry.objects.get(number=1)
    run("UPDATE audit_entry SET seal = %s WHERE number = 1", seal_entry(entry, before=FIRST))
    settings.FILES_KEY = key
    with pytest.raises(ChainError, match="Entry 1 "):
        prove()


def test_an_entry_of_another_course_of_the_log_is_found(log: list[Entry]) -> None:
    other = Entry.objects.get(number=3)
    other.action = "patient.saved"
    # Sealed with the right key, as if it came from a backup in which something else had happened.
    run(
        "UPDATE audit_entry SET action = %s, seal = %s WHERE number = 3",
        other.action,
        seal_entry(other, before=log[1].seal),
    )
    with pytest.raises(ChainError, match="Entry 4 "):
        prove()


def test_an_entry_goes_with_its_transaction(log: list[Entry]) -> None:
    with transaction.atomic():
        record(None, "patient.changed")
        transaction.set_rollback(True)
    assert record(None, "patient.changed").number == 5
    assert prove().number == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: Entry.objects.update(action="x"),
        lambda entry: Entry.objects.all().delete(),
        lambda entry: Entry.objects.filter(number=1).delete(),
    ],
)
def test_the_models_refuse_to_change_an_entry(log: list[Entry], change: Callable[[Entry], object]) -> None:
    with pytest.raises(TypeError, match="only grows"):
        change(log[0])


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_the_database_refuses_to_change_an_entry(log: list[Entry], guards: None, statement: str) -> None:
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        run(statement)
    assert prove().number == 4
    assert record(None, "site.started").number == 5
