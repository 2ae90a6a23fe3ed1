"""Evaluations in the process that asks for them, one after another."""

from __future__ import annotations

from concurrent.futures import Future

from naokit.base import Architecture, Evaluator, Result, Workers


class Here(Workers):
    """Evaluates at once: what is submitted has ended when `submit` returns."""

    in_this_process = True

    def submit(self, evaluator: Evaluator, architecture: Architecture, seed: int) -> Future[Result]:
        """The result; what ends the process, such as Ctrl-C, is raised here."""
        future: Future[Result] = Future()
        try:
            future.set_result(evaluator.evaluate(architecture, seed))
        except Exception as error:  # noqa: BLE001  # the future raises it
            future.set_exception(error)
        return future
