"""A trial run of a shipped recipe: it needs no weights from anywhere, whatever the whole one starts from."""

from pathlib import Path

import pytest

from secondlook.training.quick import make_quick
from secondlook.training.reading import SHIPPED, read_recipe


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_recipe_has_a_quick_size(file: Path) -> None:
    quick = make_quick(read_recipe(file))
    assert quick.model.weights == "none"
    assert quick.export.start_share == 0
    assert {stage.epochs for stage in quick.stages} == {1}
