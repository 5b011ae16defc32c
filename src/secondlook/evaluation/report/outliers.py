"""Pictures that the bundle is not for: how ways of telling them compare, and what the one that serves refuses."""

from collections.abc import Mapping
from typing import Any

from secondlook.data.wording import count
from secondlook.evaluation.report.plots import draw_forest
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import count_words, reach, write_measured, write_percent

LEAST_REFUSED = 0.9  # of every kind, for the verdict to be no warning
SHORT = {"knn": "Neighbour", "mahalanobis": "Mahalanobis", "energy": "Energy", "vim": "ViM"}
METHODS = {
    "knn": "Cosine distance to the k-th nearest neighbour (Sun et al. 2022)",
    "mahalanobis": "Mahalanobis distance to the nearest class (Lee et al. 2018)",
    "energy": "Energy of the logits (Liu et al. 2020)",
    "vim": "Virtual-logit matching, ViM (Wang et al. 2022)",
}


def write_section(source: Source) -> Section | None:
    """Write the comparison of outlier methods on strangers, near and far."""
    found = source.evidence.get("outliers")
    if not found:
        return None
    methods, kinds = found["methods"], found["sets"]
    served = next(method for method in methods if method["served"])
    own = count_words(found["own"]["pictures"], found["own"]["groups"], source.task)
    parts = [
        f"{kind['name']} ({'near' if kind['near'] else 'far'}): {count(kind['pictures'], 'picture', 'pictures')}."
        for kind in kinds
    ]
    worst = min(kinds, key=lambda kind: served["refused"][kind["name"]]["value"])
    return Section(
        key="outliers",
        title="Pictures that it is not for",
        intro=(
            f"Every way of scoring gives up {write_percent(found['share'])} of the calibration pictures ({own}), each "
            "scored without its own patient or lesion. Strangers were halved by patient: one half chose the "
            "parameters and the way that serves, the other is measured here. Near ones resemble the bundle's own: "
            "another camera, another disease, another part of the body. A near one that is refused is not "
            "always a gain.\n\n" + " ".join(parts)
        ),
        verdict=(
            f"{name_method(served)} serves. Least refused of what it is measured on: {worst['name']}, "
            f"{write_measured(served['refused'][worst['name']], percent=True)}."
        ),
        doubtful=(served["refused"][worst["name"]]["value"] or 0) < LEAST_REFUSED,
        figures=(_draw_refused(served, kinds),),
        tables=(
            _list_methods(methods),
            _tabulate("refused", "Share refused", methods, kinds, percent=True),
            _tabulate("auc", "AUC of strangers against calibration pictures", methods, kinds, percent=False),
        ),
    )


def name_method(method: Mapping[str, Any]) -> str:
    """Return a way of scoring with its parameters in words."""
    parameters = ", ".join(f"{name} {value:g}" for name, value in method["parameters"].items())
    return f"{METHODS[method['method']]}{f', {parameters}' if parameters else ''}"


def _draw_refused(served: Mapping[str, Any], kinds: list[Any]) -> Figure:
    figures = [(kind["name"], served["refused"][kind["name"]]) for kind in kinds]
    percents = [
        (name, {side: None if value is None else 100 * value for side, value in figure.items()})
        for name, figure in figures
    ]
    return Figure(
        "What the way that serves refuses",
        "Share of each kind of strangers that is refused, in per cent, with its 95 % interval; the table holds it.",
        draw_forest([reach(name, figure) for name, figure in percents], x="Refused (%)", x_range=(0, 102)),
        Table("strangers-refused", "Share refused", ("set", "refused"), tuple(figures)),
        wide=True,
    )


def _tabulate(key: str, caption: str, methods: list[Any], kinds: list[Any], *, percent: bool) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (kind["name"], *(method[key][kind["name"]] for method in methods)) for kind in kinds
    ]
    heads = ("Strangers", *(f"{SHORT[method['method']]}{', serves' if method['served'] else ''}" for method in methods))
    return Table(f"outliers-{key}", caption, heads, tuple(rows), percent=percent)


def _list_methods(methods: list[Any]) -> Table:
    rows = tuple((SHORT[method["method"]], name_method(method)) for method in methods)
    return Table("outliers-ways", "Ways of scoring", ("Way", "What it is, with its parameters"), rows)
