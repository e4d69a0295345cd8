"""Rates of tables fall with visits, of each agent by its own."""

from types import SimpleNamespace

import pytest
import torch

from aurify.core.errors import AurifyError
from aurify.core.types import Batch
from aurify.techniques.visits import VisitRates

STATES, ACTIONS = 3, 2
CODES = SimpleNamespace(kind="codes", cardinalities=(STATES,))


def _run(members, given=CODES):
    return SimpleNamespace(
        members=members, problem=SimpleNamespace(signature=SimpleNamespace(inputs={"state": given}, outputs=ACTIONS))
    )


def _batch(states, actions):
    inputs = {"state": torch.tensor(states)[:, None]}
    return Batch(inputs, torch.zeros(len(states)), torch.arange(len(states)), extra={"action": torch.tensor(actions)})


def test_rate_falls_with_each_visit_of_an_agents_own():
    technique, run = VisitRates(slope=0.5), _run(2)
    for visits in range(1, 5):
        weight = technique.on_batch(_batch([1, 2], [0, visits % 2]), run).weight
        assert weight[0] == pytest.approx(1 / (1 + 0.5 * visits))  # of the first agent: always the same action
        assert weight[1] == pytest.approx(1 / (1 + 0.5 * ((visits + 1) // 2)))  # of the second: two in turn


def test_lessons_of_one_number_in_a_batch_count_as_one_after_another():
    technique = VisitRates(slope=0.1)
    weight = technique.on_batch(_batch([0, 0, 0, 2], [1, 1, 1, 1]), _run(1)).weight
    rate, left, value = 1 / 1.3, 1.0, 0.0
    for _ in range(3):
        value += rate * (1.0 - value)
        left *= 1 - rate
    assert weight[:3].sum() == pytest.approx(value)
    assert weight[:3].sum() == pytest.approx(1 - left)
    assert weight[3] == pytest.approx(1 / 1.1)


def test_worlds_of_numbers_are_refused():
    with pytest.raises(AurifyError, match="visit_rates counts how often a state was met"):
        VisitRates().on_batch(_batch([0], [0]), _run(1, SimpleNamespace(kind="numbers")))
