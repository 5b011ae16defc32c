"""The report's first section: whether to read on, and the figures that most readers come for."""

from collections.abc import Iterator
from typing import Any

from secondlook.evaluation.report.section import Cell, Section, Source, Table
from secondlook.evaluation.report.words import count_words, name_point


def write_section(source: Source) -> Section:
    """Write what was measured on, whether it counts, and the main figures."""
    evidence, task = source.evidence, source.task
    manifest, leak = evidence["manifest"], evidence["leak"]
    measured = count_words(manifest["pictures"], manifest["groups"], task)
    clean = leak == "none"
    verdict = (
        f"Measured on {measured}, none of whom training or calibration has seen; the audit found no leak."
        if clean
        else f"Every figure here is marked: {leak}. Measured on {measured}."
    )
    return Section(
        key="glance",
        title="At a glance",
        intro=(
            f"What the model {evidence['bundle']['name']} {evidence['bundle']['version']} was measured to do. Behind "
            f"each figure stands its 95 % interval, from {evidence['resamples']:,} resamples of whole patients or "
            "lesions. It supports a clinician's decision; it is no diagnosis, and no regulator has cleared it."
        ),
        verdict=verdict,
        doubtful=not clean,
        tables=(Table("main-figures", "Main figures", ("Figure", "Value (95 % interval)"), tuple(_list_main(source))),),
    )


def _list_main(source: Source) -> Iterator[tuple[Cell, ...]]:
    measures: dict[str, Any] = source.evidence["measures"]
    risk = source.task.risk["en"]
    if "macro_auc" in measures:
        yield "AUC, mean of all labels", measures["macro_auc"]
        yield "Balanced accuracy of the named label", measures["balanced_accuracy"]
        yield "Accuracy of the named label", measures["accuracy"]
    if "quadratic_kappa" in measures:
        yield "Quadratic kappa over the grades", measures["quadratic_kappa"]
    elif "kappa" in measures:
        yield "Cohen's kappa", measures["kappa"]
    yield f"{risk}: AUC", measures["risk"]["auc"]
    for name, point in measures["risk"]["operating_points"].items():
        yield f"{risk}: sensitivity at {name_point(name, source.task)}", point["sensitivity"]
        yield f"{risk}: specificity at {name_point(name, source.task)}", point["specificity"]
    yield f"{risk}: expected calibration error", measures["risk"]["expected_calibration_error"]
    yield "Share not evaluable", measures["refusals"]["not_evaluable"]
    whole = source.evidence.get("sets", {}).get("slices", {}).get("all")
    if whole and "coverage" in whole:
        yield "Prediction sets that hold the true label", whole["coverage"]
