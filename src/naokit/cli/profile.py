"""`naokit profile`: what a network costs."""

from __future__ import annotations

from typing import Annotated

import typer

from naokit.cli.output import exit_codes, print_json


def profile(
    what: Annotated[str, typer.Argument(help="A genotype, or a run's or network's folder.")],
    space: Annotated[str, typer.Option(help="Of a genotype.")] = "conv-small",
    nodes: Annotated[int | None, typer.Option(min=1, help="Nodes a cell of a genotype.")] = None,
    channels: Annotated[int, typer.Option(help="The paper's F.")] = 16,
    cells: Annotated[int, typer.Option(help="The paper's N.")] = 2,
    classes: Annotated[int, typer.Option(help="Size of the output.")] = 10,
    image: Annotated[
        tuple[int, int, int], typer.Option(help="Channels, height and width of an image.")
    ] = (3, 32, 32),
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Count parameters and multiply-accumulates; measure latency and memory on this CPU."""
    with exit_codes():
        from naokit import runs
        from naokit.building import build
        from naokit.cli.target import architecture_of
        from naokit.profiling import measure

        architecture = architecture_of(what, space, nodes).architecture
        network = build(
            architecture,
            classes=classes,
            channels=channels,
            cells=cells,
            image=image,
            auxiliary=True,
        )
        found = runs.as_json(measure(network, image))
        if json:
            print_json({"architecture": str(architecture), **found})
            return
        typer.echo(f"parameters        {found['parameters']:,}")
        typer.echo(f"auxiliary head    {found['auxiliary_parameters']:,}")
        typer.echo(f"multiply-adds     {found['macs'] / 1e6:,.1f} M")
        typer.echo(
            f"latency, batch 1  {found['latency_ms']:.1f} ms "
            f"(+- {found['latency_spread_ms']:.1f}, {found['threads']} threads)"
        )
        typer.echo(f"weights           {found['weights_mb']:.1f} MB")
        typer.echo(f"peak memory       {found['peak_memory_mb']:.1f} MB of intermediate results")
