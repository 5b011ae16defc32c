import dataclasses
from pathlib import Path

import numpy as np
import pytest

from secondlook.data.manifest import Manifest
from secondlook.errors import BundleError, DatasetError, RecipeError
from secondlook.inference.predictor import load_predictor
from secondlook.training.attack.craft import QUICK, Budget
from secondlook.training.attack.run import Plan, attack_run
from secondlook.training.attack.target import ask_target, prepare_target
from secondlook.training.reading import read_recipe

SMALL = Budget(steps=4, iterations=4, restarts=1, queries=20)
PLAN = Plan(strengths=(1.0, 24.0), budget=SMALL, pictures=21, resamples=200)


@pytest.fixture(scope="module")
def found(attacked_run: Path, drawn: Manifest) -> dict:
    predictor = load_predictor(attacked_run / "bundle")
    return dict(zip(("attack", "examples"), attack_run(attacked_run, drawn, PLAN, predictor=predictor), strict=True))


def test_the_figures_name_the_graph_that_was_shown_the_pictures(found: dict, attacked_run: Path) -> None:
    assert found["attack"]["graph_sha256"] == load_predictor(attacked_run / "bundle").bundle.facts.graph.sha256


def test_stronger_attacks_leave_less_accuracy(found: dict) -> None:
    attack = found["attack"]
    clean = attack["clean"]["accuracy"]["value"]
    assert clean > 0.5, "the network must know something before it can be fooled"
    for method in ("fgsm", "pgd", "autoattack"):
        weak, strong = (figure["value"] for figure in attack["methods"][method]["accuracy"])
        assert clean >= weak >= strong
        assert strong < clean - 0.2
        assert attack["methods"][method]["accuracy"][1]["upper"] >= strong


def test_no_value_changes_by_more_than_the_strength(found: dict) -> None:
    assert found["examples"]
    for example in found["examples"]:
        change = np.abs(example.attacked.astype(int) - example.original.astype(int))
        assert 0 < change.max() <= example.strength == 24
        assert example.after != example.truth


def test_the_bundle_is_shown_the_attacked_pictures(found: dict) -> None:
    attack = found["attack"]
    assert attack["bundle"] == "tiny"
    assert attack["clean"]["served_accuracy"]["value"] == pytest.approx(attack["clean"]["accuracy"]["value"], abs=0.1)
    served = [figure["value"] for figure in attack["methods"]["pgd"]["served_accuracy"]]
    assert served[1] < attack["clean"]["served_accuracy"]["value"]
    assert attack["clean"]["flips"]["value"] == 0
    assert len(attack["methods"]["fgsm"]["not_evaluable"]) == 2


def test_the_same_seed_gives_the_same_attack(attacked_run: Path, drawn: Manifest, found: dict) -> None:
    again, _ = attack_run(attacked_run, drawn, dataclasses.replace(PLAN, methods=("autoattack",)))
    assert again["methods"]["autoattack"]["accuracy"] == found["attack"]["methods"]["autoattack"]["accuracy"]
    assert again["bundle"] is None
    assert set(again["clean"]) == {"accuracy"}


def test_a_picture_of_the_input_size_reaches_the_graph_unchanged(attacked_run: Path, drawn: Manifest) -> None:
    recipe, predictor = read_recipe(attacked_run / "recipe.yaml"), load_predictor(attacked_run / "bundle")
    chosen = Manifest(drawn.frame.iloc[:3].reset_index(drop=True), drawn.root, drawn.task)
    target = prepare_target(attacked_run, recipe, chosen, predictor, device="cpu")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, target.images.shape, dtype=np.uint8)
    answer = ask_target(target, np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / 255)
    logits = predictor.bundle.session.run(images).logits
    assert answer.named.tolist() == logits.argmax(axis=1).tolist()


@pytest.mark.parametrize("strengths", [(), (0.0, 1.0), (2.0, 1.0)])
def test_strengths_must_rise_above_zero(strengths: tuple[float, ...]) -> None:
    with pytest.raises(RecipeError, match="strengths above 0 that rise"):
        Plan(strengths=strengths)


def test_another_tasks_bundle_or_manifest_is_refused(attacked_run: Path, drawn: Manifest, tiny_bundle: Path) -> None:
    with pytest.raises(BundleError, match="Expected the bundle of the run tiny"):
        attack_run(attacked_run, drawn, PLAN, predictor=load_predictor(tiny_bundle))
    foreign = Manifest(drawn.frame.assign(label="benign"), drawn.root, "mole")
    with pytest.raises(DatasetError, match="bundle's task skin"):
        attack_run(attacked_run, foreign, PLAN)


def test_autoattack_of_two_labels_leaves_out_the_ratio_of_three() -> None:
    torch = pytest.importorskip("torch")
    from secondlook.training.attack.craft import craft_pictures, wrap_network

    class Brightness(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor([-8.0, 8.0]))

        def forward(self, pixels: "torch.Tensor") -> "torch.Tensor":
            return (pixels.mean(dim=(1, 2, 3)) - 0.5)[:, None] * self.scale

    images = np.full((4, 12, 12, 3), 131, np.uint8)
    classifier = wrap_network(Brightness(), size_px=(12, 12), classes=2)
    crafted = craft_pictures(
        classifier, images, np.ones(4, np.int64), method="autoattack", strength=8, budget=QUICK, seed=0
    )
    assert (classifier.predict(crafted).argmax(axis=1) == 0).all()
    assert np.abs(crafted - 131 / 255).max() <= 8 / 255 + 1e-6
