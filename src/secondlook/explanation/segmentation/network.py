"""Segmentation by a small network that learned from masks that experts drew."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from secondlook.explanation.segmentation.preparation import Pixels
from secondlook.explanation.segmentation.regions import Mask, choose_lesion
from secondlook.inference.outliner import SHIPPED, load_outliner

LEAST_CONTRAST = 8  # a picture of one colour, which the network has never seen


@dataclass(frozen=True, slots=True)
class OutlineNetwork:
    """A network that was trained by `secondlook outline train`; segments as every method does.

    Attributes:
        folder: Its folder; the shipped network by default.
    """

    folder: Path = SHIPPED

    def __call__(self, pixels: Pixels) -> Mask:
        """Take what the network finds likelier lesion than not.

        Args:
            pixels: uint8 H×W×3, RGB.

        Returns:
            bool H×W.

        Raises:
            BundleError: The network is missing or damaged.
        """
        height, width = pixels.shape[:2]
        if all(int(channel.max()) - int(channel.min()) < LEAST_CONTRAST for channel in np.moveaxis(pixels, 2, 0)):
            return np.zeros((height, width), dtype=bool)
        shares = Image.fromarray(load_outliner(self.folder).score(pixels))
        return choose_lesion(np.asarray(shares.resize((width, height), Image.Resampling.BICUBIC)) > 0.5, radius_px=1.0)
