"""Small real bundles made without torch: random colour features, a linear classifier on top, drawn pictures as data.

    python -m tests.bundles OUT [TASK]      makes one in the folder OUT, to try the command line and the page by hand

They tell drawn lesions, chests or knees apart, heat their maps where the lesion is, and find pages and noise to be
outliers; they know nothing of real skin and bones.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import pandas as pd
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score

from secondlook import __version__
from secondlook.conditions import TASKS, Task
from secondlook.data.fingerprint import track_silently
from secondlook.data.manifest import Manifest
from secondlook.evaluation.answers import answer_manifest
from secondlook.evaluation.composition import describe_flow
from secondlook.evaluation.explanations import measure_explanations
from secondlook.evaluation.parts import Plan, measure_parts
from secondlook.evaluation.stress.repeatability import measure_repeatability
from secondlook.evaluation.stress.robustness import measure_robustness
from secondlook.imaging.resize import Resize, resize_picture
from secondlook.inference.bundle import open_draft, seal_bundle
from secondlook.inference.outliers import OutlierMethod, fit_scorer
from secondlook.inference.predictor import Predictor
from secondlook.inference.session import Outputs, Session
from tests.drawing import draw_lesion
from tests.xrays import draw_chest, draw_knee

SIZE_PX, CELL_PX, FEATURES = 64, 8, 32
PICTURE_SIZE = (200, 150)
SEEDS = {"train": range(12), "calibration": range(100, 110), "test": range(200, 210)}


@dataclass(frozen=True)
class Drawn:
    """Drawn pictures of a task, and how its bundle takes them.

    Attributes:
        draw: From seed, label and size to a picture.
        counts: Pictures per label of a real data set, so that usual shares look as they do in real use.
        data: The data set's name, as bundles carry it.
        size_px: Height and width of the graph's input.
        resize: What the bundle does to a picture's proportions.
    """

    draw: Callable[..., Image.Image]
    counts: tuple[int, ...]
    data: str
    size_px: tuple[int, int] = (SIZE_PX, SIZE_PX)
    resize: Resize = "central_crop"


# HAM10000 (Tschandl, Rosendahl, Kittler 2018); Kermany et al. 2018; Chen 2018.
DRAWN = {
    "skin": Drawn(draw_lesion, (327, 514, 1099, 115, 1113, 6705, 142), "drawn lesions"),
    "chest": Drawn(draw_chest, (1341, 3875), "chest_xray", (48, SIZE_PX), "stretch"),
    "knee": Drawn(draw_knee, (2286, 1046, 1516, 757, 173), "knee_oa", resize="stretch"),
}


def build_bundle(folder: Path, *, task: str = "skin", name: str = "tiny", version: str = "0.0.1") -> Path:
    """Write a sealed bundle into the folder, which must be empty or absent, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = make_model(task).SerializeToString()
    (folder / "model.onnx").write_bytes(model)
    session = Session(model)
    write_json(folder / "bundle.json", describe_bundle(model, task=task, name=name, version=version))
    images, labels = draw_split("calibration", task)
    outputs = session.run(images)
    np.savez(
        folder / "reference.npz",
        probe_image=images[0],
        probe_logits=outputs.logits[0],
        embedding=outputs.embedding.astype(np.float16),
        label=labels,
    )
    write_json(folder / "calibration.json", calibrate(outputs, labels, task))
    write_json(folder / "evidence.json", measure(folder, session, task) | measure_rest(folder, task))
    (folder / "README.md").write_text(f"# {name}\n\nA bundle for tests, of drawn pictures. Not for any patient.\n")
    seal_bundle(folder)
    return folder


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON as bundles hold it."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


