"""Views of one picture at several magnifications, and their maps on one grid."""

import pytest
import torch

from secondlook.training.views import average_maps, find_part, frame_view


@pytest.mark.parametrize(
    ("side", "scale", "part"), [(192, 1.2, 160), (176, 1.2222, 144), (12, 0.8333, 12), (12, 1.2, 10), (4, 4.0, 2)]
)
def test_the_central_part_is_central_and_never_empty(side: int, scale: float, part: int) -> None:
    assert find_part((side, side), scale) == (part, part)


def test_a_view_shows_the_whole_with_fewer_pixels_or_the_centre_as_large() -> None:
    pixels = torch.zeros(1, 3, 40, 40)
    pixels[:, :, 10:30, 10:30] = 1
    assert frame_view(pixels, 0.5).shape == (1, 3, 20, 20)
    assert frame_view(pixels, 0.5).mean() == pytest.approx(0.25, abs=0.01)
    assert frame_view(pixels, 2.0).shape == pixels.shape
    assert frame_view(pixels, 2.0).min() == 1
    assert frame_view(pixels, 1.0) is pixels


def test_the_mean_of_maps_stays_even_of_the_smallest_at_the_largest_magnification() -> None:
    maps = [torch.rand(1, 3, 2, 2), torch.rand(1, 3, 2, 2)]
    averaged = average_maps(maps, (0.25, 4.0))
    assert averaged.shape == (1, 3, 4, 4)
    torch.testing.assert_close(averaged.mean(dim=(2, 3)), (maps[0] + maps[1]).mean(dim=(2, 3)) / 2)
