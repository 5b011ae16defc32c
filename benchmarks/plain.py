"""What one would write without Secondlook: Pillow, torch in eager mode, a loop.

python -m benchmarks.plain RECIPE SIZE_PX VIEWS FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from secondlook.conditions import find_task
from secondlook.training.export import Served
from secondlook.training.reading import read_recipe
from secondlook.training.zoo import build_network


class PlainModel:
    """A recipe's network with random weights, answering one picture at a time.

    Args:
        recipe: Name of a shipped recipe.
        size_px: Height and width of the network's input in pixels.
        views: How many of the first symmetries are averaged, as in the bundle.
    """

    def __init__(self, recipe: str, *, size_px: tuple[int, int], views: int) -> None:
        torch.set_num_threads(1)
        chosen = read_recipe(recipe, changes=["model.weights=none", "export.start_share=0"])
        classes = len(find_task(chosen.task).keys)
        network = build_network(chosen, classes=classes)
        self.size_px = size_px
        self.model = Served(network, views=range(views), shift=np.zeros(classes, np.float32)).eval()

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
    model = PlainModel(sys.argv[1], size_px=(int(sys.argv[2]), int(sys.argv[2])), views=int(sys.argv[3]))
    for path in sorted(Path(sys.argv[4]).rglob("*.jpg")):
        print(path.name, model.predict(path))
