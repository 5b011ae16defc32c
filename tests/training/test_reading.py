import re
from pathlib import Path

import pytest
import yaml

from secondlook.errors import RecipeError
from secondlook.training.reading import SHIPPED, read_recipe
from secondlook.training.recipe import Recipe
from secondlook.training.sections import VIEWS, nearest
from tests.training.tiny import make_recipe, read_tiny_recipe

GOOD = """\
name: mine
task: skin
data: {source: ham10000, folder: ham10000}
model:
  name: regnetx_002
stages:
  - {epochs: 2, size_px: 64}
  - epochs: 3
    size_px: 96
optimiser:
  name: adamw
export: {input_size_px: 96}
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("model:", "modle:", 4, "`modle`: unknown key; the nearest is `model`"),
        ("  name: regnetx_002", "  nmae: regnetx_002", 5, "`model.nmae`: unknown key; the nearest is `name`"),
        ("    size_px: 96", "    size: 96", 9, "`stages.1.size`: unknown key; the nearest is `size_px`"),
        ("name: adamw", "name: adamv", 11, "`optimiser.name`: .*got 'adamv'; the nearest is `adamw?`"),
        ("task: skin", "task: skim", 2, "`task`: unknown task; the nearest is `skin`"),
        ("epochs: 3", "epochs: three", 8, "`stages.1.epochs`: .*valid integer.*'three'"),
        ("epochs: 2,", "epochs: 0,", 7, "`stages.0.epochs`: .*greater than or equal to 1, got 0"),
        ("name: mine", "name: Mine!", 1, "`name`: .*match pattern"),
        ("{input_size_px: 96}", "{input_size_px: 96, views: 7}", 12, "`export.views`: .*the nearest is `8`.*got 7"),
        ("source: ham10000", "source: ham1000", 3, "`data.source`: unknown data source; the nearest is `ham10000`"),
        (", folder: ham10000}", "}", 3, "`data`: give either `manifest`, or `source` and `folder`"),
        ("task: skin", "task: skin\nsplit: {train: 0.9}", 3, "`split`: .*must add up to 1"),
        ("task: skin", "task: skin\naugmentation: {zoom: [2, 1]}", 3, "`augmentation`: `zoom` must be two positive"),
        ("task: skin", "task: skin\naugmentation: {brightness: 1}", 3, "`augmentation`: `brightness` must be a number"),
        (
            "task: skin",
            "task: skin\naugmentation: {preset: r7}",
            3,
            "`augmentation`: unknown preset 'r7'; the nearest is `r1`",
        ),
        ("task: skin", "task: skin\nloss: {name: ordinal}", 3, r"`loss`: `ordinal` needs.*grades \(knee\); .*skin"),
        ("task: skin", "task: skin\nmeasure: quadratic_kappa", 3, "`measure`: `quadratic_kappa` needs a task"),
        ("task: skin", "task: skin\nstop: {measure: quadratic_kappa}", 3, "`stop`: `quadratic_kappa` needs a task"),
        ("  name: adamw", "  schedule: step", 10, "`optimiser`: `schedule: step` needs `drop_epochs`"),
        (
            "{input_size_px: 96}",
            "{input_size_px: 96, views: [identity, flip]}",
            12,
            "`export.views.1`: .*nearest is `flip_vertical`",
        ),
        ("task: skin", "task: skin\nseed: -1", 3, "`seed`: .*greater than or equal to 0"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line_and_the_nearest_valid_one(
    tmp_path: Path, right: str, wrong: str, line: int, said: str
) -> None:
    assert GOOD.count(right) == 1
    read_recipe(write(tmp_path, GOOD))
    with pytest.raises(RecipeError) as refusal:
        read_recipe(write(tmp_path, GOOD.replace(right, wrong)))
    assert re.search(f"line {line}: {said}", str(refusal.value)), refusal.value
    assert str(tmp_path) not in str(refusal.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("model:", "modle:").replace("adamw", "adamv").replace("export:", "exprot:")
    with pytest.raises(RecipeError) as refusal:
        read_recipe(write(tmp_path, text))
    message = str(refusal.value)
    assert all(
        word in message for word in ("`modle`", "`optimiser.name`", "`exprot`", "`export`: this key is required")
    )


def test_empty_stages_are_refused_and_faults_within_them_are_not_called_empty(tmp_path: Path) -> None:
    start, end = GOOD.index("stages:"), GOOD.index("optimiser:")
    with pytest.raises(RecipeError, match="`stages`: Tuple should have at least 1 item"):
        read_recipe(write(tmp_path, f"{GOOD[:start]}stages: []\n{GOOD[end:]}"))
    with pytest.raises(RecipeError) as refusal:
        read_recipe(write(tmp_path, GOOD.replace("epochs: 3", "epochs: three").replace("epochs: 2", "epochs: two")))
    assert "`stages.0.epochs`" in str(refusal.value)
    assert "at least 1 item" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name: [", "Expected YAML in UTF-8 in mine.yaml"),
        (b"name: \xff\xfe", "Expected YAML in UTF-8 in mine.yaml"),
        (b"", "Expected keys and values in mine.yaml, got NoneType"),
        (b"- a\n- b\n", "Expected keys and values in mine.yaml, got list"),
        (GOOD.encode() + b"1: 2\n", "line 13: `1`: Keys should be strings"),
    ],
)
def test_what_is_no_recipe_at_all_gives_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(RecipeError, match=re.escape(said)):
        read_recipe(file)


def test_set_changes_nested_keys_lists_and_absent_sections(tmp_path: Path) -> None:
    changes = ["optimiser.rate=1e-3", "stages.1.epochs=7", "loss.balance=none", "name=other", "stages.0.size_px=48"]
    recipe = read_recipe(write(tmp_path, GOOD), changes=changes)
    assert recipe.optimiser.rate == 0.001
    assert (recipe.stages[1].epochs, recipe.stages[0].size_px) == (7, 48)
    assert recipe.loss.balance == "none"
    assert recipe.name == "other"
    assert recipe.stages[0].epochs == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("optimiser.rate", "Expected --set key=value"),
        ("=3", "Expected --set key=value"),
        ("stages.7.epochs=1", "'stages.7.epochs' is none"),
        ("stages.first.epochs=1", "'stages.first.epochs' is none"),
        ("name.first=1", "'name.first' is none"),
        ("name=[", "'name' is none"),
        ("optimiser.rat=1", "--set: `optimiser.rat`: unknown key; the nearest is `rate`"),
        ("stages.1.epochs=0", "--set: `stages.1.epochs`: .*got 0"),
        ("stages=1", "--set: `stages`: .*tuple, got 1"),
    ],
)
def test_a_bad_set_is_told(tmp_path: Path, change: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        read_recipe(write(tmp_path, GOOD), changes=[change])


def test_an_unknown_recipe_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="got 'skinn', the nearest is 'skin'") as refusal:
        read_recipe(tmp_path / "skinn")
    assert str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_recipe_is_valid_and_called_as_its_file(file: Path) -> None:
    assert read_recipe(file.stem).name == file.stem


def test_there_are_shipped_recipes() -> None:
    assert {"skin"} <= {file.stem for file in SHIPPED.glob("*.yaml")}


def test_dump_writes_every_default_and_reads_back_as_the_same(tmp_path: Path) -> None:
    recipe = make_recipe()
    again = read_tiny_recipe(tmp_path)
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()
    assert yaml.safe_load(recipe.dump())["stop"] == {"patience": 0, "measure": None}
    assert set(yaml.safe_load(recipe.dump())) == set(Recipe.model_fields)


def test_the_fingerprint_changes_with_any_value() -> None:
    assert make_recipe().fingerprint() != make_recipe(seed=6).fingerprint()


def test_what_weights_depend_on_leaves_out_what_may_change_after_training() -> None:
    weights = make_recipe().describe_weights()
    assert make_recipe(about="Words.", export={"input_size_px": 48, "views": 4}).describe_weights() == weights
    assert make_recipe(seed=6).describe_weights() != weights
    best = make_recipe(keep="best").describe_weights()
    assert make_recipe(keep="best", export={"input_size_px": 48}).describe_weights() != best


def test_nearest() -> None:
    assert nearest("dropot", ["drop_path", "dropout", "name"]) == "dropout"
    assert nearest(3, ["1", "2", "4", "8"]) in {"2", "4"}
    assert nearest(100, ["1", "2", "4", "8"]) == "8"


def test_a_preset_is_written_out_and_what_stands_beside_it_goes_first(tmp_path: Path) -> None:
    text = GOOD.replace("task: skin", "task: skin\naugmentation: {preset: r1, shear: 0.1, hair: 0.3}")
    recipe = read_recipe(write(tmp_path, text))
    written = yaml.safe_load(recipe.dump())["augmentation"]
    assert "preset" not in written
    assert written | {"shear": 0.1, "hair": 0.3, "rotation_degrees": 40, "brightness": [0.5, 1.5]} == written
    plain = yaml.safe_dump({**yaml.safe_load(GOOD), "augmentation": written})
    again = read_recipe(write(tmp_path, plain))
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()
    changed = read_recipe(write(tmp_path, GOOD), changes=["augmentation.preset=r1", "augmentation.shear=0.1"])
    assert changed.augmentation.shear == 0.1
    assert changed.augmentation.flip_vertical


def test_views_may_differ_by_their_magnification_alone(tmp_path: Path) -> None:
    changes = ["export.views=[identity, identity]", "export.scales=[0.8, 1.2]"]
    assert read_recipe(write(tmp_path, GOOD), changes=changes).export.scales == (0.8, 1.2)
    for wrong, told in (("[1, 1]", "every view once"), ("[0.8]", "each of the 2 `views`"), ("[0.1, 1]", "0.25")):
        with pytest.raises(RecipeError, match=told):
            read_recipe(write(tmp_path, GOOD), changes=[changes[0], f"export.scales={wrong}"])


def test_a_number_of_views_means_the_first_ones(tmp_path: Path) -> None:
    two = read_recipe(write(tmp_path, GOOD), changes=["export.views=2"]).export.views
    assert two == ("identity", "flip_horizontal")
    assert len(read_recipe(write(tmp_path, GOOD), changes=["export.views=8"]).export.views) == len(VIEWS) == 8
    chosen = read_recipe(write(tmp_path, GOOD), changes=["export.views=[identity, rotate_90]"]).export.views
    assert chosen == ("identity", "rotate_90")
    with pytest.raises(RecipeError, match="expected every view once"):
        read_recipe(write(tmp_path, GOOD), changes=["export.views=[identity, identity]"])


def test_measures_of_grades_are_for_tasks_that_have_them(tmp_path: Path) -> None:
    changes = ["task=knee", "loss.name=ordinal", "measure=quadratic_kappa", "stop.measure=quadratic_kappa"]
    assert read_recipe(write(tmp_path, GOOD), changes=changes).loss.name == "ordinal"


def test_what_decides_when_a_run_ends_is_part_of_what_weights_depend_on() -> None:
    for part in ({"stop": {"patience": 3}}, {"optimiser": {"schedule": "plateau"}}):
        weights = [make_recipe(**part, export={"input_size_px": side}).describe_weights() for side in (32, 48)]
        assert weights[0] != weights[1]


def test_a_key_that_stands_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = read_recipe("skin-base").dump()
    (tmp_path / "mine.yaml").write_text(f"{text}seed: 5\n")
    first, last = text.splitlines().index(f"seed: {read_recipe('skin-base').seed}") + 1, text.count("\n") + 1
    with pytest.raises(RecipeError, match=rf"each key of mine\.yaml once.*`seed` in lines {first} and {last}\."):
        read_recipe(tmp_path / "mine.yaml")
    (tmp_path / "mine.yaml").write_text(text.replace("- epochs:", "- epochs: 1\n  epochs:"))
    with pytest.raises(RecipeError, match="`epochs` in lines"):
        read_recipe(tmp_path / "mine.yaml")
