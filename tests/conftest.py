"""Fixtures that several rooms share."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.bundles import build_bundle
from tests.routers import build_router

# A shell that starts a job in the background has it ignore Ctrl-C, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a sealed bundle that tells drawn lesions apart; do not change it, take `bundle_copy`."""
    return build_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def tiny_router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a router that leads drawn pictures to their tasks; do not change it."""
    return build_router(tmp_path_factory.mktemp("routers") / "tiny")


@pytest.fixture
def bundle_copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny bundle that a test may change."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "copy"))
