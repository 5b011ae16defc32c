import numpy as np
import pytest
import torch
from torch import nn

from secondlook.training.sections import Optimiser
from secondlook.training.state import average_weights, build_optimiser, start_state
from tests.training.tiny import make_recipe


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adamw", torch.optim.AdamW),
        ("adam", torch.optim.Adam),
        ("sgd", torch.optim.SGD),
        ("rmsprop", torch.optim.RMSprop),
    ],
)
def test_the_optimiser_decays_kernels_but_no_biases_and_no_norms(name: str, kind: type) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    optimiser = build_optimiser(network, Optimiser(name=name, rate=0.3, weight_decay=0.05))
    assert type(optimiser) is kind
    decayed, plain = optimiser.param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.05, 0.0)
    assert decayed["lr"] == plain["lr"] == 0.3
    assert {id(weight) for weight in decayed["params"]} == {id(network[0].weight), id(network[3].weight)}
    others = (network[0].bias, network[1].weight, network[1].bias, network[3].bias)
    assert {id(weight) for weight in plain["params"]} == {id(weight) for weight in others}


def test_the_moving_average_follows_weights_and_statistics() -> None:
    network = nn.BatchNorm1d(2)
    average = average_weights(network, Optimiser(ema_decay=0.8))
    assert average is not None
    generator = torch.Generator().manual_seed(0)
    expected = None
    for _ in range(5):
        with torch.no_grad():
            network.weight.normal_(generator=generator)
            network(torch.randn(8, 2, generator=generator))
        average.update_parameters(network)
        now = np.stack([network.weight.detach().numpy(), network.running_mean.numpy(), network.running_var.numpy()])
        expected = now.copy() if expected is None else 0.8 * expected + 0.2 * now
    kept = average.module
    got = np.stack([kept.weight.detach().numpy(), kept.running_mean.numpy(), kept.running_var.numpy()])
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert average_weights(network, Optimiser(ema_decay=0)) is None


def test_a_packed_state_unpacks_to_the_same() -> None:
    recipe = make_recipe()
    device = torch.device("cpu")
    torch.manual_seed(1)
    state = start_state(recipe, classes=7, device=device, packed=None)
    state.network(torch.rand(4, 3, 32, 32)).sum().backward()
    state.optimiser.step()
    state.average.update_parameters(state.network)
    state.step, state.losses, state.seconds = 3, [1.0], 2.5
    state.history, state.best = [{"epoch": 1}], state.network.state_dict()
    torch.manual_seed(2)
    again = start_state(recipe, classes=7, device=device, packed=state.pack())
    for packed, same in zip(flatten(state.pack()), flatten(again.pack()), strict=True):
        assert torch.equal(packed, same) if isinstance(packed, torch.Tensor) else packed == same


def test_the_average_answers_where_there_is_one() -> None:
    state = start_state(make_recipe(), classes=7, device=torch.device("cpu"), packed=None)
    assert state.answering() is state.average.module
    plain = make_recipe(optimiser={"ema_decay": 0})
    state = start_state(plain, classes=7, device=torch.device("cpu"), packed=None)
    assert state.answering() is state.network


def flatten(content: object) -> list[object]:
    if isinstance(content, dict):
        return [part for key in content for part in [key, *flatten(content[key])]]
    if isinstance(content, list | tuple):
        return [part for item in content for part in flatten(item)]
    return [content]
