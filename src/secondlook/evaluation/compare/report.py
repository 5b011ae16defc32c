"""A comparison for a terminal, a spreadsheet and a program."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from secondlook.evaluation.compare.measure import Compared, Comparison, Part, is_marked, is_sure
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.measures import DIGITS
from secondlook.evaluation.paired import Difference, judge_margin
from secondlook.evaluation.summary import FIGURES, LOWER_IS_BETTER, stack_interval

MINUS = "\N{MINUS SIGN}"
COSTS = ("Parameters", "Training time", "One picture", "Relative to the first", "Bundle size")


def name_figures(comparison: Comparison) -> dict[str, str]:
    """Return the figures that were measured, and their names for a reader."""
    measured = comparison.models[0].test.figures
    return {key: name for key, name in FIGURES.items() if key in measured}


def write_duration(seconds: float | None) -> str:
    """Return a duration in words, for example ``1 h 12 min``; a dash for none."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def write_change(value: float) -> str:
    """Return a difference with its sign, for example ``+0.012``."""
    return "–" if math.isnan(value) else f"{value:+.3f}".replace("-", MINUS)


def write_p(difference: Difference) -> str:
    """Return a p-value in words, for example ``p = 0.012``."""
    if math.isnan(difference.p):
        return "p unknown"
    return "p < 0.001" if difference.p < 0.001 else f"p = {difference.p:.3f}"


def judge_difference(key: str, difference: Difference) -> str:
    """Return what a difference amounts to: ``better``, ``worse``, ``unclear`` or ``too few``."""
    if math.isnan(difference.p):
        return "too few"
    if not is_sure(difference):
        return "unclear"
    higher = difference.interval.value > 0
    return "better" if higher != (key in LOWER_IS_BETTER) else "worse"


def list_marks(model: Compared) -> Iterator[str]:
    """Yield what has to be said of a model's figures, in sentences."""
    if is_marked(model):
        yield f"{model.name} is marked: {model.leak}."
    if not model.comparable:
        yield (
            f"{model.name} was measured on other test pictures than the first model: its figures stand by themselves, "
            "no difference is computed."
        )
    for note in model.test.notes:
        yield f"{model.name}, split test: {note}"


def draw_tables(comparison: Comparison) -> list[Table]:
    """Return a comparison as tables: split test, differences, split train, cost."""
    models = comparison.models
    tables = [draw_split(comparison, "On the split test", [model.test for model in models])]
    if any(model.differences for model in models):
        tables.append(draw_differences(comparison))
    if any(model.train for model in models):
        some = any(model.train and model.train.sampled for model in models)
        title = "On the split train" + (f" (at most {comparison.train_groups} patients or lesions)" if some else "")
        tables.append(draw_split(comparison, title, [model.train for model in models]))
    return [*tables, draw_costs(comparison)]


def open_table(title: str, headings: Iterable[str]) -> Table:
    """Return an empty table: models to the left, figures to the right; seven of them fit 80 columns."""
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Model\n", overflow="fold")
    for heading in headings:
        table.add_column(heading.replace(" ", "\n", 1), justify="right", overflow="fold")
    return table


def draw_split(comparison: Comparison, title: str, parts: list[Part | None]) -> Table:
    """Return one split's figures, a row for each model."""
    names = name_figures(comparison)
    table = open_table(f"{title}: pictures of patients or lesions, figures with 95 % intervals", names.values())
    for model, part in zip(comparison.models, parts, strict=True):
        if part is None:
            table.add_row(model.name, *["–"] * len(names))
            continue
        name = f"{model.name}\n{part.pictures} of {part.groups}"
        marks = (("marked", is_marked(model)), ("other pictures", not model.comparable))
        name += "".join(f"\n({word})" for word, holds in marks if holds)
        table.add_row(name, *(stack_interval(part.figures[key]) for key in names))
    return table


def draw_differences(comparison: Comparison) -> Table:
    """Return how far each model's figures lie from the first model's."""
    names = name_figures(comparison)
    table = open_table(f"Difference from {comparison.models[0].name} on the same pictures", names.values())
    for model in comparison.models[1:]:
        cells = [stack_difference(key, model.differences[key]) if model.differences else "–" for key in names]
        table.add_row(model.name, *cells)
    return table


