"""What `naokit evaluate` says of a language model."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from naokit.base import InputError
from naokit.cli.asked import Measuring
from naokit.cli.output import print_json, progress, say

if TYPE_CHECKING:
    from naokit.text.bundle import LanguageBundle
    from naokit.text.data import TextData
    from naokit.text.measuring import TextMeasured


def evaluate_text(asked: Measuring) -> None:
    """Measures on a text and prints.

    Raises:
        InputError: An option is about pictures, or the network is a file of one step.
    """
    from naokit.cli.subject import check_options, say_what_was_read
    from naokit.export import network_folder
    from naokit.export.bundle import read
    from naokit.text.bundle import LanguageBundle
    from naokit.text.measuring import text_part

    if asked.pictures.skip_bad:
        raise InputError("--skip-bad leaves out pictures; this is a language model")
    check_options("text", dataclasses.asdict(asked.pictures))
    if asked.network.is_file():
        raise InputError(
            f"{asked.network} is one step of a language model; its folder is measured: give "
            f"{asked.network.parent}"
        )
    folder = network_folder(asked.network)
    bundle = read(LanguageBundle, folder)
    text = _text(bundle, folder, asked.data)
    say_what_was_read(text)
    part = text_part(text, asked.split)
    found = _measured_under_bar(bundle, text, part, asked.batch)
    if asked.json:
        about = {"network": str(folder), "data": text.name, "split": part}
        print_json({**about, **dataclasses.asdict(found)})
        return
    say(f"{folder} on {text.name}, {part} part, {found.tokens:,} tokens", "", *_lines(found))


def _measured_under_bar(
    bundle: LanguageBundle, text: TextData, part: str, batch: int | None
) -> TextMeasured:
    from naokit.text.measuring import measure_text

    with progress() as bar:
        task = bar.add_task(f"{'tokens':12}", total=len(getattr(text, part)) - 1, note="")
        return measure_text(
            bundle.network,
            text,
            part,
            batch=batch,
            on_step=lambda read: bar.update(task, completed=read),
        )


def _text(bundle: LanguageBundle, folder: Path, data: str | None) -> TextData:
    """The text in the tokens of the network."""
    from naokit.cli.subject import check_embedded
    from naokit.text.data import load_text

    source = data or bundle.results.data.get("data")
    if source is None:
        raise InputError(f"{folder} does not say what it learnt from; give --data")
    check_embedded("text", data)
    try:
        return load_text(source, bundle.vocabulary.kind, vocabulary=bundle.vocabulary)
    except InputError as error:
        if data is not None:
            raise
        raise InputError(f"the network learnt from {source}: {error}; or give --data") from error


def _lines(found: TextMeasured) -> list[str]:
    """What a person reads."""
    share = 100 * found.unknown / found.tokens
    return [
        f"perplexity   {found.perplexity:8.2f}",
        f"             {found.bits_per_token:8.3f} bits a token",
        f"unknown      {found.unknown:8,} tokens ({share:.2f} %) are not in the vocabulary",
    ]
