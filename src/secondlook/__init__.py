"""Secondlook: a second look at skin lesions and X-rays, with its evidence."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from secondlook.inference.predictor import Predictor

__version__ = "0.1.0"

__all__ = ["__version__", "load"]


def load(bundle: "str | Path" = "skin") -> "Predictor":
    """Load a bundle by shipped name or folder, checked, ready to predict.

    Example:
        >>> import secondlook
        >>> secondlook.load("skin").predict("mole.jpg")  # doctest: +SKIP

    Raises:
        BundleError: The bundle is missing, tampered with or of an unknown schema.
    """
    from secondlook.inference.predictor import load_predictor

    return load_predictor(bundle)
