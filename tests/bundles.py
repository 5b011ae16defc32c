"""A small real bundle made without torch: random colour features, a linear classifier on top, drawn lesions as data.

    python -m tests.bundles OUT      makes one in the folder OUT, to try the command line and the page by hand

It tells drawn lesions apart, heats its map where the lesion is, and finds pages and noise to be outliers; it knows
nothing of real skin.
"""

import hashlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score

from secondlook import __version__
from secondlook.conditions import SKIN
from secondlook.imaging.resize import resize_picture
from secondlook.inference.bundle import seal_bundle
from secondlook.inference.outliers import OutlierMethod, fit_scorer
from secondlook.inference.session import Outputs, Session
from tests.drawing import draw_lesion

SIZE_PX, CELLS, FEATURES = 64, 8, 32
PICTURE_SIZE = (200, 150)
SEEDS = {"train": range(12), "calibration": range(100, 110), "test": range(200, 210)}
# Class shares of HAM10000 (Tschandl, Rosendahl, Kittler 2018), so that usual shares look as they do in real use.
SHARES = np.array([327, 514, 1099, 115, 1113, 6705, 142]) / 10015
FINGERPRINT = hashlib.sha256(b"drawn lesions").hexdigest()


def build_bundle(folder: Path, *, name: str = "tiny", version: str = "0.0.1") -> Path:
    """Write a sealed bundle into the folder, which must be empty or absent, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = make_model().SerializeToString()
    (folder / "model.onnx").write_bytes(model)
    session = Session(model)
    write_json(folder / "bundle.json", describe_bundle(model, name=name, version=version))
    images, labels = draw_split("calibration")
    outputs = session.run(images)
    np.savez(
        folder / "reference.npz",
        probe_image=images[0],
        probe_logits=outputs.logits[0],
        embedding=outputs.embedding.astype(np.float16),
        label=labels,
    )
    calibration = calibrate(outputs, labels)
    write_json(folder / "calibration.json", calibration)
    write_json(folder / "evidence.json", measure(folder, session, calibration))
    (folder / "README.md").write_text(f"# {name}\n\nA bundle for tests, of drawn lesions. Not for any patient.\n")
    seal_bundle(folder)
    return folder


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON as bundles hold it."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


@cache
def draw_split(split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return uint8 N×S×S×3 drawn lesions and int64 N labels."""
    drawn = [(draw_lesion(seed, key, size=PICTURE_SIZE), key) for key in SKIN.keys for seed in SEEDS[split]]
    images = np.stack([resize_picture(np.asarray(image), SIZE_PX) for image, _ in drawn])
    return images, np.array([SKIN.keys.index(key) for _, key in drawn], dtype=np.int64)


@cache
def make_model() -> onnx.ModelProto:
    """Return the graph: pixels → random colour features → pooled cells → class map → logits."""
    rng = np.random.default_rng(0)
    colours = rng.normal(0, 1, (FEATURES, 3)).astype(np.float32) * 4
    offsets = -(colours * rng.uniform(0.1, 0.9, (FEATURES, 3))).sum(axis=1).astype(np.float32)
    images, labels = draw_split("train")
    pixels = images.reshape(len(images), -1, 3).astype(np.float32) / 255
    pooled = np.maximum(pixels @ colours.T + offsets, 0).mean(axis=1)
    centre, spread = pooled.mean(axis=0), pooled.std(axis=0) + 1e-3
    fitted = LogisticRegression(C=3.0, max_iter=5000).fit((pooled - centre) / spread, labels)
    return make_graph(
        {
            "white": np.array(255),
            "colours": colours[:, :, None, None],
            "offsets": offsets,
            "centre": centre[:, None, None],
            "spread": spread[:, None, None],
            "weights": fitted.coef_[:, :, None, None],
            "bias": fitted.intercept_,
        }
    )


def make_graph(constants: dict[str, NDArray[Any]]) -> onnx.ModelProto:
    """Return the ONNX model with these constants."""
    kernel = SIZE_PX // CELLS
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "white"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "colours", "offsets"], ["projected"]),
        helper.make_node("Relu", ["projected"], ["features"]),
        helper.make_node("AveragePool", ["features"], ["averages"], kernel_shape=[kernel] * 2, strides=[kernel] * 2),
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
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", SIZE_PX, SIZE_PX, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", labels]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", FEATURES]),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, ["N", labels, CELLS, CELLS]),
        ],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def describe_bundle(model: bytes, *, name: str, version: str) -> dict[str, Any]:
    """Return the content of bundle.json."""
    return {
        "schema_version": 1,
        "name": name,
        "version": version,
        "task": SKIN.key,
        "labels": list(SKIN.keys),
        "input_size_px": SIZE_PX,
        "resize": "central_crop",
        "created": "2026-01-31",
        "licence": "Apache-2.0",
        "training": {
            "recipe": "tests.bundles",
            "recipe_sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
            "data": "drawn lesions",
            "data_fingerprint": FINGERPRINT,
            "secondlook_version": __version__,
            "leak": "none",
        },
        "graph": {"sha256": hashlib.sha256(model).hexdigest(), "views": 1},
    }


