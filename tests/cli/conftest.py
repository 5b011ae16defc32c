"""Fixtures for the commands that measure."""

from tests.evaluation.conftest import drawn_manifest, foreign_folder, leak_cache, make_draft

__all__ = ["drawn_manifest", "foreign_folder", "leak_cache", "make_draft"]
