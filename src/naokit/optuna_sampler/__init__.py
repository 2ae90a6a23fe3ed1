"""`nao` for any Optuna study: ordinary parameters instead of architectures.

    trials ──results──> targets ─────────────┐
       └──parameters──> rows ──features──> Gaussian process ──> promise ──> the best new row
                         ↑                                          ↑
              presence: what the objective would ask for     candidates: everything, or evolution

The model and the acquisition are those of `naokit.method.nao`; here is what an architecture's graph
gave for nothing: rows for parameters, and which of them an objective asks for.
"""

from naokit.optuna_sampler.sampler import NAOSampler

__all__ = ["NAOSampler"]
