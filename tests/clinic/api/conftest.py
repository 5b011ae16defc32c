"""Programs that hold tokens, and the records that they work on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from secondlook.clinic.accounts.actors import find_actor
from secondlook.clinic.accounts.models import Practice, User
from secondlook.clinic.api.models import ApiToken, Scope
from secondlook.clinic.api.services import make_token
from tests.clinic.conftest import MakePerson

PROBLEM = "application/problem+json"


@dataclass
class Program:
    """A program with a token.

    Attributes:
        user: In whose name it asks.
        token: Its token.
        text: What the token reads as.
    """

    user: User
    token: ApiToken
    text: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request, JSON in its body, and return the response; a refusal must be a problem."""
        given = {"authorization": f"Bearer {self.text}", "accept-language": "en"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return check_problem(Client(headers=given).generic(method, path, **sent))

    def send(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        """Send a form with files and return the response; a refusal must be a problem."""
        given = {"authorization": f"Bearer {self.text}", "accept-language": "en"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return check_problem(Client(headers=given).post(path, fields))


def check_problem(response: Any) -> Any:
    """Return a response; of a refusal look first whether it is a whole problem."""
    if response.status_code >= 400:
        assert response.headers["Content-Type"] == PROBLEM
        problem = response.json()
        assert {"type", "title", "status", "detail"} <= problem.keys()
        assert problem["status"] == response.status_code
    return response


MakeProgram = Callable[..., Program]


@pytest.fixture
def make_program(make_person: MakePerson) -> MakeProgram:
    """Return ``make_program(*roles, practice=None, scopes=all, days=30)``."""

    def make(
        *roles: str,
        practice: Practice | None = None,
        user: User | None = None,
        scopes: tuple[Scope, ...] = tuple(Scope),
        days: int = 30,
    ) -> Program:
        user = user or make_person(*roles, practice=practice)
        actor = find_actor(user, practice.key if practice else None)
        assert actor is not None
        token, text = make_token(actor=actor, name="A program", scopes=scopes, days=days)
        return Program(user, token, text)

    return make


@pytest.fixture
def clinician(make_program: MakeProgram) -> Program:
    """Return a program that asks in the name of a clinician, for everything."""
    return make_program("clinician")


@pytest.fixture
def patient(clinician: Program) -> str:
    """Return the key of a patient."""
    return str(clinician.ask("POST", "/api/v1/patients", {"name": "Ada"}).json()["key"])
