"""A comparison as one HTML page that needs no network."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from secondlook.data.page import write_page
from secondlook.data.wording import count
from secondlook.evaluation.compare.margin import list_verdicts, render_verdicts
from secondlook.evaluation.compare.measure import Compared, Comparison, Part, is_marked
from secondlook.evaluation.compare.report import (
    COSTS,
    judge_difference,
    list_marks,
    name_figures,
    write_change,
    write_costs,
    write_p,
)
from secondlook.evaluation.figures import draw_figure, draw_heads
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.paired import Difference
from secondlook.evaluation.summary import LOWER_IS_BETTER

MARKS = {"better": "clean", "worse": "doubt", "unclear": "unknown", "too few": "unknown"}
GROUPS = ("patient or lesion", "patients or lesions")


def write_comparisons(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write the page, the comparison of each task a part of it; the file is replaced atomically.

    Raises:
        DatasetError: The file cannot be written.
    """
    several = len(comparisons) > 1
    tasks = [comparison.task.names["en"] for comparison in comparisons]
    title = "Models side by side" if several else f"Models for {tasks[0].lower()}, side by side"
    parts = [_render_part(comparison, titled=several) for comparison in comparisons]
    links = "".join(link for part in parts for link in part[0])
    body = (
        f'<a class="skip" href="#page">Skip to the figures</a>\n<main>\n<h1>{escape(title)}</h1>\n'
        f'<nav aria-label="On this page"><ul>{links}</ul></nav>\n<div id="page">{"".join(part[1] for part in parts)}'
        "</div>\n</main>"
    )
    write_page(path, title=title, body=body)


def _render_part(comparison: Comparison, *, titled: bool) -> tuple[list[str], str]:
    """Return the links to a task's sections, and the sections; they are one level deeper where tasks are titled."""
    task, name = comparison.task.key, comparison.task.names["en"]
    level = 3 if titled else 2
    links, shown = [], []
    for key, title, body in _list_sections(comparison):
        anchor = f"{task}-{key}"
        links.append(f'<li><a href="#{anchor}">{escape(f"{name}: {title}" if titled else title)}</a></li>')
        shown.append(
            f'<section id="{anchor}" aria-labelledby="{anchor}-title">'
            f'<h{level} id="{anchor}-title">{escape(title)}</h{level}>\n{body}</section>'
        )
    heading = f"<h2>{escape(name)}</h2>\n" if titled else ""
    return links, heading + _render_lead(comparison) + "\n" + "\n".join(shown)


def _render_lead(comparison: Comparison) -> str:
    models = comparison.models
    first = models[0]
    others = len(models) - 1
    lead = (
        f"{count(len(models), 'model', 'models')}. {escape(first.name)} was measured on "
        f"{count(first.test.pictures, 'test picture', 'test pictures')} of {count(first.test.groups, *GROUPS)}"
    )
    lead += f"; {'the other is' if others == 1 else 'each of the others is'} compared with it." if others else "."
    marks = [mark for model in models for mark in list_marks(model)]
    verdict = "".join(f"<p class='verdict doubt'>{escape(mark)}</p>" for mark in marks)
    return f'<p class="lead">{lead}</p>{verdict}'


