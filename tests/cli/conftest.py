"""Fixtures for the commands that measure or train."""

from pathlib import Path

import pytest

from secondlook.data.manifest import Manifest, write_manifest
from tests.evaluation.compare.conftest import runs
from tests.evaluation.conftest import drawn_manifest, foreign_folder, leak_cache, make_draft

__all__ = ["drawn_manifest", "foreign_folder", "leak_cache", "make_draft", "runs"]


@pytest.fixture
def recipe(drawn_manifest: Manifest, tmp_path: Path) -> Path:
    """Return the file of a recipe on drawn lesions, of which every label has one in train."""
    from tests.training.tiny import make_recipe  # brings torch along, which the other commands' tests need not wait for

    write_manifest(drawn_manifest, tmp_path / "drawn.csv")
    file = tmp_path / "tiny.yaml"
    file.write_text(make_recipe(data={"manifest": str(tmp_path / "drawn.csv"), "cache_px": 40}).dump())
    return file
