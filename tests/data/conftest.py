"""Drawn data sets on disk, and a cache of comparisons that no other test sees."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from secondlook.data.manifest import Manifest
from tests.drawing import draw_lesion

Build = Callable[..., Manifest]

# A busy machine is no failure, and a test leaves nothing behind.
settings.register_profile("data", deadline=None, database=None)
settings.load_profile("data")


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep comparisons of pictures in a folder of this test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SECONDLOOK_CACHE", str(folder))
    return folder


@pytest.fixture
def build_manifest(tmp_path: Path) -> Build:
    """Return a function that draws pictures and lists them: rows map a file name to label, group and split."""

    def build(rows: Mapping[str, tuple[str, ...]]) -> Manifest:
        for seed, (name, row) in enumerate(rows.items()):
            path = tmp_path / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                draw_lesion(seed, row[0], size=(200, 150)).save(path)
        columns = ["image", "label", "group", "split"]
        listed = [(name, *row) for name, row in rows.items()]
        frame = pd.DataFrame(listed, columns=columns[: len(listed[0])])
        return Manifest(frame, tmp_path, "skin")

    return build


@pytest.fixture(scope="session")
def ham10000_folder() -> Path:
    """Return the folder of the real HAM10000."""
    folder = Path(os.environ.get("SECONDLOOK_DATA", "../shared/data")) / "ham10000"
    if not folder.is_dir():
        pytest.skip("the real HAM10000 is not here; set SECONDLOOK_DATA to the folder that holds ham10000/")
    return folder
