"""Knees: both of a patient are one group; the folders' split is kept only when asked for."""

from pathlib import Path

from tests.data.sources.trees import draw_all, read, split_of

NAMES = [
    f"{part}/{grade}/9{number}{grade}00{knee}.png"
    for number, part in ((100, "train"), (200, "train"), (300, "val"), (400, "test"))
    for grade in range(5)
    for knee in "LR"
]


def test_both_knees_of_a_patient_are_one_group(tmp_path: Path) -> None:
    draw_all(tmp_path, [*NAMES, "test/3/9100000R.png"])
    manifest, notes = read("knee_oa", tmp_path)
    frame = manifest.frame
    assert manifest.task == "knee"
    assert sorted(frame[frame["group"] == "9100000"]["image"]) == [
        "test/3/9100000R.png",
        "train/0/9100000L.png",
        "train/0/9100000R.png",
    ]
    assert frame["site"].value_counts().to_dict() == {"left knee": 20, "right knee": 21}
    assert set(frame["label"]) == set("01234")
    assert "split" not in frame
    assert "(train 20, test 11, calibration 10) is left aside" in notes[0]


def test_the_folders_split_is_kept_when_asked_for(tmp_path: Path) -> None:
    draw_all(tmp_path, NAMES)
    manifest, notes = read("knee_oa", tmp_path, keep_split=True)
    assert notes == []
    expected = {"91": "train", "92": "train", "93": "calibration", "94": "test"}
    assert {group: expected[group[:2]] for group in manifest.frame["group"]} == split_of(manifest)


def test_a_patient_in_two_of_the_folders_is_reported_and_kept_in_one(tmp_path: Path) -> None:
    draw_all(tmp_path, [*NAMES, "train/3/9300000L.png"])
    manifest, notes = read("knee_oa", tmp_path, keep_split=True)
    assert split_of(manifest)["9300000"] == "calibration"
    assert "(9300000)" in notes[0]
    assert len(manifest) == 40


def test_a_split_without_a_test_says_so(tmp_path: Path) -> None:
    draw_all(tmp_path, [name for name in NAMES if not name.startswith("test")])
    manifest, notes = read("knee_oa", tmp_path, keep_split=True)
    assert set(manifest.frame["split"]) == {"train", "calibration"}
    assert "has no test" in notes[0]


def test_the_real_knees_are_whole(shared_folder: Path) -> None:
    frame = read("knee_oa", shared_folder / "knee_oa", decode=False)[0].frame
    assert frame["label"].value_counts().sort_index().to_dict() == {
        "0": 2057,
        "1": 1199,
        "2": 1309,
        "3": 863,
        "4": 200,
    }
    assert frame["group"].nunique() == 3302
    assert frame.groupby("group").size().max() == 2
