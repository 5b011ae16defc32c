"""Nobody sends more in a day than they may; who tries is told before the body is read."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from secondlook.clinic.accounts.actors import Actor
from secondlook.clinic.api.models import Scope
from secondlook.clinic.api.services import make_token
from secondlook.clinic.cases.models import Picture, Visit
from secondlook.clinic.files.models import DailyUse, KeptFile
from secondlook.clinic.files.quotas import QuotaError, count_upload, is_refused, is_upload, is_used_up
from tests.clinic.cases.conftest import SendPicture, actor, send, visit
from tests.clinic.conftest import AsRole

__all__ = ["actor", "send", "visit"]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no day end while pictures are counted."""
    monkeypatch.setattr("secondlook.clinic.files.quotas.timezone", SimpleNamespace(now=lambda: NOW))


@pytest.fixture
def limit(settings: Any) -> Any:
    """Return ``limit(**fields)``, which sets the quotas."""

    def set_limit(**fields: int) -> None:
        settings.CONFIGURATION = settings.CONFIGURATION.model_copy(update=fields)

    return set_limit


def test_pictures_are_counted_with_their_bytes(send: SendPicture, actor: Actor) -> None:
    send("routine", "skin")
    used = DailyUse.objects.get(user=actor.user)
    assert used.pictures == 1
    assert used.size_bytes > 1000


def test_one_picture_too_many_is_refused_and_leaves_nothing(send: SendPicture, actor: Actor, limit: Any) -> None:
    limit(pictures_per_day=2)
    send("routine", "skin")
    send("refer", "skin")
    with pytest.raises(QuotaError, match="at most 2 pictures"):
        send("urgent", "skin")
    assert Picture.objects.count() == 2
    assert KeptFile.objects.count() == 4
    assert DailyUse.objects.get(user=actor.user).pictures == 2


def test_bytes_are_limited_too(actor: Actor, limit: Any) -> None:
    limit(bytes_per_day=10**6)
    count_upload(actor.user, size_bytes=900_000)
    assert not is_used_up(actor.user.pk)
    count_upload(actor.user, size_bytes=900_000)
    assert is_used_up(actor.user.pk)
    with pytest.raises(QuotaError):
        count_upload(actor.user, size_bytes=1)


def test_another_day_and_another_person_begin_anew(actor: Actor, make_person: Any, limit: Any) -> None:
    limit(pictures_per_day=1)
    count_upload(actor.user, size_bytes=1)
    assert is_used_up(actor.user.pk)
    assert not is_used_up(make_person("clinician").pk)
    DailyUse.objects.update(day=NOW.date() - timedelta(days=1))
    assert not is_used_up(actor.user.pk)


def test_the_page_and_the_door_refuse_with_429(as_role: AsRole, actor: Actor, visit: Visit, limit: Any) -> None:
    limit(pictures_per_day=1)
    count_upload(actor.user, size_bytes=1)
    client = as_role(user=actor.user)
    cookie = f"{client.cookies['session'].OutputString()}".split(";")[0]
    head = {"method": "POST", "path": f"/visits/{visit.key}/pictures/", "headers": [(b"cookie", cookie.encode())]}
    assert is_upload(head)
    assert is_refused(head)
    _token, text = make_token(actor=actor, name="x", scopes=[Scope.WRITE], days=1)
    door = {"method": "POST", "path": "/api/v1/pictures", "headers": [(b"authorization", f"Bearer {text}".encode())]}
    assert is_upload(door)
    assert is_refused(door)
    assert not is_refused(door | {"headers": [(b"authorization", b"Bearer nonsense")]})
    assert not is_refused(head | {"headers": []})
    assert not is_refused(head | {"headers": [(b"cookie", b"session=nonsense")]})


@pytest.mark.parametrize("path", ["/", "/try/", "/api/v1/predict", "/visits/x/", "/visits/x/pictures/y"])
def test_other_routes_are_not_asked(path: str) -> None:
    assert not is_upload({"method": "POST", "path": path})
    assert not is_upload({"method": "GET", "path": "/api/v1/pictures"})


def test_every_route_that_keeps_pictures_is_one_of_them() -> None:
    import secondlook.clinic

    callers = set()
    for path in Path(secondlook.clinic.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"\badd_picture\(\n", text) and "def add_picture" not in text and "demo" not in path.parts:
            callers.add(path.name)
    assert callers == {"pictures.py"}
