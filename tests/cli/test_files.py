"""Where commands write: what could only fail after all the work is refused before it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from secondlook import cli

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
