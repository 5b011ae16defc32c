"""Train the small network that outlines lesions, and export it."""

import datetime
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

import secondlook
from secondlook.data.files import replace_file
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.masks import Masked, read_pair
from secondlook.errors import BundleError
from secondlook.imaging.resize import resize_picture
from secondlook.inference.outliner import FACTS, GRAPH, OutlineFacts, Outliner
from secondlook.training.augment.affine import draw_affine, fit_aspect
from secondlook.training.augment.colour import shift_colour
from secondlook.training.export import draw_probe, trace_graph
from secondlook.training.sections import Augmentation
from secondlook.training.storage import SMALLEST_STORED, store_weights

SIZE_PX = (72, 96)
WIDTHS = (12, 24, 48, 64)
BATCH = 32
RATE, DECAY = 4e-3, 1e-4
TOLERANCE = 0.01  # of a share, which weights in half precision change a little
# Frames of other proportions and closer views than the data's own must be outlined, too.
CHANGES = Augmentation(
    rotation_degrees=180,
    flip_horizontal=True,
    zoom=(0.9, 2.0),
    stretch=1.5,
    shift=0.12,
    brightness=(0.75, 1.25),
    contrast=0.2,
    saturation=0.2,
    white_balance=0.08,
    gamma=1.2,
)


