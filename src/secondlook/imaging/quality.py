"""Judge whether a picture is good enough to be judged: sharp, well exposed, large and with contrast.

Everything is measured on one fixed view, the central square at 128 pixels, which is about what a network sees: so a
picture is judged alike whatever its size. Sharpness is the spread of the Laplacian's response (Pech-Pacheco et al.
2000, doi 10.1109/ICPR.2000.903548; they take the variance). Photographs and radiographs have limits of their own, from
real pictures: ``scripts/fit_quality_limits.py`` fits them, and ``docs/pictures.md`` reports what they flag.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from secondlook.conditions import Kind, Language
from secondlook.imaging.resize import resize_picture

VIEW_PX: Final = 128
_LUMINANCE: Final = np.array([0.299, 0.587, 0.114], np.float32)
_BURNT_LEVEL: Final = 250


@dataclass(frozen=True, slots=True)
class Limit:
    """When a figure is flagged, and when it makes a picture impossible to judge.

    Attributes:
        flag: The last figure that passes.
        stop: The last figure with which the picture can be judged.
        worse_above: Whether greater figures are worse.
    """

    flag: float
    stop: float
    worse_above: bool = False

    def is_passed(self, figure: float) -> bool:
        """Tell whether a figure passes without a flag."""
        return figure <= self.flag if self.worse_above else figure >= self.flag

    def is_evaluable(self, figure: float) -> bool:
        """Tell whether a picture with this figure can still be judged."""
        return figure <= self.stop if self.worse_above else figure >= self.stop


LIMITS: Final[dict[Kind, dict[str, Limit]]] = {
    "photograph": {
        "blurred": Limit(flag=3.0, stop=1.0),
        "dark": Limit(flag=45.0, stop=20.0),
        "bright": Limit(flag=6.5, stop=60.0, worse_above=True),
        "flat": Limit(flag=7.5, stop=3.0),
        "small": Limit(flag=96, stop=48),
    },
    "radiograph": {
        "blurred": Limit(flag=4.0, stop=1.7),
        "dark": Limit(flag=40.0, stop=22.0),
        "bright": Limit(flag=6.5, stop=53.0, worse_above=True),
        "flat": Limit(flag=25.0, stop=7.0),
        "small": Limit(flag=96, stop=48),
    },
}

_OF_PHOTOGRAPHS: Final[dict[str, dict[Language, str]]] = {
    "blurred": {
        "en": "The picture is blurred: its finest details differ by {figure} grey levels, those of a sharp one by at "
        "least {limit}. Hold the camera still, let it focus, and take the picture again.",
        "fr": "L’image est floue : ses détails les plus fins diffèrent de {figure} niveaux de gris, ceux d’une image "
        "nette d’au moins {limit}. Tenez l’appareil immobile, laissez-le faire la mise au point et recommencez.",
    },
    "dark": {
        "en": "The picture is too dark: its brightest parts reach {figure}% of full brightness, where at least "
        "{limit}% is needed. Add light and take it again.",
        "fr": "L’image est trop sombre : ses parties les plus claires atteignent {figure} % de la luminosité "
        "maximale ; il en faut au moins {limit} %. Ajoutez de la lumière et recommencez.",
    },
    "bright": {
        "en": "The picture is overexposed: {figure}% of it is burnt out to white, where at most {limit}% may be. Take "
        "it again without flash, or with less light.",
        "fr": "L’image est surexposée : {figure} % de sa surface est blanche, sans détail ; {limit} % au plus sont "
        "acceptables. Recommencez sans flash ou avec moins de lumière.",
    },
    "flat": {
        "en": "The picture has too little contrast: its light and dark parts differ by {figure}% of full brightness, "
        "where at least {limit}% is needed. Clean the lens, avoid haze and glare, and have the whole lesion in view.",
        "fr": "L’image manque de contraste : ses parties claires et sombres diffèrent de {figure} % de la luminosité "
        "maximale ; il en faut au moins {limit} %. Nettoyez l’objectif, évitez le voile et les reflets, et cadrez "
        "toute la lésion.",
    },
    "small": {
        "en": "The picture is small: its shorter side has {figure} pixels, where at least {limit} are needed. Send the "
        "original picture, or take one from closer.",
        "fr": "L’image est petite : son côté le plus court compte {figure} pixels ; il en faut au moins {limit}. "
        "Envoyez l’image d’origine, ou prenez-en une de plus près.",
    },
}
_OF_RADIOGRAPHS: Final[dict[str, dict[Language, str]]] = {
    "blurred": {
        "en": "The X-ray is blurred: its finest details differ by {figure} grey levels, those of a sharp one by at "
        "least {limit}. Send the original from the archive, not a photograph of a screen or a small copy.",
        "fr": "La radiographie est floue : ses détails les plus fins diffèrent de {figure} niveaux de gris, ceux d’une "
        "radiographie nette d’au moins {limit}. Envoyez l’original de l’archive, non une photo d’écran ou une copie "
        "réduite.",
    },
    "dark": {
        "en": "The X-ray is too dark: its brightest parts reach {figure}% of full brightness, where at least {limit}% "
        "is needed. Export it with the window that the radiologist uses.",
        "fr": "La radiographie est trop sombre : ses parties les plus claires atteignent {figure} % de la luminosité "
        "maximale ; il en faut au moins {limit} %. Exportez-la avec le fenêtrage du radiologue.",
    },
    "bright": {
        "en": "Much of the X-ray is white: {figure}% of it shows no detail, where at most {limit}% may. Export it with "
        "the window that the radiologist uses, and cut off white borders.",
        "fr": "Une grande part de la radiographie est blanche : {figure} % de sa surface ne montre aucun détail ; "
        "{limit} % au plus sont acceptables. Exportez-la avec le fenêtrage du radiologue et coupez les bords blancs.",
    },
    "flat": {
        "en": "The X-ray has too little contrast: its light and dark parts differ by {figure}% of full brightness, "
        "where at least {limit}% is needed. Export it with the window that the radiologist uses.",
        "fr": "La radiographie manque de contraste : ses parties claires et sombres diffèrent de {figure} % de la "
        "luminosité maximale ; il en faut au moins {limit} %. Exportez-la avec le fenêtrage du radiologue.",
    },
    "small": {
        "en": "The X-ray is small: its shorter side has {figure} pixels, where at least {limit} are needed. Send the "
        "original from the archive.",
        "fr": "La radiographie est petite : son côté le plus court compte {figure} pixels ; il en faut au moins "
        "{limit}. Envoyez l’original de l’archive.",
    },
}
_SENTENCES: Final[dict[Kind, dict[str, dict[Language, str]]]] = {
    "photograph": _OF_PHOTOGRAPHS,
    "radiograph": _OF_RADIOGRAPHS,
}


@dataclass(frozen=True, slots=True)
class QualityFlag:
    """One way in which a picture falls short.

    Attributes:
        code: ``blurred``, ``dark``, ``bright``, ``flat`` or ``small``.
        figure: What was measured, in the unit of ``Quality``.
        limit: The last figure that would have passed.
        kind: What kind of picture it is about.
    """

    code: str
    figure: float
    limit: float
    kind: Kind = "photograph"

    def describe(self, language: Language = "en") -> str:
        """Return what is wrong and what to do, in plain words with the figures."""
        digits = 0 if self.code == "small" else 1
        figure, limit = (f"{value:.{digits}f}" for value in (self.figure, self.limit))
        if language == "fr":
            figure, limit = figure.replace(".", ","), limit.replace(".", ",")
        return _SENTENCES[self.kind][self.code][language].format(figure=figure, limit=limit)


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a picture is.

    Attributes:
        sharpness: Spread of the Laplacian's response, in grey levels of 0..255.
        brightness_percent: Luminance that 95 % of the view do not exceed, in percent of the greatest.
        burnt_percent: Share of the view that is white without detail.
        contrast_percent: Distance between the 5 % darkest and the 5 % brightest of the view, in percent.
        shorter_side_px: The shorter side of the picture as it came.
        flags: In what it falls short.
        evaluable: Whether it can be judged at all.
    """

    sharpness: float
    brightness_percent: float
    burnt_percent: float
    contrast_percent: float
    shorter_side_px: int
    flags: tuple[QualityFlag, ...]
    evaluable: bool


