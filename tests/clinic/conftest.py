"""The site inside the test's process: its settings are fixed before Django is imported, its bundles are built once."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PLACE = Path(tempfile.mkdtemp(prefix="secondlook-clinic-"))
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
BUNDLES = ",".join(str(PLACE / "bundles" / task) for task in ("skin", "chest", "knee"))
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "secondlook.clinic.settings",
    "SECONDLOOK_DATA_FOLDER": str(PLACE / "data"),
    "SECONDLOOK_BUNDLES": BUNDLES,
    "SECONDLOOK_ROUTER": str(PLACE / "router"),
}

from django.test import Client  # noqa: E402 - after the environment

from tests.site import Server, build_site_bundles, run_server  # noqa: E402


@pytest.fixture(scope="session")
def site_bundle(tiny_bundle: Path, tiny_router: Path) -> Path:
    """Return the folder of the bundle that the site offers first; chest and knee lie beside it, the router above."""
    shutil.copytree(tiny_router, PLACE / "router")
    assert build_site_bundles(PLACE / "bundles", tiny_bundle) == BUNDLES
    return PLACE / "bundles" / "skin"


@pytest.fixture(scope="session")
def site(site_bundle: Path) -> Path:
    """Prepare the site and return its data folder."""
    import django

    django.setup(set_prefix=False)

    from secondlook.clinic.preparation import prepare_site

    prepare_site()
    return PLACE / "data"


@pytest.fixture
def client(site: Path) -> Client:
    """Return a browser without JavaScript that asks for English."""
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def french(site: Path) -> Client:
    """Return a browser without JavaScript that asks for French."""
    return Client(headers={"accept-language": "fr-CA,fr;q=0.9"})


@pytest.fixture(scope="session")
def server(site_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a running `secondlook serve`."""
    with run_server(site_bundle, tmp_path_factory.mktemp("server")) as running:
        yield running
