"""Whether a placement can be believed: small parts of both pictures must find each other again where it puts them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from secondlook.explanation.change.placement import Similarity
from secondlook.explanation.change.registration import (
    FINE_PX,
    SEARCH_PX,
    Fit,
    place_structure,
    refine_fit,
)
from secondlook.explanation.change.structure import DETAIL, Structure, move_plane, prepare_structure, widen
from secondlook.explanation.segmentation.preparation import Pixels
from secondlook.explanation.segmentation.regions import Mask

Floats = NDArray[np.floating]

TILE_PX, STEP_PX = 32, 16
LEAST_POWER = 1.0  # of the sum of products over a tile of 1,024 places
NEAR_PX = 2.0
# Of 600 pairs of different lesions one comes above, of 346 pairs of one lesion 62 %: docs/timeline.md.
LEAST_CONFIRMED = 0.4
LEAST_TILES = 8
SHOWN_SHARE, LESION_SHARE, BORDER_SHARE = 0.95, 0.1, 0.03


@dataclass(frozen=True, slots=True)
class Registration:
    """How one picture lies over another, and what speaks for it.

    Attributes:
        placement: Where places of the reference lie in the other picture, in pixels of both.
        overlap: The part of the reference that the other picture shows too, as a share.
        confirmed: Share of the parts of the overlap that find themselves again within two pixels of 256, 0…1.
        residual: Median distance between where parts were put and where they find themselves, as a share of the
            reference's longer side.
        skin_confirmed: The same as ``confirmed`` for the skin around the lesion alone; nothing where too little skin is
            in sight.
    """

    placement: Similarity
    overlap: float
    confirmed: float
    residual: float
    skin_confirmed: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether both pictures show the same place beyond reasonable doubt."""
        return self.confirmed >= LEAST_CONFIRMED or self.scale_trusted

    @property
    def scale_trusted(self) -> bool:
        """Whether the skin around says how much nearer the other picture was taken; the lesion may have grown."""
        return self.skin_confirmed is not None and self.skin_confirmed >= LEAST_CONFIRMED


def register_pictures(reference: Pixels, other: Pixels, *, lesions: tuple[Mask, Mask]) -> Registration:
    """Lay one picture over another of the same lesion, and say whether that can be believed.

    Where the skin around says something by itself, it has the last word: a lesion that grew would otherwise pass for
    one that was photographed from nearer.

    Args:
        reference: uint8 H×W×3, RGB.
        other: uint8 h×w×3, RGB.
        lesions: Where the lesion lies in either picture: bool, of any size that spans the picture.
    """
    one, two = (_look(pixels, mask) for pixels, mask in zip((reference, other), lesions, strict=True))
    whole = place_structure((one.coarse, two.coarse), (one.fine, two.fine))
    skin = refine_fit(one.skin, two.skin, whole.placement)
    found = [confirm_fit(fit, one, two) for fit in (whole, skin) if fit.overlap]
    best = max(found, key=lambda each: (each.scale_trusted, each.trusted, each.skin_confirmed or each.confirmed))
    placement = best.placement.rescale(one.fine.reduction, two.fine.reduction)
    return replace(best, placement=placement)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All that is looked at in one picture.

    Attributes:
        coarse: Its structure at search size.
        fine: The same at working size.
        skin: The same without the lesion.
        detail: Its finest structure at working size.
        lesion: bool h×w at working size.
    """

    coarse: Structure
    fine: Structure
    skin: Structure
    detail: Structure
    lesion: Mask


def _look(pixels: Pixels, lesion: Mask) -> View:
    fine = prepare_structure(pixels, longer_side_px=FINE_PX)
    fitted = fit_mask(lesion, fine.values.shape)
    return View(
        coarse=prepare_structure(pixels, longer_side_px=SEARCH_PX),
        fine=fine,
        skin=replace(fine, known=fine.known & ~widen(fitted, round(BORDER_SHARE * FINE_PX))),
        detail=prepare_structure(pixels, longer_side_px=FINE_PX, coarse=DETAIL),
        lesion=fitted,
    )


def confirm_fit(fit: Fit, one: View, other: View) -> Registration:
    """Return a placement with what speaks for it; all in pixels at working size."""
    shape = one.detail.values.shape
    values, inside = move_plane(other.detail.values, fit.placement, shape)
    known, _ = move_plane(other.detail.known.astype(np.float32), fit.placement, shape)
    shared = inside & (known > 0.5) & one.detail.known
    corners = _find_tiles(shared)
    distances = measure_distances(one.detail.values, values, corners)
    covered = one.lesion | (move_plane(other.lesion.astype(np.float32), fit.placement, shape)[0] > 0.5)
    clear = np.array([_cut(covered, corner).mean() < LESION_SHARE for corner in corners], dtype=bool)
    return Registration(
        fit.placement,
        overlap=float(shared.mean()),
        confirmed=_share_near(distances) or 0.0,
        residual=float(np.median(distances)) / max(shape) if len(distances) else 1.0,
        skin_confirmed=_share_near(distances[clear]),
    )


def measure_distances(one: Floats, other: Floats, corners: list[tuple[int, int]]) -> Floats:
    """Return how far each tile of one plane lies from where the other plane shows it, in pixels: float32 N.

    Args:
        one: float32 h×w.
        other: float32 h×w.
        corners: Top and left of each tile, 32 pixels wide.
    """
    if not corners:
        return np.zeros(0, np.float32)
    window = np.hanning(TILE_PX)[:, None] * np.hanning(TILE_PX)
    spectra = []
    for plane in (one, other):
        tiles = np.stack([_cut(plane, corner) for corner in corners])
        tiles = tiles - tiles.mean(axis=(1, 2), keepdims=True)
        spectra.append(np.fft.rfft2((tiles * window).astype(np.float32)))
    surface = np.fft.irfft2(spectra[0] * np.conj(spectra[1]), s=(TILE_PX, TILE_PX))
    rows, columns = np.divmod(surface.reshape(len(corners), -1).argmax(axis=1), TILE_PX)
    # Where a tile shows nothing, it cannot be found anywhere.
    plain = surface.max(axis=(1, 2)) < LEAST_POWER
    away = [np.where(part > TILE_PX // 2, part - TILE_PX, part) for part in (rows, columns)]
    return np.where(plain, TILE_PX, np.hypot(*away)).astype(np.float32)


def fit_mask(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Return a mask at another height and width."""
    image = Image.fromarray(mask.astype(np.uint8) * 255).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(image) >= 128


def _find_tiles(shared: Mask) -> list[tuple[int, int]]:
    """Return top and left of every tile that both pictures show."""
    height, width = shared.shape
    return [
        (top, left)
        for top in range(0, height - TILE_PX + 1, STEP_PX)
        for left in range(0, width - TILE_PX + 1, STEP_PX)
        if _cut(shared, (top, left)).mean() > SHOWN_SHARE
    ]


def _cut(plane: NDArray[Any], corner: tuple[int, int]) -> NDArray[Any]:
    top, left = corner
    return plane[top : top + TILE_PX, left : left + TILE_PX]


def _share_near(distances: Floats) -> float | None:
    """Return the share of tiles that are where they were put; nothing where there are too few."""
    return float((distances <= NEAR_PX).mean()) if len(distances) >= LEAST_TILES else None
