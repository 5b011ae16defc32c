"""What one would write without Secondlook: Pillow, torch in eager mode, a loop.

python -m benchmarks.plain BUNDLE FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from secondlook.conditions import find_task
from secondlook.imaging.resize import read_size
from secondlook.inference.bundle import read_facts
from secondlook.inference.schema import BundleFacts
from secondlook.training.export import Served
from secondlook.training.reading import read_recipe
from secondlook.training.zoo import build_network


class PlainModel:
    """A bundle's network with random weights, answering one picture at a time.

    Args:
        facts: Of the bundle: its recipe, the network's input, and how many views are averaged at what magnification.
    """

    def __init__(self, facts: BundleFacts) -> None:
        torch.set_num_threads(1)
        chosen = read_recipe(facts.training.recipe, changes=["model.weights=none", "export.start_share=0"])
        classes = len(find_task(chosen.task).keys)
        network = build_network(chosen, classes=classes)
        self.size_px, graph = read_size(facts.input_size_px), facts.graph
        self.model = Served(
            network, views=range(graph.views), shift=np.zeros(classes, np.float32), scales=graph.scales
        ).eval()

    @torch.inference_mode()
    def predict(self, file: Path) -> list[float]:
        """Return the probabilities of one picture."""
        with Image.open(file) as image:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            square = image.convert("RGB").crop((left, top, left + side, top + side))
            pixels = np.array(square.resize(self.size_px[::-1], Image.Resampling.BICUBIC))
        logits = self.model(torch.from_numpy(pixels)[None])[0]
        return [float(share) for share in logits.softmax(dim=1)[0]]


if __name__ == "__main__":
    model = PlainModel(read_facts(Path(sys.argv[1])))
    for path in sorted(Path(sys.argv[2]).rglob("*.jpg")):
        print(path.name, model.predict(path))