def stack_difference(key: str, difference: Difference) -> str:
    """Return a difference above its p-value, coloured where it is too great for chance."""
    colour = {"better": "green", "worse": "red"}.get(judge_difference(key, difference))
    text = f"{write_change(difference.interval.value)}\n{write_p(difference).replace(' = 0', ' ').replace(' < 0', '<')}"
    return f"[{colour}]{text}[/]" if colour else text


def draw_costs(comparison: Comparison) -> Table:
    """Return what each model costs."""
    table = open_table("Cost; one picture is timed now, on one thread", COSTS)
    for model in comparison.models:
        table.add_row(model.name, *write_costs(model))
    return table


def write_costs(model: Compared) -> tuple[str, str, str, str, str]:
    """Return parameters, training time, time for one picture, the same relative to the first, and size, in words."""
    return (
        f"{model.parameters:,}",
        write_duration(model.training_seconds),
        f"{model.milliseconds:.1f} ms",
        f"{model.relative_time:.2f} ×",
        f"{model.bundle_bytes / 1e6:.1f} MB",
    )


def dump_json(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons, one of each task, as a JSON list; what is undefined is null."""
    content = [
        {
            "task": comparison.task.key,
            "first": comparison.models[0].name,
            "seed": comparison.seed,
            "resamples": comparison.resamples,
            "train_groups": comparison.train_groups,
            "margin": comparison.margin,
            "models": [describe_model(model, margin=comparison.margin) for model in comparison.models],
        }
        for comparison in comparisons
    ]
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def describe_model(model: Compared, *, margin: float | None = None) -> dict[str, Any]:
    """Return one model as plain values."""
    return {
        "name": model.name,
        "leak": model.leak,
        "comparable": model.comparable,
        "test": describe_part(model.test),
        "train": None if model.train is None else describe_part(model.train),
        "differences": {
            key: {
                **describe_interval(difference.interval),
                "p": plain(difference.p),
                "method": difference.method,
                **describe_verdict(key, difference, margin),
            }
            for key, difference in model.differences.items()
        },
        "parameters": model.parameters,
        "training_seconds": model.training_seconds,
        "milliseconds_per_picture": round(model.milliseconds, 3),
        "relative_time": round(model.relative_time, 3),
        "bundle_bytes": model.bundle_bytes,
        "input": model.input_size,
    }


def describe_verdict(key: str, difference: Difference, margin: float | None) -> dict[str, str]:
    """Return whether a model is not worse by more than the margin; nothing without one, and for the loss."""
    if margin is None or key in LOWER_IS_BETTER:
        return {}
    return {"verdict": judge_margin(difference.interval, margin)}


def describe_part(part: Part) -> dict[str, Any]:
    """Return one split's figures as plain values."""
    figures = {key: describe_interval(interval) for key, interval in part.figures.items()}
    return {"pictures": part.pictures, "groups": part.groups, "sampled": part.sampled, "figures": figures}


def describe_interval(interval: Interval) -> dict[str, float | None]:
    """Return value and bounds, rounded; null where undefined."""
    return {name: plain(getattr(interval, name)) for name in ("value", "lower", "upper")}


def plain(value: float) -> float | None:
    """Return a rounded figure; nothing for NaN."""
    return None if math.isnan(value) else round(value, DIGITS)


def dump_csv(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as CSV, one row for each model; what is undefined is empty."""
    rows = [
        {"task": comparison.task.key, **dict(flatten_model(describe_model(model, margin=comparison.margin)))}
        for comparison in comparisons
        for model in comparison.models
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def flatten_model(content: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested values under joined names, for example ``test_macro_auc_lower``; a value stands without its own."""
    for key, value in content.items():
        name = prefix if key in {"value", "figures"} and prefix else f"{prefix}_{key}" if prefix else key
        if isinstance(value, dict):
            yield from flatten_model(value, name)
        else:
            yield name, value