def _list_sections(comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    models = comparison.models
    yield "test", "On the split test", _render_test(comparison)
    if any(model.differences for model in models):
        yield "differences", f"Against {models[0].name}", _render_differences(comparison)
    if any(True for _ in list_verdicts(comparison)):
        yield "margin", f"Not worse by more than {comparison.margin:g}?", render_verdicts(comparison)
    if any(model.train for model in models):
        yield "train", "On the split train", _render_train(comparison)
    yield "cost", "What each costs", _render_costs(comparison)
    yield "method", "How this was measured", _render_method(comparison)


def _render_test(comparison: Comparison) -> str:
    names = name_figures(comparison)
    table = _draw_models(
        comparison,
        [model.test for model in comparison.models],
        title="On the split test",
        note="Framed: the best value of a column among models measured on the first model's pictures. Whether it is "
        "better than the others beyond chance, the next section says.",
        frame_best=True,
    )
    plots = "\n".join(_draw_reach(comparison, key, name) for key, name in names.items())
    first = escape(comparison.models[0].name)
    note = f"<p>The same as lines: the dot is the value, the bar its interval, the thin line the value of {first}.</p>"
    return f'{table}{note}<div class="plots">{plots}</div>'


def _render_train(comparison: Comparison) -> str:
    sampled = any(model.train and model.train.sampled for model in comparison.models)
    some = (
        f" Of larger splits, {comparison.train_groups} {GROUPS[1]} were drawn at random, the same ones for all "
        "models that share a split."
        if sampled
        else ""
    )
    table = _draw_models(
        comparison,
        [model.train for model in comparison.models],
        title="On the split train",
        note="A model that is much better here than on the split test has learned its pictures by heart.",
    )
    return f"<p>What the models answer about pictures that they have learned from.{some}</p>{table}"


def _draw_models(
    comparison: Comparison, parts: Sequence[Part | None], *, title: str, note: str, frame_best: bool = False
) -> str:
    """Return one split's figures as a table, a row for each model."""
    names = name_figures(comparison)
    fair = [part for part, model in zip(parts, comparison.models, strict=True) if part is not None and model.comparable]
    best = {key: _find_best(key, [part.figures[key].value for part in fair]) for key in names if frame_best}
    lines = []
    for model, part in zip(comparison.models, parts, strict=True):
        head = f'<th scope="row">{escape(model.name)}{_draw_marks(model)}'
        if part is None:
            lines.append(f"<tr>{head}</th>{'<td>–</td>' * len(names)}</tr>")
            continue
        head += f"<small>{part.pictures:,} pictures of {part.groups:,}</small></th>"
        cells = [
            f"<td{' class=best' if model.comparable and part.figures[key].value == best.get(key) else ''}>"
            f"{_write_value(part.figures[key])}</td>"
            for key in names
        ]
        lines.append(f"<tr>{head}{''.join(cells)}</tr>")
    heads = draw_heads(("", *map(escape, names.values())))
    return draw_figure("shares", heads, lines, title=title, caption="Figures", note=note, columns=len(names))


def _find_best(key: str, values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2:
        return math.nan
    return min(known) if key in LOWER_IS_BETTER else max(known)


def _draw_marks(model: Compared) -> str:
    words = []
    if is_marked(model):
        words.append("marked")
    if not model.comparable:
        words.append("other pictures")
    return "".join(f' <span class="mark doubt">{word}</span>' for word in words)


def _write_value(interval: Interval) -> str:
    if math.isnan(interval.value):
        return "–"
    bounds = "too few" if math.isnan(interval.lower) else f"{interval.lower:.3f}–{interval.upper:.3f}"
    return f"{interval.value:.3f}<small>{bounds}</small>"


def _draw_reach(comparison: Comparison, key: str, name: str) -> str:
    """Return one figure of all models on a common axis."""
    intervals = [model.test.figures[key] for model in comparison.models]
    ends = [end for one in intervals for end in (one.value, one.lower, one.upper) if not math.isnan(end)]
    if not ends:
        return ""
    low, high = _choose_axis(min(ends), max(ends))
    lines = []
    for model, interval in zip(comparison.models, intervals, strict=True):
        if math.isnan(interval.value):
            continue
        lower, upper = (interval.value if math.isnan(end) else end for end in (interval.lower, interval.upper))
        first = comparison.models[0].test.figures[key].value
        marks = {"value": interval.value, "lower": lower, "upper": upper, "chance": first}
        places = ";".join(f"--{mark}:{100 * (value - low) / (high - low):.2f}%" for mark, value in marks.items())
        lines.append(
            f'<tr><th scope="row">{escape(model.name)}{_draw_marks(model)}</th>'
            f'<td class="plot"><span style="{places}" aria-hidden="true"><span class="line"></span>'
            f'<span class="dot"></span></span>{interval.value:.3f}</td></tr>'
        )
    ends_of_axis = "".join(
        f'<span style="inset-inline-start:{place}%">{value:g}</span>' for place, value in ((0, low), (100, high))
    )
    heads = (
        f'<tr><th scope="col">Model</th><th scope="col" class="axis">Value and 95 % interval'
        f'<span aria-hidden="true">{ends_of_axis}</span></th></tr>'
    )
    better = "lower is better" if key in LOWER_IS_BETTER else "higher is better"
    return draw_figure("reach", heads, lines, title="On the split test", caption=f"{name}, {better}")


def _choose_axis(lowest: float, highest: float) -> tuple[float, float]:
    """Return round ends that hold all values."""
    step = next(step for step in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, math.inf) if highest - lowest <= 5 * step)
    if math.isinf(step):
        step = 10 ** math.ceil(math.log10(highest - lowest)) / 5
    low, high = math.floor(lowest / step) * step, math.ceil(highest / step) * step
    return round(low, 4), round(high if high > low else low + step, 4)


def _render_differences(comparison: Comparison) -> str:
    names = name_figures(comparison)
    first = escape(comparison.models[0].name)
    lines = []
    for model in comparison.models[1:]:
        head = f'<th scope="row">{escape(model.name)}{_draw_marks(model)}</th>'
        if not model.differences:
            lines.append(
                f"<tr>{head}<td class=apart colspan={len(names)}>not comparable: other test pictures</td></tr>"
            )
            continue
        cells = [f"<td>{_write_difference(key, model.differences[key])}</td>" for key in names]
        lines.append(f"<tr>{head}{''.join(cells)}</tr>")
    heads = draw_heads(("", *map(escape, names.values())))
    text = (
        f"<p>Each model minus {first}, on the same test pictures, with 95 % intervals. Where p &lt; 0.05, chance alone "
        "would hardly do it; where it is unclear, the interval says how large a difference there could still be.</p>"
    )
    table = draw_figure("shares", heads, lines, title="Differences", caption="Differences", columns=len(names))
    return text + table


def _write_difference(key: str, difference: Difference) -> str:
    words = judge_difference(key, difference)
    interval = difference.interval
    bounds = (
        "" if math.isnan(interval.lower) else f"{write_change(interval.lower)} to {write_change(interval.upper)}<br>"
    )
    return (
        f"{write_change(interval.value)}<small>{bounds}{escape(write_p(difference))}</small>"
        f'<span class="mark {MARKS[words]}">{words}</span>'
    )


def _render_costs(comparison: Comparison) -> str:
    lines = [
        f'<tr><th scope="row">{escape(model.name)}<small>{escape(model.input_size)}</small></th>'
        + "".join(f"<td>{escape(text)}</td>" for text in write_costs(model))
        + "</tr>"
        for model in comparison.models
    ]
    note = (
        "Time for one picture: the graph alone in one ONNX Runtime session on one thread, the median of "
        "repeated runs on the machine that wrote this page. The first model is run in turn with each. "
        "Training time: seconds in epochs, as the run recorded them on its own machine."
    )
    heads = draw_heads(("", *COSTS))
    return draw_figure("shares", heads, lines, title="Cost", caption="Cost", note=note, columns=len(COSTS))


def _render_method(comparison: Comparison) -> str:
    kappa = "quadratic kappa, since the labels are grades" if comparison.task.ordered else "Cohen's kappa"
    risk = comparison.task.risk["en"].lower()
    return (
        "<p>Every picture went through the predictor that serves. Accuracies, F1 and kappa are those of the label that "
        f"the model names; AUC and F1 are means over the labels, each against all others; kappa is {kappa}; the risk "
        f"is that of {escape(risk)}; the loss is the mean negative log-likelihood of the calibrated probabilities, in "
        "nats.</p>"
        f"<p>Intervals are 95 % percentiles of {comparison.resamples:,} bootstrap resamples of whole patients or "
        f"lesions (seed {comparison.seed}). The AUC of the risk, and the AUC where there are two labels, are compared "
        "by DeLong's test in the form that keeps patients together (DeLong et al. 1988; Sun and Xu 2014; Obuchowski "
        "1997), everything else by a bootstrap in which both models are measured on the same resamples. The p-values "
        "are adjusted for the number of models compared with the first (Holm 1979), not for the number of columns.</p>"
    )
