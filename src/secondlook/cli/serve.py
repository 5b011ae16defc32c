"""``secondlook serve``: open the other door, the page and the API."""

import pkgutil
from typing import Annotated

import typer

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one of this machine.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]
Workers = Annotated[int, typer.Option(help="Processes; one for each core that may be used.", min=1)]
AccessLog = Annotated[bool, typer.Option("--access-log", help="Log address and route of every request.")]
Demo = Annotated[bool, typer.Option("--demo", help="Fill an empty site with a practice of drawn pictures.")]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    access_log: AccessLog = False,
    demo: Demo = False,
) -> None:
    """Start the site: pages, API and jobs; everything else is set in the environment, see docs/settings.md."""
    # By name, as uvicorn loads an application: the two doors do not import each other.
    run_site = pkgutil.resolve_name("secondlook.clinic.server:run_site")
    run_site(host, port, workers=workers, access_log=access_log, demo=demo)
