"""Start the site: check everything that can be wrong first, then listen."""

import os
import socket

import django
import uvicorn
from rich.console import Console

from secondlook.clinic.configuration import LOOPBACK, load_configuration
from secondlook.errors import InputError
from secondlook.inference.bundle import find_bundle, open_bundle
from secondlook.inference.router import load_router

SETTINGS = "secondlook.clinic.settings"


def run_site(host: str, port: int, *, workers: int = 1, access_log: bool = False) -> None:
    """Serve the page and the API until told to stop.

    Raises:
        BundleError: A bundle on offer or the router does not hold, or a bundle's evidence is not fit to serve.
        InputError: A setting is wrong, or the address cannot be listened on.
    """
    configuration = load_configuration()
    demand_free_port(host, port)
    for source in configuration.bundles:
        open_bundle(find_bundle(source), strict=True)
    load_router(configuration.router)
    prepare()
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"Secondlook is on http://{host}:{port}/ (Ctrl-C stops it).")
    if host not in LOOPBACK and configuration.allowed_hosts == LOOPBACK:
        console.print("Others are refused until SECONDLOOK_ALLOWED_HOSTS holds the name they call this machine by.")
    uvicorn.run(
        "secondlook.clinic.asgi:application",
        host=host,
        port=port,
        workers=workers,
        log_level="info" if access_log else "warning",
        access_log=access_log,
        server_header=False,
        lifespan="on",
        forwarded_allow_ips=list(configuration.trusted_proxies),
    )


def prepare() -> None:
    """Set Django up and let the site make what it needs."""
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup(set_prefix=False)

    from secondlook.clinic.preparation import prepare_site

    prepare_site()


def demand_free_port(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything slow is done.

    Raises:
        InputError: The port is taken, or the address is none of this machine.
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
