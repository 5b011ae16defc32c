"""Views of one picture at several magnifications, and their maps on one grid."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

Cells = tuple[int, int]


def frame_view(pixels: Tensor, scale: float) -> Tensor:
    """Return pictures N×3×H×W as a view of this magnification shows them.

    Below one it is the whole picture with fewer pixels; above one its central part, as large as the picture.
    """
    height, width = pixels.shape[2:]
    if scale < 1:
        size = (round(height * scale), round(width * scale))
        return functional.interpolate(pixels, size=size, mode="bilinear", align_corners=False, antialias=True)
    if scale > 1:
        rows, columns = find_part((height, width), scale)
        top, left = (height - rows) // 2, (width - columns) // 2
        part = pixels[:, :, top : top + rows, left : left + columns]
        return functional.interpolate(part, size=(height, width), mode="bilinear", align_corners=False)
    return pixels


def find_part(size: Cells, scale: float) -> Cells:
    """Return height and width of the central part that a view shows; even where the whole is, so as to be central."""
    margins = (min(round((side - side / max(1.0, scale)) / 2), (side - 1) // 2) for side in size)
    rows, columns = (side - 2 * margin for side, margin in zip(size, margins, strict=True))
    return rows, columns


def average_maps(maps: Sequence[Tensor], scales: Sequence[float]) -> Tensor:
    """Return the mean of views' maps N×K×h×w on one grid over the whole picture, twice as fine as the finest of them.

    Its mean over all places is that of the views' own means, so a map that adds up to a logit goes on doing so: what a
    view says that shows the central part alone is said by that part alone.
    """
    if all(scale == 1 for scale in scales):
        return sum(maps[1:], maps[0]) / len(maps)
    rows, columns = (2 * max(activation.shape[dim] for activation in maps) for dim in (2, 3))
    placed = [place_map(activation, scale, (rows, columns)) for activation, scale in zip(maps, scales, strict=True)]
    return sum(placed[1:], placed[0]) / len(placed)


def place_map(activation: Tensor, scale: float, grid: Cells) -> Tensor:
    """Return a view's map on a grid over the whole picture, nothing where the view does not look; its mean stays."""
    part = find_part(grid, scale)
    fine = functional.interpolate(activation, size=part, mode="bilinear", align_corners=False)
    fine = fine + activation.mean(dim=(2, 3), keepdim=True) - fine.mean(dim=(2, 3), keepdim=True)
    top, left = (grid[0] - part[0]) // 2, (grid[1] - part[1]) // 2
    return functional.pad(fine * (grid[0] * grid[1] / (part[0] * part[1])), (left, left, top, top))
