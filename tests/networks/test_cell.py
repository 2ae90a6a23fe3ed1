"""One cell: what it adds, concatenates and drops."""

import pytest
import torch

from naokit.networks import OPERATIONS, Branch, Cell, CellPlan, FactorizedReduce
from naokit.networks.cell import FeatureMap, MapSize, ReLUConvNormalise, drop_path
from naokit.networks.operations import AfterReLU

SIZE = MapSize(4, 6, 6)


def chain(*nodes: tuple[int, int]) -> CellPlan:
    """Nodes that add two earlier ones."""
    return CellPlan(tuple((Branch(x, "identity"), Branch(y, "identity")) for x, y in nodes))


def cell(
    plan: CellPlan, before: MapSize = SIZE, last: MapSize = SIZE, *, reduction: bool = False
) -> Cell:
    return Cell(plan, before, last, 4, OPERATIONS, reduction=reduction)


def run(built: Cell, before: torch.Tensor, last: torch.Tensor, keep: float = 1.0) -> torch.Tensor:
    return built(FeatureMap(before), FeatureMap(last), keep).values


def images(size: MapSize = SIZE, batch: int = 3) -> torch.Tensor:
    return torch.randn(batch, size.channels, size.height, size.width)


@pytest.mark.parametrize(
    ("plan", "loose"),
    [
        (chain((0, 0), (0, 0)), (1, 2, 3)),
        (chain((0, 1), (2, 2), (0, 3)), (4,)),
        (chain((1, 1)), (0, 2)),
    ],
)
def test_loose_ends_are_what_no_branch_reads(plan: CellPlan, loose: tuple[int, ...]) -> None:
    assert plan.loose_ends == loose


def test_nodes_add_their_branches_and_loose_ends_are_concatenated() -> None:
    a, b = images(), images()
    built = cell(chain((0, 1), (2, 2), (0, 2)))
    expected = torch.cat([2 * (a + b), a + (a + b)], dim=1)
    torch.testing.assert_close(run(built, a, b), expected)
    assert built.output == MapSize(8, 6, 6)


def test_inputs_that_fit_are_left_alone() -> None:
    calibration = cell(chain((0, 1))).calibration
    assert not list(calibration.parameters())


def test_inputs_of_other_channels_are_projected() -> None:
    calibration = cell(chain((0, 1)), MapSize(12, 6, 6), MapSize(8, 6, 6)).calibration
    assert isinstance(calibration.before, ReLUConvNormalise)
    assert isinstance(calibration.last, ReLUConvNormalise)


@pytest.mark.parametrize("side", [11, 12])
def test_a_larger_first_input_is_reduced_even_when_its_channels_fit(side: int) -> None:
    before = MapSize(4, side, side)
    built = cell(chain((0, 1)), before)
    assert isinstance(built.calibration.before, AfterReLU)
    assert isinstance(built.calibration.before[0], FactorizedReduce)
    assert run(built, images(before), images()).shape == (3, 4, 6, 6)


def test_a_reduction_halves_what_reads_an_input_and_loose_inputs_too() -> None:
    plan = CellPlan(((Branch(0, "max_pool_3x3"), Branch(0, "identity")),) * 2)
    built = cell(plan, reduction=True).eval()
    a, b = images(), images()
    output = run(built, a, b)
    assert output.shape == (3, 12, 3, 3)
    shortcut = built.shortcuts["1"]
    assert isinstance(shortcut, FactorizedReduce)
    torch.testing.assert_close(output[:, :4], shortcut(b))


def test_a_reduction_leaves_inner_branches_at_stride_one() -> None:
    built = cell(chain((0, 1), (2, 2)), reduction=True)
    kinds = [isinstance(branch, FactorizedReduce) for branch in built.branches]
    assert kinds == [True, True, False, False]


def test_drop_path_zeroes_samples_and_keeps_the_expectation() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        dropped = drop_path(torch.ones(4000, 2, 3, 3), 0.75)
    samples = dropped[:, 0, 0, 0]
    assert torch.equal(dropped, samples[:, None, None, None].expand_as(dropped))
    assert torch.unique(samples).tolist() == pytest.approx([0.0, 4 / 3])
    assert float(samples.mean()) == pytest.approx(1, abs=0.05)


def test_every_branch_is_dropped_on_its_own() -> None:
    x = torch.ones(400, 4, 6, 6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        output = run(cell(chain((0, 1))), x, x, 0.5)[:, 0, 0, 0]
    assert torch.unique(output).tolist() == [0.0, 2.0, 4.0]


@pytest.mark.parametrize(("keep", "training"), [(1.0, True), (0.5, False)])
def test_nothing_is_drawn_where_nothing_is_dropped(keep: float, training: bool) -> None:
    built = cell(chain((0, 1))).train(training)
    a, b = images(), images()
    before = torch.random.get_rng_state()
    assert torch.equal(run(built, a, b, keep), a + b)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_branches_share_is_computed_once() -> None:
    pool, conv = Branch(0, "max_pool_3x3"), Branch(0, "conv_3x3")
    built = cell(CellPlan(((pool, conv), (pool, conv), (Branch(1, "max_pool_3x3"), conv))))
    calls: list[int] = []
    for number, branch in enumerate(built.branches):
        branch.register_forward_hook(lambda *_, number=number: calls.append(number))
    a, b = images(), images()
    given = FeatureMap(a)
    rectified: list[torch.Tensor] = []
    for branch in built.branches:
        if isinstance(branch, AfterReLU):
            branch[0].register_forward_pre_hook(lambda _, x: rectified.append(x[0]))
    built.eval()(given, FeatureMap(b), 1.0)
    assert calls == [0, 4]  # the pools; one of them stands for two
    assert len(rectified) == 3
    assert all(x is rectified[0] for x in rectified)
    torch.testing.assert_close(rectified[0], a.relu())


def test_a_shared_pool_is_dropped_branch_by_branch() -> None:
    pool = Branch(0, "max_pool_3x3")
    x = torch.ones(400, 4, 6, 6)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        output = run(cell(CellPlan(((pool, pool),))), x, x, 0.5)[:, 4, 0, 0]
    assert torch.unique(output).tolist() == [0.0, 2.0, 4.0]
