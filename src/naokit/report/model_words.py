"""Whether a method's model can be trusted, and where its proposals came from, in words."""

from __future__ import annotations

from collections.abc import Mapping

from naokit.report.overview import Overview
from naokit.wording import counted


def model_lines(found: Overview) -> list[str]:
    """Where the proposals came from, and what is known of the model that made them."""
    origins = ", ".join(f"{count} {origin}" for origin, count in found.origins.items())
    return [f"Proposals: {origins or 'none yet'}.", *quality_lines(found.model, found.evaluations)]


def quality_lines(model: Mapping[str, float], evaluations: int) -> list[str]:
    """What a method last said of its model; nothing where it has none."""
    lines = []
    if model:
        lines.append(
            f"Model at {model['results']:.0f} results, each foretold by the others: rank "
            f"correlation {model['rank_correlation']:.2f} (1: perfect, 0: none); "
            f"{100 * model['within_90']:.0f} % lay where it was 90 % sure."
        )
    lines += _descriptors(model, evaluations)
    lines += _standing_still(model)
    if "decoded" in model:
        lines.append(
            f"Decoded {model['decoded']:.0f} latent steps, all valid by construction; "
            f"{model['decoded_new']:.0f} were new architectures near the best."
        )
    return lines


def _descriptors(model: Mapping[str, float], evaluations: int) -> list[str]:
    """What was measured on untrained networks, and what it was worth; nothing where none was."""
    if not model.get("described"):
        return []
    cost = model["described_cost"]
    return [
        f"Described before training: {counted(int(model['described']), 'network')}, for as much as "
        f"{cost:.1f} evaluations ({100 * cost / (evaluations + cost):.0f} % of all). With these "
        f"descriptors the rank correlation was {model['described_with']:.2f}, without "
        f"{model['described_without']:.2f}."
    ]


def _standing_still(model: Mapping[str, float]) -> list[str]:
    """That the search explores, and why; nothing while it does not."""
    if not model.get("exploring"):
        return []
    return [
        f"The last {model['standstill']:.0f} proposals brought nothing better, so "
        f"{100 * model['exploring']:.0f} % of the next are not what the model likes most: they "
        "are neighbours of the best, and climbs from random starts."
    ]
