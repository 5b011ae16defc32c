"""Does it serve everybody alike? Forest plots of the subgroups and the largest gap."""

from typing import Any

from secondlook.evaluation.report.plots import Reach, draw_forest
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import TOO_FEW, name_point, reach, write_measured, write_percent
from secondlook.evaluation.scope import name_groups

RATES = {"sensitivity": "Sensitivity", "specificity": "Specificity", "auc": "AUC"}


def write_section(source: Source) -> Section | None:
    """Write AUC, sensitivity and specificity by subgroup, and the largest gaps."""
    subgroups = source.evidence.get("subgroups")
    if not subgroups:
        return None
    if not subgroups["factors"]:
        return Section(
            key="subgroups",
            title="Does it serve everybody alike?",
            intro="",
            verdict="Nobody knows: the manifest says nothing about the patients.",
            doubtful=True,
        )
    point = name_point(subgroups["point"], source.task)
    return Section(
        key="subgroups",
        title="Does it serve everybody alike?",
        intro=(
            f"Figures of {source.task.risk['en'].lower()} at the threshold {point}, from "
            f"{write_percent(subgroups['threshold'])} on, by what the manifest says of the patients and pictures. "
            f"Fewer than {subgroups['least_groups']} {name_groups(source.task)} behind a figure are too few to say. "
            "The largest of many gaps is larger than it would be elsewhere, by the choice alone."
        ),
        verdict=_judge_gaps(subgroups["gaps"]),
        doubtful=any(gap is None or _is_sure(gap) for gap in subgroups["gaps"].values()),
        figures=tuple(_draw_rate(source, subgroups, rate) for rate in RATES),
        tables=(_tabulate(source, subgroups),),
    )


def _is_sure(gap: dict[str, Any] | None) -> bool:
    return gap is not None and (gap["gap"]["lower"] or 0) > 0


def _judge_gaps(gaps: dict[str, dict[str, Any] | None]) -> str:
    sentences = []
    for rate, gap in gaps.items():
        if gap is None:
            sentences.append(f"No two subgroups have enough patients to compare the {rate}.")
            continue
        sure = "" if _is_sure(gap) else "; it could be chance"
        sentences.append(
            f"Largest gap in {rate}: {write_measured(gap['gap'], percent=True)}, between {gap['factor'].lower()} "
            f"“{gap['high']}” (higher) and “{gap['low']}”{sure}."
        )
    return " ".join(sentences)


def _draw_rate(source: Source, subgroups: dict[str, Any], rate: str) -> Figure:
    reaches: list[Reach] = []
    told = 0
    for factor in subgroups["factors"].values():
        reaches.append(Reach(factor["title"], None, None, None))
        for part in factor["values"]:
            behind = _count_behind(part, rate)
            known = part[rate]["value"] is not None
            told += known
            label = f"{part['value']} ({behind})" if known else f"{part['value']}: {TOO_FEW} ({behind})"
            reaches.append(reach(label, part[rate], soft=not known))
    whole = source.evidence["measures"]["risk"]
    reference = (whole["auc"] if rate == "auc" else whole["operating_points"][subgroups["point"]][rate])["value"]
    return Figure(
        f"{RATES[rate]} by subgroup",
        f"{RATES[rate]} with its 95 % interval for each of {told} subgroups with enough patients, behind each the "
        f"number of {name_groups(source.task)}; dashed: all pictures. The table below holds the figures.",
        draw_forest(reaches, x=RATES[rate], reference=reference),
        Table(f"subgroups-{rate}", RATES[rate], ("factor", "value", "groups", rate), _list_rows(subgroups, rate)),
        wide=True,
    )


def _count_behind(part: dict[str, Any], rate: str) -> int:
    counts = {"sensitivity": part["alarming_groups"], "specificity": part["other_groups"]}
    return int(counts.get(rate, part["groups"]))


def _list_rows(subgroups: dict[str, Any], rate: str) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (factor["title"], part["value"], _count_behind(part, rate), part[rate])
        for factor in subgroups["factors"].values()
        for part in factor["values"]
    )


def _tabulate(source: Source, subgroups: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for factor in subgroups["factors"].values():
        for part in factor["values"]:
            figures = (part[rate] if part[rate]["value"] is not None else TOO_FEW for rate in RATES)
            counts = (part["pictures"], part["alarming_groups"], part["other_groups"])
            rows.append((f"{factor['title']}: {part['value']}", *counts, *figures))
    heads = ("Subgroup", "Pictures", f"{name_groups(source.task).capitalize()} with", "Without", *RATES.values())
    return Table("subgroups", "Subgroups", heads, tuple(rows))
