import numpy as np
import pytest
import torch
from torch.nn import functional

from secondlook.training.dataset import draw_order
from secondlook.training.loss import balanced_loss, count_prior
from secondlook.training.recipe import Loss

LABELS = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(10, 3, generator=torch.Generator().manual_seed(1), requires_grad=True)


def give(logits: torch.Tensor, **options: object) -> torch.Tensor:
    targets = functional.one_hot(torch.from_numpy(LABELS)).float()
    log_prior = torch.from_numpy(count_prior(LABELS, 3))
    return balanced_loss(logits, targets, log_prior=log_prior, recipe=Loss.model_validate(options))


def test_the_prior_is_the_log_share_of_every_class() -> None:
    np.testing.assert_allclose(np.exp(count_prior(LABELS, 3)), [0.5, 0.3, 0.2], rtol=1e-6)


def test_logit_adjustment_is_the_cross_entropy_of_odds_weighted_by_class_shares(logits: torch.Tensor) -> None:
    odds = np.exp(logits.detach().double().numpy()) * [0.5, 0.3, 0.2]
    expected = -np.log(odds[np.arange(10), LABELS] / odds.sum(axis=1)).mean()
    assert give(logits, balance="logit_adjustment").item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("balance", ["logit_adjustment", "none", "sampler"])
def test_losses_and_their_gradients_are_those_of_torch(logits: torch.Tensor, balance: str, smoothing: float) -> None:
    shift = torch.tensor([0.5, 0.3, 0.2]).log() if balance == "logit_adjustment" else torch.zeros(3)
    expected = functional.cross_entropy(logits + shift, torch.from_numpy(LABELS), label_smoothing=smoothing)
    got = give(logits, balance=balance, label_smoothing=smoothing)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (got, expected)))


def test_class_weights_are_those_of_torch_in_a_batch_of_other_shares(logits: torch.Tensor) -> None:
    weight = 1 / torch.tensor([0.5, 0.3, 0.2])
    labels = torch.from_numpy(LABELS[4:])
    expected = functional.cross_entropy(logits[4:], labels, weight=weight)
    log_prior = torch.from_numpy(count_prior(LABELS, 3))
    targets = functional.one_hot(labels).float()
    got = balanced_loss(logits[4:], targets, log_prior=log_prior, recipe=Loss(balance="weights"))
    torch.testing.assert_close(got, expected)


def draw_lines(counts: tuple[int, ...], seed: int) -> tuple[torch.Tensor, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    points = rng.normal(labels[:, None] * 1.5, 1, (len(labels), 1))
    return torch.tensor(points, dtype=torch.float32), labels


def fit(balance: str) -> float:
    """Fit a line between two overlapping classes, 1,900 to 100, and return the balanced accuracy on even ones."""
    points, labels = draw_lines((1900, 100), seed=0)
    torch.manual_seed(0)
    line = torch.nn.Linear(1, 2)
    optimiser = torch.optim.Adam(line.parameters(), lr=0.05)
    targets = functional.one_hot(torch.from_numpy(labels)).float()
    log_prior = torch.from_numpy(count_prior(labels, 2))
    for epoch in range(300):
        rows = torch.from_numpy(draw_order(labels, balance=balance, seed=0, epoch=epoch))
        loss = balanced_loss(line(points[rows]), targets[rows], log_prior=log_prior, recipe=Loss(balance=balance))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    points, labels = draw_lines((1000, 1000), seed=1)
    named = line(points).argmax(dim=1).numpy()
    return float(np.mean([(named[labels == label] == label).mean() for label in (0, 1)]))


def test_every_balance_finds_the_rare_class_that_plain_training_drowns() -> None:
    plain = fit("none")
    best = 0.5 * (1 + torch.erf(torch.tensor(0.75 / 2**0.5)).item())  # Bayes: the share on the right side of the middle
    assert plain < best - 0.1
    for balance in ("logit_adjustment", "weights", "sampler"):
        assert fit(balance) == pytest.approx(best, abs=0.03), balance
