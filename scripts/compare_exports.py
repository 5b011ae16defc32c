"""Compare input sizes and views of a trained run on its calibration split, before one of them is exported.

python -m scripts.compare_exports runs/skin --sizes 128 144 160 --views 1 2 4 8

Nothing of the test split is read. Each row is what `--set export.input_size_px=… --set export.views=…` would serve.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from secondlook.conditions import find_task
from secondlook.data.manifest import read_manifest
from secondlook.inference.predictor import read_input
from secondlook.training.checkpoint import load_checkpoint
from secondlook.training.export import Served
from secondlook.training.loss import count_prior
from secondlook.training.measure import measure_logits
from secondlook.training.reading import read_recipe
from secondlook.training.run import encode_labels
from secondlook.training.state import start_state

BATCH = 64


def main() -> None:
    """Print one row per input size and number of views."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a run folder with a checkpoint")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 144, 160])
    parser.add_argument("--views", type=int, nargs="+", default=[1, 2, 4, 8])
    options = parser.parse_args()
    recipe = read_recipe(options.run / "recipe.yaml")
    torch.set_num_threads(recipe.machine.threads)
    packed = load_checkpoint(options.run / "checkpoints", warn=print)
    classes = len(find_task(recipe.task).keys)
    state = start_state(recipe, classes=classes, device=torch.device("cpu"), packed=packed)
    network = state.answering().eval()
    manifest = read_manifest(options.run / "split.csv")
    labels = encode_labels(manifest)
    splits = manifest.frame["split"].to_numpy()
    log_prior = count_prior(labels[splits == "train"], classes)
    calibration = manifest.select("calibration")
    print(f"{len(calibration)} pictures of {calibration.frame['group'].nunique()} groups, split calibration")
    print("size  views  macro AUC  balanced accuracy  NLL    ms per picture")
    for size in options.sizes:
        images = np.stack([read_input(path, size, resize=recipe.data.resize)[1] for path in calibration.paths()])
        for views in options.views:
            served = Served(network, views=range(views), shift=np.zeros(classes, dtype=np.float32)).eval()
            start = time.perf_counter()
            with torch.no_grad():
                parts = [
                    served(torch.from_numpy(images[row : row + BATCH]))[0].numpy()
                    for row in range(0, len(images), BATCH)
                ]
            spent = 1000 * (time.perf_counter() - start) / len(images)
            found = measure_logits(np.concatenate(parts), labels[splits == "calibration"], log_prior=log_prior)
            auc, accuracy, nll = (found[f"calibration_{name}"] for name in ("auc", "balanced_accuracy", "nll"))
            print(f"{size:4}  {views:5}  {auc:9.4f}  {accuracy:17.4f}  {nll:.4f}  {spent:.1f}", flush=True)


if __name__ == "__main__":
    main()
