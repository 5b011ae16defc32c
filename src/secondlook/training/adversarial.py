"""Attack a part of each batch before it is learned from, so that the network withstands what attacked it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from secondlook.training.sections import Adversarial

WHITE = 255
FGSM_STEP = 1.25  # of the strength; a random start and a step that overshoots keep one step from being learned by heart
PGD_STEP = 2.5  # of the strength, shared by the steps


def attack_batch(
    network: nn.Module,
    pixels: Tensor,
    loss: Callable[[Tensor], Tensor],
    recipe: Adversarial,
    generator: torch.Generator,
) -> Tensor:
    """Change the first pictures of a batch so that the network under way has the greatest loss on them.

    One step from a random start (Wong, Rice, Kolter 2020, doi 10.48550/arXiv.2001.03994), or several (Madry et al.
    2018, doi 10.48550/arXiv.1706.06083). The network answers as it will in use, without dropout, and its statistics
    stay as they are.

    Args:
        network: From pictures to logits.
        pixels: float32 N×3×H×W in 0..1; their order is random.
        loss: From logits of the whole batch, N×K, to the mean loss.
        recipe: Method, strength, steps, and the share of the batch that is attacked.
        generator: Source of the random start.

    Returns:
        float32 N×3×H×W in 0..1; no value of the first ``round(share · N)`` differs by more than the strength, and
        the others are as they were.
    """
    count, most = round(recipe.share * len(pixels)), recipe.strength / WHITE
    if not count:
        return pixels
    steps = 1 if recipe.method == "fgsm" else recipe.steps
    size = most * FGSM_STEP if recipe.method == "fgsm" else most * min(1.0, PGD_STEP / steps)
    low, high = (pixels[:count] - most).clamp(min=0), (pixels[:count] + most).clamp(max=1)
    start = (2 * torch.rand(pixels[:count].shape, generator=generator) - 1).to(pixels.device) * most
    attacked = torch.clamp(pixels[:count] + start, low, high)
    with answer_as_in_use(network):
        for _ in range(steps):
            attacked.requires_grad_(True)
            batch = torch.cat([attacked, pixels[count:]]).to(memory_format=torch.channels_last)
            (slope,) = torch.autograd.grad(loss(network(batch)), attacked)
            attacked = torch.clamp(attacked.detach() + size * slope.sign(), low, high)
    return torch.cat([attacked, pixels[count:]])


@contextmanager
def answer_as_in_use(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and each of its modules back into the mode that it was in."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
