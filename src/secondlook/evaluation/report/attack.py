"""How small a change made on purpose turns answers wrong, and whether it fools the graph that serves."""

from collections.abc import Iterator, Mapping
from typing import Any

from secondlook.evaluation.report.plots import Line, draw_lines
from secondlook.evaluation.report.section import Cell, Figure, Section, Source, Table
from secondlook.evaluation.report.words import count_words

METHODS = {"fgsm": "FGSM", "pgd": "PGD", "autoattack": "AutoAttack"}
ACCURACIES = {"accuracy": "the network attacked", "served_accuracy": "the bundle, shown the same pictures"}
TRANSFERS = {
    "served_accuracy": "Accuracy of the bundle",
    "flips": "Alarming and referred → routine",
    "not_evaluable": "Refused as not evaluable",
}


def write_section(source: Source) -> Section | None:
    """Write accuracy against strength, for the network that was attacked and for the bundle."""
    attack = source.evidence.get("attack")
    if not attack:
        return None
    counted = count_words(attack["sample"]["pictures"], attack["sample"]["groups"], source.task)
    served = attack["bundle"] is not None
    figures = [_draw_accuracy("accuracy", attack), *([_draw_accuracy("served_accuracy", attack)] if served else [])]
    return Section(
        key="attack",
        title="How small a change on purpose turns answers wrong?",
        intro=(
            f"Somebody who has the weights changes every value of every pixel by at most the strength, in levels of "
            f"0…255, until the network of the run names another label. {counted} were drawn evenly over the labels; "
            "those that the network names wrongly anyway are left as they are and count as wrong.\n\n"
            f"{' '.join(_list_methods(attack))} ({attack['library']}.) A longer attack may find more: true robustness "
            "is at most what is shown. "
            + (
                "What was crafted against the network was rounded to whole levels, as a file holds it, and shown to "
                "the bundle, which averages several views and judges quality and strangeness."
                if served
                else ""
            )
        ),
        verdict=_write_verdict(attack),
        doubtful=True,
        figures=tuple(figures),
        tables=(_table_accuracy(attack), *([_table_transfer(attack)] if served else [])),
    )


def _list_methods(attack: Mapping[str, Any]) -> Iterator[str]:
    budget = attack["budget"]
    starts = "once" if budget["restarts"] == 1 else f"{budget['restarts']} times"
    told = {
        "fgsm": "FGSM takes one step along the gradient.",
        "pgd": f"PGD takes {budget['steps']} from a random start.",
        "autoattack": f"AutoAttack keeps the best of gradient attacks of {budget['iterations']} steps, started "
        f"{starts}, and one without gradients that may ask {budget['queries']} times.",
    }
    return (told[method] for method in attack["methods"])


def _write_verdict(attack: Mapping[str, Any]) -> str:
    strongest = {name: part["accuracy"][-1]["value"] for name, part in attack["methods"].items()}
    worst = min(strongest, key=lambda name: strongest[name])
    return (
        f"Clean, the network is right in {100 * attack['clean']['accuracy']['value']:.0f} % of these pictures; after "
        f"{METHODS[worst]} of strength {attack['strengths'][-1]:g} in {100 * strongest[worst]:.0f} %. Nobody who can "
        "change pictures on their way to the model may have its weights."
    )


def _draw_accuracy(name: str, attack: Mapping[str, Any]) -> Figure:
    strengths = [0.0, *attack["strengths"]]
    clean = attack["clean"][name]
    lines, rows = [], []
    for key, part in attack["methods"].items():
        figures = [clean, *part[name]]
        sides: dict[str, Any] = {side: [figure[side] for figure in figures] for side in ("value", "lower", "upper")}
        bounded = None not in sides["lower"]
        band = {"lower": sides["lower"], "upper": sides["upper"]} if bounded else {}
        lines.append(Line(METHODS[key], strengths, sides["value"], dots=True, **band))
        rows += [(key, strength, figure) for strength, figure in zip(strengths, figures, strict=True)]
    return Figure(
        f"Accuracy against strength: {ACCURACIES[name]}",
        f"Accuracy on the vertical axis against the strength of the attack, from {clean['value']} without one, one "
        "line for each method, with bands of 95 %.",
        draw_lines(lines, x="Strength (levels of 0…255)", y="Accuracy", y_range=(0, 1)),
        Table(f"attack-{name.replace('_', '-')}", ACCURACIES[name], ("method", "strength", name), tuple(rows)),
    )


def _table_accuracy(attack: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [("None", *[attack["clean"]["accuracy"]] * len(attack["strengths"]))]
    rows += [(METHODS[key], *part["accuracy"]) for key, part in attack["methods"].items()]
    return Table(
        "attack-accuracies",
        "Accuracy of the attacked network, by method and strength",
        ("Attack", *(f"{strength:g}" for strength in attack["strengths"])),
        tuple(rows),
        percent=True,
    )


def _table_transfer(attack: Mapping[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [("None", *(attack["clean"][name] for name in TRANSFERS))]
    for key, part in attack["methods"].items():
        for number, strength in enumerate(attack["strengths"]):
            rows.append((f"{METHODS[key]}, strength {strength:g}", *(part[name][number] for name in TRANSFERS)))
    return Table(
        "attack-transfer",
        f"The same pictures, rounded to levels, shown to the bundle {attack['bundle']}",
        ("Attack", *TRANSFERS.values()),
        tuple(rows),
        percent=True,
    )
