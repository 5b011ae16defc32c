"""Exact search for the nearest of many embeddings, in two bytes a number."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from secondlook.inference.outliers import scale_rows

STEPS = 32_512  # so that the upper byte of the largest number is 127
BLOCK = 512


class DirectionIndex:
    """Directions under keys, which may be added, replaced and left out; safe to be searched from one thread at a time.

    Every number is kept as two bytes, 100,000 directions of 256 numbers in 51 MB. A search reads the upper bytes of all
    and the lower ones only of those that may be among the nearest, which their rounding errors bound: so the result is
    that of comparing all sixteen bits of every direction, in a fraction of the time.

    Args:
        dimensions: How many numbers a direction has.
    """

    def __init__(self, dimensions: int) -> None:
        self._upper = np.zeros((0, dimensions), np.int8)
        self._lower = np.zeros((0, dimensions), np.uint8)
        self._step = np.zeros(0, np.float32)
        self._error = np.zeros(0, np.float32)
        self._keys: list[int | None] = []
        self._rows: dict[int, int] = {}

    def __len__(self) -> int:
        """Return how many directions there are."""
        return len(self._rows)

    def put(self, keys: Sequence[int], embeddings: NDArray[np.floating]) -> None:
        """Add directions, or replace those of keys that are known.

        Args:
            keys: One number for each, none twice.
            embeddings: float N×D; only their direction counts.
        """
        self.drop(keys)
        directions = scale_rows(embeddings).astype(np.float32)
        step = (np.maximum(np.abs(directions).max(axis=1), 1e-12) / STEPS).astype(np.float32)
        code = np.rint(directions / step[:, None]).astype(np.int16)
        upper = (code >> 8).astype(np.int8)
        rest = directions - (upper.astype(np.float32) * 256 + 128) * step[:, None]
        first = len(self._keys)
        rows = slice(first, first + len(keys))
        self._make_room(rows.stop)
        self._upper[rows], self._lower[rows] = upper, (code & 255).astype(np.uint8)
        self._step[rows], self._error[rows] = step, np.linalg.norm(rest, axis=1)
        self._keys += keys
        self._rows |= {key: first + place for place, key in enumerate(keys)}

    def drop(self, keys: Sequence[int]) -> None:
        """Leave out the directions of these keys, and forget them; unknown ones do not matter."""
        for key in keys:
            row = self._rows.pop(key, None)
            if row is not None:
                self._keys[row] = None
                self._upper[row], self._lower[row], self._error[row] = 0, 0, -np.inf

    def _make_room(self, rows: int) -> None:
        """Have room for so many rows, and some more."""
        room = len(self._step)
        if rows > room:
            more = max(rows, room + room // 4) - room
            for name in ("_upper", "_lower", "_step", "_error"):
                kept = getattr(self, name)
                setattr(self, name, np.concatenate([kept, np.zeros((more, *kept.shape[1:]), kept.dtype)]))

    def find_nearest(self, embedding: NDArray[np.floating], count: int) -> list[tuple[int, float]]:
        """Return the keys of the nearest directions, the nearest first, and the cosine of the angle to each.

        Args:
            embedding: float D; only its direction counts.
            count: How many, at most.
        """
        count = min(count, len(self))
        if not count:
            return []
        direction = scale_rows(embedding[None])[0].astype(np.float32)
        near, error = self._measure_upper(direction), self._error[: len(self._keys)]
        # The direction has length one, so no cosine is further from its estimate than the length of the rounding error.
        least = np.partition(np.where(error >= 0, near - error, -np.inf), -count)[-count]
        rows = np.nonzero(near + error >= least)[0]
        code = self._upper[rows].astype(np.float32) * 256 + self._lower[rows]
        cosines = (code @ direction) * self._step[rows]
        best = np.argsort(-cosines, kind="stable")[:count]
        return [(cast(int, self._keys[rows[place]]), float(cosines[place])) for place in best]

    def _measure_upper(self, direction: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cosine to each direction as its upper bytes give it: float32 N."""
        sums = np.empty(len(self._keys), np.float32)
        # Small blocks, so that what they become in four bytes stays in the processor's cache.
        block = np.empty((BLOCK, self._upper.shape[1]), np.float32)
        for top in range(0, len(sums), BLOCK):
            part = self._upper[top : min(top + BLOCK, len(sums))]
            np.copyto(block[: len(part)], part)
            np.dot(block[: len(part)], direction, out=sums[top : top + len(part)])
        return np.asarray((256 * sums + 128 * direction.sum()) * self._step[: len(sums)])
