"""What the page says about figures follows from their intervals."""

from pathlib import Path

import pandas as pd
import pytest

from secondlook.data.facts import FAMILIES
from secondlook.data.manifest import Manifest
from secondlook.evaluation.figures import write_auc, write_bounds, write_percent
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.overview import mark_guess, pick_samples
from secondlook.evaluation.shortcuts import Guess

SIZE, SHARPNESS = FAMILIES[0], FAMILIES[3]
NAN = float("nan")


@pytest.mark.parametrize(
    ("guess", "mark"),
    [
        (Guess(SIZE, Interval(0.9, 0.8, 1), {}), ("doubt", "Possible shortcut")),
        (Guess(SHARPNESS, Interval(0.9, 0.8, 1), {}), ("doubt", "Possible shortcut, or the disease")),
        (Guess(SIZE, Interval(0.58, 0.55, 0.62), {"mel": Interval(0.8, 0.7, 0.9)}), ("doubt", "Possible shortcut")),
        (Guess(SIZE, Interval(0.58, 0.55, 0.62), {"mel": Interval(0.8, 0.6, 0.9)}), ("unknown", "Weak sign")),
        (Guess(SIZE, Interval(0.52, 0.41, 0.62), {}), ("unknown", "Not ruled out")),
        (Guess(SIZE, Interval(0.53, 0.51, 0.55), {}), ("unknown", "Weak sign")),
        (Guess(SIZE, Interval(0.49, 0.46, 0.52), {}), ("clean", "No sign of a shortcut")),
        (Guess(SIZE, Interval(0.9, NAN, NAN), {}), ("unknown", "Too few to say")),
        (Guess(SIZE, Interval(0.5, 0.5, 0.5), {}, varies=False), ("clean", "The same in all pictures")),
    ],
)
def test_a_mark_follows_from_the_interval(guess: Guess, mark: tuple[str, str]) -> None:
    assert mark_guess(guess) == mark


def test_samples_are_of_different_patients_and_the_same_for_the_same_seed() -> None:
    frame = pd.DataFrame(
        {
            "image": [f"{number:02}.png" for number in range(40)],
            "label": ["mel", "nv"] * 20,
            "group": [f"g{number // 8}" for number in range(40)],
        }
    )
    picked = pick_samples(Manifest(frame, Path()), "mel", 4, seed=1)
    chosen = frame.set_index("image").loc[picked]
    assert set(chosen["label"]) == {"mel"}
    assert chosen["group"].nunique() == 4
    assert picked == pick_samples(Manifest(frame.iloc[::-1], Path()), "mel", 4, seed=1)
    assert picked != pick_samples(Manifest(frame, Path()), "mel", 4, seed=2)
    assert len(pick_samples(Manifest(frame, Path()), "mel", 9, seed=1)) == 5


def test_figures_are_written_with_as_many_digits_as_they_bear() -> None:
    nbsp = "\N{NO-BREAK SPACE}"
    shares = [write_percent(share) for share in (0, 0.004, 0.0961, 0.38, 0.996, 1)]
    assert shares == [f"{text}{nbsp}%" for text in ("0", "0.4", "9.6", "38", "99.6", "100")]
    assert write_bounds(Interval(0.38, 0.36, 0.4)) == "36–40"
    assert write_bounds(Interval(1, NAN, NAN)) == "too few"
    assert write_auc(Interval(0.712, 0.655, 0.754)) == "0.71 (0.66–0.75)"
    assert write_auc(Interval(0.7, NAN, NAN)) == "0.70 (too few)"
