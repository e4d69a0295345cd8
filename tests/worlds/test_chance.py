"""The random policy: every action as often as any other, and each episode by itself."""

import numpy as np
import pytest
from scipy import stats

from aurify.worlds.chance import _spread, at_random
from aurify.worlds.episodes import play
from aurify.worlds.exact import expected_return, model_of
from aurify.worlds.world import World

SMALL = {"width": 3, "height": 3, "traps": [[1, 1]], "slip": 0.2}


@pytest.fixture(scope="module")
def world():
    return World.of("aurify/GridWorld-v0", SMALL)


def test_episodes_pay_what_the_model_says_on_average(world):
    seeds = range(600)
    played = play(world, seeds, at_random(world, seeds), lambda: None)
    model = model_of(world)
    expected = expected_return(model, model.at_random, world.limit)
    assert abs(played.value.mean() - expected) < 4 * played.value.std() / np.sqrt(len(seeds))


def test_an_episode_is_its_seeds_alone(world):
    every, few = ([5, 6, 7, 8], [7, 5])
    value = dict(zip(every, play(world, every, at_random(world, every), lambda: None).value, strict=True))
    again = play(world, few, at_random(world, few), lambda: None)
    assert again.value.tolist() == [value[7], value[5]]


def test_numbers_lie_between_their_bounds_and_spread_as_gymnasium_samples_them():
    drawn = np.random.default_rng(0).random((4000, 4))
    numbers = _spread(drawn, np.array([-2, 1, -np.inf, -np.inf]), np.array([2, np.inf, -3, np.inf]))
    laws = [stats.uniform(-2, 4), stats.expon(1), stats.expon(3), stats.norm()]
    for column, law in zip((numbers * [1, 1, -1, 1]).T, laws, strict=True):
        assert stats.kstest(column, law.cdf).pvalue > 1e-3
    act = at_random(World.of("Pendulum-v1", {}), [1, 2, 3])
    taken = act(np.zeros((2, 3)), np.array([0, 2]))
    assert taken.shape == (2, 1)
    assert taken.dtype == np.float32
    assert (abs(taken) <= 2).all()
