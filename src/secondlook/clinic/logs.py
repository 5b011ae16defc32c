"""What may be written into logs: never what an exception says nor what an address holds, which may be of a patient."""

import logging
import re
import traceback
from types import TracebackType
from typing import Any

from uvicorn.config import LOGGING_CONFIG

from secondlook.errors import SecondlookError

# Keys of records, and the links that invite people or reset a password.
TELLING = re.compile(r"/[^/]{12,}")
READY = "/readyz"
Failure = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class DiscreetFormatter(logging.Formatter):
    """Writes where a failure came from and of which kind it is; what it says, only of our own errors."""

    def formatException(self, ei: Failure) -> str:  # noqa: N802 - logging's own name
        """Return the frames of a failure and of those behind it."""
        parts: list[str] = []
        error = ei[1]
        while error is not None:
            said = f": {error}" if isinstance(error, SecondlookError) else ""
            frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
            parts.append(f"{frames}\n{type(error).__qualname__}{said}".strip("\n"))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nafter:\n".join(parts)


class DiscreetPaths(logging.Filter):
    """Cuts queries off addresses, and keys out of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mend a record's arguments."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(shorten_path, record.args))
        return True


class QuietProbes(logging.Filter):
    """Drops what Django says of a probe that is told to wait; that the models are there, or cannot be, is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is of anything but the answer to a probe."""
        request = getattr(record, "request", None)
        return request is None or request.path_info != READY


def shorten_path(argument: Any) -> Any:
    """Return an address without query and keys; anything else as it is."""
    if isinstance(argument, str) and argument.startswith("/"):
        return TELLING.sub("/…", argument.partition("?")[0])
    return argument


def configure_logs(level: str) -> dict[str, Any]:
    """Return the site's logging, as Django takes it.

    Args:
        level: Least level of our own messages.
    """
    own = {"handlers": ["stderr"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"paths": {"()": DiscreetPaths}, "probes": {"()": QuietProbes}},
        "formatters": {
            "line": {"()": DiscreetFormatter, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["paths"]}},
        "loggers": {
            "django": own | {"level": "WARNING"},
            # A refusal is the asker's matter; only our own failures are logged.
            "django.request": {"level": "ERROR", "filters": ["probes"]},
            # These name people: whom a log-in was for.
            "axes": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "allauth": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "secondlook": own,
        },
    }


def configure_server_logs() -> dict[str, Any]:
    """Return uvicorn's logging with the same care."""
    handlers = {name: {**handler, "filters": ["paths"]} for name, handler in LOGGING_CONFIG["handlers"].items()}
    line = {"()": DiscreetFormatter, "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    formatters = {**LOGGING_CONFIG["formatters"], "default": line}
    return {
        **LOGGING_CONFIG,
        "filters": {"paths": {"()": DiscreetPaths}},
        "handlers": handlers,
        "formatters": formatters,
    }
