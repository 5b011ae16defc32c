"""Whether heatmaps tell the truth: against random maps, the centre, lesion masks, occlusion and shuffled weights."""

from collections.abc import Mapping
from typing import Any

from secondlook.evaluation.report.plots import Line, draw_lines
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import count_words, join_words

Measured = Mapping[str, float | None]

KINDS = {
    "class_activation": "the class activation map of the graph",
    "head_by_place": "the network's answer for each place alone",
    "occlusion": "how much the answer drops when a part is hidden",
}
CURVES = {
    "deletion": "Deletion: the hottest parts are taken away first (lower is better)",
    "insertion": "Insertion: the hottest parts are put back first (higher is better)",
}
MAPS = {"map": "the model's map", "random": "a random map", "centre": "the picture's centre"}
INSANE_FROM = 0.5


def write_section(source: Source) -> Section | None:
    """Write deletion and insertion, the heat inside lesions, agreement with occlusion, and shuffled weights."""
    found = source.evidence.get("explanations")
    if not found:
        return None
    sample = found["sample"]
    doubts = list_doubts(found)
    return Section(
        key="explanations",
        title="Do heatmaps tell the truth?",
        intro=(
            f"A heatmap here is {KINDS[found['map']]}, for the label that the model names. On a fixed sample of "
            f"{count_words(sample['pictures'], sample['groups'], source.task)}, drawn evenly over the labels, it was "
            "held against two maps that know nothing: a random one of the same coarseness, and a spot in the middle, "
            "where photographers put what they take.\n\n"
            "A true map points at what the answer rests on: taking its hottest parts away makes the answer fall soon, "
            "putting them back makes it rise soon. It lies on the lesion more than the lesion's area would have it, "
            "agrees with hiding one part after the other, and falls apart when the network's weights are shuffled."
        ),
        verdict=_write_verdict(doubts),
        doubtful=bool(doubts),
        figures=tuple(_draw_curve(key, found) for key in CURVES),
        tables=(_table_gains(found), _table_checks(found)),
    )


def list_doubts(found: Mapping[str, Any]) -> list[str]:
    """Return in words each check in which the map is no better than one that knows nothing; empty if there is none."""
    doubts = []
    for curve in CURVES:
        worse = [MAPS[name] for name in ("random", "centre") if not _is_above(found[curve][f"over_{name}"])]
        if worse:
            doubts.append(f"in {curve} it is no better than {join_words(worse)}")
    masks = found["masks"]
    if masks and not _is_above(masks["over_chance"]):
        doubts.append("its heat lies on lesions no more than chance has it")
    elif masks and not _is_above(masks["over_centre"]):
        doubts.append("its heat lies on lesions no more than that of a spot in the picture's centre")
    if not _is_above(found["occlusion"]["gain"]):
        doubts.append("it agrees with occlusion no better than a random map")
    upper = found["shuffled_weights"]["map"]["upper"]
    if upper is None or upper >= INSANE_FROM:
        doubts.append("it may look the same with shuffled weights")
    return doubts


def _write_verdict(doubts: list[str]) -> str:
    if not doubts:
        return "In every check the map is better than maps that know nothing."
    return f"Do not lean on the heatmap alone: {'; '.join(doubts)} (95 % intervals)."


def _is_above(figure: Measured) -> bool:
    lower = figure["lower"]
    return lower is not None and lower > 0


def _draw_curve(key: str, found: Mapping[str, Any]) -> Figure:
    curves, steps = found[key]["curves"], found["steps"]
    shares = [step / steps for step in range(steps + 1)]
    lines = [Line(MAPS[name], shares, curve, dots=name == "map") for name, curve in curves.items()]
    rows = [(name, share, value) for name, curve in curves.items() for share, value in zip(shares, curve, strict=True)]
    areas = join_words(f"{MAPS[name]} {found[key][name]['value']}" for name in MAPS)
    return Figure(
        CURVES[key],
        f"Mean probability of the named label against the share of the picture, for three maps. Areas below: {areas}.",
        draw_lines(lines, x="Share of the picture", y="Probability of the label", x_range=(0, 1), y_range=(0, 1)),
        Table(f"explanations-{key}", CURVES[key], ("map", "share", "probability"), tuple(rows)),
    )


def _table_gains(found: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{key.capitalize()}: area under the curve",
            *(found[key][name] for name in MAPS),
            found[key]["over_random"],
            found[key]["over_centre"],
        )
        for key in CURVES
    ]
    return Table(
        "explanations-areas",
        "Areas under the curves, and how much better the model's map is",
        ("", "Model's map", "Random map", "Centre", "Better than random by", "Better than centre by"),
        tuple(rows),
        note="A lower area is better in deletion, a higher one in insertion. Better by: positive is better.",
    )


def _table_checks(found: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        ("Correlation with the occlusion map", found["occlusion"]["map"], found["occlusion"]["random"]),
        (
            "Correlation with the map of shuffled weights (near 0 is sane)",
            found["shuffled_weights"]["map"],
            found["shuffled_weights"]["random"],
        ),
    ]
    if masks := found["masks"]:
        rows += [
            (f"Share of heat inside the lesion ({masks['pictures']} masks)", masks["map"], masks["random"]),
            ("  the same of a spot in the centre", masks["centre"], masks["random"]),
            ("  the lesion's share of the picture, which is chance", masks["chance"], None),
            ("Hottest place inside the lesion", masks["pointing"], masks["chance"]),
        ]
    return Table(
        "explanations-checks",
        "Further checks",
        ("", "Model's map", "Random map or chance"),
        tuple(rows),
        note="Correlations are Spearman's, of ranks of heat over the map's cells.",
    )
