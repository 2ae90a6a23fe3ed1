"""`naokit train`: a network trained to the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from naokit.cli.output import exit_codes, print_json, progress

if TYPE_CHECKING:
    from naokit.base import Architecture
    from naokit.evaluators.train import Train
    from naokit.export import Bundle
    from naokit.training.loop import Epoch
    from naokit.training.recipes import Recipe


def train(
    what: Annotated[str, typer.Argument(help="A run's folder (its best), or a genotype.")],
    space: Annotated[str, typer.Option(help="Of a genotype.")] = "conv-small",
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes a cell of a genotype.")] = None,
    data: Annotated[str | None, typer.Option(help="Images; default: the run's, or digits.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="How; default: the run's final recipe.")
    ] = None,
    channels: Annotated[int | None, typer.Option(help="The paper's F.")] = None,
    cells: Annotated[int | None, typer.Option(help="The paper's N.")] = None,
    seed: Annotated[int, typer.Option(help="Of weights, batches and augmentation.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of training/ and network/ [the run, or runs/train].")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0, help="Stop after so many hours, keep the best.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, 32-true, bf16-mixed, 16-mixed.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Train an architecture to the end and save the network of the best epoch.

    The same command again continues an interrupted training.
    """
    with exit_codes():
        from naokit import runs
        from naokit.cli.target import architecture_of
        from naokit.evaluators import Train
        from naokit.export.bundle import save
        from naokit.networks import count_parameters
        from naokit.training.device import device_named, precision_named
        from naokit.training.recipes import recipe as recipe_of

        target = architecture_of(what, space, nodes)
        preset: dict[str, Any] = target.settings.get("preset") or runs.as_json(runs.preset("quick"))
        folder = out or target.folder or Path("runs") / "train"
        evaluator = Train(data or target.settings.get("data", "digits"))
        bundle = train_under_bar(
            target.architecture,
            evaluator,
            recipe_of(recipe or preset["final_recipe"]),
            channels=channels or preset["final_channels"],
            cells=cells or preset["final_cells"],
            folder=folder / "training",
            seed=seed,
            device=device_named(device),
            precision=precision_named(precision),
            seconds=None if hours is None else 3600 * hours,
        )
        save(bundle, folder / "network")
        report = {
            "architecture": str(bundle.architecture),
            "folder": str(folder / "network"),
            "parameters": count_parameters(bundle.network),
            **bundle.results,
        }
        if json:
            print_json(report)
            return
        test = report["test_accuracy"]
        typer.echo(
            f"validation {report['validation_accuracy']:.2f} % in epoch {report['best_epoch']} "
            f"of {report['epochs']}" + ("" if test is None else f", test {test:.2f} %")
        )
        typer.echo(f"saved in {report['folder']}; next: naokit export {report['folder']}")


def train_under_bar(
    architecture: Architecture, evaluator: Train, recipe: Recipe, **settings: Any
) -> Bundle:
    """`runs.train_final` under a progress bar; the settings are its."""
    from naokit import runs

    with progress() as bar:
        task = bar.add_task(f"{'training':12}", total=recipe.epochs, note="")

        def told(epoch: Epoch) -> None:
            note = f"loss {epoch.loss:.3f}, validation {epoch.validation_accuracy:.2f} %"
            bar.update(task, completed=epoch.number, note=note)

        return runs.train_final(architecture, evaluator, recipe, on_epoch=told, **settings)
