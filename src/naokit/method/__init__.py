"""Methods, which propose architectures. `model.py` is the paper's idea; read it first.

A method sees a space's grammar and the trials so far, and returns architectures. It never sees a
network, an evaluator or a file. Third parties register a factory in the entry-point group
`naokit.methods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points

from naokit.base import unknown_name
from naokit.doors import Method
from naokit.method.baselines import Evolution, LocalSearch, RandomSearch
from naokit.space import Space

MethodFactory = Callable[[Space, int, int], Method]
"""Makes a method from a space, a seed and the number of evaluations."""


# The larger methods are imported when they are asked for: they need scipy, and those of 2018 torch.
def _nao_2018(space: Space, seed: int, evaluations: int) -> Method:
    from naokit.method.nao_2018 import Nao2018

    return Nao2018(space, seed, evaluations)


def _nao_2018_ws(space: Space, seed: int, evaluations: int) -> Method:
    from naokit.method.nao_2018 import WEIGHT_SHARING, Nao2018

    return Nao2018(space, seed, evaluations, WEIGHT_SHARING)


def _seminas(space: Space, seed: int, evaluations: int) -> Method:
    from naokit.method.seminas import SemiNas

    return SemiNas(space, seed, evaluations)


def _nao(space: Space, seed: int, evaluations: int) -> Method:
    from naokit.method.nao import Nao

    return Nao(space, seed, evaluations)


METHODS: Mapping[str, MethodFactory] = {
    "nao": _nao,
    "nao-2018": _nao_2018,
    "nao-2018-ws": _nao_2018_ws,
    "seminas": _seminas,
    "random": RandomSearch,
    "evolution": Evolution,
    "local-search": LocalSearch,
}

WITH_PRIOR = ("nao", "random")
"""The methods of ours that take a prior (`Method.believe`)."""


def factory(name: str, *, others: Iterable[str] = ()) -> MethodFactory:
    """The factory of the method of this name.

    Args:
        name: The name of the method.
        others: Further names that the error message may suggest.

    Raises:
        InputError: There is no such method; the message has the nearest names.
    """
    third_party = {point.name: point for point in entry_points(group="naokit.methods")}
    if name in METHODS:
        return METHODS[name]
    if name in third_party:
        found: MethodFactory = third_party[name].load()
        return found
    known = [*METHODS, *third_party, *others]
    raise unknown_name("method", name, known)
