"""Lay one picture of a lesion over another: turned, scaled and shifted, and said how well that fits.

The coarse place comes from Fourier–Mellin phase correlation (Reddy, Chatterji 1996, doi 10.1109/83.506761), the fine
one from maximising the enhanced correlation coefficient (Evangelidis, Psarakis 2008, doi 10.1109/TPAMI.2008.113).
Both look at structure alone: slow changes of light, and the black corners of a dermatoscope, are taken out before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.explanation.change.placement import Similarity
from secondlook.explanation.change.structure import Structure, sample_plane

Floats = NDArray[np.floating]
Waves = NDArray[np.complexfloating]

SEARCH_PX, FINE_PX = 96, 256
FIELD_PX = 2 * SEARCH_PX
ANGLES, RADII, LEAST_RADIUS = 180, 128, 3
LARGEST_SCALE = 2.5
LEAST_OVERLAP = 0.25
TURNS, KEPT = 8, 3
ROUNDS = 20
ENOUGH_PX = 0.01


@dataclass(frozen=True, slots=True)
class Fit:
    """A placement and how well it fits.

    Attributes:
        placement: Where places of the reference lie in the other picture.
        agreement: Correlation of both structures where they overlap, -1…1.
        overlap: That part as a share of the reference.
    """

    placement: Similarity
    agreement: float
    overlap: float


def place_structure(coarse: tuple[Structure, Structure], fine: tuple[Structure, Structure]) -> Fit:
    """Find where places of one picture lie in another of the same lesion; the best there is, however bad it is.

    Args:
        coarse: The structures of both at search size.
        fine: The same at working size.

    Returns:
        The placement in pixels at working size.
    """
    found = [refine_fit(*coarse, seed) for seed in find_seeds(*coarse)]
    best = max(found, key=lambda fit: fit.agreement * fit.overlap**0.5)
    steps = [small.reduction / large.reduction for small, large in zip(coarse, fine, strict=True)]
    last = refine_fit(*fine, best.placement.rescale(*steps))
    return last if last.overlap else Fit(best.placement.rescale(*steps), best.agreement, best.overlap)


def find_seeds(reference: Structure, other: Structure) -> list[Similarity]:
    """Return a few placements to start from, the most promising first."""
    spectra = _transform(_frame(reference.values), _frame(reference.known.astype(np.float32)))
    seeds = [
        _find_shift(spectra, reference, other, turn + half, scale)
        for turn, scale in _find_turns(reference, other)
        for half in (0.0, np.pi)
    ]
    seeds.sort(key=lambda seed: -seed[0])
    return [placement for _, placement in seeds[:KEPT]]


def _find_turns(reference: Structure, other: Structure) -> list[tuple[float, float]]:
    """Return likely pairs of turn and scale, where the spectra agree that are unrolled by angle and log radius."""
    rings = [np.fft.rfft2(_unroll(one)) for one in (reference, other)]
    product = rings[1] * np.conj(rings[0])
    surface = np.fft.irfft2(product / np.maximum(np.abs(product), 1e-6), s=(ANGLES, 2 * RADII))
    step = np.log(SEARCH_PX / LEAST_RADIUS) / RADII
    reach = int(np.log(LARGEST_SCALE) / step)
    surface[:, reach + 1 : -reach] = -np.inf
    turns = [(0.0, 1.0)]
    for _ in range(TURNS):
        row, column = np.unravel_index(int(surface.argmax()), surface.shape)
        near = np.arange(-3, 4)
        surface[np.ix_((row + near) % ANGLES, (column + near) % (2 * RADII))] = -np.inf
        shift = column if column <= reach else column - 2 * RADII
        # What is larger in a picture has its waves at lower frequencies.
        turns.append((float(row * np.pi / ANGLES), float(np.exp(-shift * step))))
    return turns


def _unroll(structure: Structure) -> Floats:
    """Return the strengths of a picture's waves by direction and logarithm of frequency, float32 180×256."""
    height, width = structure.values.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    strength = np.fft.fftshift(np.abs(np.fft.fft2(_frame((structure.values * window).astype(np.float32)))))
    radius = LEAST_RADIUS * (SEARCH_PX / LEAST_RADIUS) ** (np.arange(RADII) / RADII)
    angle = np.arange(ANGLES)[:, None] * np.pi / ANGLES
    x, y = (FIELD_PX / 2 + part * radius for part in (np.cos(angle), np.sin(angle)))
    rings, _ = sample_plane(np.log1p(strength), x + 0.5, y + 0.5)
    rings = (rings - rings.mean(axis=0)) * np.hanning(RADII)
    return np.pad(rings, ((0, 0), (0, RADII))).astype(np.float32)


