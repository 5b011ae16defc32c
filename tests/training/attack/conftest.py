from pathlib import Path

import pytest

from secondlook.data.manifest import Manifest
from secondlook.training.loop import Watcher
from secondlook.training.run import train_run
from tests.training.tiny import make_recipe

pytest.importorskip("art", reason="needs the extra `attack`")


@pytest.fixture(scope="session")
def attacked_run(drawn: Manifest, drawn_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short run on drawn lesions, with its bundle."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    recipe = make_recipe(
        data={"manifest": str(drawn_csv), "cache_px": 40},
        stages=[{"epochs": 12, "size_px": 32}],
        augmentation={"flip_horizontal": True},
        optimiser={"rate": 0.01, "batch_size": 8, "ema_decay": 0.0},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECONDLOOK_CACHE", str(tmp_path_factory.mktemp("cache")))
        train_run(recipe, folder, watcher=Watcher())
    return folder
