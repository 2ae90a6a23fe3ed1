"""The results of a search, evaluation by evaluation, as the records keep them."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

from naokit.study import Study


def summary(study: Study, evaluations: int) -> dict[str, Any]:
    """The results of a search.

    Args:
        study: The study of the search.
        evaluations: The number of evaluations before the best were evaluated again.
    """
    better = max if study.settings["direction"] == "maximize" else min
    first = study.trials[:evaluations]
    values = [trial.value for trial in first if trial.value is not None]
    half = [t.value for t in first[len(first) // 2 :] if t.value is not None]
    return {
        "best": str(study.best.architecture),
        "best_values": study.best.values,
        "failed": sum(trial.value is None for trial in first),
        "best_so_far": list(itertools.accumulate(values, better)),
        "values": values,
        "mean_of_the_second_half": round(statistics.fmean(half), 2),
        "seconds": round(sum(trial.seconds for trial in study.trials)),
        "origins": [trial.origin for trial in first],
        "repeated": [
            {"architecture": str(s.architecture), "values": s.values}
            for s in study.standings()
            if len(s.values) > 1
        ],
    }