def _find_shift(
    spectra: tuple[Waves, Waves, Waves], reference: Structure, other: Structure, turn: float, scale: float
) -> tuple[float, Similarity]:
    """Return the best shift for a turn and a scale, and how well it fits.

    Every shift is judged by the correlation where both are known (Padfield 2012, doi 10.1109/TIP.2011.2181402).
    """
    middle = Similarity.about(_find_middle(reference), _find_middle(other), turn=turn, scale=scale)
    rows, columns = np.mgrid[:FIELD_PX, :FIELD_PX].astype(np.float32) + 0.5
    height, width = reference.values.shape
    x, y = middle.apply(columns - FIELD_PX / 2 + width / 2, rows - FIELD_PX / 2 + height / 2)
    (values, known), inside = sample_plane(np.stack([other.values, other.known]), x, y)
    moved = _transform(np.where(inside, values, 0).astype(np.float32), np.where(inside, known, 0).astype(np.float32))

    def correlate(one: Waves, two: Waves) -> Floats:
        return np.fft.irfft2(one * np.conj(two), s=(FIELD_PX, FIELD_PX)).astype(np.float32)

    overlap = correlate(spectra[1], moved[1])
    power = np.maximum(correlate(spectra[2], moved[1]) * correlate(spectra[1], moved[2]), 1.0)
    surface = correlate(spectra[0], moved[0]) / np.sqrt(power) * np.sqrt(np.maximum(overlap, 0) / height / width)
    surface[overlap < LEAST_OVERLAP * height * width] = -1
    down, across = np.unravel_index(int(surface.argmax()), surface.shape)
    shift = [float(at if at < FIELD_PX / 2 else at - FIELD_PX) for at in (across, down)]
    return float(surface[down, across]), middle.precede(-shift[0], -shift[1])


def _transform(values: Floats, known: Floats) -> tuple[Waves, Waves, Waves]:
    """Return the spectra of a plane, of what is known of it, and of its squares."""
    return np.fft.rfft2(values), np.fft.rfft2(known), np.fft.rfft2(values**2)


def _frame(values: Floats) -> Floats:
    """Return a plane in the middle of an empty field."""
    height, width = values.shape
    field = np.zeros((FIELD_PX, FIELD_PX), np.float32)
    top, left = (FIELD_PX - height) // 2, (FIELD_PX - width) // 2
    field[top : top + height, left : left + width] = values
    return field


def _find_middle(structure: Structure) -> tuple[float, float]:
    height, width = structure.values.shape
    return width / 2, height / 2


def refine_fit(reference: Structure, other: Structure, start: Similarity) -> Fit:
    """Improve a placement until it no longer moves.

    Args:
        reference: The structure that stays.
        other: The structure that is laid over it.
        start: A placement that is nearly right.
    """
    rows, columns = np.nonzero(reference.known)
    x, y = (columns + 0.5).astype(np.float32), (rows + 0.5).astype(np.float32)
    wanted = reference.values[reference.known]
    down, across = np.gradient(other.values)
    planes = np.stack([other.known, other.values, across, down]).astype(np.float32)
    placement, best = start, Fit(start, -1.0, 0.0)
    for _ in range(ROUNDS):
        (known, *seen), inside = sample_plane(planes, *placement.apply(x, y))
        inside &= known > 0.5
        if inside.mean() < LEAST_OVERLAP:
            break
        values, *slopes = (plane[inside] for plane in seen)
        one, two = _centre(wanted[inside]), _centre(values)
        agreement = float(one @ two / max(float(np.linalg.norm(one) * np.linalg.norm(two)), 1e-6))
        if agreement > best.agreement:
            best = Fit(placement, agreement, float(inside.sum() / inside.size))
        step = _find_step(slopes, (x[inside], y[inside]), one, two)
        placement = placement.add(step)
        if np.hypot(*step[2:]) + np.hypot(*step[:2]) * max(reference.values.shape) < ENOUGH_PX:
            break
    return best


def _centre(values: Floats) -> Floats:
    return np.asarray(values - values.mean())


def _find_step(slopes: list[Floats], place: tuple[Floats, Floats], one: Floats, two: Floats) -> Floats:
    """Return the change of the four numbers of a placement that raises the correlation most, float32 4."""
    (across, down), (x, y) = slopes, place
    lean = np.stack([across * x + down * y, down * x - across * y, across, down])
    lean -= lean.mean(axis=1, keepdims=True)
    gram = lean @ lean.T + 1e-3 * np.eye(4, dtype=np.float32)
    towards_one, towards_two = np.linalg.solve(gram, np.stack([lean @ one, lean @ two], axis=1)).T
    gain = (two @ two - (lean @ two) @ towards_two) / max(float(one @ two - (lean @ one) @ towards_two), 1e-6)
    return np.asarray(gain * towards_one - towards_two)
