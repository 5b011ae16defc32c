"""`secondlook bundle`: what a bundle is and has been measured to do, and whether it can be trusted."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from secondlook.inference.bundle import Bundle, Evidence

bundle_app = typer.Typer(help="Show, verify or export a bundle.", no_args_is_help=True)
MEASURE_ALL = "`secondlook evaluate BUNDLE MANIFEST.csv --finish` measures it, with these options."

Figure = Mapping[str, float | None]
NameOrFolder = Annotated[str, typer.Argument(metavar="BUNDLE", help="A shipped bundle's name, or a bundle folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


def open_named(name: str) -> "Bundle":
    """Open a bundle by name or folder, with all checks.

    Raises:
        BundleError: It is missing or a check fails.
    """
    from secondlook.inference.bundle import find_bundle, open_bundle

    return open_bundle(find_bundle(name))


@bundle_app.command()
def show(
    bundle: NameOrFolder = "skin",
    every: Annotated[bool, typer.Option("--all", help="Show every measured figure, not only the chief ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a bundle's facts, and its chief measured figures with their 95 % intervals."""
    opened = open_named(bundle)
    if as_json:
        write_json(describe_bundle(opened))
        return
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(tabulate_facts(opened))
    console.print(tabulate_points(opened))
    evidence = opened.evidence
    if evidence is None:  # a draft's; an opened bundle has it
        return
    if every:
        console.print(tabulate_measures(evidence, dict(find_measures(evidence.measures))))
    else:
        console.print(tabulate_measures(evidence, choose_chief(evidence, task=opened.facts.task)))
        console.print(tabulate_labels(evidence))
        console.print(Text(f"Every figure: secondlook bundle show {bundle} --all", "dim"), soft_wrap=True)
    if evidence.leak != "none":
        console.print(Text(f"Leak: {evidence.leak}", "bold red"))


