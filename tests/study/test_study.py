"""A study asks, evaluates, tells, resumes; and says what is wrong."""

import math
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from tests.study.shared_studies import SPACE, architectures, score, study_of

from naokit.base import EvaluationFailed, InputError
from naokit.doors import Evaluator, Result
from naokit.method import METHODS
from naokit.method.fit import FitSettings
from naokit.method.model import ModelSettings
from naokit.method.nao_2018 import Nao2018, NaoSettings
from naokit.report.contents import findings
from naokit.space import Architecture, Space
from naokit.spaces import Choice, Choices, ConvCells
from naokit.study import create_study


def test_a_function_is_an_evaluator_and_the_best_is_found() -> None:
    study = create_study(SPACE, method="random")
    study.optimize(score, 12)
    assert study.evaluations == 12
    assert study.best_value == max(score(trial.architecture) for trial in study.trials)
    assert score(study.best_architecture) == study.best_value
    assert [trial.number for trial in study.best_trials] == [study.best.number]


def test_how_long_a_proposal_took_is_kept_and_read_again(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    study.optimize(score, 3)
    study.repeat(score, best=1, times=2)
    study.add(SPACE.parse("0 1 1 4 0 3 1 0"), 0.5)
    *proposed, repeated, told = study.trials
    assert all(trial.proposing > 0 for trial in proposed)
    assert (repeated.proposing, told.proposing) == (0, 0)
    assert study_of(tmp_path).trials == study.trials


def test_minimizing_finds_the_smallest() -> None:
    study = create_study(SPACE, method="evolution", direction="minimize")
    study.optimize(score, 30)
    assert study.best_value == min(trial.value for trial in study.trials)
    better = create_study(SPACE, method="evolution", direction="maximize")
    better.optimize(score, 30)
    assert better.best_value > study.best_value


@pytest.mark.parametrize("method", ["random", "evolution", "nao-2018", "tpe", "gp", "nsga2"])
def test_a_resumed_search_is_an_uninterrupted_one(
    tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cast(dict, METHODS), "nao-2018", _small_nao)
    whole = study_of(tmp_path, "whole", method=method)
    whole.optimize(score, 15)
    with pytest.raises(KeyboardInterrupt):
        study_of(tmp_path, "parts", method=method).optimize(_interrupted_after(7), 15)
    for evaluations in (11, 15):
        study_of(tmp_path, "parts", method=method).optimize(score, evaluations)
    assert architectures(study_of(tmp_path, "parts", method=method)) == architectures(whole)


def _small_nao(space: Space, seed: int, evaluations: int) -> Nao2018:
    """The published method with a model that fits in a moment."""
    settings = NaoSettings(model=ModelSettings(8, 8), fit=FitSettings(epochs=3))
    return Nao2018(space, seed, evaluations, settings)


def _interrupted_after(limit: int):
    """Scores, until somebody presses Ctrl-C during an evaluation."""
    done: list[Architecture] = []

    def evaluate(architecture: Architecture) -> float:
        done.append(architecture)
        if len(done) > limit:
            raise KeyboardInterrupt
        return score(architecture)

    return evaluate


def test_ask_and_tell_for_those_who_own_their_loop(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    first, second = study.ask(), study.ask()
    assert first.architecture.key != second.architecture.key
    study.tell(second.number, 0.5)
    study.tell(first.number, Result(0.7, {"parameters": 3.0}, seconds=2.0))
    assert study.best_architecture == first.architecture
    assert study.best_trials[0].metrics == {"parameters": 3.0}


def test_failures_are_trials_with_a_reason_and_the_search_goes_on() -> None:
    calls = []

    def fails(architecture: Architecture) -> float:
        calls.append(architecture)
        if len(calls) == 1:
            raise EvaluationFailed("diverged")
        if len(calls) == 2:
            raise MemoryError
        return math.nan if len(calls) == 3 else 1.0

    study = create_study(SPACE, method="random")
    study.optimize(fails, 5)
    reasons = [trial.reason for trial in study.trials]
    assert reasons == ["diverged", "MemoryError", "value is nan", "", ""]
    assert study.evaluations == 5


def test_any_error_of_the_users_function_is_a_failed_trial_with_its_words() -> None:
    answers = iter([1.0, RuntimeError("boom\nat line 3"), None, "three", ZeroDivisionError(), 2.0])

    def fails(architecture: Architecture) -> float:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return cast(float, answer)

    study = create_study(SPACE, method="random")
    study.optimize(fails, 6)
    reasons = [trial.reason for trial in study.trials]
    assert reasons[:2] == ["", "RuntimeError: boom"]
    assert reasons[2].startswith("TypeError: ")
    assert reasons[3].startswith("ValueError: ")
    assert reasons[4:] == ["ZeroDivisionError", ""]


class Odd(Evaluator):
    """Gives what is no result, then results whose metrics are not numbers."""

    def __init__(self, *answers: object) -> None:
        self.answers = iter(answers)

    def evaluate(self, architecture: Architecture, seed: int) -> Result:
        return cast(Result, next(self.answers))

    def settings(self) -> dict:
        return {}


def test_what_is_no_number_is_a_failed_trial() -> None:
    study = create_study(SPACE, method="random")
    none, text = cast(float, None), {"cost": cast(float, "dear")}
    odd = Odd(None, Result(none), Result(1.0, text), Result(1.0, {"cost": np.float32(2)}))
    study.optimize(odd, 4)
    assert [trial.reason for trial in study.trials] == [
        "TypeError: the value is None, no number",
        "TypeError: the value is None, no number",
        "ValueError: cost is 'dear', no number",
        "",
    ]
    assert study.best_trials[0].metrics == {"cost": 2.0}


def test_a_search_whose_first_evaluations_all_fail_alike_ends_and_says_why(tmp_path: Path) -> None:
    def broken(architecture: Architecture) -> float:
        raise RuntimeError("boom")

    study, seen = study_of(tmp_path), []
    with pytest.raises(InputError, match=r"the first 5 .* RuntimeError: boom; mend") as caught:
        study.optimize(broken, 50, on_trial=seen.append)
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert len(seen) == study.evaluations == 5
    study_of(tmp_path).optimize(score, 6)
    again = study_of(tmp_path)
    again.optimize(broken, 20)
    assert again.evaluations == 20


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, InputError])
def test_what_is_meant_to_end_a_search_ends_it(error: type[BaseException]) -> None:
    def ends(architecture: Architecture) -> float:
        raise error("now")

    study = create_study(SPACE, method="random")
    with pytest.raises(error):
        study.optimize(ends, 5)
    assert study.evaluations == 0
    assert {trial.state.name for trial in study.optuna.trials} == {"FAIL"}


