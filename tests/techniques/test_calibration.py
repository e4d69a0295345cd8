"""The temperature is the one a grid search finds, and changes confidence only."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from aurify.core.types import Held
from aurify.techniques import calibration
from aurify.techniques.calibration import Temperature


def held(sharpness, count=500, seed=0):
    random = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 3, (count,), generator=random)
    output = torch.randn(count, 3, generator=random) + 1.2 * F.one_hot(target, 3)
    return Held(sharpness * output, target, torch.arange(count), torch.ones(count))


def objective(held, temperature):
    deviation = getattr(calibration, "PRIOR_DEVIATION", math.inf)
    loss = F.cross_entropy(held.output.double() / temperature, held.target, reduction="sum")
    return float(loss) + 0.5 * (math.log(temperature) / deviation) ** 2


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_temperature_equals_a_grid_search(sharpness):
    rows = held(sharpness)
    layer = Temperature().answer(None, rows)
    grid = np.exp(np.linspace(-math.log(10), math.log(10), 4001))
    best = grid[np.argmin([objective(rows, t) for t in grid])]
    assert float(layer.temperature) == pytest.approx(best, rel=2e-3)


def test_temperature_keeps_to_its_limit():
    layer = Temperature(limit=2.0).answer(None, held(100.0))
    assert float(layer.temperature) == pytest.approx(2.0, rel=1e-4)
    layer = Temperature(limit=2.0).answer(None, held(0.2))
    assert float(layer.temperature) == pytest.approx(0.5, rel=1e-4)


def test_temperature_lowers_the_loss_and_keeps_the_chosen_class():
    rows = held(5.0)
    calmed = Temperature().answer(None, rows)(rows.output.double())
    assert F.cross_entropy(calmed, rows.target) < F.cross_entropy(rows.output, rows.target)
    assert torch.equal(calmed.argmax(1), rows.output.argmax(1))


def test_a_handful_of_separable_rows_does_not_ask_for_certainty():
    target = torch.arange(12) % 3
    layer = Temperature().answer(None, Held(2.0 * F.one_hot(target, 3), target, torch.arange(12), torch.ones(12)))
    assert 0.5 < float(layer.temperature) < 1.0


def test_weights_equal_repeated_rows_and_their_unit_means_nothing():
    """The prior has the say it has with as many rows of weight 1."""
    rows = held(4.0)
    times = torch.arange(500) % 3
    unit = times.double() / times.double().mean()
    one, other = (Temperature().answer(None, replace(rows, weight=w)).temperature for w in (unit, 1000 * unit))
    torch.testing.assert_close(one, other)
    repeated = torch.repeat_interleave(torch.arange(500), times)
    again = Held(rows.output[repeated], rows.target[repeated], repeated, torch.ones(len(repeated)))
    assert float(Temperature().answer(None, again).temperature) == pytest.approx(float(one), rel=2e-2)
