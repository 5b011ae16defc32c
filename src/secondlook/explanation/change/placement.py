"""Where the places of one picture lie in another: turned, scaled and shifted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Similarity:
    """A turn, a scale and a shift; 0, 0 is the upper left corner of either picture.

    Attributes:
        across: Scale times the cosine of the turn.
        down: Scale times its sine.
        shift_x: Shift to the right.
        shift_y: Shift downwards.
    """

    across: float
    down: float
    shift_x: float
    shift_y: float

    @classmethod
    def about(cls, one: tuple[float, float], other: tuple[float, float], *, turn: float, scale: float) -> "Similarity":
        """Return the placement of that turn in radians and that scale that takes one point to the other."""
        across, down = scale * np.cos(turn), scale * np.sin(turn)
        shift_x = other[0] - across * one[0] + down * one[1]
        return cls(across, down, shift_x, other[1] - down * one[0] - across * one[1])

    @property
    def scale(self) -> float:
        """How much larger things are in the other picture."""
        return float(np.hypot(self.across, self.down))

    @property
    def turn_degrees(self) -> float:
        """How far things are turned in the other picture, clockwise, -180…180."""
        return float(np.degrees(np.arctan2(self.down, self.across)))

    def apply(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return where points of the one picture lie in the other."""
        return (
            self.across * x - self.down * y + self.shift_x,
            self.down * x + self.across * y + self.shift_y,
        )

    def precede(self, shift_x: float, shift_y: float) -> "Similarity":
        """Return the same after a shift in the one picture."""
        x, y = self.across * shift_x - self.down * shift_y, self.down * shift_x + self.across * shift_y
        return Similarity(self.across, self.down, self.shift_x + x, self.shift_y + y)

    def add(self, step: NDArray[np.floating]) -> "Similarity":
        """Return the same with its four numbers changed."""
        return Similarity(*(float(value) for value in np.array(self.numbers) + step))

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """The four numbers, in order."""
        return self.across, self.down, self.shift_x, self.shift_y

    def rescale(self, one: float, other: float) -> "Similarity":
        """Return the same for both pictures enlarged, by a factor each."""
        ratio = other / one
        return Similarity(ratio * self.across, ratio * self.down, other * self.shift_x, other * self.shift_y)

    def invert(self) -> "Similarity":
        """Return the way back."""
        square = self.across**2 + self.down**2
        across, down = self.across / square, -self.down / square
        return Similarity(
            across,
            down,
            -(across * self.shift_x - down * self.shift_y),
            -(down * self.shift_x + across * self.shift_y),
        )
