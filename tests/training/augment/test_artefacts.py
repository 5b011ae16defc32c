import pytest
import torch
from torch import Tensor

from secondlook.training.augment.artefacts import cover_line, draw_hairs, draw_rulers
from tests.training.augment.drawing import seeded

SKIN = (0.8, 0.6, 0.5)


def make_skin(count: int = 200, height: int = 60, width: int = 80) -> Tensor:
    return torch.tensor(SKIN).view(1, 3, 1, 1).expand(count, 3, height, width).clone()


def find_marks(changed: Tensor) -> Tensor:
    """Return bool N×H×W: which pixels differ from skin."""
    return (changed - torch.tensor(SKIN).view(1, 3, 1, 1)).abs().amax(dim=1) > 1e-4


@pytest.mark.parametrize("draw", [draw_hairs, draw_rulers])
def test_artefacts_come_to_their_share_of_pictures_in_one_colour_each_and_leave_most_of_it(draw) -> None:
    skin = make_skin()
    changed = draw(skin, 0.3, seeded())
    marks = find_marks(changed)
    touched = marks.flatten(1).any(dim=1)
    assert 0.22 < touched.float().mean() < 0.38
    assert 0.005 < marks[touched].float().mean() < 0.25
    assert 0 <= changed.min() <= changed.max() <= 1
    assert torch.equal(skin, make_skin())
    shifts = changed[touched] - skin[touched]
    for shift, where in zip(shifts, marks[touched], strict=True):
        ways = shift[:, where] / shift[:, where].norm(dim=0)
        torch.testing.assert_close(ways, ways[:, :1].expand_as(ways), atol=0.02, rtol=0)  # towards one colour
    dark = (shifts.mean(dim=(1, 2, 3)) < 0).float().mean()
    assert 0.75 < dark < 1


def test_hairs_are_thin_lines_at_any_size() -> None:
    for side in (64, 256):
        marks = find_marks(draw_hairs(make_skin(40, side, side), 1, seeded()))
        assert marks.flatten(1).any(dim=1).all()
        inner = torch.nn.functional.avg_pool2d(marks.float(), round(side * 0.06), stride=1)
        assert inner.mean() < 0.3
    small, large = (draw_hairs(make_skin(40, side, side), 1, seeded()) for side in (64, 128))
    halved = torch.nn.functional.avg_pool2d(large, 2)
    assert (halved - small).abs().mean() < 0.01  # the same hairs, drawn at another resolution


def test_ruler_ticks_stand_in_a_row_along_one_side() -> None:
    marks = find_marks(draw_rulers(make_skin(60, 100, 100), 1, seeded()))
    for picture in marks:
        rows, columns = picture.nonzero().unbind(1)
        extents = sorted([int(rows.max() - rows.min()), int(columns.max() - columns.min())])
        assert extents[0] < 35
        assert extents[1] > 80


def test_a_line_covers_its_width() -> None:
    distance = (torch.arange(200) / 100 - 1).abs()  # a line at the middle of 2 sides of 100 pixels
    for half in (0.2, 0.05, 0.002):
        assert float(cover_line(distance, torch.tensor(half), 100).sum()) == pytest.approx(2 * half * 100, rel=0.15)
