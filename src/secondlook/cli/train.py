"""`secondlook train`: from a recipe to a bundle with its evidence."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from secondlook.errors import RecipeError

if TYPE_CHECKING:
    from secondlook.training.crossval import Measured
    from secondlook.training.loop import Progress as Position
    from secondlook.training.loop import Watcher
    from secondlook.training.recipe import Recipe

Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the recipe: --set stages.0.epochs=2 (repeat)."),
]


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of a shipped one, for example skin.")],
    changes: Changes = None,
    run: Annotated[Path | None, typer.Option(help="The run folder; default runs/NAME.")] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, metavar="K", help="Cross-validate: K networks, each trained without one fold, then one ensemble."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Try the recipe in under two minutes: few pictures, one epoch, no weights.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show the whole recipe and stop.")] = False,
) -> None:
    """Train a model by a recipe, calibrate it, measure it once on the test split, and write its bundle.

    Stop it at any moment, with Ctrl-C or by pulling the plug; the same command continues, and ends with the weights
    of an unbroken run. The run folder then holds recipe.yaml, split.csv, history.csv, plots/, checkpoints/ and bundle/.

    With --folds 5 the split train is dealt to five folds, patients and lesions whole. The run folder then holds an
    ordinary run for each fold (fold-1, fold-2 …), out-of-fold answers and figures, curves of all folds, and one bundle
    that averages the five networks. The split test is opened once, for that bundle.

    Data folders in recipes start from SECONDLOOK_DATA (default ../shared/data). For your own manifest,
    without pictures of something else to set the outlier limit by:

        secondlook train skin-base --set data.manifest=mine.csv --set data.source=null --set data.folder=null
            --set export.foreign=null
    """
    from secondlook.training.reading import read_recipe

    wanted = [*(changes or ()), *([f"split.folds={folds}"] if folds is not None else [])]
    chosen = read_recipe(recipe, changes=wanted)  # a slip in it is told before PyTorch is imported
    try:
        from secondlook.training.crossval import train_folds
        from secondlook.training.quick import make_quick
        from secondlook.training.run import train_run
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"Training needs {error.name}, which a plain install leaves out: pip install 'secondlook[train]'."
        ) from error
    if quick:
        chosen = make_quick(chosen)
    if preview:
        sys.stdout.write(chosen.dump())
        return
    folder = run or Path("runs") / chosen.name
    console = Console(stderr=True)
    measured: list[Measured] = []
    # A polite kill is treated like Ctrl-C, also where a script's background job ignores Ctrl-C itself.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open_progress(console) as progress:
            if chosen.split.folds is None or chosen.split.fold is not None:
                bundle = train_run(chosen, folder, watcher=show_progress(progress, chosen, console))
            else:
                bundle, measured = train_folds(
                    chosen, folder, watch=lambda part: show_progress(progress, part, console)
                )
    except KeyboardInterrupt:
        console.print(f"Stopped; everything is saved in {folder}. Run the same command again to continue.")
        raise typer.Exit(1) from None
    if measured:
        console.print(draw_folds(measured))
        console.print(
            f"The curves are in {folder / 'plots'}, every out-of-fold answer in {folder / 'out-of-fold.csv'}."
        )
    console.print(
        f"Done. The bundle is in {bundle}; look at it with: secondlook bundle show {bundle}\n"
        "Before the application serves it, measure what is still missing of its evidence: secondlook evaluate "
        f"{bundle} {folder / 'split.csv'} --finish",
        soft_wrap=True,
    )
    sys.stdout.write(f"{bundle}\n")


def draw_folds(measured: "list[Measured]") -> Table:
    """Return what was measured of every fold, out of fold and of the ensemble as a table."""
    from secondlook.evaluation.summary import FIGURES, stack_interval

    names = [name for name in FIGURES if name in measured[0].figures]
    title = "Pictures of patients or lesions, figures with 95 % intervals"
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", overflow="fold")
    for name in names:
        table.add_column(FIGURES[name].replace(" ", "\n", 1), justify="right", overflow="fold")
    for part in measured:
        place = "" if part.name == part.split else f" on {part.split}"
        figures = (stack_interval(part.figures[name]) for name in names)
        table.add_row(f"{part.name}{place}\n{part.pictures} of {part.groups}", *figures)
    return table


def open_progress(console: Console) -> Progress:
    """Return the progress display: on a terminal a bar, elsewhere nothing but the lines printed per epoch."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def show_progress(progress: Progress, recipe: "Recipe", console: Console, *, epochs: bool = True) -> "Watcher":
    """Return a watcher that moves a bar, hides those before it, and prints one line per epoch unless told not to."""
    from secondlook.training.loop import Watcher

    for earlier in progress.task_ids:
        progress.update(earlier, visible=False)
    bar = progress.add_task(f"{recipe.name}", total=None, facts="")
    printed = 0

    def move(position: "Position") -> None:
        facts = f"loss {position.loss:.3f} · rate {position.rate:.2g} · {position.pictures_per_s:.0f} images/s"
        label = f"{recipe.name} · epoch {position.epoch}/{position.epochs}"
        progress.update(bar, description=label, completed=position.step, total=position.steps, facts=facts)

    def print_epochs(history: list[dict[str, float]]) -> None:
        nonlocal printed
        for row in history[printed:]:
            kappa = row.get("calibration_quadratic_kappa")
            graded = "" if kappa is None else f", quadratic kappa {kappa:.3f}"
            console.print(
                f"epoch {row['epoch']:.0f} · {row['size_px']:.0f} px · loss {row['loss']:.3f} · calibration: "
                f"AUC {row['calibration_auc']:.3f}, balanced accuracy {row['calibration_balanced_accuracy']:.3f}"
                f"{graded}",
                highlight=False,
            )
        printed = len(history)

    return Watcher(
        note=lambda sentence: progress.update(bar, description=f"{recipe.name} · {sentence}"),
        decoded=lambda done, total: progress.update(bar, completed=done, total=total, facts="pictures decoded"),
        step=move,
        epoch=print_epochs if epochs else lambda _history: None,
        warn=lambda sentence: console.print(f"[yellow]{sentence}[/]", highlight=False),
    )
