"""The bundles on offer, loaded once in a process, while the server already answers."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _

from secondlook.errors import BundleError, InputError
from secondlook.inference.predictor import Predictor, load_predictor

logger = logging.getLogger(__name__)


class UnknownBundleError(InputError):
    """A bundle that this site does not offer was asked for."""


@cache
def start_loading() -> Future[Mapping[str, Predictor]]:
    """Load the bundles on offer in a thread, on the first call; every call returns the same future."""
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bundles")
    future = executor.submit(load_offered)
    executor.shutdown(wait=False)
    return future


def load_offered() -> Mapping[str, Predictor]:
    """Return the predictors of the configured bundles by the bundle's own name, the default first.

    Raises:
        BundleError: One cannot be loaded, or two have the same name.
    """
    try:
        loaded = [load_predictor(source) for source in settings.CONFIGURATION.bundles]
    except Exception:
        logger.critical("The bundles cannot be loaded, so no picture will be answered.", exc_info=True)
        raise
    predictors = {predictor.identity.name: predictor for predictor in loaded}
    if len(predictors) < len(loaded):
        raise BundleError("Expected bundles of different names in SECONDLOOK_BUNDLES. Leave one of those alike out.")
    logger.info("Ready with %s.", ", ".join(predictors))
    return predictors


def find_predictor(name: str | None = None) -> Predictor:
    """Return the predictor of a bundle on offer, by its name alone, or the default; wait while it loads.

    Raises:
        UnknownBundleError: No bundle of that name is on offer.
        BundleError: The bundles could not be loaded.
    """
    predictors = start_loading().result()
    if name is None:
        return next(iter(predictors.values()))
    try:
        return predictors[name]
    except KeyError:
        raise UnknownBundleError(f"Expected a bundle, one of {', '.join(predictors)}; got {name[:40]!r}.") from None


def describe_readiness() -> tuple[bool, str]:
    """Return whether predictions can be answered now, and a sentence that says so."""
    loading = start_loading()
    if not loading.done():
        return False, _("The model is loading.")
    error = loading.exception()
    if error is None:
        return True, "ok"
    return False, str(error) if isinstance(error, BundleError) else "The model could not be loaded."