@cache
def draw_split(split: str, task: str = "skin") -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return uint8 N×H×W×3 drawn pictures and int64 N labels."""
    drawn, keys = DRAWN[task], TASKS[task].keys
    pictures = [(drawn.draw(seed, key, size=PICTURE_SIZE), key) for key in keys for seed in SEEDS[split]]
    images = [resize_picture(np.asarray(image), drawn.size_px, resize=drawn.resize) for image, _ in pictures]
    return np.stack(images), np.array([keys.index(key) for _, key in pictures], dtype=np.int64)


@cache
def make_model(task: str = "skin") -> onnx.ModelProto:
    """Return the graph: pixels → random colour features → pooled cells → class map → logits."""
    rng = np.random.default_rng(0)
    colours = rng.normal(0, 1, (FEATURES, 3)).astype(np.float32) * 4
    offsets = -(colours * rng.uniform(0.1, 0.9, (FEATURES, 3))).sum(axis=1).astype(np.float32)
    images, labels = draw_split("train", task)
    pixels = images.reshape(len(images), -1, 3).astype(np.float32) / 255
    pooled = np.maximum(pixels @ colours.T + offsets, 0).mean(axis=1)
    centre, spread = pooled.mean(axis=0), pooled.std(axis=0) + 1e-3
    fitted = LogisticRegression(C=3.0, max_iter=5000).fit((pooled - centre) / spread, labels)
    weights, bias = fitted.coef_, fitted.intercept_
    if len(bias) == 1:  # of two classes scikit-learn keeps the second one's score
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return make_graph(
        {
            "white": np.array(255),
            "colours": colours[:, :, None, None],
            "offsets": offsets,
            "centre": centre[:, None, None],
            "spread": spread[:, None, None],
            "weights": weights[:, :, None, None],
            "bias": bias,
        },
        DRAWN[task].size_px,
    )


def make_graph(constants: dict[str, NDArray[Any]], size_px: tuple[int, int]) -> onnx.ModelProto:
    """Return the ONNX model with these constants."""
    height, width = size_px
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "white"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "colours", "offsets"], ["projected"]),
        helper.make_node("Relu", ["projected"], ["features"]),
        helper.make_node("AveragePool", ["features"], ["averages"], kernel_shape=[CELL_PX] * 2, strides=[CELL_PX] * 2),
        helper.make_node("Sub", ["averages", "centre"], ["centred"]),
        helper.make_node("Div", ["centred", "spread"], ["cells"]),
        helper.make_node("GlobalAveragePool", ["cells"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
        helper.make_node("Conv", ["cells", "weights", "bias"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["averaged"]),
        helper.make_node("Flatten", ["averaged"], ["logits"]),
    ]
    labels = len(constants["bias"])
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", height, width, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", labels]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", FEATURES]),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, ["N", labels, height // CELL_PX, width // CELL_PX]),
        ],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def describe_bundle(model: bytes, *, task: str, name: str, version: str) -> dict[str, Any]:
    """Return the content of bundle.json."""
    drawn = DRAWN[task]
    height, width = drawn.size_px
    return {
        "schema_version": 1,
        "name": name,
        "version": version,
        "task": task,
        "labels": list(TASKS[task].keys),
        "input_size_px": width if height == width else [height, width],
        "resize": drawn.resize,
        "created": "2026-01-31",
        "licence": "Apache-2.0",
        "training": {
            "recipe": "tests.bundles",
            "recipe_sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            "data": drawn.data,
            "data_fingerprint": fingerprint(task),
            "secondlook_version": __version__,
            "weights": "random",
            "leak": "none",
        },
        "graph": {
            "sha256": hashlib.sha256(model).hexdigest(),
            "views": 1,
            "scales": [],
            "members": 1,
            "map": "class_activation",
        },
    }


def fingerprint(task: str, split: str = "whole") -> str:
    """Return what stands for the fingerprint of drawn data."""
    return hashlib.sha256(f"drawn {task} {split}".encode()).hexdigest()


def calibrate(outputs: Outputs, labels: NDArray[np.int64], task: str) -> dict[str, Any]:
    """Return the content of calibration.json."""
    columns = alarming_columns(TASKS[task])
    risk = apply_prior(outputs.logits, task)[:, columns].sum(axis=1)
    alarming = np.isin(labels, columns)
    points = [fit_point(name, target, risk, alarming) for name, target in TARGETS.items()]
    others = np.arange(len(labels)) % 2 == 0
    scorer = fit_scorer(OutlierMethod.MAHALANOBIS, outputs.embedding[others], labels[others], shrinkage=0.1)
    return {
        "temperature": 1.0,
        "log_prior": [float(value) for value in np.log(shares(task))],
        "operating_points": points,
        "outlier": {
            "method": "mahalanobis",
            "limit": float(scorer.score(outputs.embedding[~others], outputs.logits[~others]).max() * 1.1),
            "shrinkage": 0.1,
        },
        "fitted_on": {
            "split": "calibration",
            "pictures": len(labels),
            "groups": len(labels),
            "data_fingerprint": fingerprint(task, "calibration"),
        },
    }


TARGETS = {"sensitivity_90": 0.90, "sensitivity_95": 0.95}


def fit_point(name: str, target: float, risk: NDArray[np.float64], alarming: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the operating point with the highest threshold that reaches the target."""
    threshold = float(np.quantile(risk[alarming], 1 - target, method="lower"))
    return {
        "name": name,
        "target": target,
        "threshold": threshold,
        "sensitivity": float((risk[alarming] >= threshold).mean()),
        "sensitivity_lower": target - 0.1,
        "specificity": float((risk[~alarming] < threshold).mean()),
        "positives": int(alarming.sum()),
        "negatives": int((~alarming).sum()),
        "groups": len(alarming),
    }