class Block(nn.Sequential):
    """Convolution 3×3, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )


class OutlineNetwork(nn.Module):
    """A U-Net (Ronneberger, Fischer, Brox 2015, doi 10.1007/978-3-319-24574-4_28) that starts at half the size."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(Block(before, after, stride=2), Block(after, after))
            for before, after in zip(inputs, WIDTHS, strict=True)
        )
        self.up = nn.ModuleList(
            Block(below + beside, beside) for below, beside in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float32 N×H×W, the log-odds of lesion, of pixels float32 N×3×H×W in 0..1."""
        size = pixels.shape[-2:]
        values = pixels * 2 - 1
        kept = []
        for step in self.down:
            values = step(values)
            kept.append(values)
        for step, beside in zip(self.up, kept[-2::-1], strict=True):
            values = functional.interpolate(values, size=beside.shape[-2:], mode="bilinear", align_corners=False)
            values = step(torch.cat([values, beside], dim=1))
        odds: Tensor = functional.interpolate(self.head(values), size=size, mode="bilinear", align_corners=False)
        return odds[:, 0]


class Served(nn.Module):
    """What becomes the graph."""

    def __init__(self, network: OutlineNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 N×H×W, the share in 0..1 of lesion, of pictures uint8 N×H×W×3."""
        odds: Tensor = self.network(image.permute(0, 3, 1, 2).to(torch.float32) / 255)
        return odds.sigmoid()


def train_outliner(
    masked: Masked,
    folder: Path,
    *,
    epochs: int,
    seed: int,
    fingerprint: str,
    licence: str,
    track: Track = track_silently,
    tell: Callable[[str], None] = lambda _sentence: None,
) -> Outliner:
    """Train on every picture that has a mask, and write ``outline.onnx`` and ``outline.json``.

    Args:
        masked: Pictures and masks to learn from; none of those that will be measured.
        folder: Where the network goes.
        epochs: How often each picture is learned from.
        seed: Of weights, order and changes.
        fingerprint: SHA-256 of what was learned from.
        licence: Of the weights, as the data's licence asks.
        track: Shows progress while pictures are read.
        tell: Is given a sentence after each epoch.

    Raises:
        BundleError: The exported graph does not give what torch gives.
        InputError: A picture or mask cannot be read.
    """
    images, masks = read_pairs(masked, track)
    network = fit_network(images, masks, epochs=epochs, seed=seed, tell=tell)
    facts = {
        "schema_version": 1,
        "version": datetime.datetime.now(tz=datetime.UTC).strftime("%Y.%m.%d"),
        "input_size_px": SIZE_PX,
        "created": datetime.datetime.now(tz=datetime.UTC).date(),
        "licence": licence,
        "data_fingerprint": fingerprint,
        "pictures": len(masked.manifest),
        "groups": int(masked.manifest.frame["group"].nunique()),
        "secondlook_version": secondlook.__version__,
    }
    return export_network(network, facts, folder)


def read_pairs(masked: Masked, track: Track) -> tuple[Tensor, Tensor]:
    """Return pictures uint8 N×3×H×W and masks uint8 N×1×H×W (0…255) at the network's size.

    Raises:
        InputError: A picture or mask cannot be read.
    """
    height, width = SIZE_PX
    images = torch.empty(len(masked.masks), 3, height, width, dtype=torch.uint8)
    masks = torch.empty(len(masked.masks), 1, height, width, dtype=torch.uint8)
    pairs = zip(masked.manifest.paths(), masked.masks, strict=True)
    for number, (path, mask) in enumerate(track(pairs, "Reading", len(masked.masks))):
        pixels, drawn = read_pair(path, mask)
        image = np.array(resize_picture(pixels, SIZE_PX, resize="stretch"))
        images[number] = torch.from_numpy(image).permute(2, 0, 1)
        soft = Image.fromarray(drawn.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BILINEAR)
        masks[number, 0] = torch.from_numpy(np.array(soft))
    return images, masks


def fit_network(
    images: Tensor, masks: Tensor, *, epochs: int, seed: int, tell: Callable[[str], None]
) -> OutlineNetwork:
    """Return a network that was fitted with AdamW and one cycle of the rate.

    Args:
        images: uint8 N×3×H×W.
        masks: uint8 N×1×H×W, 0…255.
        epochs: How often each picture is learned from.
        seed: Of weights, order and changes.
        tell: Is given a sentence after each epoch.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = OutlineNetwork().to(memory_format=torch.channels_last).train()
    batches = max(1, len(images) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * batches)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator)[: batches * BATCH].split(BATCH):
            pixels, wanted = change_pairs(images[rows], masks[rows], generator)
            loss = measure_loss(network(pixels.contiguous(memory_format=torch.channels_last)), wanted)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        tell(f"Epoch {epoch + 1} of {epochs}: loss {total / batches:.4f}")
    return network.eval()


def change_pairs(images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return changed pictures float32 N×3×H×W in 0..1 and their masks float32 N×H×W, moved alike."""
    both = torch.cat([images, masks], dim=1).float() / 255
    matrix = fit_aspect(draw_affine(len(both), CHANGES, generator), SIZE_PX)
    grid = functional.affine_grid(matrix, [len(both), 4, *SIZE_PX], align_corners=False)
    moved = functional.grid_sample(both, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return shift_colour(moved[:, :3], CHANGES, generator).clamp(0, 1), moved[:, 3]


def measure_loss(odds: Tensor, wanted: Tensor) -> Tensor:
    """Return cross-entropy plus one minus the soft Jaccard index (Rahman, Wang 2016, doi 10.1007/978-3-319-50835-1_22).

    Args:
        odds: float32 N×H×W, log-odds.
        wanted: float32 N×H×W in 0..1.
    """
    shares = odds.sigmoid()
    both = (shares * wanted).sum(dim=(1, 2))
    either = (shares + wanted - shares * wanted).sum(dim=(1, 2))
    return functional.binary_cross_entropy_with_logits(odds, wanted) + 1 - ((both + 1) / (either + 1)).mean()


def export_network(network: OutlineNetwork, facts: dict[str, object], folder: Path) -> Outliner:
    """Write the graph and its facts, and return what serving makes of them.

    Raises:
        BundleError: The graph does not give what torch gives.
    """
    served = Served(network).eval()
    model: onnx.ModelProto = trace_graph(served, outputs=["lesion"], size_px=SIZE_PX)
    round_graph(model)
    store_weights(model, "fp16")
    content = model.SerializeToString(deterministic=True)
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / GRAPH, content)
    described = OutlineFacts.model_validate({**facts, "graph_sha256": hashlib.sha256(content).hexdigest()})
    replace_file(folder / FACTS, (described.model_dump_json(indent=2) + "\n").encode())
    outliner = Outliner(folder)
    probe = draw_probe(SIZE_PX)
    with torch.no_grad():
        expected = served(torch.from_numpy(probe)[None])[0].numpy()
    difference = float(np.abs(outliner.score(probe) - expected).max())
    if not difference <= TOLERANCE:
        raise BundleError(f"The exported graph differs from torch's by {difference:.2g}, more than {TOLERANCE:g}.")
    return outliner


def round_graph(model: onnx.ModelProto) -> None:
    """Round the graph's large weights to float16: the exporter has folded batch norm into them."""
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and values.size >= SMALLEST_STORED:
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16).astype(np.float32), name=tensor.name))
