import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from secondlook.training.adversarial import attack_batch
from secondlook.training.recipe import Recipe
from secondlook.training.sections import Adversarial
from tests.training.tiny import CACHED_STAGES, make_recipe, train


class Network(nn.Module):
    """A network whose answer depends on dropout and on statistics while it learns."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(6, 2)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.layers(pixels).mean(dim=(2, 3)))


@pytest.fixture
def network() -> Network:
    network = Network().train()
    network.layers[1].training = False  # as a frozen layer is
    return network


def draw_pixels() -> Tensor:
    return torch.rand(8, 3, 10, 10, generator=torch.Generator().manual_seed(1))


def compute_loss(logits: Tensor) -> Tensor:
    return functional.cross_entropy(logits, torch.arange(8) % 2)


def attack(network: Network, **recipe: object) -> Tensor:
    return attack_batch(network, draw_pixels(), compute_loss, Adversarial(**recipe), torch.Generator().manual_seed(0))


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_the_loss_rises_and_no_value_moves_further_than_allowed(network: Network, method: str) -> None:
    pixels, attacked = draw_pixels(), attack(network, method=method, strength=4.0, share=0.5)
    change = (attacked - pixels).abs()
    assert change[:4].amax() == pytest.approx(4 / 255, rel=1e-3)
    assert not change[4:].any()
    assert (attacked.min() >= 0) & (attacked.max() <= 1)
    network.eval()
    start = torch.rand(4, 3, 10, 10) * 8 / 255 - 4 / 255
    with torch.no_grad():
        losses = [
            float(functional.cross_entropy(network(part), torch.arange(4) % 2))
            for part in (pixels[:4], pixels[:4] + start, attacked[:4])
        ]
    assert losses[2] - losses[0] > 20 * abs(losses[1] - losses[0]), "much more than the same amount of noise does"


def test_several_steps_find_more_than_one(network: Network) -> None:
    losses = []
    for recipe in ({"method": "fgsm"}, {"method": "pgd", "steps": 10}):
        attacked = attack(network, strength=16.0, share=1.0, **recipe)
        network.eval()
        losses.append(float(compute_loss(network(attacked)).detach()))
    assert losses[1] >= losses[0] - 1e-4


def test_modes_and_statistics_stay_as_they_were(network: Network) -> None:
    network.layers[1].training = True
    modes = [module.training for module in network.modules()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    attack(network, method="pgd", steps=3, share=1.0)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())


def test_a_share_of_less_than_one_picture_changes_nothing(network: Network) -> None:
    assert torch.equal(attack(network, method="fgsm", share=0.01), draw_pixels())


def test_training_with_attacks_is_another_training(tmp_path) -> None:
    plain, hardened = (
        train(make_recipe(stages=[{"epochs": 1, "size_px": 32}], **changes), tmp_path / name)
        for name, changes in (("plain", {}), ("hardened", {"adversarial": {"method": "fgsm", "strength": 4.0}}))
    )
    weights = [torch.cat([weight.detach().flatten() for weight in part.parameters()]) for part in (plain, hardened)]
    assert not torch.equal(*weights)


def test_cached_features_alone_cannot_be_attacked() -> None:
    with pytest.raises(ValueError, match="`adversarial` needs a stage with `features: computed`"):
        Recipe.model_validate(
            make_recipe().model_dump() | {"stages": CACHED_STAGES[:1], "adversarial": {"method": "fgsm"}}
        )
