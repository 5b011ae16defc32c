"""The scripts that Secondlook is measured against run with every shipped bundle."""

from pathlib import Path

import pytest

from benchmarks.plain import PlainModel
from secondlook.inference.bundle import find_bundle, list_bundles, read_facts
from tests.drawing import draw_lesion


@pytest.mark.parametrize("name", list_bundles())
def test_the_plain_script_answers_with_the_network_of_each_bundle(name: str, tmp_path: Path) -> None:
    facts = read_facts(find_bundle(name))
    draw_lesion(0, "mel").save(tmp_path / "lesion.jpg")
    plain = PlainModel(facts)
    shares = plain.predict(tmp_path / "lesion.jpg")
    assert len(shares) == len(facts.labels)
    assert sum(shares) == pytest.approx(1, abs=1e-5)
