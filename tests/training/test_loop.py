import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import cohen_kappa_score

from secondlook.errors import DatasetError, RecipeError
from secondlook.training import loop, state
from secondlook.training.checkpoint import list_checkpoints, load_checkpoint
from secondlook.training.dataset import Pictures
from secondlook.training.loop import Watcher, hold_interrupt, train_network
from secondlook.training.measure import predict_logits
from tests.training.tiny import VARIANTS, make_pictures, make_recipe, sum_weights, train

PLAIN = {"rate": 0.02, "batch_size": 8, "ema_decay": 0.9}
STEPS = 24


class StopError(Exception):
    """The test stops the run here."""


def stop_after(step: int) -> Watcher:
    def stop(progress: loop.Progress) -> None:
        if progress.step == step + 1:
            raise StopError

    return Watcher(step=stop)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, float]]]:
    """Return the weights' SHA-256 and the history of a run that nothing stopped."""
    history: list[list[dict[str, float]]] = []
    network = train(make_recipe(), tmp_path_factory.mktemp("unbroken"), watcher=Watcher(epoch=history.append))
    return sum_weights(network), drop_seconds(history[-1])


def drop_seconds(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """Return a history without the one column that no run repeats."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def test_a_run_learns_and_tells_of_every_step_and_epoch(tmp_path: Path) -> None:
    steps: list[loop.Progress] = []
    epochs: list[int] = []
    history: list[dict[str, float]] = []

    def end(rows: list[dict[str, float]]) -> None:
        epochs.append(len(rows))
        history[:] = rows

    recipe = make_recipe(
        stages=[{"epochs": 8, "size_px": 32}], augmentation={}, optimiser=PLAIN | {"ema_decay": 0.5, "warmup": 0.2}
    )
    network = train(recipe, tmp_path, watcher=Watcher(step=steps.append, epoch=end))
    assert [progress.step for progress in steps] == list(range(1, 49))
    assert {progress.steps for progress in steps} == {48}
    assert [progress.epoch for progress in steps] == [number for number in range(1, 9) for _ in range(6)]
    assert epochs == list(range(1, 9))
    means = [np.mean([step.loss for step in steps[first : first + 6]]) for first in range(0, 48, 6)]
    np.testing.assert_allclose([row["loss"] for row in history], means)
    assert np.mean([step.loss for step in steps[-6:]]) < 0.6 * np.mean([step.loss for step in steps[:6]])
    _, held_out = make_pictures()
    logits = predict_logits(network, held_out, size_px=(32, 32), device=torch.device("cpu"), precision="fp32")
    assert (logits.argmax(axis=1) == held_out.labels).mean() > 0.7
    assert not network.training


def test_the_history_says_what_was_measured(unbroken: tuple[str, list[dict[str, float]]]) -> None:
    _, history = unbroken
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert [row["step"] for row in history] == [6, 12, 18, 24]
    for row in history:
        assert np.isfinite(list(row.values())).all()
        assert 0 <= row["calibration_auc"] <= 1


@pytest.mark.parametrize("step", [1, 6, 9, STEPS - 1])
def test_a_run_stopped_at_any_step_continues_to_the_same_weights_and_history(
    tmp_path: Path, unbroken: tuple[str, list[dict[str, float]]], step: int
) -> None:
    with pytest.raises(StopError):
        train(make_recipe(), tmp_path, watcher=stop_after(step))
    steps: list[int] = []
    history: list[list[dict[str, float]]] = []
    watcher = Watcher(step=lambda progress: steps.append(progress.step), epoch=history.append)
    torch.manual_seed(99)
    network = train(make_recipe(), tmp_path, watcher=watcher)
    assert steps == list(range(step + 1, STEPS + 1))
    assert (sum_weights(network), drop_seconds(history[-1])) == unbroken
    assert all(row["seconds"] > 0 for row in history[-1])


def test_a_run_with_every_feature_stopped_anywhere_continues_to_the_same_weights(tmp_path: Path) -> None:
    recipe = make_recipe(
        **VARIANTS["features"], machine={"device": "cpu", "precision": "fp32", "checkpoint_every_s": 0}
    )
    expected = sum_weights(train(recipe, tmp_path / "unbroken"))
    for step in (7, 14):
        with pytest.raises(StopError):
            train(recipe, tmp_path / "broken", watcher=stop_after(step))
    torch.manual_seed(99)
    assert sum_weights(train(recipe, tmp_path / "broken")) == expected


@pytest.fixture
def nothing_gets_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every epoch measure the same."""
    monkeypatch.setattr(loop, "measure_logits", lambda *args, **options: {"calibration_auc": 0.5})


@pytest.mark.usefixtures("nothing_gets_better")
def test_a_run_stops_when_nothing_gets_better_and_started_again_stays_stopped(tmp_path: Path) -> None:
    recipe = make_recipe(stop={"patience": 2}, keep="best")
    steps: list[int] = []
    said: list[str] = []
    watcher = Watcher(step=lambda progress: steps.append(progress.step), note=said.append)
    first = sum_weights(train(recipe, tmp_path / "unbroken", watcher=watcher))
    assert steps[-1] == 18, "three epochs of six steps, the first of them the best"
    assert any("stopped after epoch 3" in sentence for sentence in said)
    packed = load_checkpoint(tmp_path / "unbroken", warn=pytest.fail)
    assert packed is not None
    assert packed["step"] == 18
    again = train(recipe, tmp_path / "unbroken", watcher=stop_after(-1))
    assert sum_weights(again) == first
    with pytest.raises(StopError):
        train(recipe, tmp_path / "broken", watcher=stop_after(14))
    steps.clear()
    assert sum_weights(train(recipe, tmp_path / "broken", watcher=watcher)) == first
    assert steps == [15, 16, 17, 18]


@pytest.mark.usefixtures("nothing_gets_better")
def test_a_plateau_lowers_the_rate_by_what_the_history_says(tmp_path: Path) -> None:
    optimiser = {"rate": 0.01, "batch_size": 8, "warmup": 0, "schedule": "plateau", "patience": 1, "drop_factor": 0.5}
    history: list[list[dict[str, float]]] = []
    recipe = make_recipe(optimiser=optimiser, stages=[{"epochs": 4, "size_px": 32}])
    train(recipe, tmp_path, watcher=Watcher(epoch=history.append))
    assert [row["rate"] for row in history[-1]] == pytest.approx([0.01, 0.01, 0.005, 0.0025])


def test_a_gpu_too_small_is_told_with_a_smaller_batch_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbroken: tuple[str, list[dict[str, float]]]
) -> None:
    whole, calls = loop.balanced_loss, []

    def fill(*args: Any, **options: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 10:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return whole(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "balanced_loss", fill)
        with pytest.raises(RecipeError, match=r"Expected 8 pictures .*--set optimiser\.batch_size=4.*checkpoints"):
            train(make_recipe(), tmp_path)
    packed = load_checkpoint(tmp_path, warn=pytest.fail)
    assert packed is not None
    assert packed["step"] == 9
    assert sum_weights(train(make_recipe(), tmp_path)) == unbroken[0]


def test_grades_are_measured_and_the_best_epoch_chosen_by_quadratic_kappa(tmp_path: Path) -> None:
    pictures = [Pictures(part.images, part.rows, part.labels % 5) for part in make_pictures()]
    recipe = make_recipe(task="knee", loss={"name": "ordinal"}, measure="quadratic_kappa", keep="best")
    history: list[list[dict[str, float]]] = []
    network = train_network(
        recipe,
        train=pictures[0],
        calibration=pictures[1],
        folder=tmp_path,
        device=torch.device("cpu"),
        precision="fp32",
        watcher=Watcher(epoch=history.append),
    )
    logits = predict_logits(network, pictures[1], size_px=(32, 32), device=torch.device("cpu"), precision="fp32")
    best = cohen_kappa_score(pictures[1].labels, logits.argmax(axis=1), weights="quadratic")
    assert best == pytest.approx(max(row["calibration_quadratic_kappa"] for row in history[-1]))


def test_a_finished_run_gives_its_weights_again_without_a_step(
    tmp_path: Path, unbroken: tuple[str, list[dict[str, float]]]
) -> None:
    train(make_recipe(), tmp_path)
    assert sum_weights(train(make_recipe(), tmp_path, watcher=stop_after(-1))) == unbroken[0]


def test_a_damaged_checkpoint_costs_a_few_steps_but_changes_nothing(
    tmp_path: Path, unbroken: tuple[str, list[dict[str, float]]]
) -> None:
    with pytest.raises(StopError):
        train(make_recipe(), tmp_path, watcher=stop_after(9))
    newest = list_checkpoints(tmp_path)[0]
    newest.write_bytes(newest.read_bytes()[:-1])
    said: list[str] = []
    steps: list[int] = []
    watcher = Watcher(step=lambda progress: steps.append(progress.step), warn=said.append)
    assert sum_weights(train(make_recipe(), tmp_path, watcher=watcher)) == unbroken[0]
    assert steps[0] == 9
    assert len(said) == 1
    assert newest.name in said[0]


def test_another_seed_gives_other_weights(tmp_path: Path, unbroken: tuple[str, list[dict[str, float]]]) -> None:
    assert sum_weights(train(make_recipe(seed=6), tmp_path)) != unbroken[0]


def test_the_best_epoch_is_kept_where_the_recipe_says_so(tmp_path: Path) -> None:
    history: list[list[dict[str, float]]] = []
    recipe = make_recipe(keep="best", augmentation={}, optimiser=PLAIN)
    network = train(recipe, tmp_path, watcher=Watcher(epoch=history.append))
    areas = [row["calibration_auc"] for row in history[-1]]
    _, held_out = make_pictures()
    logits = predict_logits(network, held_out, size_px=(32, 32), device=torch.device("cpu"), precision="fp32")
    measured = loop.measure_logits(logits, held_out.labels, log_prior=np.zeros(7, np.float32))
    assert measured["calibration_auc"] == max(areas)
    packed = load_checkpoint(tmp_path, warn=pytest.fail)
    assert packed is not None
    assert all(torch.equal(packed["best"][name], value) for name, value in network.state_dict().items())


def test_a_head_stage_moves_the_head_alone(tmp_path: Path) -> None:
    recipe = make_recipe(stages=[{"epochs": 1, "size_px": 32, "trainable": "head"}], optimiser={"batch_size": 8})
    torch.manual_seed(recipe.seed)
    before = state.start_state(recipe, classes=7, device=torch.device("cpu"), packed=None).network.state_dict()
    after = train(recipe, tmp_path).state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"head.weight", "head.bias"}


