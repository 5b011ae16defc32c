"""Commands that keep the clinic: its processes, backups, audit log, and what is erased or handed out."""

import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from secondlook.cli.serve import AccessLog, Host, Port, Workers

audit_app = typer.Typer(help="The log of who saw, changed and exported what.", no_args_is_help=True)
patient_app = typer.Typer(help="What a patient may ask for.", no_args_is_help=True)

person_app = typer.Typer(help="What people who can log in may ask of whoever runs the site.", no_args_is_help=True)

PatientKey = Annotated[str, typer.Argument(metavar="KEY", help="The patient's key, as in the address of their page.")]


def find_command(name: str) -> Callable[..., Any]:
    """Return what does the work; by name, for the two doors do not import each other."""
    command: Callable[..., Any] = pkgutil.resolve_name(f"secondlook.clinic.{name}")
    return command


def say(sentence: str) -> None:
    """Print a sentence."""
    sys.stdout.write(f"{sentence}\n")


def web(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1, access_log: AccessLog = False) -> None:
    """Start the page and the API without jobs, which `secondlook worker` does."""
    find_command("server:run_site")(host, port, workers=workers, access_log=access_log, jobs="outside")


def worker() -> None:
    """Do the jobs of the site, beside `secondlook web`; as many as wanted may run."""
    find_command("server:run_worker")()


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; a new file.")],
    with_keys: Annotated[bool, typer.Option("--with-keys", help="Put the keys into it, too.")] = False,
) -> None:
    """Write all that the site keeps into one encrypted file, while it runs."""
    say(find_command("keeping.commands:back_up")(file, with_keys=with_keys))


def restore(file: Annotated[Path, typer.Argument(help="What `secondlook backup` wrote.")]) -> None:
    """Put a backup back where nothing is yet."""
    say(find_command("keeping.commands:restore")(file))


@audit_app.command()
def verify(
    head: Annotated[
        str | None, typer.Option(help="Where the log ended as this command said earlier: it must still be in it.")
    ] = None,
) -> None:
    """Prove that no entry of the audit log was changed, removed or put in."""
    say(find_command("keeping.commands:verify_audit")(head))


@patient_app.command("export")
def export_patient(
    key: PatientKey, file: Annotated[Path, typer.Argument(help="Where to write the ZIP; a new file.")]
) -> None:
    """Write all there is on a patient into a ZIP: tables, pictures, who saw them."""
    say(find_command("keeping.commands:export_one")(key, file))


@patient_app.command("erase")
def erase_patient(key: PatientKey) -> None:
    """Erase a patient with all pictures for good, and prove it in the audit log."""
    say(find_command("keeping.commands:erase_one")(key))


@patient_app.command("prove")
def prove_erasure(key: PatientKey) -> None:
    """Show that nothing is left of an erased patient, and that the entry which says so stands."""
    say(find_command("keeping.commands:prove_erasure")(key))


@person_app.command("forget-factors")
def forget_factors(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The address that the person logs in with.")],
) -> None:
    """Forget somebody's second factors, when device and recovery codes are lost; make sure first who asks."""
    say(find_command("accounts.commands:forget_factors")(email))


def check_files() -> None:
    """Open every kept file, and compare the store with what the database says."""
    say(find_command("keeping.commands:check_files")())


def reproduce(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The answer's key, as its page shows it.")],
    bundle: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="The bundle that gave it, where the site has it no more.")
    ] = None,
) -> None:
    """Have a kept answer given once more by the very bundle that gave it, and compare it to the last digit."""
    say(find_command("cases.commands:reproduce")(key, bundle))


def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; a new or an empty folder.")],
    practice: Annotated[
        str | None, typer.Option(metavar="KEY", help="Whose pictures, where there are several.")
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK", help="A task, or `unconfirmed`; may be given several times. All by default."),
    ] = None,
) -> None:
    """Write a practice's pictures with answers and opinions; confirmed ones as manifests, one for each task."""
    say(find_command("cases.commands:export")(folder, practice, part))
