"""What evidence must be to serve: each fault is refused by name, with the command that mends it."""

from pathlib import Path
from typing import Any

import pytest

from secondlook.errors import BundleError
from secondlook.inference.bundle import open_bundle, seal_bundle
from secondlook.inference.strict import PARTS, list_missing
from tests.bundles import read_json, write_json

FINISH = r"`secondlook evaluate BUNDLE MANIFEST\.csv --finish`"


def change(folder: Path, file: str, **changes: Any) -> None:
    """Set entries of a JSON file, ``a__b`` for one inside another, and seal anew."""
    content = read_json(folder / file)
    for key, value in changes.items():
        *outer, last = key.split("__")
        holder = content
        for name in outer:
            holder = holder[name]
        holder[last] = value
    write_json(folder / file, content)
    seal_bundle(folder)


def test_good_evidence_passes(tiny_bundle: Path) -> None:
    assert open_bundle(tiny_bundle, strict=True).evidence == open_bundle(tiny_bundle).evidence


@pytest.mark.parametrize(
    ("file", "changes", "fault", "cure"),
    [
        ("evidence.json", {"measures": {}}, "missing: no sensitivity and specificity at sensitivity_90 and", FINISH),
        (
            "evidence.json",
            {"measures__risk__operating_points__sensitivity_95__specificity__value": None},
            "missing: no sensitivity and specificity at sensitivity_95",
            FINISH,
        ),
        ("evidence.json", {"leak": "3 [shared] lesions"}, r"leaks, .*\(3 \[shared\] lesions\)", FINISH),
        ("evidence.json", {"leak": "unchecked: another manifest"}, "was not searched for leaks", FINISH),
        (
            "bundle.json",
            {"training__leak": "12 pictures"},
            r"trained on a leaking split \(12 pictures\)",
            "train RECIPE",
        ),
        ("evidence.json", {"measured": "2026-01-30"}, "older than the bundle: measured on 2026-01-30", FINISH),
        ("evidence.json", {"bundle__version": "0.0.0"}, "older than the bundle: it speaks of tiny 0.0.0", FINISH),
    ],
)
def test_a_fault_is_named_with_its_cure(bundle_copy: Path, file: str, changes: Any, fault: str, cure: str) -> None:
    change(bundle_copy, file, **changes)
    open_bundle(bundle_copy)
    with pytest.raises(BundleError, match=rf"tiny 0\.0\.1 is not fit to serve.*{fault}.*{cure}"):
        open_bundle(bundle_copy, strict=True)


@pytest.mark.parametrize("seen", ["calibration.json", "bundle.json"])
def test_evidence_from_pictures_that_were_learned_from_is_refused(bundle_copy: Path, seen: str) -> None:
    content = read_json(bundle_copy / seen)
    learned = content["fitted_on"] if seen == "calibration.json" else content["training"]
    change(bundle_copy, "evidence.json", manifest__fingerprint=learned["data_fingerprint"])
    with pytest.raises(BundleError, match="pictures that it was trained or calibrated on"):
        open_bundle(bundle_copy, strict=True)


def test_every_fault_is_said_at_once(bundle_copy: Path) -> None:
    change(bundle_copy, "evidence.json", measures={}, leak="some", measured="2020-01-01")
    with pytest.raises(BundleError, match=r"missing.*leaks.*older"):
        open_bundle(bundle_copy, strict=True)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_report_that_was_not_measured_is_refused(bundle_copy: Path, part: str) -> None:
    change(bundle_copy, "evidence.json", **{part: {}})
    with pytest.raises(BundleError, match=rf"Its evidence lacks {part}\. .*{FINISH}"):
        open_bundle(bundle_copy, strict=True)


def test_a_day_that_was_not_recorded_and_parts_that_need_further_data_are_said_only(bundle_copy: Path) -> None:
    change(bundle_copy, "evidence.json", measured=None, outside={"phone": {"pictures": 7}})
    bundle = open_bundle(bundle_copy, strict=True)
    assert bundle.evidence is not None
    assert list_missing(bundle.evidence) == ("the day", "outliers (--near or --far)", "attack (--attack)")
    assert len(PARTS) > 10


def test_a_bundle_without_evidence_names_the_command_that_measures_it(bundle_copy: Path) -> None:
    (bundle_copy / "evidence.json").unlink()
    with pytest.raises(BundleError, match=f"lacks evidence.json.*{FINISH}"):
        open_bundle(bundle_copy)