def measure_quality(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Return the figure that decides on each flag but ``small``, by the flag's code.

    Args:
        pixels: uint8 H×W×3, RGB.
    """
    luminance = resize_picture(pixels, VIEW_PX).astype(np.float32) @ _LUMINANCE
    inner = luminance[1:-1, 1:-1]
    response = 4 * inner - luminance[:-2, 1:-1] - luminance[2:, 1:-1] - luminance[1:-1, :-2] - luminance[1:-1, 2:]
    darkest, brightest = np.percentile(luminance, (5, 95))
    return {
        "blurred": float(response.std()),
        "dark": float(brightest) / 2.55,
        "bright": 100 * float((luminance >= _BURNT_LEVEL).mean()),
        "flat": float(brightest - darkest) / 2.55,
    }


def assess_quality(
    pixels: NDArray[np.uint8], *, kind: Kind = "photograph", shorter_side_px: int | None = None
) -> Quality:
    """Judge a picture's quality.

    Args:
        pixels: uint8 H×W×3, RGB, perhaps reduced, with a shorter side of 128 or more where the original has it.
        kind: What kind of picture it is; its limits apply.
        shorter_side_px: The shorter side of the picture as it came; that of ``pixels`` by default.
    """
    limits = LIMITS[kind]
    figures = measure_quality(pixels)
    side = min(pixels.shape[:2]) if shorter_side_px is None else shorter_side_px
    figures["small"] = side
    flags = tuple(
        QualityFlag(code, figures[code], limit.flag, kind)
        for code, limit in limits.items()
        if not limit.is_passed(figures[code])
    )
    return Quality(
        sharpness=figures["blurred"],
        brightness_percent=figures["dark"],
        burnt_percent=figures["bright"],
        contrast_percent=figures["flat"],
        shorter_side_px=side,
        flags=flags,
        evaluable=all(limit.is_evaluable(figures[code]) for code, limit in limits.items()),
    )
