"""Toy environments by their table: what single ones do, number by number."""

import json

import numpy as np
import pytest

from aurify.worlds.field import Field, Singles
from aurify.worlds.told import Told
from aurify.worlds.world import World

COUNT = 5
TOYS = [
    ("FrozenLake-v1", {"max_episode_steps": 9}),
    ("FrozenLake8x8-v1", {}),
    ("CliffWalking-v1", {"is_slippery": True}),
    ("Taxi-v4", {"is_rainy": True, "max_episode_steps": 30}),
]


def _fields(source, settings):
    world = World.of(source, settings)
    return Field(world, range(COUNT)), Field(world, range(COUNT), side=Singles(world, COUNT))


@pytest.mark.parametrize(("source", "settings"), TOYS)
def test_table_does_what_single_environments_do(source, settings):
    told, singles = _fields(source, settings)
    assert isinstance(told.side, Told)
    actions = np.random.default_rng(3).integers(0, told.world.actions.count, (300, COUNT))
    assert np.array_equal(told.observation, singles.observation)
    for action in actions:
        one, other = told.step(action), singles.step(action)
        for name in ("reward", "after", "terminated", "truncated"):
            left, right = getattr(one, name), getattr(other, name)
            assert np.array_equal(left, right)
            assert left.dtype == right.dtype
        assert np.array_equal(told.observation, singles.observation)
    assert told.take_finished() == singles.take_finished()


@pytest.mark.parametrize(("source", "settings"), TOYS)
def test_table_goes_on_from_plain_data_in_the_middle_of_episodes(source, settings):
    told, _ = _fields(source, settings)
    actions = np.random.default_rng(4).integers(0, told.world.actions.count, (80, COUNT))
    for action in actions[:50]:
        told.step(action)
    state = told.state()
    json.dumps(state["environment"])
    again = Field(told.world, range(COUNT))
    again.restore(state)
    for action in actions[50:]:
        assert np.array_equal(again.step(action).after, told.step(action).after)
        assert np.array_equal(again.observation, told.observation)


@pytest.mark.parametrize(("source", "settings"), [("Taxi-v4", {"fickle_passenger": True}), ("CartPole-v1", {})])
def test_what_no_table_tells_is_stepped_one_after_another(source, settings):
    world = World.of(source, settings)
    assert Told.of(world, COUNT) is None
    assert isinstance(Field(world, [1]).side, Singles)
