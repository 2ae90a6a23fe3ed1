"""`nao` for any Optuna study: ordinary parameters instead of architectures.

    trials ──results──> targets ─────────────┐
       └──parameters──> rows ──features──> Gaussian process ──> acquisition ──> the best new row
                         ↑                                          ↑
              presence: what the objective will ask for      candidates: everything, or evolution

The Gaussian process and the acquisition are those of `naokit.method`. This package adds what
architectures get from their graphs: rows of numbers, and which parameters an objective asks for.
"""

from naokit.optuna_sampler.sampler import NAOSampler

__all__ = ["NAOSampler"]
