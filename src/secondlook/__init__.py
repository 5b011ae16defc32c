"""Secondlook: a second look at skin lesions and X-rays, with its evidence."""

from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from pathlib import Path

    from secondlook.client import Client
    from secondlook.inference.auto import AutoPredictor
    from secondlook.inference.predictor import Predictor

__version__ = "0.1.0"

__all__ = ["Client", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import the client when it is first asked for: who only predicts needs no HTTP."""
    if name != "Client":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from secondlook.client import Client

    return Client


# The word is a name too; the first signature that fits is its own.
@overload
def load(bundle: Literal["auto"]) -> "AutoPredictor": ...  # type: ignore[overload-overlap]


@overload
def load(bundle: "str | Path" = "skin") -> "Predictor": ...


def load(bundle: "str | Path" = "skin") -> "Predictor | AutoPredictor":
    """Load a bundle by shipped name or folder, checked, ready to predict; or all shipped ones, the picture choosing.

    Example:
        >>> import secondlook
        >>> secondlook.load("skin").predict("mole.jpg")  # doctest: +SKIP
        >>> secondlook.load("auto").predict("mole.jpg").task  # doctest: +SKIP

    Raises:
        BundleError: The bundle is missing, tampered with or of an unknown schema.
    """
    if bundle == "auto":
        from secondlook.inference.auto import load_auto

        return load_auto()
    from secondlook.inference.predictor import load_predictor

    return load_predictor(bundle)
