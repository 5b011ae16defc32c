"""The site inside the test's process: its settings are fixed before Django is imported, its bundles are built once."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

PLACE = Path(tempfile.mkdtemp(prefix="secondlook-clinic-"))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
BUNDLES = ",".join(str(PLACE / "bundles" / task) for task in ("skin", "chest", "knee"))
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "secondlook.clinic.settings",
    "SECONDLOOK_DATA_FOLDER": str(PLACE / "data"),
    "SECONDLOOK_BUNDLES": BUNDLES,
    "SECONDLOOK_ROUTER": str(PLACE / "router"),
}
os.environ |= ENVIRONMENT

import django  # noqa: E402 - after the environment
from django.test import Client  # noqa: E402

django.setup(set_prefix=False)

from tests.site import Server, build_site_bundles, run_server  # noqa: E402

if TYPE_CHECKING:
    from secondlook.clinic.accounts.models import Practice, User

MakePerson = Callable[..., "User"]
AsRole = Callable[..., Client]


def pytest_configure(config: pytest.Config) -> None:
    """Leave nothing to the workers among which pytest-xdist deals the tests: each fixes settings of its own."""
    if config.getoption("numprocesses", None):
        for name in ENVIRONMENT:
            os.environ.pop(name, None)


@pytest.fixture(scope="session")
def site_bundle(tiny_bundle: Path, tiny_router: Path) -> Path:
    """Return the folder of the bundle that the site offers first; chest and knee lie beside it, the router above."""
    shutil.copytree(tiny_router, PLACE / "router")
    assert build_site_bundles(PLACE / "bundles", tiny_bundle) == BUNDLES
    return PLACE / "bundles" / "skin"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Have the audit log's table emptied like any other between tests; its own tests put its guards back."""
    from django.db import connection

    from secondlook.clinic.audit.guards import remove_guards

    with django_db_blocker.unblock():
        remove_guards(connection)


@pytest.fixture(scope="session")
def site(site_bundle: Path, django_db_setup: None, django_db_blocker: Any) -> Path:
    """Prepare the site and return its data folder; its database is the tests' own, in memory."""
    from secondlook.clinic.preparation import prepare_site

    with django_db_blocker.unblock():
        prepare_site()
    return PLACE / "data"


@pytest.fixture
def client(site: Path, db: None) -> Client:
    """Return a browser without JavaScript that asks for English."""
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def french(site: Path, db: None) -> Client:
    """Return a browser without JavaScript that asks for French."""
    return Client(headers={"accept-language": "fr-CA,fr;q=0.9"})


@pytest.fixture
def practice(site: Path, db: None) -> "Practice":
    """Return a practice; every fixture below works in it unless another is given."""
    from secondlook.clinic.accounts.models import Practice

    return Practice.objects.create(name="Practice by the lake", patients_see_results=True)


@pytest.fixture
def make_person(practice: "Practice") -> MakePerson:
    """Return ``make_person(role, practice=None, **fields)``; ``role`` may be several, or None for no membership."""
    from secondlook.clinic.accounts.models import Role, User

    home = practice

    def make(*roles: str | None, practice: "Practice | None" = None, **fields: Any) -> "User":
        fields = {
            "email": f"person{User.objects.count()}@example.org",
            "first_name": "Alex",
            "last_name": "Roe",
        } | fields
        user = User.objects.create_user(**fields)
        for role in filter(None, roles):
            user.memberships.create(practice=practice or home, role=Role(role))
        return user

    return make


@pytest.fixture
def as_role(make_person: MakePerson) -> AsRole:
    """Return ``as_role(*roles, practice=None, user=None, language="en")``: a browser in which that person is logged in.

    ``client.user`` is the person. Whoever must have a second factor has one, unless ``second_factor=False``.
    """
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from secondlook.clinic.accounts.adapters import must_have_second_factor

    def log_in(
        *roles: str | None,
        practice: "Practice | None" = None,
        user: "User | None" = None,
        language: str = "en",
        second_factor: bool = True,
    ) -> Client:
        client = Client(headers={"accept-language": language})
        client.user = user or make_person(*roles, practice=practice)  # type: ignore[attr-defined]
        if second_factor and must_have_second_factor(client.user):  # type: ignore[attr-defined]
            TOTP.activate(client.user, generate_totp_secret())  # type: ignore[attr-defined]
        client.force_login(client.user, backend="allauth.account.auth_backends.AuthenticationBackend")  # type: ignore[attr-defined]
        return client

    return log_in


@pytest.fixture(scope="session")
def server(site_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running `secondlook serve`."""
    with run_server(site_bundle, tmp_path_factory.mktemp("server")) as running:
        yield running
