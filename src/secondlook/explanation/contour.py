"""The border of a mask as a line, and what follows from it: length, area, greatest width."""

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]

POINTS = 360
LEAST_SMOOTHING_PX, SMOOTHING = 1.5, 0.006


def trace_border(mask: NDArray[np.bool_]) -> Line:
    """Return the outer border of a mask of one region as a smooth closed line.

    The sides of its pixels are followed, and the steps between them smoothed by a Gaussian whose width is 0.6 % of the
    border's length, at least 1.5 pixels.

    Args:
        mask: bool H×W with at least one pixel; pixels of the region touch by their sides.

    Returns:
        float64 360×2, x and y in pixels; 0, 0 is the upper left corner of the picture. The last point is tied to the
        first.
    """
    corners = _follow_sides(mask)
    length = len(corners)  # every side is one pixel long
    at = np.arange(POINTS) * length / POINTS
    closed = np.vstack([corners, corners[:1]])
    even = np.stack([np.interp(at, np.arange(length + 1), closed[:, axis]) for axis in (0, 1)], axis=1)
    width = max(LEAST_SMOOTHING_PX, SMOOTHING * length) * POINTS / length
    waves = np.fft.fftfreq(POINTS)[:, None]
    damping = np.exp(-2 * (np.pi * waves * width) ** 2)
    return np.asarray(np.fft.ifft(np.fft.fft(even, axis=0) * damping, axis=0).real)


def _follow_sides(mask: NDArray[np.bool_]) -> Line:
    """Return the corners along the outer border, clockwise from the upper left one: float64 N×2, x and y."""
    wide = np.pad(mask, 1)
    inner = wide[1:-1, 1:-1]
    steps: dict[tuple[int, int], list[tuple[int, int]]] = {}
    sides = (
        (wide[:-2, 1:-1], (0, 0), (0, 1)),  # the pixel above, and the side's ends as row and column
        (wide[1:-1, 2:], (0, 1), (1, 1)),
        (wide[2:, 1:-1], (1, 1), (1, 0)),
        (wide[1:-1, :-2], (1, 0), (0, 0)),
    )
    for beyond, start, end in sides:
        for row, column in np.argwhere(inner & ~beyond).tolist():
            steps.setdefault((row + start[0], column + start[1]), []).append((row + end[0], column + end[1]))
    first = tuple(np.argwhere(inner)[0].tolist())
    here, heading = first, (0, 1)
    corners = []
    while True:
        corners.append((here[1], here[0]))
        # Where two pixels touch by a corner, the sharpest right turn stays with the same pixel.
        there = max(steps[here], key=lambda end: _turn(heading, (end[0] - here[0], end[1] - here[1])))
        steps[here].remove(there)
        heading, here = (there[0] - here[0], there[1] - here[1]), there
        if here == first:
            return np.array(corners, dtype=np.float64)


def _turn(heading: tuple[int, int], step: tuple[int, int]) -> int:
    """Return 1 for a right turn, 0 for straight on, -1 for a left turn; both are rows and columns."""
    return heading[1] * step[0] - heading[0] * step[1]


def measure_length(line: Line) -> float:
    """Return the length of a closed line in its own unit."""
    return float(np.hypot(*(np.roll(line, -1, axis=0) - line).T).sum())


def measure_area(line: Line) -> float:
    """Return the area inside a closed line that does not cross itself."""
    x, y = line.T
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


def find_diameter(line: Line) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two points of a line that lie furthest apart, each float64 2, x and y."""
    squares = ((line[:, None] - line[None]) ** 2).sum(axis=2)
    one, other = np.unravel_index(int(squares.argmax()), squares.shape)
    return line[one], line[other]
