import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, cohen_kappa_score, log_loss, roc_auc_score
from torch import nn

from secondlook.training.dataset import Pictures
from secondlook.training.measure import EVALUATION_BATCH, measure_logits, predict_logits
from tests.training.tiny import make_pictures


def test_measures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 300, p=[0.6, 0.2, 0.15, 0.05])
    logits = (rng.normal(0, 1, (300, 4)) + 1.5 * np.eye(4)[labels]).astype(np.float32)
    shares = np.bincount(labels) / 300
    got = measure_logits(logits, labels, log_prior=np.log(shares).astype(np.float32))
    odds = np.exp(logits.astype(np.float64)) * shares
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    areas = [roc_auc_score(labels == label, probabilities[:, label]) for label in range(4)]
    assert got["calibration_nll"] == pytest.approx(log_loss(labels, probabilities), rel=1e-6)
    assert got["calibration_balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(labels, logits.argmax(axis=1)), abs=1e-9
    )
    assert got["calibration_auc"] == pytest.approx(np.mean(areas), abs=1e-9)
    named = logits.argmax(axis=1)
    assert got["calibration_accuracy"] == pytest.approx(accuracy_score(labels, named))
    assert got["calibration_kappa"] == pytest.approx(cohen_kappa_score(labels, named))
    assert "calibration_quadratic_kappa" not in got
    graded = measure_logits(logits, labels, log_prior=np.log(shares).astype(np.float32), ordered=True)
    quadratic = cohen_kappa_score(labels, named, weights="quadratic")
    assert graded == got | {"calibration_quadratic_kappa": pytest.approx(quadratic)}


def test_labels_without_pictures_are_left_out_of_means() -> None:
    logits = np.array([[3, 0, 0], [2, 0, 5], [0, 1, 0]], np.float32)
    got = measure_logits(logits, np.array([0, 0, 1]), log_prior=np.zeros(3, np.float32))
    assert got["calibration_balanced_accuracy"] == 0.75
    assert got["calibration_auc"] == 0.75  # 0.5 for the first, 1 for the second


def test_logits_come_for_every_picture_at_the_size_of_the_export() -> None:
    class Look(nn.Module):
        sizes: list[tuple[int, ...]] = []  # noqa: RUF012  a test's record

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            self.sizes.append(tuple(pixels.shape[1:]))
            assert 0 <= pixels.min() <= pixels.max() <= 1
            return pixels.mean(dim=(2, 3))

    learnt, _ = make_pictures(count=EVALUATION_BATCH + 3, held_out=7)
    pictures = Pictures(learnt.images, learnt.rows[::-1].copy(), learnt.labels[::-1].copy())
    look = Look()
    logits = predict_logits(look, pictures, size_px=(32, 32), device=torch.device("cpu"), precision="fp32")
    assert look.sizes == [(3, 32, 32)] * 2
    expected = learnt.images[: len(learnt)][::-1].mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(logits, expected, atol=2e-3)
