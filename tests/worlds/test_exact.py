"""Exact optima and returns: the known ones, brute force over every policy of a tiny grid, and many episodes."""

import math
from itertools import product

import gymnasium
import numpy as np
import pytest

from aurify.core.errors import AurifyError
from aurify.worlds.exact import expected_return, model_of, optimal_return, solve, solved
from aurify.worlds.grid_world import ID
from aurify.worlds.world import World

TINY = {"width": 2, "height": 3, "goal": [2, 1], "traps": [[1, 1]], "slip": 0.3, "rewards": [-0.1, -2, 3]}


def tiny(**settings):
    return World.of(ID, {**TINY, **settings})


def lake():
    return World.of("FrozenLake-v1", {})


@pytest.mark.parametrize(
    ("name", "optimum", "digits"),
    [
        ("FrozenLake-v1", 0.7442, 4),
        ("FrozenLake8x8-v1", 0.9132, 4),
        ("CliffWalking-v1", -13, 9),
        ("Taxi-v4", 7.93, 2),
    ],
)
def test_optima_are_the_known_ones(name, optimum, digits):
    world = World.of(name, {})
    assert round(optimal_return(model_of(world), world.limit), digits) == optimum


def test_lake_without_a_limit_is_left_as_often_as_is_known():
    assert optimal_return(model_of(lake()), None) == pytest.approx(14 / 17)


def test_best_policy_is_the_best_of_all():
    """Every one of the 4^4 policies of the cells where there is something to choose."""
    model = model_of(tiny())
    best = solve(model)
    policies = [np.array([*first, 0, last, 0]) for *first, last in product(range(4), repeat=4)]
    returns = [expected_return(model, policy, None) for policy in policies]
    assert len(returns) == 256
    assert expected_return(model, best.policy, None) == pytest.approx(max(returns))
    assert model.start @ best.values == pytest.approx(max(returns))
    assert optimal_return(model, None) == pytest.approx(max(returns))


def test_best_return_within_a_limit_is_the_best_of_all_plans():
    """Without slip a plan is a row of actions; all 4^5 of them are walked."""
    model = model_of(tiny(slip=0.0))

    def paid(plan):
        cell, total = 0, 0.0
        for action in plan:
            total += model.reward[cell, action, 0]
            if model.ends[cell, action, 0]:
                break
            cell = int(model.after[cell, action, 0])
        return total

    for limit in range(6):
        assert optimal_return(model, limit) == pytest.approx(max(map(paid, product(range(4), repeat=limit))))


def test_discounted_values_solve_bellmans_equation():
    model = model_of(lake())
    best = solve(model, 0.9)
    np.testing.assert_allclose(model.backup(best.values, 0.9).max(1), best.values, atol=1e-9)
    np.testing.assert_array_equal(solved(lake(), 0.9), best.actions)
    assert best.values[0] == pytest.approx(0.0688909, abs=1e-6)


@pytest.mark.parametrize("limit", [3, 9, None])
def test_return_of_a_policy_is_what_its_episodes_pay_on_average(limit):
    model, count = model_of(tiny()), 20_000
    world = gymnasium.make_vec(ID, num_envs=count, max_episode_steps=limit or 500, **TINY)
    world.reset(seed=1)
    random, alive, total = np.random.default_rng(0), np.ones(count, dtype=bool), np.zeros(count)
    while alive.any():
        _, reward, terminated, truncated, _ = world.step(random.integers(0, 4, count))
        total += np.where(alive, reward, 0.0)
        alive &= ~(terminated | truncated)
    expected = expected_return(model, model.at_random, limit)
    assert abs(total.mean() - expected) < 4 * total.std() / math.sqrt(count)


def test_policy_as_choices_and_as_shares_has_one_return():
    model = model_of(tiny())
    policy = solve(model).policy
    for limit in (4, None):
        assert expected_return(model, policy, limit) == expected_return(model, np.eye(4)[policy], limit)


def test_a_long_limit_comes_to_no_limit():
    model = model_of(tiny(slip=0.1))
    exactly = expected_return(model, model.at_random, None)
    assert expected_return(model, model.at_random, 2000) == pytest.approx(exactly)


def test_walking_for_ever_pays_without_end():
    model = model_of(tiny(slip=0.0))
    left = np.zeros(6, dtype=int)
    assert expected_return(model, left, None) == -math.inf
    assert expected_return(model, left, 10) == pytest.approx(-1.0)
    assert expected_return(model_of(tiny(slip=0.0, rewards=[0, -1, 1])), left, None) == 0
    assert expected_return(model_of(tiny(slip=0.0, rewards=[0.5, -1, 1])), left, None) == math.inf


def test_values_without_bound_are_refused(monkeypatch):
    monkeypatch.setattr("aurify.worlds.exact.MOST_SWEEPS", 5000)
    model = model_of(tiny(rewards=[1, 0, 0]))
    with pytest.raises(AurifyError, match=r"do not settle at gamma = 1; take less, such as 0.99"):
        solve(model)
    assert solve(model, 0.99).values.max() <= 100


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("CartPole-v1", {}),
        ("Taxi-v4", {"fickle_passenger": True}),
        ("odd_worlds:dear_lake", {}),
    ],
)
def test_what_is_not_known_is_not_said_to_be(source, settings):
    world = World.of(source, settings)
    assert model_of(world) is None
    with pytest.raises(AurifyError, match=f"value iteration needs a world whose model is known.*of {source} it is not"):
        solved(world, 0.9)
