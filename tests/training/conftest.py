from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from secondlook.data.manifest import Manifest, write_manifest
from tests.training.tiny import draw_manifest


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on one thread, and leave torch's global settings as they were."""
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_rng_state(state)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Return the manifest of drawn lesions, split; do not change its files."""
    return draw_manifest(tmp_path_factory.mktemp("drawn"))


@pytest.fixture(scope="session")
def drawn_csv(drawn: Manifest) -> Path:
    """Return the same manifest as a file."""
    write_manifest(drawn, drawn.root / "drawn.csv")
    return drawn.root / "drawn.csv"
