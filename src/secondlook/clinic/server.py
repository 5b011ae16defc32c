"""Start the site: check everything that can be wrong first, then listen."""

import os
import signal
import socket

import django
import uvicorn
from rich.console import Console

from secondlook.clinic.configuration import LOOPBACK, PREFIX, Configuration, load_configuration
from secondlook.clinic.logs import configure_server_logs
from secondlook.clinic.memory import keep_memory
from secondlook.errors import InputError
from secondlook.inference.bundle import find_bundle, open_bundle
from secondlook.inference.router import load_router

SETTINGS = "secondlook.clinic.settings"


def run_site(
    host: str, port: int, *, workers: int = 1, access_log: bool = False, jobs: str | None = None, demo: bool = False
) -> None:
    """Serve the page and the API until told to stop.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        workers: Processes.
        access_log: Whether requests are logged, by address and route.
        jobs: ``inside`` or ``outside``, where it goes before the setting.
        demo: Whether a practice is filled with drawn pictures, where there is none yet.

    Raises:
        BundleError: A bundle on offer or the router does not hold, or a bundle's evidence is not fit to serve.
        InputError: A setting is wrong, or the address cannot be listened on.
    """
    keep_memory()
    if jobs:
        os.environ[f"{PREFIX}JOBS"] = jobs
    configuration = load_configuration()
    demand_free_port(host, port)
    check_bundles(configuration)
    prepare()
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if demo:
        tell_demo(console, f"http://{host}:{port}")
    else:
        production = configuration.mode == "production"
        tell_first(console, f"https://{configuration.allowed_hosts[0]}" if production else f"http://{host}:{port}")
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
        log_config=configure_server_logs(),
        server_header=False,
        lifespan="on",
        forwarded_allow_ips=list(configuration.trusted_proxies),
    )


def tell_demo(console: Console, site: str) -> None:
    """Fill the demo practice, and print the links that its people enter by.

    Raises:
        InputError: The site has practices of its own.
    """
    from secondlook.clinic.demo.services import fill_demo, make_links

    console.print("Demo: a practice of drawn pictures, made at the first start.")
    fill_demo()
    console.print("Enter as one of its people; each link opens once:")
    for role, path in make_links().items():
        console.print(f"  {role:<14} {site}{path}")


def tell_first(console: Console, site: str) -> None:
    """Print the link that makes the first administrator, where the site has none yet."""
    from django.urls import reverse

    from secondlook.clinic.accounts.services import FIRST_LINK_LASTS, make_first_link

    token = make_first_link()
    if token:
        hours = int(FIRST_LINK_LASTS.total_seconds() / 3600)
        console.print(
            f"Nobody has an account yet. This link makes the first administrator, once, within {hours} hours:"
        )
        console.print(f"  {site}{reverse('own:first', args=[token])}")


def run_worker() -> None:
    """Do jobs until told to stop.

    Raises:
        BundleError: A bundle on offer or the router does not hold, or a bundle's evidence is not fit to serve.
        InputError: A setting is wrong, or the database does not answer.
    """
    check_bundles(load_configuration())
    prepare()

    from secondlook.clinic.jobs.worker import Worker
    from secondlook.clinic.look.predictors import start_loading

    start_loading()
    worker = Worker()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.end())
    Console(stderr=True, soft_wrap=True, highlight=False).print("Secondlook does its jobs (Ctrl-C stops it).")
    worker.work()


def check_bundles(configuration: Configuration) -> None:
    """Refuse bundles that do not hold, before anything slow is done.

    Raises:
        BundleError: A bundle on offer or the router does not hold, or a bundle's evidence is not fit to serve.
    """
    for source in configuration.bundles:
        open_bundle(find_bundle(source), strict=True)
    load_router(configuration.router)


def set_up() -> None:
    """Set Django up.

    Raises:
        InputError: A setting is wrong.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    django.setup(set_prefix=False)


def prepare() -> None:
    """Set Django up and let the site make what it needs."""
    set_up()

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
