"""`naokit generate`: a text that a trained language model writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from naokit.cli.options import AsJson
from naokit.cli.output import exit_codes, print_json
from naokit.wording import without_commands


def generate(
    network: Annotated[
        Path, typer.Argument(help="A run's folder, or that of a saved language model.")
    ],
    prompt: Annotated[str, typer.Option(help="How the text begins; default: a new line.")] = "",
    tokens: Annotated[
        int, typer.Option(min=1, help="How many tokens are written after the prompt.")
    ] = 50,
    temperature: Annotated[
        float, typer.Option(help="Below 1 likelier tokens, above 1 bolder ones; 0: the likeliest.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the random choices.")] = 0,
    json: AsJson = False,
) -> None:
    """Write a text, token by token: the network carries its state along.

    The prompt is repeated as it is; words that the network does not know are read as <unk>, which
    it never writes.
    """
    with exit_codes():
        from naokit.export import network_folder
        from naokit.export.bundle import read
        from naokit.kinds import check_reads
        from naokit.text.bundle import LanguageBundle
        from naokit.text.generating import generate as written

        folder = network_folder(network)
        check_reads(folder, "text")
        bundle = read(LanguageBundle, folder)
        found = written(
            bundle.network, bundle.vocabulary, prompt, tokens, temperature=temperature, seed=seed
        )
        if json:
            print_json(
                {
                    "network": str(folder),
                    "prompt": prompt,
                    "tokens": tokens,
                    "temperature": temperature,
                    "seed": seed,
                    "text": found.text,
                    "unknown": found.unknown,
                }
            )
            return
        if found.unknown:
            typer.echo(
                f"not in the vocabulary, read as <unk>: {found.unknown} of the prompt's tokens",
                err=True,
            )
        typer.echo(without_commands(found.text))
