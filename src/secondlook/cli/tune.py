"""`secondlook tune`: search for better values of a recipe on the calibration split."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from secondlook.cli.train import Changes, open_progress, show_progress
from secondlook.errors import RecipeError

if TYPE_CHECKING:
    from secondlook.training.tune import Tried, Tuned

SHOWN = 10


def tune(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped one, for example skin.")],
    trials: Annotated[int, typer.Option(min=1, help="Number of trials in all; run again with more to go on.")] = 20,
    space: Annotated[
        Path | None, typer.Option(metavar="YAML", help="What to change; without it, rate, decay and regularisation.")
    ] = None,
    measure: Annotated[
        str | None,
        typer.Option(help="What to make better on the calibration split; default: the recipe's own `measure`."),
    ] = None,
    changes: Changes = None,
    run: Annotated[Path | None, typer.Option(help="The folder of the search; default runs/NAME-tune.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the search; the recipe's own seed is another.")] = 0,
    preview: Annotated[bool, typer.Option("--preview", help="Show the search space as YAML and stop.")] = False,
) -> None:
    """Try other values of a recipe, learn from each trial what to try next, and write the best recipe.

    A search space names keys of the recipe, each with a range or with choices:

    \b
        optimiser.rate: {low: 0.0003, high: 0.01, log: true}
        optimiser.batch_size: [32, 64]
        model.dropout: {low: 0, high: 0.5, step: 0.1}
        stages.0.epochs: {low: 2, high: 6}

    Every trial is a run folder without a bundle. It is judged on the calibration split alone; the test split is not
    opened. A trial that is worse than half of the others after as many epochs is given up. Stop at any moment; the
    same command continues, and the result is that of an unbroken search. At the end:

        secondlook train runs/NAME-tune/best.yaml
    """  # noqa: D301  \b keeps the lines of the example apart
    from secondlook.training.reading import read_recipe

    chosen = read_recipe(recipe, changes=changes or ())  # a slip in it is told before PyTorch is imported
    try:
        from secondlook.training.space import dump_space, propose_space, read_space
        from secondlook.training.tune import tune_recipe
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"A search needs {error.name}, which a plain install leaves out: pip install 'secondlook[train]'."
        ) from error
    searched = propose_space(chosen) if space is None else read_space(space)
    if preview:
        sys.stdout.write(dump_space(searched))
        return
    folder = run or Path("runs") / f"{chosen.name}-tune"
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open_progress(console) as progress:
            found = tune_recipe(
                chosen,
                folder,
                space=searched,
                trials=trials,
                measure=check_measure(measure or chosen.measure),
                seed=seed,
                watch=lambda part: show_progress(progress, part, console, epochs=False),
                tell=lambda tried: console.print(describe_trial(tried), highlight=False),
            )
    except KeyboardInterrupt:
        console.print(f"Stopped; everything is saved in {folder}. Run the same command again to continue.")
        raise typer.Exit(1) from None
    console.print(draw_trials(found))
    console.print(f"Done. Train the best with: secondlook train {found.file}")
    sys.stdout.write(f"{found.file}\n")


def check_measure(name: str) -> Any:
    """Return the name of a measure that the history holds.

    Raises:
        RecipeError: There is none of that name.
    """
    from typing import get_args

    from secondlook.training.sections import Measure

    names = get_args(Measure)
    if name not in names:
        raise RecipeError(f"Expected a measure of the calibration split, one of {', '.join(names)}; got {name!r}.")
    return name


def describe_trial(tried: "Tried") -> str:
    """Return one trial in a line."""
    epochs = f"{tried.epochs} epoch{'' if tried.epochs == 1 else 's'}"
    return f"trial {tried.number} · {tried.state} · {tried.value:.4f} after {epochs} · {write_changes(tried)}"


def write_changes(tried: "Tried") -> str:
    """Return what a trial tried, as `--set` would take it."""
    return ", ".join(f"{key}={value}" for key, value in tried.changes.items())


def draw_trials(found: "Tuned") -> Table:
    """Return the best trials as a table."""
    sense = 1 if found.lower_is_better else -1
    ended = sorted(found.tried, key=lambda one: (one.state != "complete", sense * one.value))
    table = Table(title=f"{len(found.tried)} trials, the best one first", box=SIMPLE, pad_edge=False)
    for heading in ("Trial", "State", "Measure", "Epochs", "Tried"):
        table.add_column(heading, justify="right" if heading in {"Trial", "Measure", "Epochs"} else "left")
    for one in ended[:SHOWN]:
        table.add_row(str(one.number), one.state, f"{one.value:.4f}", str(one.epochs), write_changes(one))
    return table
