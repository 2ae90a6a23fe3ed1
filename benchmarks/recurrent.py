"""Compares our recurrent cell with plain loops, alone and in a language model.

    OMP_NUM_THREADS=1 python -m benchmarks.recurrent

All builds take turns in one process, round after round, forward and backward. The numbers are
medians of processor time, which other jobs of the machine disturb less than the wall clock.
`times_faster` is relative to the plain cell. The builds, of the cell NAO-RNN with both masks:

    plain        a loop over steps and nodes, a parameter for each node's weights
    plain, one   the same with one parameter for all weights, as ours has
    entering     ours without its own gradients: what enters from the inputs in one product
    unpacked     ours, no weight laid out for oneDNN
    ours         as it is
    compiled     the step of the plain cell by torch.compile (first calls: `compile_seconds`)
    products     only the products of ours (unpacked), the bound of what is left to gain
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch._inductor.config
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.plain_recurrent import PlainRecurrentCell
from benchmarks.record import write
from naokit.networks import LanguageModel, RecurrentCell, RecurrentPlan, recurrence
from naokit.settings import LanguageSettings

SOURCES = (0, 0, 1, 3, 4, 4, 5, 1, 7, 1, 1)
NODES = tuple(zip(SOURCES, ("relu",) * 3 + ("tanh",) + ("relu",) * 6 + ("identity",), strict=True))
"""NAO-RNN (docs/specification.md, section 5.1)."""

STEPS, ROUNDS, VOCABULARY = 35, 5, 10_000
CASES = ((200, 20), (300, 20), (300, 64), (850, 20), (850, 64))
"""The sizes that are measured: hidden, batch."""
COMPILED = ((300, 20), (850, 20))
Run = Callable[[], object]


def main() -> None:
    """Times all cases."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {"threads": 1, "rounds": ROUNDS, "steps": STEPS, "cell": NODES}
    found["cells"] = {name(*case): cell(*case) for case in CASES}
    found["language_model"] = {name(h, 20): language(h, 20) for h in (200, 850)}
    write("recurrent", found)


def name(hidden: int, batch: int) -> str:
    return f"hidden {hidden}, batch {batch}"


def cell(hidden: int, batch: int) -> dict[str, Any]:
    """All builds of one case, and how far ours is from the plain one."""
    plain, ours = builds(hidden)
    one = PlainRecurrentCell(NODES, hidden, hidden, stacked=True)
    one.copy_from(ours.first, ours.weights)
    entering = RecurrentCell(ours.plan, hidden, hidden)
    entering.load_state_dict(ours.state_dict())
    entering.known = False
    given = arguments(hidden, batch)
    runs = {
        "plain": training(plain, given),
        "plain, one": training(one, given),
        "entering": training(entering, given),
        "unpacked": unpacked(training(ours, given)),
        "ours": training(ours, given),
    }
    row: dict[str, Any] = {}
    if (hidden, batch) in COMPILED:
        compiled, _ = builds(hidden)
        compiled.step = torch.compile(compiled.step)  # type: ignore[method-assign]
        runs["compiled"] = training(compiled, given)
        began = time.perf_counter()
        with torch._inductor.config.patch(force_disable_caches=True):
            runs["compiled"]()
        row["compile_seconds"] = round(time.perf_counter() - began, 1)
    runs["products"] = products(hidden, batch)
    row |= in_turn(runs)
    row["relative_difference"] = {
        str(kind).removeprefix("torch."): difference(plain, ours, given, kind)
        for kind in (torch.float32, torch.float64)
    }
    print(name(hidden, batch), row, flush=True)
    return row


def builds(hidden: int) -> tuple[PlainRecurrentCell, RecurrentCell]:
    """Both cells with equal weights."""
    torch.manual_seed(0)
    ours = RecurrentCell(RecurrentPlan(NODES), hidden, hidden)
    plain = PlainRecurrentCell(NODES, hidden, hidden)
    plain.copy_from(ours.first, ours.weights)
    return plain, ours


def arguments(hidden: int, batch: int) -> tuple[Tensor, ...]:
    """Inputs, state, masks, and a gradient of the outputs."""
    torch.manual_seed(1)
    inputs = (torch.randn(STEPS, batch, hidden) * 0.1).requires_grad_()
    state = torch.rand(batch, hidden) * 0.1
    input_mask = torch.empty(batch, hidden).bernoulli_(0.25) / 0.25
    state_mask = torch.empty(batch, hidden).bernoulli_(0.75) / 0.75
    return inputs, state, input_mask, state_mask, torch.randn(STEPS, batch, hidden)


