"""The outline network: what it gives, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from secondlook.errors import BundleError
from secondlook.inference.outliner import FACTS, GRAPH, SHIPPED, Outliner, load_outliner
from tests.explanation.segmentation.drawing import draw_ellipse


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the shipped network that a test may change."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "outline"))


def test_the_shipped_network_tells_lesion_from_skin() -> None:
    pixels, _ = draw_ellipse()
    shares = load_outliner().score(pixels)
    assert shares.shape == load_outliner().facts.input_size_px
    assert shares.dtype == np.float32
    assert 0 <= shares.min() <= shares.max() <= 1
    height, width = shares.shape
    assert shares[height // 2, width // 2] > 0.9
    assert max(shares[0, 0], shares[-1, -1], shares[0, -1], shares[-1, 0]) < 0.1
    assert load_outliner() is load_outliner()


def test_it_is_small() -> None:
    assert (SHIPPED / GRAPH).stat().st_size < 500_000


def test_a_changed_graph_is_refused(copy: Path) -> None:
    graph = copy / GRAPH
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")
    with pytest.raises(BundleError, match=r"is not the graph that outline.json describes"):
        Outliner(copy)


@pytest.mark.parametrize("name", [FACTS, GRAPH])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match="one is missing or does not follow the schema"):
        Outliner(copy)


def test_unknown_facts_are_refused(copy: Path) -> None:
    facts = json.loads((copy / FACTS).read_text(encoding="utf-8"))
    (copy / FACTS).write_text(json.dumps({**facts, "schema_version": 2}), encoding="utf-8")
    with pytest.raises(BundleError, match="does not follow the schema"):
        Outliner(copy)
