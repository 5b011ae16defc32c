"""How SQLite finds the rows of each list: never by going through a table, and by a visit where one is named."""

from datetime import date
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from secondlook.clinic.accounts.actors import find_actor
from secondlook.clinic.accounts.models import Practice
from secondlook.clinic.cases.models import Lesion, Patient, Picture, Visit
from secondlook.clinic.keeping.work import count_rows
from tests.clinic.api.conftest import MakeProgram, Program

LISTS = ("patients", "lesions", "visits", "pictures", "results", "opinions")


def explain_list(program: Program, address: str, table: str) -> list[str]:
    """Return how SQLite finds which rows are on a page."""
    with CaptureQueriesContext(connection) as asked:
        assert program.ask("GET", f"/api/v1/{address}").status_code == 200
    picked = next(one["sql"] for one in asked.captured_queries if one["sql"].startswith(f'SELECT "{table}"."id" AS'))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {picked}")
        return [str(row[3]) for row in cursor.fetchall()]


@pytest.mark.parametrize(("role", "name"), [*product(["clinician"], LISTS), *product(["patient"], LISTS[:-1])])
def test_no_list_goes_through_a_table(make_program: MakeProgram, role: str, name: str) -> None:
    program = make_program(role)
    actor = find_actor(program.user)
    assert actor is not None
    if role == "patient":
        Patient.objects.create(practice=actor.practice, name="Ann", account=program.user)
    plan = explain_list(program, name, f"cases_{name[:-1]}")
    assert not [step for step in plan if step.startswith("SCAN")]
    if role == "patient":  # whose own rows are few among the practice's
        assert not [step for step in plan if "practice_id" in step]


@pytest.fixture
def visit(practice: Practice) -> Visit:
    """Return one of many visits."""
    patients = [Patient.objects.create(practice=practice, name=f"P-{number}") for number in range(20)]
    visits = [
        Visit(practice=practice, patient=patient, date=date(2026, 5, day)) for patient in patients for day in (1, 2)
    ]
    lesions = {patient: Lesion.objects.create(practice=practice, patient=patient, number=1) for patient in patients}
    facts: dict[str, Any] = {"width": 1, "height": 1, "taken_on": date(2026, 5, 1), "practice": practice}
    Picture.objects.bulk_create(
        Picture(upload_key=f"{place}-{number}", patient=one.patient, visit=one, lesion=lesions[one.patient], **facts)
        for place, one in enumerate(Visit.objects.bulk_create(visits))
        for number in range(5)
    )
    return visits[7]


def test_what_belongs_to_a_visit_is_found_by_it_once_rows_were_counted(clinician: Program, visit: Visit) -> None:
    lesion = visit.patient.lesions.get()
    wanted = {"visit": visit.key, "lesion": lesion.key, "patient": visit.patient.key}

    def tell_steps() -> dict[str, str]:
        return {
            name: explain_list(clinician, f"pictures?{name}={key}", "cases_picture")[1] for name, key in wanted.items()
        }

    assert all("practice_id" in step for step in tell_steps().values())
    count_rows(None)  # type: ignore[arg-type]  # the lease is not used
    assert all(f"{name}_id=?" in step for name, step in tell_steps().items())
