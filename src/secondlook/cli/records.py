"""What `secondlook predict` says of each picture: as JSON, CSV or a table."""

import csv
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from secondlook.conditions import find_task

if TYPE_CHECKING:
    from secondlook.inference.auto import Unplaced
    from secondlook.inference.predictor import Prediction, Predictor
    from secondlook.inference.router import Route

PLAIN_WIDTH = 160
COLOURS = {"urgent": "bold red", "refer": "yellow", "routine": "green", "not_evaluable": "magenta"}

Record = dict[str, Any]
Predictors = Mapping[str, "Predictor"]  # by task


def describe_prediction(prediction: "Prediction | Unplaced", route: "Route | None" = None) -> Record:
    """Return a prediction as JSON has it, under the names that the API uses.

    Args:
        prediction: What was said of the picture.
        route: Where it was led, where the task was not chosen.
    """
    from secondlook.inference.auto import Unplaced

    own = describe_nothing() if isinstance(prediction, Unplaced) else describe_answer(prediction)
    return {
        "task": prediction.task,
        **own,
        "triage": prediction.triage,
        "reasons": [
            {"code": reason.code, "text": reason.describe(), "figures": dict(reason.figures)}
            for reason in prediction.reasons
        ],
        "quality": {
            "evaluable": prediction.quality.evaluable,
            "flags": [
                {"code": flag.code, "figure": flag.figure, "limit": flag.limit, "text": flag.describe("en")}
                for flag in prediction.quality.flags
            ],
        },
        "route": route and {"nearest": route.nearest, "scores": dict(route.scores)},
    }


def describe_answer(prediction: "Prediction") -> Record:
    """Return what a bundle alone can say."""
    return {
        "label": prediction.label,
        "probabilities": dict(prediction.probabilities),
        "risk": prediction.risk,
        "malignancy": prediction.malignancy,
        "prediction_set": list(prediction.prediction_set),
        "undecided": prediction.undecided,
        "outlier_score": prediction.outlier_score,
        "heatmap_kind": prediction.heatmap_kind,
        "bundle": {
            "name": prediction.bundle.name,
            "version": prediction.bundle.version,
            "hash": prediction.bundle.sha256,
        },
    }


def describe_nothing() -> Record:
    """Return the same where no bundle was asked."""
    unknown = dict.fromkeys(("label", "risk", "malignancy", "outlier_score", "heatmap_kind", "bundle"))
    return {**unknown, "probabilities": {}, "prediction_set": [], "undecided": False}


def write_json(records: Sequence[Record], _predictors: Predictors, stream: TextIO) -> None:
    """Write an array with one object per picture."""
    json.dump(records, stream, indent=2, ensure_ascii=False)
    stream.write("\n")


def write_csv(records: Sequence[Record], predictors: Predictors, stream: TextIO) -> None:
    """Write one row per picture, with a probability column per label of every task that may answer."""
    shares = dict.fromkeys(f"p_{key}" for one in predictors.values() for key in one.task.keys)
    columns = ["image", "task", "label", "malignancy", "triage", *shares, "outlier", "quality", "error"]
    writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records:
        row = dict(record)
        if record["error"] is None:
            row.update({f"p_{key}": value for key, value in record["probabilities"].items()})
            row.update(outlier=record["outlier_score"], quality=list_flags(record))
        writer.writerow(row)


def write_table(records: Sequence[Record], predictors: Predictors, stream: TextIO) -> None:
    """Write a table for reading, with a column for the task where several may answer."""
    several = len(predictors) > 1
    names = ", ".join(
        f"{one.bundle.facts.name} {one.bundle.facts.version}, {one.bundle.sha256[:12]}" for one in predictors.values()
    )
    risk = "Risk" if several else next(iter(predictors.values())).task.risk["en"]
    table = Table(
        *("Picture", *(("Task",) if several else ()), "Triage", risk, "Label"),
        caption=f"{names}. Supports a decision; is no diagnosis.",
        caption_justify="left",
    )
    for record in records:
        name = Text(record["image"], overflow="fold")
        if record["error"] is not None:
            table.add_row(name, *(("",) if several else ()), Text("not read", "red"), "", Text(record["error"]))
            continue
        table.add_row(name, *((record["task"],) if several else ()), *describe_row(record, predictors))
    Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH).print(table)


def describe_row(record: Record, predictors: Predictors) -> tuple[Text, str, str]:
    """Return triage, risk and label of a picture that was read."""
    triage = record["triage"]
    note = "" if triage != "not_evaluable" else f" ({explain_refusal(record)})"
    verdict = Text(triage.replace("_", " ") + note, COLOURS[triage])
    if record["label"] is None:
        return verdict, "", ""
    task, key = find_task(record["task"]), record["label"]
    usual = predictors[task.key].usual_shares[key]
    share = f"{record['probabilities'][key]:.1%} (usual share {usual:.1%})"
    return verdict, f"{record['risk']:.1%}", f"{task.find_label(key).names['en']}, {share}"


def list_flags(record: Record) -> str:
    """Return the codes of the quality flags, or ok."""
    return ";".join(flag["code"] for flag in record["quality"]["flags"]) or "ok"


def explain_refusal(record: Record) -> str:
    """Return in few words why a picture is not evaluable."""
    if record["task"] == "none":
        codes = {reason["code"] for reason in record["reasons"]}
        return "no model for it" if "not_offered" in codes else "of no task here"
    return "quality: " + list_flags(record) if not record["quality"]["evaluable"] else "unlike the calibration pictures"
