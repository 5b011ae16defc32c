"""Lay a bundle out for model hubs: metadata above the card, the graph's facts as JSON, sealed, and still a bundle.

The metadata are those of Hugging Face's model cards, https://huggingface.co/docs/hub/model-cards, which other hubs read
as well.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from secondlook.conditions import find_task
from secondlook.errors import InputError
from secondlook.evaluation.card.voice import Voice
from secondlook.imaging.resize import read_size
from secondlook.inference.bundle import CARDS, SUMS, Bundle, Calibration, Evidence, open_bundle, seal_bundle

CONFIG = "config.json"
# Licences that hubs know by their SPDX names in small letters; any other is given by its name.
HUB_LICENCES = (
    "agpl-3.0",
    "apache-2.0",
    "bsd-3-clause",
    "cc-by-4.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "gpl-3.0",
    "mit",
)
KINDS = {"photograph": "dermatology", "radiograph": "radiology"}
RESIZING = {
    "central_crop": "cut out the largest central part with the input's proportions, then resize it",
    "stretch": "resize the whole picture",
}


def export_hub(folder: Path, target: Path) -> Bundle:
    """Lay a bundle out in a new folder as model hubs have it, and return what was written, opened again.

    The folder holds all files of the bundle, the card with YAML metadata above it, and ``config.json`` with what
    somebody needs who runs the graph without Secondlook. It is sealed anew, so it has a hash of its own;
    ``config.json`` names the hash of the bundle that it was made from.

    Args:
        folder: The bundle.
        target: Where to; it must not exist, or be empty. It appears only when it is whole.

    Raises:
        BundleError: The bundle does not pass the checks of serving.
        InputError: There is something at the target, or it cannot be written.
    """
    bundle = open_bundle(folder, strict=True)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(
            f"Expected a new or an empty folder for the export, {target.name!r} holds something. Name another one, or "
            "remove it yourself."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scrap:
            draft = Path(scrap) / target.name
            draft.mkdir()
            _fill_folder(draft, folder, bundle)
            open_bundle(draft, strict=True)
            if target.exists():
                target.rmdir()
            draft.replace(target)
    except OSError as error:
        raise InputError(
            f"Cannot write the export to {target.name!r}: {error.strerror}. Choose another folder."
        ) from error
    return open_bundle(target, strict=True)


def _fill_folder(draft: Path, folder: Path, bundle: Bundle) -> None:
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        name = line.split("  ")[1]
        shutil.copyfile(folder / name, draft / name)
    metadata = yaml.safe_dump(describe_metadata(bundle), sort_keys=False, allow_unicode=True, width=120)
    # A bundle that was fetched from a hub has metadata already.
    card = bundle.card.split("\n---\n", 1)[1].lstrip("\n") if bundle.card.startswith("---\n") else bundle.card
    (draft / CARDS["en"]).write_text(f"---\n{metadata}---\n\n{card}", encoding="utf-8")
    config = json.dumps(describe_config(bundle), indent=2, ensure_ascii=False)
    (draft / CONFIG).write_text(f"{config}\n", encoding="utf-8")
    seal_bundle(draft)


def describe_metadata(bundle: Bundle) -> dict[str, Any]:
    """Return what a hub lists, searches and shows: languages, licence, tags, and the measured figures."""
    facts, licence = bundle.facts, bundle.facts.licence.lower()
    task = find_task(facts.task)
    known = licence in HUB_LICENCES
    return {
        "language": [language for language, page in CARDS.items() if page in bundle.pages],
        "license": licence if known else "other",
        **({} if known else {"license_name": facts.licence}),
        "library_name": "secondlook",
        "pipeline_tag": "image-classification",
        "tags": ["secondlook", "onnx", "medical", KINDS[task.kind], facts.task, "calibration", "conformal-prediction"],
        "metrics": ["roc_auc", "accuracy", "recall"],
        "model-index": [{"name": facts.name, "results": [_describe_results(bundle)] if bundle.evidence else []}],
    }


def _describe_results(bundle: Bundle) -> dict[str, Any]:
    evidence = bundle.evidence
    measured_on, *_ = bundle.facts.training.data.split(" + ")
    task = find_task(bundle.facts.task)
    manifest = evidence.manifest if evidence else {}
    return {
        "task": {"type": "image-classification", "name": task.names["en"]},
        "dataset": {
            "name": measured_on,
            "type": measured_on,
            "split": str(manifest.get("split")),
            "revision": str(manifest.get("fingerprint")),
        },
        "metrics": list(_list_metrics(evidence, task.risk["en"].lower())) if evidence else [],
    }


def _list_metrics(evidence: Evidence, risk: str) -> Iterator[dict[str, Any]]:
    """Yield measured figures as a hub takes them: a number, and its interval in the name, for which it has no place."""
    measures: Any = evidence.measures
    points = measures["risk"]["operating_points"]
    found = {
        ("roc_auc", "Macro AUC"): measures.get("macro_auc"),
        ("roc_auc", f"AUC of {risk}"): measures["risk"].get("auc"),
        ("balanced_accuracy", "Balanced accuracy of the named label"): measures.get("balanced_accuracy"),
        ("accuracy", "Accuracy of the named label"): measures.get("accuracy"),
        ("recall", f"Sensitivity to {risk} at the threshold for refer"): points["sensitivity_95"]["sensitivity"],
        ("specificity", f"Specificity at the threshold for refer ({risk})"): points["sensitivity_95"]["specificity"],
    }
    voice = Voice("en")
    for (kind, name), figure in found.items():
        if figure is not None and figure["value"] is not None:
            bounds = [figure["lower"], figure["upper"]]
            interval = "–".join(voice.decimal(bound) for bound in bounds if bound is not None) or "too few"
            yield {"type": kind, "name": f"{name} (95 % interval {interval})", "value": figure["value"]}


def describe_config(bundle: Bundle) -> dict[str, Any]:
    """Return what somebody needs who runs the graph without Secondlook."""
    facts, calibration = bundle.facts, bundle.calibration
    task = find_task(facts.task)
    height, width = read_size(facts.input_size_px)
    outputs = {"logits": "float32 N×K", "embedding": "float32 N×D"}
    if facts.graph.map != "occlusion":
        outputs["map"] = "float32 N×K×h×w, where each label is seen"
    return {
        "model_type": "secondlook",
        "name": facts.name,
        "version": facts.version,
        "task": facts.task,
        "problem_type": "single_label_classification",
        "id2label": {str(number): label.key for number, label in enumerate(task.labels)},
        "label2id": {label.key: number for number, label in enumerate(task.labels)},
        "label_names": {label.key: label.names for label in task.labels},
        "graph": "model.onnx",
        "input": {"image": "uint8 N×H×W×3, RGB, 0…255; normalisation is inside the graph"},
        "image_size": {"height": height, "width": width},
        "preprocessing": {
            "orientation": "apply the EXIF orientation and the colour profile (to sRGB) first",
            "resize": facts.resize,
            "how": RESIZING[facts.resize],
            "filter": "bicubic, antialiased (Pillow)",
        },
        "outputs": outputs,
        "probabilities": _describe_probabilities(calibration),
        "thresholds": {point.name: point.threshold for point in calibration.operating_points},
        "threshold_on": list(task.alarming),
        "made_from": {"bundle_sha256": bundle.sha256, "graph_sha256": facts.graph.sha256},
        "use": "secondlook predict PICTURE --bundle FOLDER",
    }


def _describe_probabilities(calibration: Calibration) -> dict[str, Any]:
    scaling = calibration.scaling
    scores = "logits + log_prior"
    if scaling is None:
        formula = f"softmax(({scores}) / temperature)"
        return {"formula": formula, "temperature": calibration.temperature, "log_prior": list(calibration.log_prior)}
    inner = scores if scaling.method == "vector" else f"log_softmax({scores})"
    return {
        "formula": f"softmax(weight @ ({inner}) + bias)",
        "log_prior": list(calibration.log_prior),
        "weight": [list(row) for row in scaling.weight],
        "bias": list(scaling.bias),
    }
