"""What a site refused or could not do, as errors of this package's tree.

SecondlookError
└── SiteError             anything that a site answers but success; carries the problem (RFC 9457)
    ├── DeniedError       no token, a token that does not do, or a role that does not: 401, 403
    ├── MissingError      nothing there, or nothing that the person may see: 404
    ├── RefusedError      what was sent cannot be used, the picture for one: 400, 409, 413, 415, 422; an InputError too
    ├── HurriedError      too many requests, even after waiting: 429
    └── DownError         the site cannot be reached or cannot answer, even after waiting: 5xx
"""

from collections.abc import Mapping
from http import HTTPStatus

import httpx
from pydantic import ValidationError

from secondlook.client.records import Fault, Problem
from secondlook.errors import InputError, SecondlookError


class SiteError(SecondlookError):
    """A site answered something but success.

    Attributes:
        status: HTTP status; 0 where no answer came at all.
        problem: What the site said of it; nothing where it said nothing that can be read.
    """

    def __init__(self, sentence: str, *, status: int = 0, problem: Problem | None = None) -> None:
        self.status = status
        self.problem = problem
        super().__init__(sentence)

    @property
    def faults(self) -> list[Fault]:
        """What was wrong with each field, where the site said so."""
        return self.problem.errors if self.problem else []


class DeniedError(SiteError):
    """The token, its scopes or its person's role do not open this."""


class MissingError(SiteError):
    """There is nothing, or nothing that the token's person may see."""


class RefusedError(SiteError, InputError):
    """What was sent cannot be used."""

    def __init__(self, sentence: str, *, status: int = 0, problem: Problem | None = None) -> None:
        SiteError.__init__(self, sentence, status=status, problem=problem)
        self.french = None


class HurriedError(SiteError):
    """The token asks too often."""


class DownError(SiteError):
    """The site cannot be reached, or cannot answer now."""


KINDS: Mapping[int, type[SiteError]] = {401: DeniedError, 403: DeniedError, 404: MissingError, 429: HurriedError}


def make_error(response: httpx.Response) -> SiteError:
    """Return the error that a response stands for, with the site's own sentence."""
    status = response.status_code
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind: type[SiteError] = DownError
    else:
        kind = KINDS.get(status, RefusedError if status >= HTTPStatus.BAD_REQUEST else SiteError)
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        sentence = f"Expected an answer of Secondlook's interface, got the status {status}. Check the address."
        return kind(sentence, status=status)
    return kind(problem.detail, status=status, problem=problem)