def test_telling_what_nobody_waits_for_says_what_to_do(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    asked = study.ask()
    with pytest.raises(InputError, match="trial 7 waits for no result"):
        study.tell(7, 1.0)
    with pytest.raises(InputError, match="waits for no result"):
        study_of(tmp_path).tell(asked.number, 1.0)
    with pytest.raises(InputError, match="the value is 'good', no number"):
        study.tell(asked.number, cast(float, "good"))
    study.tell(asked.number, 1.0)
    with pytest.raises(InputError, match="it was told already"):
        study.tell(asked.number, 1.0)
    assert study.evaluations == 1


@pytest.mark.parametrize(
    ("goals", "said"),
    [
        ({"objectives": ["value", "cost:minimize"]}, "no 'cost' to optimise; it gives the value"),
        ({"limits": ["cost<=6"]}, "no 'cost' to hold cost<=6; .* no further figures"),
    ],
)
def test_a_figure_that_nobody_gives_is_told_at_the_first_result(goals: dict, said: str) -> None:
    study = create_study(SPACE, method="random", **goals)
    with pytest.raises(InputError, match=said):
        study.optimize(score, 5)
    with pytest.raises(InputError, match=said):
        study.add(SPACE.architecture((0,) * SPACE.grammar.length), 1.0)
    asked = study.ask()
    with pytest.raises(InputError, match=said):
        study.tell(asked.number, 1.0)
    study.tell(asked.number, Result(1.0, {"cost": 5.0}))
    assert {trial.state.name for trial in study.optuna.trials} == {"FAIL", "COMPLETE"}
    assert study.evaluations == 1
    study.optimize(score, 2)  # one that lacks what others have: no reason to end
    assert [trial.value is None for trial in study.front()] == [False]


def test_the_dashboard_shows_the_names_of_the_objectives(tmp_path: Path) -> None:
    study = study_of(tmp_path, objectives=["accuracy", "latency:minimize"])
    assert study.optuna.metric_names == ["accuracy", "latency"]
    study.optuna._storage.set_study_system_attr(study.optuna._study_id, "study:metric_names", None)
    older = study_of(tmp_path, objectives=["accuracy", "latency:minimize"])
    older.optimize(lambda a: Result(score(a), {"latency": 1.0}), 2)
    assert older.evaluations == 2


def test_what_was_asked_for_and_never_told_takes_no_place() -> None:
    study = create_study(SPACE, method="random")
    asked = study.ask()
    study.optimize(score, 4)
    assert study.evaluations == 4
    study.tell(asked.number, 1.0)
    assert study.evaluations == 5


def test_a_small_space_ends_the_search() -> None:
    tiny = Choices("tiny", (Choice("a", (1, 2)), Choice("b", (1, 2))))
    study = create_study(tiny, method="random")
    study.optimize(score, 50)
    assert study.evaluations == 4


def test_repeats_decide_among_the_best_and_methods_do_not_see_them(tmp_path: Path) -> None:
    class Noisy(Evaluator):
        def evaluate(self, architecture: Architecture, seed: int) -> Result:
            return Result(score(architecture) + (seed % 1000) / 1000)

        def settings(self) -> dict:
            return {}

    study = study_of(tmp_path)
    study.optimize(Noisy(), 10)
    study.repeat(Noisy(), best=3, times=3)
    assert study.evaluations == 10
    assert len(study.trials) == 16
    assert [len(s.values) for s in study.standings()[:4]] == [3, 3, 3, 1]
    assert len(set(study.best.values)) == 3
    again = study_of(tmp_path)
    again.repeat(Noisy(), best=3, times=3)
    assert len(again.trials) == 16
    plain = study_of(tmp_path, "plain")
    plain.optimize(Noisy(), 12)
    again.optimize(Noisy(), 12)
    searched = [t.architecture for t in again.trials if t.origin != "repeat"]
    assert searched == architectures(plain)


def test_a_failed_repeat_is_not_made_again(tmp_path: Path) -> None:
    known: set[str] = set()

    def fails_again(architecture: Architecture) -> float:
        if architecture.key in known:
            raise EvaluationFailed("diverged")
        known.add(architecture.key)
        return score(architecture)

    for _ in range(2):
        study = study_of(tmp_path)
        study.optimize(fails_again, 4)
        study.repeat(fails_again, best=2, times=3)
        assert len(study.trials) == 4 + 2 * 2
        assert (study.evaluations, study.failed) == (4, 0)
        assert findings(study, "value").failed == 0


def test_a_progress_bar_says_how_far_a_search_is(capsys: pytest.CaptureFixture[str]) -> None:
    study = create_study(ConvCells.small(nodes=1), method="random")
    study.optimize(lambda architecture: float(architecture.choices[0]), 2)
    assert capsys.readouterr().err == ""  # unless it is asked for

    def value(architecture: Architecture) -> float:
        return 9.0 if study.evaluations == 2 else -1.0

    seen: list[int] = []
    study.optimize(value, 4, show_progress_bar=True, on_trial=lambda trial: seen.append(1))
    out, err = capsys.readouterr()
    assert (out, len(seen)) == ("", 2)
    assert "naokit" in err
    assert " 4/4 " in err
    assert "best 9, last -1 (random)" in err
