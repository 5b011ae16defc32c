"""The head that all networks share: it gives logits, an embedding and, where there are feature maps, a map."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from secondlook.inference.schema import MapKind
from secondlook.training.sections import Head

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}

Colours = tuple[tuple[float, ...], tuple[float, ...]]


class Classifier(nn.Module):
    """A backbone, global average pooling where it gives feature maps, dropout and a head.

    With a linear head the class activation map is exact: its mean over the map plus the bias is the logit (Zhou et al.
    2016, doi 10.1109/CVPR.2016.319). A head with hidden layers is applied at each place of the feature maps instead.

    Args:
        backbone: From float32 N×3×H×W to feature maps N×width×h×w, or to features N×width.
        width: Number of features.
        classes: Number of classes.
        dropout: Share of features dropped before the head in training.
        head: What stands between the features and the classes.
        spatial: Whether the backbone gives feature maps of more than one cell.
        colours: Mean and deviation of red, green and blue in 0..1, which pixels are standardised by; None where
            they are measured on the training pictures, and then saved with the weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        *,
        width: int,
        classes: int,
        dropout: float = 0.0,
        head: Head | None = None,
        spatial: bool = True,
        colours: Colours | None = IMAGENET,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = build_head(head or Head(), width=width, classes=classes)
        self.width = width
        self.spatial = spatial
        mean, deviation = colours or ((0.0,) * 3, (1.0,) * 3)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=colours is None)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=colours is None)

    def standardise_by(self, colours: Colours) -> None:
        """Take over mean and deviation of red, green and blue in 0..1, measured on training pictures."""
        for buffer, values in zip((self.mean, self.deviation), colours, strict=True):
            buffer.copy_(torch.tensor(values).view(1, 3, 1, 1))

    @property
    def map_kind(self) -> MapKind:
        """What can be shown of where the network looked."""
        if not self.spatial:
            return "occlusion"
        return "class_activation" if isinstance(self.head, nn.Linear) else "head_by_place"

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits N×K of pictures N×3×H×W in 0..1."""
        return self.answer(self.embed(pixels))

    def answer(self, embedding: Tensor) -> Tensor:
        """Return logits N×K of embeddings N×width."""
        logits: Tensor = self.head(self.dropout(embedding))
        return logits

    def embed(self, pixels: Tensor) -> Tensor:
        """Return embeddings N×width of pictures N×3×H×W in 0..1."""
        return pool_features(self.extract_features(pixels))

    def extract_features(self, pixels: Tensor) -> Tensor:
        """Return feature maps N×width×h×w, or features N×width, of pictures N×3×H×W in 0..1."""
        features: Tensor = self.backbone((pixels - self.mean) / self.deviation)
        return features

    def explain(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return logits N×K, embedding N×width and, if the network is spatial, map N×K×h×w of pictures in 0..1."""
        features = self.extract_features(pixels)
        embedding = pool_features(features)
        logits: Tensor = self.head(embedding)
        return (logits, embedding, self.map_classes(features)) if self.spatial else (logits, embedding)

    def map_classes(self, features: Tensor) -> Tensor:
        """Return what each place of feature maps N×width×h×w says for each class, N×K×h×w."""
        if isinstance(self.head, nn.Linear):
            return functional.conv2d(features, self.head.weight[:, :, None, None])
        places = features.permute(0, 2, 3, 1)
        answers: Tensor = self.head(places.flatten(0, 2)).unflatten(0, places.shape[:3])
        return answers.permute(0, 3, 1, 2)


def build_head(head: Head, *, width: int, classes: int) -> nn.Module:
    """Return a linear layer, or hidden layers of [dense, activation, dropout, batch norm] with one behind them."""
    layers: list[nn.Module] = []
    for neurons in head.hidden:
        layers += [nn.Linear(width, neurons), ACTIVATIONS[head.activation]()]
        if head.dropout:
            layers.append(nn.Dropout(head.dropout))
        if head.batch_norm:
            layers.append(nn.BatchNorm1d(neurons))
        width = neurons
    last = nn.Linear(width, classes)
    return nn.Sequential(*layers, last) if layers else last


def pool_features(features: Tensor) -> Tensor:
    """Return features N×width, feature maps N×width×h×w averaged over their places."""
    return features.mean(dim=(2, 3)) if features.ndim == 4 else features
