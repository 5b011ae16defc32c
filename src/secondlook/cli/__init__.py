"""The command line: parse, call, print. Exit codes: 0 ok, 1 refused or failed, 2 usage."""

import errno
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from secondlook import __version__
from secondlook.cli.attack import attack
from secondlook.cli.bundle import bundle_app
from secondlook.cli.clinic import (
    audit_app,
    backup,
    check_files,
    export,
    patient_app,
    person_app,
    reproduce,
    restore,
    web,
    worker,
)
from secondlook.cli.compare import compare
from secondlook.cli.data import data_app
from secondlook.cli.doctor import doctor
from secondlook.cli.evaluate import evaluate
from secondlook.cli.explore import explore
from secondlook.cli.outline import outline_app
from secondlook.cli.predict import predict
from secondlook.cli.reference import reference_app
from secondlook.cli.router import router_app
from secondlook.cli.serve import serve
from secondlook.cli.train import train
from secondlook.cli.tune import tune
from secondlook.errors import SecondlookError

FULL = {errno.ENOSPC, errno.EDQUOT}
CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}

app = typer.Typer(
    name="secondlook",
    help="A second look at skin lesions and X-rays, with its evidence. It supports a decision; it does not diagnose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(predict)
app.add_typer(outline_app, name="outline")
app.add_typer(reference_app, name="reference")
app.add_typer(bundle_app, name="bundle")
data_app.command()(explore)
app.add_typer(data_app, name="data")
app.add_typer(router_app, name="router")
app.command()(serve)
app.command()(web)
app.command()(worker)
app.command()(backup)
app.command()(restore)
app.command("check-files")(check_files)
app.add_typer(audit_app, name="audit")
app.add_typer(patient_app, name="patient")
app.add_typer(person_app, name="person")
app.command()(reproduce)
app.command()(export)
app.command()(doctor)
app.command()(train)
app.command()(tune)
app.command()(evaluate)
app.command()(compare)
app.command()(attack)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        sys.stdout.write(f"secondlook {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line; turn our own errors, a full disk and a closed door into one message and exit code 1."""
    try:
        app()
    except SecondlookError as error:
        refuse(str(error))
    except OSError as error:
        if error.errno in FULL:
            refuse("The disk is full. What was written before is kept; free some space and run the same command again.")
        if error.errno not in CLOSED:
            raise
        place = "/".join(Path(str(error.filename)).parts[-2:]) if error.filename else "a file"
        refuse(f"{error.strerror}: {place}. Take the right to read or write there, or name another place.")


def refuse(sentence: str) -> NoReturn:
    """Say why a command stops, and stop."""
    Console(stderr=True).print(Text.assemble(("Refused: ", "bold red"), sentence), soft_wrap=True)
    sys.exit(1)
