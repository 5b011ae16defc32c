import torch
from torch import nn

from secondlook.training.sections import Model
from secondlook.training.zoo.mobilenetv2 import build_mobilenetv2_blocks


def test_two_blocks_of_convolution_norm_pooling_and_dropout_stand_behind_the_backbone() -> None:
    network = build_mobilenetv2_blocks(Model(name="mobilenetv2_035", dropout=0.3), (96, 96))
    kinds = [type(part) for part in network[1:]]
    assert kinds == 2 * [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d, nn.Dropout]
    assert [part.out_channels for part in network if isinstance(part, nn.Conv2d)] == [256, 128]
    assert {part.p for part in network if isinstance(part, nn.Dropout)} == {0.3}


def test_pooling_leaves_a_map_of_more_than_one_cell_for_usual_sizes() -> None:
    network = build_mobilenetv2_blocks(Model(name="mobilenetv2_035"), (96, 96)).eval()
    shapes = {side: network(torch.zeros(1, 3, side, side)).shape[2:] for side in (32, 96, 160, 224)}
    assert shapes == {32: (1, 1), 96: (1, 1), 160: (2, 2), 224: (2, 2)}
