"""``secondlook serve``: open the other door, the page and the API."""

import pkgutil
from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one of this machine.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; one for each core that may be used.", min=1)] = 1,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log address and route of every request.")] = False,
) -> None:
    """Start the page and the API; everything else is set in the environment, see docs/settings.md."""
    # By name, as uvicorn loads an application: the two doors do not import each other.
    run_site = pkgutil.resolve_name("secondlook.clinic.server:run_site")
    run_site(host, port, workers=workers, access_log=access_log)
