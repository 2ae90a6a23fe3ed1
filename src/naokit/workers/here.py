"""Evaluations in the process that asks for them, one after another."""

from __future__ import annotations

from concurrent.futures import Future

from naokit.doors import Evaluator, Reporter, Result, Workers
from naokit.space import Architecture


class Here(Workers):
    """Evaluates at once: what is submitted has ended when `submit` returns."""

    in_this_process = True

    def submit(
        self,
        evaluator: Evaluator,
        architecture: Architecture,
        seed: int,
        told: Reporter | None = None,
    ) -> Future[Result]:
        """The result; what ends the process, such as Ctrl-C, is raised here."""
        future: Future[Result] = Future()
        try:
            future.set_result(evaluated(evaluator, architecture, seed, told))
        except Exception as error:  # noqa: BLE001  # the future raises it
            future.set_exception(error)
        return future


def evaluated(
    evaluator: Evaluator, architecture: Architecture, seed: int, told: Reporter | None
) -> Result:
    """The result of an evaluation, in epochs where someone is told of them."""
    if told is None:
        return evaluator.evaluate(architecture, seed)
    return evaluator.evaluate_in_epochs(architecture, seed, told)
