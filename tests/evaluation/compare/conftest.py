"""Three finished bundles of drawn lesions, as run folders that training could have left."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from secondlook.data.fingerprint import data_fingerprint
from secondlook.data.manifest import Manifest, write_manifest
from secondlook.evaluation.compare.measure import Comparison, compare_models
from secondlook.evaluation.compare.runs import find_candidates
from secondlook.evaluation.run import finish_manifest
from secondlook.inference.session import Session


@dataclass(frozen=True)
class Runs:
    """Run folders: two on the same pictures, and one that was tested on fewer."""

    good: Path
    noisy: Path
    elsewhere: Path
    manifest: Manifest


def blur_weights(draft: Path, noise: float) -> None:
    """Add noise to the weights of a draft's last layer."""
    model = onnx.load(draft / "model.onnx")
    random = np.random.default_rng(0)
    for tensor in model.graph.initializer:
        if tensor.name == "weights":
            values = numpy_helper.to_array(tensor)
            changed = values + random.normal(0, noise * values.std(), values.shape).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
    content = model.SerializeToString()
    (draft / "model.onnx").write_bytes(content)
    with np.load(draft / "reference.npz") as stored:
        probe = stored["probe_image"]
    np.savez(draft / "reference.npz", probe_image=probe, probe_logits=Session(content).run(probe[None]).logits[0])


@pytest.fixture(scope="session")
def runs(make_draft: Callable[..., Path], drawn_manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return three run folders."""
    root = tmp_path_factory.mktemp("runs")
    frame = drawn_manifest.frame
    fewer = frame.drop(index=frame.index[frame["split"] == "test"][-1]).reset_index(drop=True)
    made = {}
    for name, noise, manifest in (
        ("good", 0.0, drawn_manifest),
        ("noisy", 1.6, drawn_manifest),
        ("elsewhere", 0.8, Manifest(fewer, drawn_manifest.root)),
    ):
        folder = root / name
        folder.mkdir()
        make_draft(folder / "bundle", data_fingerprint=data_fingerprint(manifest))
        blur_weights(folder / "bundle", noise)
        facts = json.loads((folder / "bundle" / "bundle.json").read_text())
        facts["graph"]["sha256"] = hashlib.sha256((folder / "bundle" / "model.onnx").read_bytes()).hexdigest()
        (folder / "bundle" / "bundle.json").write_text(json.dumps(facts))
        finish_manifest(folder / "bundle", manifest, resamples=100, quick=True)
        write_manifest(manifest, folder / "split.csv")
        (folder / "recipe.yaml").write_text("name: drawn\n")
        (folder / "history.csv").write_text("epoch,loss,seconds\n1,2.0,30.5\n2,1.0,31.5\n")
        made[name] = folder
    return Runs(**made, manifest=drawn_manifest)


@pytest.fixture(scope="session")
def comparison(runs: Runs) -> Comparison:
    """Return the three runs compared."""
    names = [str(folder) for folder in (runs.good, runs.noisy, runs.elsewhere)]
    return compare_models(find_candidates(names), train_groups=5, resamples=300)


@pytest.fixture
def copied(runs: Runs, tmp_path: Path) -> Path:
    """Return a copy of the good run that a test may change."""
    return Path(shutil.copytree(runs.good, tmp_path / "copied"))
