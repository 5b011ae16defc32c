"""``secondlook serve``: the page and the API, on this machine or behind a proxy."""

import os
import socket
from typing import Annotated

import typer
from rich.console import Console

from secondlook.errors import InputError


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every one of this machine.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; one for each core that may be used.", min=1)] = 1,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log address and route of every request.")] = False,
) -> None:
    """Start the page and the API. All else is set in the environment (SECONDLOOK_…), see docs/web.md."""
    from secondlook.clinic.configuration import LOOPBACK, load_configuration

    configuration = load_configuration()
    demand_free_port(host, port)
    prepare(configuration.bundles)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"Secondlook is on http://{'localhost' if host == '127.0.0.1' else host}:{port}/ (Ctrl-C stops it).")
    if host not in LOOPBACK and configuration.allowed_hosts == LOOPBACK:
        console.print("Other machines are refused until SECONDLOOK_ALLOWED_HOSTS names this one as they call it.")
    run_server(host, port, workers=workers, access_log=access_log, proxies=list(configuration.trusted_proxies))


def demand_free_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything slow is done.

    Raises:
        InputError: The port is taken, or the address is not one of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InputError(
            f"Expected to listen on {host}:{port}: {error.strerror}. Choose another with --host and --port."
        ) from error


def prepare(bundles: tuple[str, ...]) -> None:
    """Check the bundles on offer, compile translations, gather static files.

    Raises:
        BundleError: A bundle does not hold.
        InputError: A setting is wrong.
    """
    import django

    from secondlook.inference.bundle import find_bundle, open_bundle

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "secondlook.clinic.settings")
    django.setup(set_prefix=False)

    from secondlook.clinic.preparation import prepare_site

    for source in bundles:
        open_bundle(find_bundle(source))
    prepare_site()


def run_server(host: str, port: int, *, workers: int, access_log: bool, proxies: list[str]) -> None:
    """Serve until told to stop."""
    import uvicorn

    uvicorn.run(
        "secondlook.clinic.asgi:application",
        host=host,
        port=port,
        workers=workers,
        log_level="info" if access_log else "warning",
        access_log=access_log,
        server_header=False,
        lifespan="on",
        forwarded_allow_ips=proxies,
    )
