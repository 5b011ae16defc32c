"""`secondlook attack`: how small a change on purpose turns a network's answers wrong."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from secondlook.cli.files import check_folder
from secondlook.errors import RecipeError

if TYPE_CHECKING:
    from secondlook.inference.predictor import Predictor

Item = TypeVar("Item")


def attack(
    run: Annotated[Path, typer.Argument(help="A run folder, whose checkpoints hold the network.")],
    manifest: Annotated[Path, typer.Argument(help="A manifest (CSV), for example the run's split.csv.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", callback=check_folder, help="Folder for attack.json, the HTML page and its tables as CSV."
        ),
    ] = Path("attack"),
    bundle: Annotated[
        str | None,
        typer.Option(help="The bundle made from the run, which is shown the attacked pictures; default RUN/bundle."),
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option(help="fgsm, pgd or autoattack (repeat); default all three.")
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option(help="Largest change of a value, in levels of 0…255 (repeat, rising); default 0.5, 1, 2, 4."),
    ] = None,
    split: Annotated[str, typer.Option(help="Which split is attacked, where the manifest has splits.")] = "test",
    pictures: Annotated[int, typer.Option(min=0, help="How many, drawn evenly over the labels; 0 for all.")] = 48,
    full: Annotated[
        bool, typer.Option("--full", help="Attack as long as AutoAttack's authors do: better on a GPU.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draw, attacks and bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Number of bootstrap resamples.")] = 2000,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Attack the network of a run: change pictures as little as can be until it names another label.

    The page shows accuracy against strength for each method, what the bundle says of the same pictures, and a few of
    them: original, difference, attacked. It shows pictures of your data; treat it as you treat them.
    """
    try:
        from secondlook.training.attack.craft import FULL, METHODS, QUICK
        from secondlook.training.attack.page import write_attack
        from secondlook.training.attack.run import STRENGTHS, Plan, attack_run
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"Attacks need {error.name}, which a plain install leaves out: pip install 'secondlook[train,attack]'."
        ) from error
    from secondlook.data.manifest import read_manifest

    unknown = sorted(set(method or ()) - set(METHODS))
    if unknown or device not in ("cpu", "cuda"):
        raise typer.BadParameter(f"Expected --method {', '.join(METHODS)} and --device cpu or cuda.")
    data = read_manifest(manifest)
    plan = Plan(
        methods=tuple(name for name in METHODS if not method or name in method),
        strengths=tuple(strength or STRENGTHS),
        budget=FULL if full else QUICK,
        pictures=pictures or None,
        seed=seed,
        resamples=resamples,
        device=device,
    )
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:

        def track(items: Iterable[Item], description: str, total: int) -> Iterable[Item]:
            return progress.track(items, total=total, description=description)

        found, examples = attack_run(
            run,
            data.select(split) if "split" in data.frame else data,
            plan,
            predictor=find_predictor(run, bundle, console),
            track=track,
        )
    console.print(draw_accuracies(found))
    console.print(f"The page is {write_attack(output, found, examples, task=data.task)}.", soft_wrap=True)


def find_predictor(run: Path, bundle: str | None, console: Console) -> "Predictor | None":
    """Return the bundle that is shown the attacked pictures, or nothing where the run has none.

    Raises:
        BundleError: The bundle that was named is missing, or one does not pass its checks.
    """
    from secondlook.inference.predictor import load_predictor

    if bundle is not None:
        return load_predictor(bundle)
    if (run / "bundle" / "bundle.json").is_file():
        return load_predictor(run / "bundle")
    console.print(f"[yellow]{run.name} holds no bundle: transfer is not measured. Name one with --bundle.[/]")
    return None


def draw_accuracies(found: dict[str, Any]) -> Table:
    """Return the accuracy of the attacked network by method and strength, and that of the bundle below it."""
    from secondlook.evaluation.report.attack import METHODS
    from secondlook.evaluation.report.words import write_measured

    strengths = [f"{strength:g}" for strength in found["strengths"]]
    title = (
        f"Accuracy on {found['sample']['pictures']} pictures, drawn evenly over the labels, by strength of the attack"
    )
    table = Table("", "Clean", *strengths, title=title)
    for key, part in found["methods"].items():
        for name, words in (("accuracy", ""), ("served_accuracy", " shown to the bundle")):
            if name in part:
                figures = [found["clean"][name], *part[name]]
                table.add_row(METHODS[key] + words, *(write_measured(figure, percent=True) for figure in figures))
    return table
