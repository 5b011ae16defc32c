"""Where commands write: what could only fail after all the work is refused before it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondlook import cli
from secondlook.cli.files import find_pictures
from secondlook.errors import InputError
from tests.drawing import draw_lesion, encode

WRITERS = {
    "attack": ("run", "m.csv", "--output"),
    "compare": ("run", "--output"),
    "data audit": ("m.csv", "--html"),
    "data explore": ("m.csv", "--output"),
    "data import": ("ham10000", ".", "--output"),
    "data split": ("m.csv", "--output"),
    "evaluate": ("skin", "m.csv", "--output"),
    "outline draw": ("m.jpg", "--drawings"),
    "outline measure": ("m.csv", "--masks", ".", "--output"),
    "outline train": ("m.csv", "--masks", ".", "--output"),
    "predict": ("m.jpg", "--heatmaps"),
    "reference build": ("m.csv", "--output"),
    "router fit": ("m.csv", "--output"),
}


@pytest.mark.parametrize("command", WRITERS)
def test_a_place_that_takes_no_file_is_refused_before_any_work(tmp_path: Path, command: str) -> None:
    (tmp_path / "taken").write_text("a file")
    result = CliRunner().invoke(cli.app, [*command.split(), *WRITERS[command], str(tmp_path / "taken" / "below")])
    assert result.exit_code == 2, result.exception
    assert "Cannot write in taken: Not a directory." in " ".join(result.stderr.replace("│", "").split())


def test_every_command_that_writes_is_among_these() -> None:
    """A new option that names what is written has to be put above."""
    from typer.main import get_command

    checked, open_commands = set(), [((), get_command(cli.app))]
    while open_commands:
        path, command = open_commands.pop()
        open_commands += [((*path, name), one) for name, one in getattr(command, "commands", {}).items()]
        if {"--output", "--html", "--heatmaps", "--drawings"} & {name for one in command.params for name in one.opts}:
            checked.add(" ".join(path))
    assert checked == set(WRITERS)


@pytest.mark.parametrize("command", [name for name, words in WRITERS.items() if words[-1] in {"--output", "--html"}])
def test_a_picture_is_never_written_over(tmp_path: Path, command: str) -> None:
    """What `--output *.jpg` comes to once the shell has filled it in."""
    picture = tmp_path / "mole.jpg"
    picture.write_bytes(encode(draw_lesion(0, "nv"), "JPEG"))
    before = picture.read_bytes()
    result = CliRunner().invoke(cli.app, [*command.split(), *WRITERS[command], str(picture)])
    assert result.exit_code == 2, result.exception
    assert picture.read_bytes() == before


def test_the_option_that_would_lose_a_picture_says_so(tmp_path: Path) -> None:
    (tmp_path / "mole.jpg").write_bytes(encode(draw_lesion(0, "nv"), "JPEG"))
    result = CliRunner().invoke(cli.app, ["predict", str(tmp_path), "--output", str(tmp_path / "mole.jpg")])
    assert "mole.jpg is a picture, which would be lost" in " ".join(result.stderr.replace("│", "").split())


def test_an_empty_name_is_not_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mole.jpg").write_bytes(encode(draw_lesion(0, "nv"), "JPEG"))
    with pytest.raises(InputError, match="got an empty name"):
        find_pictures([""])
    assert find_pictures(["."]) == [Path("mole.jpg")]
