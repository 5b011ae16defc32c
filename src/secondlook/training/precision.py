"""Whether bfloat16 pays on this machine: a few steps of the recipe's own network, in a process of its own."""

import subprocess
import sys
import time

import torch
from torch.nn import functional

from secondlook.imaging.resize import read_size
from secondlook.training.recipe import Recipe
from secondlook.training.zoo import build_network

GAIN_WANTED = 1.15
TIMEOUT_S = 300
STEPS = 3
PROBE_BATCH = 32


def choose_precision(recipe: Recipe, device: torch.device) -> str:
    """Return ``fp32`` or ``bf16``: what the recipe says, or on ``auto`` what a probe finds faster by 15 %.

    The probe runs in a process of its own, so that a crash in a kernel that the run would not need cannot end it.
    """
    if recipe.machine.precision != "auto":
        return recipe.machine.precision
    command = [sys.executable, "-m", "secondlook.training.precision", recipe.model_dump_json(), str(device)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)  # noqa: S603  own code
        gain = float(answer.stdout)
    except (subprocess.SubprocessError, ValueError):
        return "fp32"
    return "bf16" if gain >= GAIN_WANTED else "fp32"


def measure_gain(recipe: Recipe, device: torch.device) -> float:
    """Return how many times faster a training step is in bfloat16 than in float32."""
    torch.set_num_threads(recipe.machine.threads)
    height, width = read_size(recipe.stages[-1].size_px)
    network = build_network(recipe, classes=2, fresh=True).to(device)
    network = network.to(memory_format=torch.channels_last).train()
    pixels = torch.rand(PROBE_BATCH, 3, height, width, device=device).to(memory_format=torch.channels_last)
    seconds = {}
    for name in ("bf16", "fp32"):
        for repeat in range(STEPS + 1):
            if repeat == 1:
                start = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, enabled=name == "bf16"):
                logits = network(pixels)
            functional.log_softmax(logits.float(), dim=1).mean().backward()
            if device.type == "cuda":
                torch.cuda.synchronize()
        seconds[name] = time.perf_counter() - start
    return seconds["fp32"] / seconds["bf16"]


if __name__ == "__main__":
    sys.stdout.write(str(measure_gain(Recipe.model_validate_json(sys.argv[1]), torch.device(sys.argv[2]))))
