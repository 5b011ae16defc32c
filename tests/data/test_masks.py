"""Masks are found by the names of their pictures, and a folder without any is said before work."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from secondlook.data.manifest import Manifest
from secondlook.data.masks import find_mask, read_mask, require_masks
from secondlook.errors import DatasetError


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(tmp_path / "a_segmentation.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "b.png")
    return tmp_path


def list_pictures(*names: str) -> Manifest:
    return Manifest(pd.DataFrame({"image": names, "label": "nv", "group": names}), Path("elsewhere"))


def test_masks_are_found_by_the_pictures_name(masks: Path) -> None:
    found = find_mask(masks, Path("elsewhere", "a.jpg"))
    assert found is not None
    assert np.array_equal(read_mask(found), np.eye(4, dtype=bool))
    assert find_mask(masks, Path("b.jpg")) == masks / "b.png"
    assert find_mask(masks, Path("c.jpg")) is None


def test_a_folder_without_a_mask_of_any_picture_is_refused(masks: Path) -> None:
    require_masks(list_pictures("a.jpg", "c.jpg"), masks)
    with pytest.raises(DatasetError, match="masks named like the pictures"):
        require_masks(list_pictures("c.jpg", "d.jpg"), masks)