def test_checkpoints_come_with_every_epoch_and_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = loop.save_checkpoint
    monkeypatch.setattr(loop, "save_checkpoint", lambda *args, step: (saved.append(step), save(*args, step=step)))
    machine = {"device": "cpu", "precision": "fp32"}
    train(make_recipe(machine=machine | {"checkpoint_every_s": 1e9}), tmp_path / "epochs")
    assert saved == [6, 12, 18, 24]
    saved.clear()
    train(make_recipe(machine=machine | {"checkpoint_every_s": 0}), tmp_path / "always")
    assert saved == list(range(1, STEPS + 1))


def test_a_loss_that_is_no_number_stops_with_a_sentence_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    recipe = make_recipe(optimiser={"name": "sgd", "rate": 1e18, "batch_size": 8, "warmup": 0, "schedule": "constant"})
    with pytest.raises(RecipeError) as refusal:
        train(recipe, tmp_path)
    message = str(refusal.value)
    assert "the loss is nan" in message or "the loss is inf" in message
    assert "--set optimiser.rate=3.3e+17" in message
    assert "in another run folder with --run. The last good checkpoint is kept in this one." in message
    packed = load_checkpoint(tmp_path, warn=pytest.fail)
    assert packed is not None
    assert packed["step"] >= 1
    assert all(value.isfinite().all() for name, value in packed["network"].items() if "running" not in name)


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Spoil(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:
            with torch.no_grad():
                self.param_groups[0]["params"][0][0] = torch.nan

    monkeypatch.setattr(
        state, "build_optimiser", lambda network, recipe, **options: Spoil(network.parameters(), lr=0.1)
    )
    with pytest.raises(RecipeError, match=r"at step 1 \(epoch 1\) the weights are no numbers any more") as refusal:
        train(make_recipe(optimiser=PLAIN), tmp_path)
    assert load_checkpoint(tmp_path, warn=pytest.fail) is None
    assert "Nothing was saved yet, so the run folder may be used again." in str(refusal.value)
    assert "kept" not in str(refusal.value)


def test_logits_that_are_no_numbers_stop_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "predict_logits", lambda *args, **options: np.full((21, 7), np.nan, np.float32))
    with pytest.raises(RecipeError, match="the logits of calibration pictures are no numbers"):
        train(make_recipe(), tmp_path)