def calibrate(outputs: Outputs, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return the content of calibration.json."""
    malignancy = apply_prior(outputs.logits)[:, malignant_columns()].sum(axis=1)
    malignant = np.isin(labels, malignant_columns())
    points = [fit_point(name, target, malignancy, malignant) for name, target in TARGETS.items()]
    others = np.arange(len(labels)) % 2 == 0
    scorer = fit_scorer(OutlierMethod.MAHALANOBIS, outputs.embedding[others], labels[others], shrinkage=0.1)
    return {
        "temperature": 1.0,
        "log_prior": [float(value) for value in np.log(SHARES)],
        "operating_points": points,
        "outlier": {
            "method": "mahalanobis",
            "limit": float(scorer.score(outputs.embedding[~others]).max() * 1.1),
            "shrinkage": 0.1,
        },
        "fitted_on": {
            "split": "calibration",
            "pictures": len(labels),
            "groups": len(labels),
            "data_fingerprint": FINGERPRINT,
        },
    }


TARGETS = {"sensitivity_90": 0.90, "sensitivity_95": 0.95}


def fit_point(
    name: str, target: float, malignancy: NDArray[np.float64], malignant: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return the operating point with the highest threshold that reaches the target."""
    threshold = float(np.quantile(malignancy[malignant], 1 - target, method="lower"))
    return {
        "name": name,
        "target": target,
        "threshold": threshold,
        "sensitivity": float((malignancy[malignant] >= threshold).mean()),
        "sensitivity_lower": target - 0.1,
        "specificity": float((malignancy[~malignant] < threshold).mean()),
        "positives": int(malignant.sum()),
        "negatives": int((~malignant).sum()),
        "groups": len(malignant),
    }


def measure(folder: Path, session: Session, calibration: dict[str, Any]) -> dict[str, Any]:
    """Return the content of evidence.json, measured on drawn lesions that nothing was fitted on."""
    images, labels = draw_split("test")
    logits = session.run(images).logits
    one_hot = np.eye(len(SKIN.keys))[labels]
    auc = roc_auc_score(one_hot, apply_prior(logits), average=None)
    named = logits.argmax(axis=1)
    return {
        "schema_version": 1,
        "bundle": {
            **{key: read_json(folder / "bundle.json")[key] for key in ("name", "version")},
            "graph_sha256": hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest(),
        },
        "calibration_sha256": hashlib.sha256((folder / "calibration.json").read_bytes()).hexdigest(),
        "secondlook_version": __version__,
        "manifest": {
            "fingerprint": FINGERPRINT,
            "split": "test",
            "pictures": len(labels),
            "groups": len(labels),
            "labels": {key: int((labels == number).sum()) for number, key in enumerate(SKIN.keys)},
        },
        "leak": "none",
        "seed": 0,
        "resamples": 0,
        "measures": {
            "accuracy": bound(float((named == labels).mean())),
            "balanced_accuracy": bound(float(balanced_accuracy_score(labels, named))),
            "macro_auc": bound(float(auc.mean())),
            "auc": {key: bound(float(value)) for key, value in zip(SKIN.keys, auc, strict=True)},
            "confusion_matrix": confusion_matrix(labels, named).tolist(),
        },
    }


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def bound(value: float) -> dict[str, float]:
    """Return a measure with a nominal interval; a bundle for tests needs its form, not its truth."""
    return {"value": value, "lower": max(0.0, value - 0.05), "upper": min(1.0, value + 0.05)}


def malignant_columns() -> list[int]:
    """Return the columns of the malignant labels."""
    return [SKIN.keys.index(key) for key in SKIN.malignant]


def apply_prior(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return float64 N×K probabilities, written apart from the predictor's own."""
    odds = np.exp(logits.astype(np.float64)) * SHARES
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


if __name__ == "__main__":
    build_bundle(Path(sys.argv[1]))