@bundle_app.command()
def verify(
    bundles: Annotated[
        list[Path] | None, typer.Argument(metavar="BUNDLES", help="Names or folders; default all shipped.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Also refuse what the server refuses: evidence missing, leaking or old."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check sums, schemas, evidence, graph and the stored input → output pair; exit 1 if one does not hold."""
    from secondlook.errors import BundleError
    from secondlook.inference.bundle import find_bundle, list_bundles, open_bundle
    from secondlook.inference.strict import list_missing

    names = [str(path) for path in bundles or []] or list(list_bundles())
    if not names:
        raise BundleError("Expected a bundle to verify; this installation ships none. Give a bundle folder.")
    results: list[dict[str, Any]] = []
    for name in names:
        try:
            opened = open_bundle(find_bundle(name), strict=strict)
        except BundleError as error:
            results.append({"bundle": name, "sha256": None, "error": str(error), "unmeasured": []})
        else:
            missing = list_missing(opened.evidence) if strict and opened.evidence else ()
            results.append({"bundle": name, "sha256": opened.sha256, "error": None, "unmeasured": list(missing)})
    if as_json:
        write_json(results)
    else:
        console = Console()
        for result in results:
            verdict = ("holds", "green") if result["error"] is None else ("does not hold", "bold red")
            detail = result["sha256"] or result["error"]
            console.print(Text.assemble(f"{result['bundle']}: ", verdict, f" ({detail})"), soft_wrap=True)
            if result["unmeasured"]:
                unmeasured = f"  Not measured: {', '.join(result['unmeasured'])}. {MEASURE_ALL}"
                console.print(Text(unmeasured, "yellow"), soft_wrap=True)
    if any(result["error"] for result in results):
        raise typer.Exit(1)


@bundle_app.command()
def export(
    bundle: NameOrFolder,
    hub: Annotated[Path, typer.Option("--hub", metavar="FOLDER", help="A new folder, laid out as model hubs have it.")],
) -> None:
    """Lay a bundle out for model hubs, with metadata and config.json; refuse what the server refuses."""
    from secondlook.evaluation.hub import export_hub
    from secondlook.inference.bundle import find_bundle

    written = export_hub(find_bundle(bundle), hub)
    Console(stderr=True).print(
        Text(f"Wrote {written.facts.name} {written.facts.version} to {hub.name} ({written.sha256})."), soft_wrap=True
    )


def write_json(content: Any) -> None:
    """Write JSON to standard output."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def describe_bundle(bundle: "Bundle") -> dict[str, Any]:
    """Return facts, calibration, evidence and hash, ready for JSON."""
    return {
        "sha256": bundle.sha256,
        "facts": bundle.facts.model_dump(mode="json"),
        "calibration": bundle.calibration.model_dump(mode="json"),
        "evidence": bundle.evidence.model_dump(mode="json") if bundle.evidence else None,
    }


def tabulate_facts(bundle: "Bundle") -> Table:
    """Return what the bundle is."""
    facts = bundle.facts
    scales = ", ".join(f"{scale:.2f}" for scale in facts.graph.scales)
    views = f"{facts.graph.views} view(s) averaged" + (f", magnified {scales} times" if scales else "")
    rows = {
        "Bundle": f"{facts.name} {facts.version}",
        "Hash": bundle.sha256,
        "Task": f"{facts.task}: {', '.join(facts.labels)}",
        "Input": f"{facts.describe_input()}; {views}",
        "Created": facts.created.isoformat(),
        "Licence": facts.licence,
        "Recipe": f"{facts.training.recipe} ({facts.training.recipe_sha256[:12]})",
        "Trained on": f"{facts.training.data} ({facts.training.data_fingerprint[:12]})",
        "Started from": facts.training.weights,
        "Heatmap": facts.graph.map.replace("_", " "),
        "Leak": facts.training.leak,
    }
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(Text(name, "bold"), Text(value, overflow="fold"))
    return table


def tabulate_points(bundle: "Bundle") -> Table:
    """Return the operating points that its task's triage uses."""
    from secondlook.conditions import find_task

    calibration, task = bundle.calibration, find_task(bundle.facts.task)
    fitted = calibration.fitted_on
    table = Table(
        "Triage from", "Threshold", "Sensitivity", "at least (95 %)", "Specificity", "With it", "Without it",
        title=f"Thresholds on the probability of {task.risk['en'].lower()}, fitted on {fitted.pictures} {fitted.split} "
        f"pictures of {fitted.groups} patients or lesions",
        title_justify="left",
    )  # fmt: skip
    points = {"urgent": calibration.find_point("sensitivity_90"), "refer": calibration.find_point("sensitivity_95")}
    for triage, point in points.items():
        if triage == "urgent" and task.urgency != "urgent":
            continue
        shares = (point.threshold, point.sensitivity, point.sensitivity_lower, point.specificity)
        table.add_row(triage, *(f"{share:.1%}" for share in shares), str(point.positives), str(point.negatives))
    return table


def choose_chief(evidence: "Evidence", *, task: str) -> dict[str, Figure]:
    """Return the figures over all labels that the card gives, and the shares of each triage, by their names."""
    from secondlook.conditions import find_task
    from secondlook.evaluation.card.figures import OVERALL, RISK

    measures: Any = evidence.measures
    risk, of_risk = find_task(task).risk["en"], measures.get("risk", {})
    chief = {names["en"]: measures[key] for key, names in OVERALL.items() if key in measures}
    chief |= {f"{risk}: {names['en']}": of_risk[key] for key, names in RISK.items() if key in of_risk}
    for group, shares in measures.get("triage", {}).items():
        chief |= {f"{group.capitalize()} pictures, {triage.replace('_', ' ')}": shares[triage] for triage in shares}
    return chief


def tabulate_measures(evidence: "Evidence", figures: Mapping[str, Figure]) -> Table:
    """Return figures with their intervals."""
    table = Table("Measure", "Value", "95 % interval", title="Measured figures", title_justify="left")
    table.caption = (
        f"{evidence.manifest.get('pictures')} pictures of {evidence.manifest.get('groups')} patients or lesions, "
        f"split {evidence.manifest.get('split')}, secondlook {evidence.secondlook_version}"
    )
    for name, figure in figures.items():
        table.add_row(Text(name), format_figure(figure["value"]), format_ends(figure))
    return table


def tabulate_labels(evidence: "Evidence") -> Table:
    """Return how well each label is told from all others, with intervals."""
    from secondlook.evaluation.card.figures import PER_LABEL

    measures: Any = evidence.measures
    columns = {key: PER_LABEL[key]["en"] for key in ("auc", "sensitivity", "specificity") if key in measures}
    table = Table("Label", *columns.values(), title="Each label", title_justify="left")
    for label in measures.get("auc", {}):
        figures = [measures[key][label] for key in columns]
        table.add_row(Text(label), *(f"{format_figure(figure['value'])} ({format_ends(figure)})" for figure in figures))
    return table


def find_measures(content: Any, name: str = "") -> list[tuple[str, Figure]]:
    """Return name and figure of each ``{value, lower, upper}``, however deep."""
    if not isinstance(content, dict):
        return []
    if {"value", "lower", "upper"} <= set(content):
        return [(name, content)]
    return [found for key, part in content.items() for found in find_measures(part, f"{name} {key}".strip())]


def format_figure(value: float | None) -> str:
    """Return a figure with three decimals, or a dash for one that cannot be computed."""
    return "–" if value is None else f"{value:.3f}"


def format_ends(figure: Figure) -> str:
    """Return a figure's interval."""
    return " to ".join(format_figure(figure[end]) for end in ("lower", "upper"))
