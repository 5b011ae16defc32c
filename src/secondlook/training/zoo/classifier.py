"""The head that all networks share: it gives logits, an embedding and a class activation map at once."""

import torch
from torch import Tensor, nn
from torch.nn import functional

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class Classifier(nn.Module):
    """A convolutional backbone, global average pooling, dropout and one linear layer.

    Since the head is linear over averaged features, the class activation map is exact: its mean over the map
    plus the bias is the logit (Zhou et al. 2016, doi 10.1109/CVPR.2016.319).

    Args:
        backbone: From float32 N×3×H×W to feature maps N×width×h×w.
        width: Number of feature maps.
        classes: Number of classes.
        dropout: Share of features dropped before the linear layer in training.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: nn.Module, *, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits N×K of pictures N×3×H×W in 0..1."""
        features = self.extract_features(pixels)
        logits: Tensor = self.head(self.dropout(features.mean(dim=(2, 3))))
        return logits

    def extract_features(self, pixels: Tensor) -> Tensor:
        """Return feature maps N×width×h×w of pictures N×3×H×W in 0..1."""
        features: Tensor = self.backbone((pixels - self.mean) / self.deviation)
        return features

    def explain(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits N×K, embedding N×width and class activation map N×K×h×w of pictures N×3×H×W in 0..1."""
        features = self.extract_features(pixels)
        embedding = features.mean(dim=(2, 3))
        activation = functional.conv2d(features, self.head.weight[:, :, None, None])
        return self.head(embedding), embedding, activation
