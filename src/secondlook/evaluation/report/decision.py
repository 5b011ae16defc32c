"""Is it worth acting on? The decision curve."""

from secondlook.evaluation.report.plots import Line, draw_lines
from secondlook.evaluation.report.section import Figure, Section, Source, Table
from secondlook.evaluation.report.words import list_curve, sheet_curves, write_percent


def write_section(source: Source) -> Section | None:
    """Write the net benefit over thresholds, against acting on everybody and on nobody."""
    decision = source.evidence.get("decision")
    if not decision:
        return None
    thresholds, risk = decision["thresholds"], source.task.risk["en"].lower()
    curve = list_curve(decision["model"], thresholds, name="acting on the model")
    if curve is None:
        return None
    useful = decision["useful"]
    spans = f"from {write_percent(min(useful))} to {write_percent(max(useful))}" if useful else ""
    verdict = (
        f"Whoever would act on a probability of {risk} {spans} gains by the model over acting on everybody or nobody, "
        "interval included."
        if useful
        else "At no threshold does the model surely gain over acting on everybody or on nobody."
    )
    everybody = [max(value, -0.1) for value in decision["all"]]
    top = max(value for value in decision["model"]["value"] if value is not None)
    lines = [
        curve,
        Line("acting on everybody", thresholds, everybody),
        Line("acting on nobody", [0, max(thresholds)], [0, 0], soft=True),
    ]
    sheet = sheet_curves("decision", "Net benefit", "threshold", {"model": decision["model"]}, thresholds)
    rows = (*sheet.rows, *(("all", x, y, None, None) for x, y in zip(thresholds, decision["all"], strict=True)))
    return Section(
        key="decision",
        title="Is it worth acting on?",
        intro=(
            "Net benefit counts what is found, less what is raised in false alarm, weighed by the threshold at which "
            "somebody would act: who acts from 5 % on holds one find to be worth 19 false alarms. The unit is finds "
            "per picture, at the share of disease among the pictures measured."
        ),
        verdict=verdict,
        doubtful=not useful,
        figures=(
            Figure(
                "Decision curve",
                f"Net benefit against the threshold probability. {verdict}",
                draw_lines(
                    lines,
                    x=f"Threshold on the probability of {risk}",
                    y="Net benefit (finds per picture)",
                    x_range=(0, max(thresholds)),
                    y_range=(-0.05, 1.15 * top + 0.01),
                ),
                Table(sheet.name, sheet.caption, sheet.heads, rows),
            ),
        ),
    )
