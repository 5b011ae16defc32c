"""The command line: parse, call, print. Exit codes: 0 ok, 1 refused or failed, 2 usage."""

import sys

import typer
from rich.console import Console

from secondlook.errors import SecondlookError

app = typer.Typer(
    name="secondlook",
    help="A second look at skin lesions and X-rays, with its evidence. It supports a decision; it does not diagnose.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; turn our own errors into one message and exit code 1."""
    try:
        app()
    except SecondlookError as error:
        Console(stderr=True).print(f"[bold red]Refused:[/] {error}", highlight=False)
        sys.exit(1)
