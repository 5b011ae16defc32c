"""Every measure against scikit-learn or a plain loop, on odd inputs too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from secondlook.evaluation.metrics import (
    compute_accuracy,
    compute_auc,
    compute_brier,
    compute_calibration_error,
    compute_class_aucs,
    compute_confusion,
    compute_kappa,
    compute_log_loss,
    compute_macro,
    compute_matthews,
    compute_rates,
)

CLASSES = 4


@st.composite
def draw_answers(draw, classes=CLASSES):
    """True classes, probabilities with many ties, and how often each row counts; classes may be missing."""
    rows = draw(st.integers(2, 25))
    labels = np.array(draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows)))
    parts = st.lists(st.integers(1, 3), min_size=classes, max_size=classes)
    probabilities = np.array(draw(st.lists(parts, min_size=rows, max_size=rows)), dtype=float)
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)))
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True), weights


def make_answers(seed=0, rows=300):
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, rows)
    logits = random.normal(size=(rows, CLASSES)) + 1.2 * np.eye(CLASSES)[labels]
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@given(draw_answers())
def test_auc_equals_scikit_learn_with_ties_and_weights(answers):
    labels, probabilities, weights = answers
    for k in range(CLASSES):
        positive = labels == k
        ours = compute_auc(positive, probabilities[:, k], weights=weights)
        if weights[positive].sum() == 0 or weights[~positive].sum() == 0:
            assert np.isnan(ours)
        else:
            expected = sk.roc_auc_score(positive, probabilities[:, k], sample_weight=weights)
            assert ours == pytest.approx(expected, abs=1e-12)


@given(draw_answers())
def test_weights_mean_repeated_rows(answers):
    labels, probabilities, weights = answers
    if not weights.sum():
        return
    repeat = np.repeat(np.arange(len(labels)), weights)
    positive, score = labels == 1, probabilities[:, 1]
    pairs = [
        (compute_auc(positive, score, weights=weights), compute_auc(positive[repeat], score[repeat])),
        (
            compute_calibration_error(score, positive, weights=weights),
            compute_calibration_error(score[repeat], positive[repeat]),
        ),
        (compute_brier(positive, score, weights=weights), compute_brier(positive[repeat], score[repeat])),
        (
            compute_confusion(labels, probabilities.argmax(1), classes=CLASSES, weights=weights),
            compute_confusion(labels[repeat], probabilities[repeat].argmax(1), classes=CLASSES),
        ),
    ]
    for weighted, repeated in pairs:
        np.testing.assert_allclose(weighted, repeated, atol=1e-12)


@given(draw_answers())
def test_rates_equal_scikit_learn_and_are_undefined_without_rows(answers):
    labels, probabilities, _ = answers
    predicted = probabilities.argmax(axis=1)
    confusion = compute_confusion(labels, predicted, classes=CLASSES)
    np.testing.assert_array_equal(confusion, sk.confusion_matrix(labels, predicted, labels=range(CLASSES)))
    assert compute_accuracy(confusion) == pytest.approx(sk.accuracy_score(labels, predicted))
    rates = compute_rates(confusion)
    for k in range(CLASSES):
        true, flagged = labels == k, predicted == k
        expected = {
            "sensitivity": sk.recall_score(true, flagged, zero_division=np.nan),
            "specificity": sk.recall_score(~true, ~flagged, zero_division=np.nan),
            "ppv": sk.precision_score(true, flagged, zero_division=np.nan),
            "npv": sk.precision_score(~true, ~flagged, zero_division=np.nan),
            "f1": sk.f1_score(true, flagged) if true.any() else np.nan,
        }
        for name, value in expected.items():
            np.testing.assert_allclose(rates[name][k], value, err_msg=name)


@given(draw_answers())
def test_agreement_equals_scikit_learn_with_weights_and_is_undefined_without_spread(answers):
    labels, probabilities, weights = answers
    predicted, present = probabilities.argmax(axis=1), weights > 0
    confusion = compute_confusion(labels, predicted, classes=CLASSES, weights=np.stack([weights, weights]))
    seen = [set(values[present]) for values in (labels, predicted)]
    for quadratic in (False, True):
        kappa = compute_kappa(confusion, quadratic=quadratic)
        if len(seen[0] | seen[1]) < 2:
            assert np.isnan(kappa).all()
            continue
        how = {"weights": "quadratic" if quadratic else None, "labels": range(CLASSES), "sample_weight": weights}
        assert kappa == pytest.approx([sk.cohen_kappa_score(labels, predicted, **how)] * 2, abs=1e-12)
    matthews = compute_matthews(confusion)
    if min(map(len, seen)) < 2:
        assert np.isnan(matthews).all()
    else:
        expected = sk.matthews_corrcoef(labels, predicted, sample_weight=weights)
        assert matthews == pytest.approx([expected] * 2, abs=1e-12)


def test_macro_figures_equal_scikit_learn():
    labels, probabilities = make_answers()
    predicted, present = probabilities.argmax(axis=1), np.ones(CLASSES, dtype=bool)
    rates = compute_rates(compute_confusion(labels, predicted, classes=CLASSES))
    macro_auc = compute_macro(compute_class_aucs(labels, probabilities), present)
    assert macro_auc == pytest.approx(sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"))
    assert compute_macro(rates["sensitivity"], present) == pytest.approx(sk.balanced_accuracy_score(labels, predicted))
    assert compute_macro(rates["f1"], present) == pytest.approx(sk.f1_score(labels, predicted, average="macro"))


def test_macro_leaves_out_only_classes_that_the_data_lack():
    values = np.array([[0.2, np.nan, 0.6], [0.2, 0.4, np.nan]])
    np.testing.assert_allclose(compute_macro(values, np.array([True, False, True])), [0.4, np.nan])
    assert np.isnan(compute_macro(values, np.zeros(3, dtype=bool))).all()


def test_calibration_error_equals_a_loop_over_bins():
    labels, probabilities = make_answers()
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert compute_calibration_error(confidence, correct) == pytest.approx(expected)
    assert expected > 0.01


def test_calibration_error_of_certain_and_right_answers_is_zero():
    assert compute_calibration_error(np.array([0.0, 1.0, 1.0]), np.array([False, True, True])) == 0


def test_brier_equals_scikit_learn():
    labels, probabilities = make_answers()
    mean = compute_brier(np.eye(CLASSES, dtype=bool)[labels], probabilities)
    assert mean == pytest.approx(sk.brier_score_loss(labels, probabilities, scale_by_half=False))
    positive = labels == 2
    binary = compute_brier(positive, probabilities[:, 2])
    assert binary == pytest.approx(sk.brier_score_loss(positive, probabilities[:, 2]))


@given(draw_answers())
def test_log_loss_equals_scikit_learn_with_weights(answers):
    labels, probabilities, weights = answers
    if weights.sum():
        expected = sk.log_loss(labels, probabilities, sample_weight=weights, labels=range(CLASSES))
        assert compute_log_loss(labels, probabilities, weights=weights) == pytest.approx(expected)


def test_one_certain_mistake_is_not_infinitely_bad():
    loss = compute_log_loss(np.array([1, 0]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert loss == pytest.approx(12 * np.log(10) / 2)


def test_a_matrix_of_weights_measures_each_row_on_its_own():
    labels, probabilities = make_answers(rows=40)
    weights = np.random.default_rng(1).integers(0, 3, (5, 40))
    together = compute_class_aucs(labels, probabilities, weights=weights)
    alone = [compute_class_aucs(labels, probabilities, weights=row) for row in weights]
    np.testing.assert_allclose(together, alone)
    assert together.shape == (5, CLASSES)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: compute_auc(np.array([True, False]), np.array([0.1, np.nan])), "finite"),
        (lambda: compute_auc(np.array([1, 0]), np.array([0.1, 0.2])), "true or false"),
        (lambda: compute_auc(np.array([True]), np.array([0.1, 0.2])), "same length"),
        (lambda: compute_auc(np.array([], dtype=bool), np.array([])), "at least 1"),
        (lambda: compute_auc(np.array([True]), np.array([0.1]), weights=np.array([-1])), "not negative"),
        (lambda: compute_auc(np.array([True]), np.array([0.1]), weights=np.ones((2, 2))), "R×1"),
        (lambda: compute_confusion(np.array([0, 3]), np.array([0, 1]), classes=3), "0 … 2"),
        (lambda: compute_confusion(np.array([0.0]), np.array([0]), classes=3), "whole numbers"),
        (lambda: compute_confusion(np.array([0]), np.array([0]), classes=0), "one class"),
        (lambda: compute_class_aucs(np.array([0]), np.array([[0.7, 0.7]])), "add up to 1"),
        (lambda: compute_brier(np.array([True]), np.array([1.5])), "0..1"),
        (lambda: compute_brier(np.array([True]), np.array([[1.0]])), "equal shapes"),
        (lambda: compute_calibration_error(np.array([0.5]), np.array([True]), bins=0), "one bin"),
        (lambda: compute_rates(np.ones((2, 3))), "square"),
        (lambda: compute_kappa(np.ones((2, 3))), "square"),
        (lambda: compute_matthews(np.ones(4)), "square"),
        (lambda: compute_macro(np.ones(3), np.ones(2, dtype=bool)), "classes"),
    ],
)
def test_wrong_arrays_are_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