def measure(folder: Path, session: Session, task: str) -> dict[str, Any]:
    """Return the content of evidence.json, measured on drawn pictures that nothing was fitted on."""
    images, labels = draw_split("test", task)
    logits, keys = session.run(images).logits, TASKS[task].keys
    auc = roc_auc_score(np.eye(len(keys))[labels], apply_prior(logits, task), average=None)
    named = logits.argmax(axis=1)
    columns = alarming_columns(TASKS[task])
    risk, alarming = apply_prior(logits, task)[:, columns].sum(axis=1), np.isin(labels, columns)
    points = {
        point["name"]: {
            "sensitivity": bound(float((risk[alarming] >= point["threshold"]).mean())),
            "specificity": bound(float((risk[~alarming] < point["threshold"]).mean())),
        }
        for point in read_json(folder / "calibration.json")["operating_points"]
    }
    return {
        "schema_version": 1,
        "bundle": {
            **{key: read_json(folder / "bundle.json")[key] for key in ("name", "version")},
            "graph_sha256": hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest(),
        },
        "calibration_sha256": hashlib.sha256((folder / "calibration.json").read_bytes()).hexdigest(),
        "secondlook_version": __version__,
        "measured": "2026-02-01",
        "manifest": {
            "fingerprint": fingerprint(task, "test"),
            "split": "test",
            "pictures": len(labels),
            "groups": len(labels),
            "labels": {key: int((labels == number).sum()) for number, key in enumerate(keys)},
        },
        "leak": "none",
        "seed": 0,
        "resamples": 0,
        "measures": {
            "accuracy": bound(float((named == labels).mean())),
            "balanced_accuracy": bound(float(balanced_accuracy_score(labels, named))),
            "macro_auc": bound(float(auc.mean())),
            "auc": {key: bound(float(value)) for key, value in zip(keys, auc, strict=True)},
            "confusion_matrix": confusion_matrix(labels, named).tolist(),
            "risk": {"operating_points": points},
        },
    }


REST: dict[str, dict[str, Any]] = {}


def measure_rest(folder: Path, task: str) -> dict[str, Any]:
    """Return the other parts of evidence.json, on few pictures and resamples; once for each task, as it is always the
    same graph.
    """
    if task in REST:
        return REST[task]
    predictor = Predictor(open_draft(folder))
    asked: dict[str, Any] = {"seed": 0, "resamples": 100}
    with TemporaryDirectory() as place:
        rows = []
        for key in TASKS[task].keys:
            for seed in SEEDS["test"]:
                name = f"{key}-{seed}.png"
                DRAWN[task].draw(seed, key, size=PICTURE_SIZE).save(Path(place) / name)
                rows.append({"image": name, "label": key, "group": f"{key}-{seed}"})
        manifest = Manifest(pd.DataFrame(rows), Path(place), task)
        answered = answer_manifest(predictor, manifest)
        stress: dict[str, Any] = {**asked, "pictures": len(TASKS[task].keys)}
        graph = (folder / "model.onnx").read_bytes()
        REST[task] = {
            "flow": describe_flow(answered, predictor.bundle.calibration, leak="none", whole=None, asked=manifest),
            **measure_parts(predictor, answered, Plan(quick=True, **asked), graph=graph, track=track_silently),
            "robustness": measure_robustness(predictor, manifest, **stress),
            "repeatability": measure_repeatability(predictor, manifest, answered.answers, **stress),
            "explanations": measure_explanations(predictor, graph, manifest, **stress),
        }
    return REST[task]


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def bound(value: float) -> dict[str, float]:
    """Return a measure with a nominal interval; a bundle for tests needs its form, not its truth."""
    return {"value": value, "lower": max(0.0, value - 0.05), "upper": min(1.0, value + 0.05)}


def alarming_columns(task: Task) -> list[int]:
    """Return the columns of the alarming labels."""
    return [task.keys.index(key) for key in task.alarming]


def shares(task: str) -> NDArray[np.float64]:
    """Return float64 K usual shares."""
    counts = np.array(DRAWN[task].counts)
    return np.asarray(counts / counts.sum())


def apply_prior(logits: NDArray[np.float32], task: str) -> NDArray[np.float64]:
    """Return float64 N×K probabilities, written apart from the predictor's own."""
    odds = np.exp(logits.astype(np.float64)) * shares(task)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


if __name__ == "__main__":
    build_bundle(Path(sys.argv[1]), task=(*sys.argv[2:], "skin")[0])
