import numpy as np
import pytest
import torch
from torch.nn import functional

from secondlook.training.dataset import draw_order
from secondlook.training.loss import balanced_loss, compute_losses, count_prior
from secondlook.training.sections import Loss

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


def test_binary_loss_is_the_mean_cross_entropy_of_each_class_against_the_rest(logits: torch.Tensor) -> None:
    targets = functional.one_hot(torch.from_numpy(LABELS)).float()
    expected = functional.binary_cross_entropy(logits.softmax(dim=1), targets)
    torch.testing.assert_close(give(logits, name="binary", balance="none"), expected)
    mixed = 0.7 * targets + 0.3 * targets.flip(0)
    expected = functional.binary_cross_entropy(logits.softmax(dim=1), mixed)
    torch.testing.assert_close(compute_losses(logits, mixed, Loss(name="binary")).mean(), expected)
    pair, two = logits[:, :2], targets[:, :2] / targets[:, :2].sum(dim=1, keepdim=True).clamp(min=1)
    two[8:] = torch.tensor([0.5, 0.5])
    plain, binary = (compute_losses(pair, two, Loss(name=name)) for name in ("cross_entropy", "binary"))
    torch.testing.assert_close(plain, binary)
    sure = torch.tensor([[80.0, -80.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(compute_losses(sure, torch.eye(3)[:1], Loss(name="binary")).sum(), sure)
    assert gradient.isfinite().all()


def test_focal_loss_weighs_down_what_is_easy(logits: torch.Tensor) -> None:
    shares = logits.detach().double().softmax(dim=1).numpy()[np.arange(10), LABELS]
    for gamma in (0.5, 2.0):
        expected = (-((1 - shares) ** gamma) * np.log(shares)).mean()
        assert give(logits, name="focal", gamma=gamma, balance="none").item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(give(logits, name="focal", gamma=0), give(logits))
    sure = torch.tensor([[60.0, 0.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(compute_losses(sure, torch.eye(3)[:1], Loss(name="focal", gamma=0.5)).sum(), sure)
    assert gradient.isfinite().all()


def test_ordinal_loss_adds_the_squared_distance_of_cumulated_shares(logits: torch.Tensor) -> None:
    shares = logits.detach().double().softmax(dim=1).numpy()
    gaps = np.cumsum(shares - np.eye(3)[LABELS], axis=1)
    expected = give(logits, balance="none").item() + 0.7 * (gaps**2).sum(axis=1).mean()
    got = give(logits, name="ordinal", order_weight=0.7, balance="none")
    assert got.item() == pytest.approx(expected, rel=1e-5)
    near, far = torch.tensor([[0.0, 9.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0, 9.0]])
    truth = torch.eye(4)[:1]
    assert compute_losses(near, truth, Loss()) == compute_losses(far, truth, Loss())
    assert compute_losses(far, truth, Loss(name="ordinal")) > compute_losses(near, truth, Loss(name="ordinal")) + 1


@pytest.mark.parametrize("name", ["cross_entropy", "binary", "ordinal"])
def test_losses_that_are_proper_are_least_at_the_true_shares(name: str) -> None:
    """So that the softmax of the logits stays a probability, as bundles promise; the focal loss is not of these."""
    truth = torch.tensor([[0.1, 0.2, 0.4, 0.3]])
    logits = truth.log().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(compute_losses(logits, truth, Loss(name=name)).sum(), logits)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-6, rtol=0)


@pytest.mark.parametrize("balance", ["logit_adjustment", "weights"])
@pytest.mark.parametrize("name", ["cross_entropy", "binary", "focal", "ordinal"])
def test_losses_stay_on_the_device_of_the_logits(name: str, balance: str) -> None:
    logits, targets, log_prior = (torch.zeros(shape, device="meta") for shape in ((8, 5), (8, 5), (5,)))
    assert balanced_loss(logits, targets, log_prior=log_prior, recipe=Loss(name=name, balance=balance)).is_meta


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
    for balance in ("logit_adjustment", "weights", "sampler", "generate"):
        assert fit(balance) == pytest.approx(best, abs=0.03), balance
