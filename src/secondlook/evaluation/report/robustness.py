"""What bad pictures cost, whom they send home, and how often the same lesion gets another answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from secondlook.evaluation.report.plots import Line, Panel, draw_panels
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import count_words, join_words, write_percent
from secondlook.evaluation.scope import name_groups

MEASURES = {
    "auc": "AUC of the risk",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Sensitivity at the threshold for a referral",
}
FLIPS = {
    "flips": "Of all referred or urgent",
    "flips_urgent": "Of the urgent alone",
    "flips_alarming": "Of those with an alarming label",
}
FAMILIES = {"turned": "Turned", "flipped": "Flipped", "cropped": "Cropped again", "saved": "Saved again", "all": "All"}
REPEATED = {
    "changed": "Triage changes",
    "flips": "Referred → routine",
    "label_changed": "Label changes",
    "unstable": "Pictures with any change of triage",
}
WORRYING = 0.1


def write_section(source: Source) -> Section | None:
    """Write the curves of corrupted pictures, the flips to routine, and the repeatability."""
    robustness, repeatability = source.evidence.get("robustness"), source.evidence.get("repeatability")
    if not robustness:
        return None
    sample = robustness["sample"]
    counted = count_words(sample["pictures"], sample["groups"], source.task)
    worst = list(_list_worrying(robustness))
    verdict = (
        f"On average over all corruptions and levels, {_write_share(robustness['mean']['flips'])} of the pictures that "
        f"were referred become routine, and {_write_share(robustness['mean']['not_evaluable'])} of all are refused as "
        "not evaluable. "
    )
    verdict += (
        f"Beware of {join_words(worst)}: there more than one referred picture in ten becomes routine without being "
        "refused, at one level at least."
        if worst
        else "Under no corruption does more than one referred picture in ten become routine."
    )
    tables = [_table_means(robustness), _table_flips(robustness)]
    if repeatability:
        tables.append(_table_repeats(repeatability))
        tables += _table_retakes(repeatability, source)
    return Section(
        key="robustness",
        title="What do bad pictures cost?",
        intro=(
            f"A fixed sample of {counted}, drawn evenly over the labels from {sample['of_pictures']:,} pictures, was "
            "corrupted in ways that happen in clinics, each at five levels, before the model saw it. Because labels "
            "are drawn evenly, compare these figures with each other, not with those of the whole test split. Pictures "
            "that the model would have refused are measured like the others.\n\n"
            "The worst that a bad picture can do is to turn a referral into a routine answer; such flips are counted "
            "apart, of the pictures that were referred or urgent when clean. Level 1 happens every day; a picture at "
            "level 5 should be taken again. Below each small drawing stands what was done, and how much."
        ),
        verdict=verdict,
        doubtful=bool(worst),
        figures=(
            *(_draw_measure(name, robustness) for name in MEASURES if name in robustness["clean"]),
            _draw_flips(robustness),
        ),
        tables=tuple(tables),
    )


def _list_worrying(robustness: Mapping[str, Any]) -> Iterator[str]:
    for part in robustness["corruptions"].values():
        if any((flip["value"] or 0) > WORRYING for flip in part["flips"]):
            yield str(part["name"]).lower()


def _write_share(figure: Mapping[str, float | None]) -> str:
    value, lower, upper = figure["value"], figure["lower"], figure["upper"]
    if value is None:
        return "an undefined share"
    bounds = "" if lower is None or upper is None else f" ({100 * lower:.1f}–{100 * upper:.1f})"
    return f"{write_percent(value)}{bounds}"


def _draw_measure(name: str, robustness: Mapping[str, Any]) -> Figure:
    clean = robustness["clean"][name]
    last = {part["name"]: part[name][-1]["value"] for part in robustness["corruptions"].values()}
    lowest = min((key for key in last if last[key] is not None), key=lambda key: last[key], default="none")
    return Figure(
        f"{MEASURES[name]} by level of corruption",
        f"{MEASURES[name]} on the vertical axis against the amount, one small drawing for each corruption. "
        f"Clean it is {clean['value']}; lowest at level 5 under {str(lowest).lower()}, {last.get(lowest)}.",
        draw_panels(_list_panels(name, clean, robustness), y=MEASURES[name], reference=clean["value"]),
        _sheet_levels(name, clean, robustness),
        wide=True,
    )


def _draw_flips(robustness: Mapping[str, Any]) -> Figure:
    clean = {"value": 0.0, "lower": 0.0, "upper": 0.0}
    return Figure(
        "Referred pictures that become routine, by level of corruption",
        "Share of the pictures referred or urgent when clean that are routine now, one small drawing for each "
        "corruption; the table below holds each one's worst level.",
        draw_panels(_list_panels("flips", clean, robustness), y="Referred → routine"),
        _sheet_levels("flips", clean, robustness),
        wide=True,
    )


def _list_panels(name: str, clean: Mapping[str, float | None], robustness: Mapping[str, Any]) -> list[Panel]:
    panels = []
    for part in robustness["corruptions"].values():
        figures = [clean, *part[name]]
        sides: dict[str, Any] = {side: [figure[side] for figure in figures] for side in ("value", "lower", "upper")}
        bounded = None not in sides["lower"]
        band = {"lower": sides["lower"], "upper": sides["upper"]} if bounded else {}
        places = ["0", *(f"{amount:g}" for amount in part["levels"])]
        line = Line("", list(range(len(places))), sides["value"], dots=True, **band)
        panels.append(Panel(part["name"], ["clean", *places[1:]], part["amount"], line))
    return panels


def _sheet_levels(name: str, clean: Mapping[str, float | None], robustness: Mapping[str, Any]) -> Table:
    rows = [
        (key, level, amount, figure)
        for key, part in robustness["corruptions"].items()
        for level, (amount, figure) in enumerate(zip([None, *part["levels"]], [clean, *part[name]], strict=True))
    ]
    return Table(
        f"robustness-{name.replace('_', '-')}",
        f"{MEASURES.get(name, 'Referred → routine')} by corruption and level",
        ("corruption", "level", "amount", name),
        tuple(rows),
    )


def _table_means(robustness: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (MEASURES[name], robustness["clean"][name], robustness["mean"][name], robustness["mean_loss"][name])
        for name in MEASURES
        if name in robustness["clean"]
    ]
    return Table(
        "robustness-means",
        "Clean, and on average over all corruptions and levels",
        ("", "Clean", "Corrupted", "Loss"),
        tuple(rows),
        note="The interval of the loss is of the difference within pictures, so it can be told from chance where the "
        "other two overlap.",
    )


def _table_flips(robustness: Mapping[str, Any]) -> Table:
    # Bundles measured before urgent pictures were counted apart lack them; a knee is never urgent.
    urgent = bool(robustness.get("flagged_urgent"))
    counted = [name for name in FLIPS if name != "flips_urgent" or urgent]
    rows: list[tuple[Cell, ...]] = []
    for part in robustness["corruptions"].values():
        worst = max(range(len(part["flips"])), key=lambda level: part["flips"][level]["value"] or 0)
        rows.append((part["name"], worst + 1, *(part[name][worst] for name in counted), part["not_evaluable"][worst]))
    return Table(
        "robustness-worst",
        "Flips to routine, at each corruption's worst level",
        ("", "Level", *(FLIPS[name] for name in counted), "Refused at that level"),
        tuple(rows),
        note=f"{robustness['flagged']} pictures were referred or urgent when clean, "
        + (f"{robustness['flagged_urgent']} of them urgent, " if urgent else "")
        + f"{robustness['flagged_alarming']} with an alarming label.",
        percent=True,
    )


def _table_repeats(repeatability: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (f"{FAMILIES[key]} ({part['variants']} ways)", *(part[name] for name in REPEATED))
        for key, part in repeatability["changes"].items()
    ]
    return Table(
        "repeatability",
        "The same picture, turned, flipped, cropped or saved again",
        ("", *REPEATED.values()),
        tuple(rows),
        note="Of all pairs of a picture and its variant; flips of the pictures that were referred as they are.",
        percent=True,
    )


def _table_retakes(repeatability: Mapping[str, Any], source: Source) -> list[Table]:
    taken = repeatability["retaken"]
    if not taken:
        return []
    groups = name_groups(source.task)
    return [
        Table(
            "repeatability-retaken",
            f"Several pictures of one: {taken['pictures']:,} pictures of {taken['groups']:,} {groups}",
            ("", f"Share of {groups}"),
            (("Not the same triage for all", taken["changed"]), ("Some routine, others referred", taken["flips"])),
            percent=True,
        )
    ]
