"""The bundles on offer: what each is for, and their predictors, loaded once while the server already answers."""

import gc
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.translation import gettext as _

from secondlook.clinic.look.similar import check_references
from secondlook.conditions import Task, find_task
from secondlook.errors import BundleError, InputError
from secondlook.inference.auto import AutoPredictor
from secondlook.inference.bundle import find_bundle, open_bundle, read_facts
from secondlook.inference.predictor import Predictor
from secondlook.inference.router import load_router

logger = logging.getLogger(__name__)

# Python's own (700, 10, 10) has one list in ten wait for all that lives to be gone through.
COLLECTED_AFTER = (10_000, 10, 100)

AUTO = "auto"


class UnknownBundleError(InputError):
    """A bundle or a task that this site does not offer was asked for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle on offer, as the page offers it before any is loaded.

    Attributes:
        name: The bundle's name.
        version: Its version.
        task: What it answers.
        whole: Whether it sees the whole picture, so that there is nothing to crop.
    """

    name: str
    version: str
    task: Task
    whole: bool


@cache
def list_offers() -> tuple[Offer, ...]:
    """Return the bundles on offer, the default first.

    Raises:
        BundleError: One is missing or does not follow the schema.
    """
    facts = [read_facts(find_bundle(source)) for source in settings.CONFIGURATION.bundles]
    return tuple(Offer(each.name, each.version, find_task(each.task), each.resize == "stretch") for each in facts)


def list_choices() -> tuple[Offer, ...]:
    """Return the first bundle on offer for each task: what the page lets choose.

    Raises:
        BundleError: A bundle on offer is missing or does not follow the schema.
    """
    first: dict[str, Offer] = {}
    for offer in list_offers():
        first.setdefault(offer.task.key, offer)
    return tuple(first.values())


def has_auto() -> bool:
    """Return whether a picture can be led to its task here: there are several, and the router knows one of them.

    Raises:
        BundleError: A bundle on offer or the router is missing or does not follow the schema.
    """
    known = load_router(settings.CONFIGURATION.router).tasks
    return len(list_choices()) > 1 and any(offer.task.key in known for offer in list_choices())


def find_choice(task: str | None) -> Offer | None:
    """Return what the page offers for a task, by its key; nothing where the picture itself is to say its task.

    Without a key that is so where it can be, and the default bundle's task else.

    Raises:
        UnknownBundleError: There is no bundle for that task on offer.
        BundleError: A bundle on offer or the router is missing or does not follow the schema.
    """
    choices = {offer.task.key: offer for offer in list_choices()}
    auto = has_auto()
    if auto and (not task or task == AUTO):
        return None
    if not task:
        return next(iter(choices.values()))
    try:
        return choices[task]
    except KeyError:
        raise refuse_unknown("task", "une tâche", [*([AUTO] if auto else []), *choices], task) from None


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
        BundleError: One cannot be loaded, is not fit to serve, or two have the same name; or a reference set is damaged
            or of another graph.
    """
    try:
        opened = [open_bundle(find_bundle(source), strict=True) for source in settings.CONFIGURATION.bundles]
        loaded = [Predictor(bundle) for bundle in opened]
        check_references({bundle.facts.graph.sha256 for bundle in opened})
    except Exception:
        logger.critical("The bundles cannot be loaded, so no picture will be answered.", exc_info=True)
        raise
    predictors = {predictor.identity.name: predictor for predictor in loaded}
    if len(predictors) < len(loaded):
        raise BundleError("Expected bundles of different names in SECONDLOOK_BUNDLES. Leave one of those alike out.")
    settle_memory()
    logger.info("Ready with %s.", ", ".join(predictors))
    return predictors


def settle_memory() -> None:
    """Have the collector of garbage pass by what stays for good: every few lists it took a tenth of a second for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


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
        raise refuse_unknown("bundle", "un modèle", predictors, name) from None


def find_bundle_on_offer(sha256: str) -> Predictor | None:
    """Return the predictor of the very bundle with this hash, where it is on offer; wait while it loads.

    Raises:
        BundleError: The bundles could not be loaded.
    """
    predictors = start_loading().result().values()
    return next((one for one in predictors if one.identity.sha256 == sha256), None)


def find_auto() -> AutoPredictor:
    """Return what leads pictures to the bundles on offer; wait while they load.

    Raises:
        BundleError: The bundles or the router could not be loaded.
    """
    return join_predictors(tuple(start_loading().result().values()))


@cache
def join_predictors(predictors: tuple[Predictor, ...]) -> AutoPredictor:
    """Return the bundles and the router as one."""
    return AutoPredictor(predictors, load_router(settings.CONFIGURATION.router))


def refuse_unknown(kind: str, french: str, offered: Iterable[str], got: str) -> UnknownBundleError:
    """Return the refusal of a name that is not on offer."""
    known, name = ", ".join(offered), repr(got[:40])
    return UnknownBundleError(
        f"Expected a {kind}, one of {known}; got {name}.", french=f"Attendu : {french} parmi {known}. Reçu : {name}."
    )


def describe_readiness() -> tuple[bool, str]:
    """Return whether predictions can be answered now, and a sentence that says so."""
    loading = start_loading()
    if not loading.done():
        return False, _("The model is loading.")
    error = loading.exception()
    if error is None:
        return True, "ok"
    return False, str(error) if isinstance(error, BundleError) else "The model could not be loaded."