def training(module: nn.Module, given: tuple[Tensor, ...]) -> Run:
    """Forward and backward."""
    *entering, gradient = given

    def run() -> None:
        module.zero_grad(set_to_none=True)
        entering[0].grad = None
        module(*entering)[0].backward(gradient)

    return run


def unpacked(run: Run) -> Run:
    """A training step without packed weights."""

    def without() -> None:
        limit, recurrence.PACKED_FROM = recurrence.PACKED_FROM, 1 << 60
        run()
        recurrence.PACKED_FROM = limit

    return without


def products(hidden: int, batch: int) -> Run:
    """The products alone: two for each step and node, then one for each node and all steps."""
    state, both = torch.randn(batch, hidden), torch.randn(batch, 2 * hidden)
    states, boths = (t.repeat(STEPS, 1) for t in (state, both))
    weights = torch.randn(len(NODES) + 1, hidden, 2 * hidden)

    def run() -> None:
        for _ in range(STEPS):
            for weight in weights:
                torch.mm(state, weight)
        for _ in range(STEPS):
            for weight in weights:
                torch.mm(both, weight.t())
        for _ in weights:
            torch.mm(states.t(), boths)
        torch.mm(states, weights[0])  # what enters from the inputs, and its two gradients
        torch.mm(boths, weights[0].t())
        torch.mm(states.t(), boths)

    return run


def difference(
    plain: nn.Module, ours: nn.Module, given: tuple[Tensor, ...], kind: torch.dtype
) -> dict[str, float]:
    """The largest difference of outputs and gradients, as a share of the largest entry.

    In single precision one of millions of ReLUs may end up on the other side of zero, with another
    gradient; double precision shows the difference that does not come from that.
    """
    given = tuple(t.detach().to(kind) for t in given)
    given[0].requires_grad_()
    found = []
    for module in (plain.to(kind), ours.to(kind)):
        training(module, given)()
        first, *rest = [p.grad for p in module.parameters() if p.grad is not None]
        assert given[0].grad is not None
        weights = torch.cat([weight.flatten() for weight in rest])
        outputs = module(*given[:-1])[0].detach()
        found.append([outputs, given[0].grad, first, weights])
    names = ("outputs", "by_inputs", "by_first", "by_weights")
    return {
        name: float((a - b).abs().max() / a.abs().max())
        for name, a, b in zip(names, *found, strict=True)
    }


def language(hidden: int, batch: int) -> dict[str, Any]:
    """A training step of the whole model: loss and gradients, all dropouts on."""
    rates = dict.fromkeys(("output_dropout", "input_dropout", "embedding_dropout"), 0.5)
    settings = LanguageSettings(VOCABULARY, hidden, state_dropout=0.25, word_dropout=0.1, **rates)
    plain, ours = builds(hidden)
    tokens = torch.randint(0, VOCABULARY, (STEPS + 1, batch))

    def step(model: LanguageModel) -> Run:
        def run() -> None:
            model.zero_grad(set_to_none=True)
            logits = model(tokens[:-1], model.start(batch)).logits
            F.cross_entropy(logits.flatten(0, 1), tokens[1:].flatten()).backward()

        return run

    given = arguments(hidden, batch)
    row = in_turn(
        {
            "plain": step(LanguageModel(plain, settings)),
            "ours": step(LanguageModel(ours, settings)),
            "the cell of ours": training(ours, given),
        }
    )
    row["share_of_the_cell"] = round(row["ms"]["the cell of ours"] / row["ms"]["ours"], 2)
    print("language model", name(hidden, batch), row, flush=True)
    return row


def in_turn(runs: Mapping[str, Run]) -> dict[str, Any]:
    """Medians in milliseconds, how many times faster than the plain one, and ours by rounds."""
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS + 1):
        times = {}
        for build, run in runs.items():
            began = time.process_time()
            run()
            times[build] = 1000 * (time.process_time() - began)
        if number:  # the first round warms up
            rounds.append(times)
    medians = {build: statistics.median(times[build] for times in rounds) for build in runs}
    return {
        "ms": {build: round(value, 1) for build, value in medians.items()},
        "times_faster": {build: round(medians["plain"] / v, 2) for build, v in medians.items()},
        "rounds": [round(times["plain"] / times["ours"], 2) for times in rounds],
    }


if __name__ == "__main__":
    main()
