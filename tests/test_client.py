"""The client for programs: what it sends, when it sends it again, and what it makes of refusals."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import secondlook
from secondlook.client import (
    Client,
    DeniedError,
    DownError,
    HurriedError,
    MissingError,
    NewPatient,
    PatientChange,
    RefusedError,
    SiteError,
)
from secondlook.errors import InputError, SecondlookError
from tests.test_layers import HEAVY, WEB, run_without

ADA = {
    "key": "a" * 16,
    "name": "Ada",
    "birth_date": None,
    "sex": "",
    "skin_type": None,
    "language": "en",
    "note": "",
    "created_at": "2026-01-02T03:04:05Z",
}
Answer = httpx.Response | Exception


class Site:
    """Answers requests in turn, the last answer again and again, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def open(self, **options: int) -> Client:
        client = Client("https://site.example/", "slk_x", transport=httpx.MockTransport(self.answer), **options)
        client._transport.sleep = self.waited.append
        return client


def refuse(status: int, **headers: str) -> httpx.Response:
    """Return a refusal as the site sends it."""
    problem = {"type": "about:blank", "title": "No", "status": status, "detail": f"Expected no {status}."}
    problem["errors"] = [{"pointer": "/name", "detail": "Field required"}]
    return httpx.Response(
        status, json=problem, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def test_requests_carry_the_token_and_the_language() -> None:
    site = Site(httpx.Response(200, json=ADA))
    patient = site.open().patients.get("a" * 16)
    assert (patient.name, patient.created_at.year) == ("Ada", 2026)
    (asked,) = site.asked
    assert str(asked.url) == "https://site.example/api/v1/patients/aaaaaaaaaaaaaaaa"
    assert (asked.headers["Authorization"], asked.headers["Accept-Language"]) == ("Bearer slk_x", "en")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (401, DeniedError),
        (403, DeniedError),
        (404, MissingError),
        (413, RefusedError),
        (422, RefusedError),
        (429, HurriedError),
        (500, DownError),
        (503, DownError),
        (302, SiteError),
    ],
)
def test_a_problem_becomes_an_error_of_its_kind(status: int, kind: type[SiteError]) -> None:
    with pytest.raises(kind, match=rf"^Expected no {status}\.$") as caught:
        Site(refuse(status)).open(retries=0).patients.get("a" * 16)
    assert isinstance(caught.value, SecondlookError)
    assert caught.value.status == status
    assert [fault.pointer for fault in caught.value.faults] == ["/name"]


def test_what_cannot_be_used_is_an_input_error_as_without_a_site() -> None:
    with pytest.raises(InputError):
        Site(refuse(400)).open().predict(b"no picture")


@pytest.mark.parametrize("answer", [httpx.Response(404, text="<h1>nginx</h1>"), httpx.Response(200, json={"no": 1})])
def test_what_is_no_site_of_ours_is_said(answer: httpx.Response) -> None:
    with pytest.raises(SiteError, match=r"^Expected "):
        Site(answer).open().patients.get("a" * 16)


def test_a_request_is_sent_again_until_it_is_answered() -> None:
    site = Site(httpx.ConnectError("no"), refuse(503), refuse(429, retry_after="7"), httpx.Response(201, json=ADA))
    site.open().patients.add(NewPatient(name="Ada"))
    assert site.waited == [0.5, 1.0, 7.0]
    assert len({request.headers["Idempotency-Key"] for request in site.asked}) == 1
    assert len({request.content for request in site.asked}) == 1


def test_two_creations_have_two_keys() -> None:
    site = Site(httpx.Response(201, json=ADA))
    client = site.open()
    for _ in range(2):
        client.patients.add(NewPatient(name="Ada"))
    assert len({request.headers["Idempotency-Key"] for request in site.asked}) == 2


def test_a_file_is_sent_again_whole() -> None:
    site = Site(httpx.ReadTimeout("no"), refuse(400))
    with pytest.raises(RefusedError):
        site.open().predict(b"\xff\xd8 a picture")
    first, second = (request.content for request in site.asked)
    assert first == second
    assert b"\xff\xd8 a picture" in first


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500])
def test_a_refusal_is_not_asked_for_again(status: int) -> None:
    site = Site(refuse(status))
    with pytest.raises(SiteError):
        site.open().patients.get("a" * 16)
    assert (len(site.asked), site.waited) == (1, [])


def test_it_gives_up_in_the_end() -> None:
    site = Site(httpx.ConnectError("no"))
    with pytest.raises(DownError, match="got none \\(ConnectError\\)") as caught:
        site.open(retries=2).patients.get("a" * 16)
    assert isinstance(caught.value.__cause__, httpx.ConnectError)
    assert (len(site.asked), site.waited) == (3, [0.5, 1.0])


def test_pages_are_fetched_as_they_are_read() -> None:
    following = "https://site.example/api/v1/patients?after=aaaaaaaaaaaaaaaa&limit=1"
    site = Site(
        httpx.Response(200, json={"items": [ADA], "next": following}),
        httpx.Response(200, json={"items": [ADA | {"name": "Eve"}], "next": None}),
    )
    found = site.open().patients.list(limit=1, text="a b", triage=None)
    assert next(found).name == "Ada"
    assert [str(request.url.query) for request in site.asked] == [str(b"limit=1&text=a+b")]
    assert [patient.name for patient in found] == ["Eve"]
    assert str(site.asked[1].url) == following


def test_a_change_names_only_what_changes() -> None:
    site = Site(httpx.Response(200, json=ADA))
    site.open().patients.change("a" * 16, PatientChange(sex="female", birth_date=None))
    assert site.asked[0].content == b'{"birth_date":null,"sex":"female"}'


def test_the_name_of_a_file_stays_here(tmp_path: Path) -> None:
    path = tmp_path / "Jane Doe.jpg"
    path.write_bytes(b"picture")
    site = Site(refuse(400))
    with path.open("rb") as stream:
        for file in (path, str(path), stream, path.read_bytes()):
            with pytest.raises(RefusedError):
                site.open().pictures.send(file, visit="a" * 16)
    assert all(b"picture" in request.content and b"Jane" not in request.content for request in site.asked)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^Expected a picture file, got 'none\.jpg'"):
        Site(refuse(400)).open().predict(tmp_path / "none.jpg")


def test_it_is_at_hand_without_django() -> None:
    result = run_without((*HEAVY, *WEB), "import secondlook; print(secondlook.Client('https://site.example'))")
    assert "Client object" in result.stdout, result.stderr
    assert secondlook.Client is Client


def test_who_predicts_alone_loads_no_http() -> None:
    code = "import sys, secondlook; secondlook.load; print('httpx' in sys.modules, hasattr(secondlook, 'Nothing'))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False False\n"
