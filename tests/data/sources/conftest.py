"""The real data sets, where they are."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Return the folder of the real data sets."""
    folder = Path(os.environ.get("SECONDLOOK_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip("the real data are not here; set SECONDLOOK_DATA to the folder that holds them")
    return folder