def test_a_run_without_class_balance_is_measured_as_it_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []
    measure = loop.measure_logits
    monkeypatch.setattr(loop, "predict_logits", lambda *args, **options: np.zeros((21, 7), np.float32))
    monkeypatch.setattr(
        loop, "measure_logits", lambda logits, *a, **k: (seen.append(logits), measure(logits, *a, **k))[1]
    )
    learnt, _ = make_pictures()
    for balance in ("none", "weights"):
        train(make_recipe(loss={"balance": balance}, stages=[{"epochs": 1, "size_px": 32}]), tmp_path / balance)
    shares = np.bincount(learnt.labels) / len(learnt)
    np.testing.assert_allclose(np.exp(-seen[0][0]), shares, rtol=1e-6)
    assert (seen[1] == 0).all()


def test_ctrl_c_waits_for_the_step_under_way_and_loses_nothing(
    tmp_path: Path, unbroken: tuple[str, list[dict[str, float]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = {"device": "cpu", "precision": "fp32", "checkpoint_every_s": 1e9}
    step, calls = torch.optim.AdamW.step, []

    def interrupted(self: torch.optim.AdamW, closure: Any = None) -> None:
        calls.append(1)
        if len(calls) == 9:
            signal.raise_signal(signal.SIGINT)
        step(self)

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.AdamW, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(make_recipe(machine=machine), tmp_path)
    packed = load_checkpoint(tmp_path, warn=pytest.fail)
    assert packed is not None
    assert packed["step"] == 9
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sum_weights(train(make_recipe(machine=machine), tmp_path)) == unbroken[0]


def test_a_second_ctrl_c_strikes_at_once() -> None:
    with hold_interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("ignored", [False, True], ids=["in front", "a script's background job, without Ctrl-C"])
def test_a_polite_kill_is_held_back_like_ctrl_c(ignored: bool) -> None:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with hold_interrupt() as interrupted:
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupted()
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_interrupts_are_left_alone_outside_the_main_thread_and_where_another_answers_them() -> None:
    answers: list[object] = []

    def other(number: int, frame: object) -> None:
        answers.append(number)

    def look() -> None:
        with hold_interrupt():
            answers.append(signal.getsignal(signal.SIGINT))

    run_in_thread(look)
    assert answers == [signal.default_int_handler]
    signal.signal(signal.SIGINT, other)
    try:
        with hold_interrupt() as interrupted:
            os.kill(os.getpid(), signal.SIGINT)
            assert not interrupted()
        assert signal.getsignal(signal.SIGINT) is other
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert answers[1:] == [signal.SIGINT]


def run_in_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_starting_weights_are_not_fetched_again_to_continue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    build = state.build_network

    def watch(recipe: Any, *, classes: int, fresh: bool) -> torch.nn.Module:
        asked.append(not fresh)
        return build(recipe, classes=classes, fresh=True)

    monkeypatch.setattr(state, "build_network", watch)
    recipe = make_recipe(model={"name": "test_byobnet", "weights": "hub"})
    with pytest.raises(StopError):
        train(recipe, tmp_path, watcher=stop_after(2))
    train(recipe, tmp_path, watcher=Watcher())
    assert asked == [True, False]


def test_an_empty_calibration_split_is_refused(tmp_path: Path) -> None:
    learnt, held_out = make_pictures()
    with pytest.raises(DatasetError, match="Expected pictures in the calibration split"):
        train_network(
            make_recipe(),
            train=learnt,
            calibration=Pictures(held_out.images, held_out.rows[:0], held_out.labels[:0]),
            folder=tmp_path,
            device=torch.device("cpu"),
            precision="fp32",
        )
