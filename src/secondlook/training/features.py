"""What a frozen backbone gives for every picture, computed once and kept memory-mapped."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from secondlook.errors import RecipeError
from secondlook.training.dataset import Pictures, find_cache_folder, write_array
from secondlook.training.measure import EVALUATION_BATCH, load_pixels
from secondlook.training.sections import Stage
from secondlook.training.zoo.classifier import Classifier

FEATURES_VERSION = 1
FLIPS: tuple[list[int], ...] = ([], [3], [2], [2, 3])


@dataclass
class FeatureCache:
    """Embeddings of pictures by the backbone of the stage under way.

    Files are named by all that their content depends on, so that a run that continues finds those of the run that was
    stopped, and other runs from the same backbone find them too.

    Attributes:
        device: Where to compute.
        precision: ``fp32`` or ``bf16``.
        stage: The stage that ``found`` belongs to; within one the backbone does not change.
        found: Arrays by the identity of the pictures.
    """

    device: torch.device
    precision: str
    stage: Stage | None = None
    found: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    def find(
        self, network: Classifier, pictures: Pictures, *, stage: Stage, size_px: tuple[int, int], views: int = 1
    ) -> NDArray[np.float32]:
        """Return float32 N×views×width, computed where no file holds them yet.

        Args:
            network: Its backbone is frozen in this stage.
            pictures: All of them are looked at.
            stage: The stage under way.
            size_px: Height and width that the pictures are resized to.
            views: How many flips of each picture: itself; mirrored; and both of these upside down.

        Raises:
            RecipeError: The cache folder cannot be written, for example because the disk is full.
        """
        if stage is not self.stage:
            self.stage, self.found = stage, {}
        if id(pictures) not in self.found:
            self.found[id(pictures)] = self._open(network, pictures, size_px=size_px, views=views)
        return self.found[id(pictures)]

    def _open(
        self, network: Classifier, pictures: Pictures, *, size_px: tuple[int, int], views: int
    ) -> NDArray[np.float32]:
        key = (FEATURES_VERSION, torch.__version__, self.device.type, self.precision, size_px, views)
        digest = hashlib.sha256(repr(key).encode())
        hash_backbone(network, digest)
        hash_pictures(pictures, digest)
        file = find_cache_folder() / f"features-{digest.hexdigest()[:32]}.npy"
        shape = (len(pictures), views, network.width)
        try:
            if not file.is_file():
                blocks = self._compute(network, pictures, size_px=size_px, views=views)
                write_array(file, blocks, dtype=np.dtype(np.float32), shape=shape)
            features: NDArray[np.float32] = np.load(file, mmap_mode="r", allow_pickle=False)
        except OSError as error:
            raise RecipeError(
                f"Expected to keep features in the cache folder ({error.strerror}); they need "
                f"{4 * np.prod(shape) / 1e6:.0f} MB. Free some space, or name another folder in SECONDLOOK_CACHE."
            ) from error
        return features

    @torch.no_grad()
    def _compute(
        self, network: Classifier, pictures: Pictures, *, size_px: tuple[int, int], views: int
    ) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(pictures), EVALUATION_BATCH):
            positions = np.arange(start, min(start + EVALUATION_BATCH, len(pictures)))
            pixels = load_pixels(pictures, positions, size_px=size_px, device=self.device)
            seen = []
            for dims in FLIPS[:views]:
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                    seen.append(network.embed(pixels.flip(dims)).float().cpu().numpy())
            yield np.stack(seen, axis=1)


def hash_backbone(network: Classifier, digest: "hashlib._Hash") -> None:
    """Take the backbone's weights and statistics, and what pixels are standardised by, into a digest."""
    parts = network.backbone.state_dict() | {"mean": network.mean, "deviation": network.deviation}
    for name, value in sorted(parts.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())


def hash_pictures(pictures: Pictures, digest: "hashlib._Hash") -> None:
    """Take the pictures of a split, in their order, into a digest."""
    digest.update(repr(pictures.images.shape[1:]).encode())
    for row in pictures.rows:
        digest.update(pictures.images[row].tobytes())


def have_same_backbone(one: Classifier, other: Classifier) -> bool:
    """Return whether two networks give the same features."""
    theirs = other.backbone.state_dict()
    return one is other or all(torch.equal(value, theirs[name]) for name, value in one.backbone.state_dict().items())
