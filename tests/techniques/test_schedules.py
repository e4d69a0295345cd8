"""Schedules against torch's own, their shapes, and what a plateau is."""

import itertools
import math
from types import SimpleNamespace

import pytest
import torch
from small import same

from aurify.techniques.one_cycle import OneCycle
from aurify.techniques.schedule import Decay, ReduceOnPlateau
from aurify.training import fit as loop

STEPS = 200


def shares(technique):
    """What the rate is multiplied with in each step of a run."""
    runs = (SimpleNamespace(step=at, steps=STEPS, progress=at / STEPS) for at in range(STEPS + 1))
    return [technique.schedule(run, {}) for run in runs]


def torch_shares(make, steps):
    """What a scheduler of torch makes of a rate of 1, in each step."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append((optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        scheduler.step()
    return found


def test_linear_decay_equals_torch():
    make = lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, STEPS)  # noqa: E731
    assert shares(Decay(shape="linear", floor=0.1))[:STEPS] == pytest.approx([s for s, _ in torch_shares(make, STEPS)])


def test_exponential_decay_equals_torch():
    make = lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.1 ** (1 / STEPS))  # noqa: E731
    expected = [s for s, _ in torch_shares(make, STEPS)]
    assert shares(Decay(shape="exponential", floor=0.1))[:STEPS] == pytest.approx(expected)


@pytest.mark.parametrize("drops", [1, 3, 4])
def test_decay_in_steps_equals_torch(drops):
    floor = 1e-3
    at = [math.ceil(STEPS * k / (drops + 1)) for k in range(1, drops + 1)]
    make = lambda o: torch.optim.lr_scheduler.MultiStepLR(o, at, floor ** (1 / drops))  # noqa: E731
    expected = [s for s, _ in torch_shares(make, STEPS)]
    assert shares(Decay(shape="steps", floor=floor, drops=drops))[:STEPS] == pytest.approx(expected)


def test_inverse_square_root_falls_as_the_transformer_paper_says():
    """After its peak at step w the paper's rate is sqrt(w / step)."""
    floor = 0.1
    w = STEPS / (floor**-2 - 1)
    expected = [math.sqrt(w / (w + at)) for at in range(STEPS)]
    assert shares(Decay(shape="inverse_square_root", floor=floor))[:STEPS] == pytest.approx(expected)


@pytest.mark.parametrize("shape", ["linear", "exponential", "steps", "inverse_square_root"])
def test_every_decay_begins_full_never_rises_and_ends_at_its_floor(shape):
    found = shares(Decay(shape=shape, floor=0.05))
    assert found[0] == 1.0
    assert all(later <= earlier for earlier, later in itertools.pairwise(found))
    assert found[-1] == pytest.approx(0.05)


def test_one_cycle_equals_torch_in_rate_and_momentum():
    """Torch counts to the last step, we to the end: its cycle of n + 1 steps is ours of n."""
    technique = OneCycle(rising=0.25, start=0.04, floor=1e-3, dip=0.1)

    def make(optimizer):
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=1.0,
            total_steps=STEPS + 1,
            pct_start=(0.25 * STEPS + 1) / (STEPS + 1),
            div_factor=1 / 0.04,
            final_div_factor=0.04 / 1e-3,
            base_momentum=0.8,
            max_momentum=0.9,
        )

    expected = torch_shares(make, STEPS)
    assert shares(technique)[:STEPS] == pytest.approx([share for share, _ in expected])
    inner = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9, nesterov=True)
    run = SimpleNamespace(progress=0.0)
    optimizer, found = technique.wrap_optimizer(inner, run), []
    for at in range(STEPS):
        run.progress = at / STEPS
        optimizer.step()
        found.append(inner.param_groups[0]["momentum"])
    assert found == pytest.approx([momentum for _, momentum in expected])


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop", "sgd", "muon"])
def test_momentum_of_one_cycle_swings_back_to_where_it_began(lab, optimizer):
    recipe = lab.recipe("classify", {"one_cycle": {}, "sam": {}}, optimizer={"name": optimizer})
    run = loop.begin(recipe, lab.problem(recipe), torch.device("cpu"), STEPS)
    wrapped, plain = loop.make_optimizer(run), run.recipe.optimizer.build([{"params": run.parameters}], run.model)
    keys = [k for k in ("momentum", "betas") if any(k in g for g in plain.param_groups)]
    before = [[g.get(k) for k in keys] for g in plain.param_groups]

    def gradient():
        for weight in run.parameters:
            weight.grad = torch.ones_like(weight)
        return torch.zeros(())

    seen = []
    for at in (0, 0.3 * STEPS, STEPS):
        run.step = at
        wrapped.step(gradient)
        seen.append([[g.get(k) for k in keys] for g in wrapped.param_groups])
    assert seen[0] == seen[2] == before
    assert (seen[1] != before) == (optimizer != "rmsprop"), "its momentum is 0 by default"


@pytest.mark.parametrize(("patience", "factor", "floor"), [(1, 0.5, 0.0), (3, 0.1, 0.0), (2, 0.5, 0.3)])
def test_plateau_equals_torch(patience, factor, floor):
    random = torch.Generator().manual_seed(0)
    scores = torch.rand(40, generator=random).mul(torch.linspace(1, 2, 40)).tolist()
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, "max", factor=factor, patience=patience - 1, threshold=0.0, min_lr=floor, eps=0.0
    )
    ours = ReduceOnPlateau(patience=patience, factor=factor, floor=floor)
    for score in scores:
        theirs.step(score)
        ours.on_score(torch.tensor([score], dtype=torch.float64), SimpleNamespace())
        assert ours.schedule(SimpleNamespace(), {}) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.share < 1.0


def test_plateau_is_counted_across_sittings(lab, folder):
    settings = {"reduce_on_plateau": {"patience": 2, "least_gain": 1e9, "factor": 0.5}}
    recipe = lab.recipe("classify", settings, budget={"validate_every": 1})
    whole = lab.fitted(recipe)
    assert [round(entry["rate"] / 0.01, 6) for entry in whole.run.log][:6] == [1, 1, 1, 0.5, 0.5, 0.25]
    assert same(lab.fit_in_sittings(recipe, folder, [2, 3, 7]).trace(), whole.trace())
