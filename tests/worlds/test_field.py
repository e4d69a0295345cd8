"""Environments side by side: transitions, ends, seeds, and going on where one was."""

import copy
from functools import partial

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.worlds.episodes import play
from aurify.worlds.field import Field, Singles, Together, episode_seed
from aurify.worlds.world import World

COUNT, STEPS = 5, 60
CARTPOLE = ("CartPole-v1", {"max_episode_steps": 7})
WORLDS = [
    CARTPOLE,
    ("CartPole-v1", {}),
    ("FrozenLake-v1", {"max_episode_steps": 6}),
    ("odd_worlds:Counter", {}),
    ("odd_worlds:Steered", {}),
]


def _actions(world, steps=STEPS, count=COUNT):
    random = np.random.default_rng(8)
    if world.actions.count is None:
        return world.actions.to_world(random.normal(size=(steps * count, *world.actions.shape))).reshape(
            steps, count, -1
        )
    return world.actions.to_world(random.integers(0, world.actions.count, (steps, count)))


def _plainly(world, seeds, actions):
    """Every transition of every environment, from single environments without anything of ours."""
    told = [[] for _ in seeds]
    for at, seed in enumerate(seeds):
        env, episode = world.make(), 0
        before, _ = env.reset(seed=rng.key(seed, "episode", episode) % 2**31)
        for action in actions[:, at]:
            after, reward, terminated, truncated, _ = env.step(action)
            told[at].append((before, reward, after, terminated, truncated))
            before = after
            if terminated or truncated:
                episode += 1
                before, _ = env.reset(seed=rng.key(seed, "episode", episode) % 2**31)
    return told


@pytest.mark.parametrize("mode", [None, *AutoresetMode])
@pytest.mark.parametrize(("source", "settings"), WORLDS)
def test_transitions_are_the_same_one_by_one_in_every_autoreset_mode(source, settings, mode):
    world, seeds = World.of(source, settings), [3, 1, 4, 1, 5]
    actions = _actions(world)
    side = None if mode is None else Together(SyncVectorEnv([world.make] * COUNT, autoreset_mode=mode))
    field, expected, ends = Field(world, seeds, side), _plainly(world, seeds, actions), 0
    for at, action in enumerate(actions):
        before, step = field.observation.copy(), field.step(action)
        for env in range(COUNT):
            told = (before[env], step.reward[env], step.after[env], step.terminated[env], step.truncated[env])
            for one, other in zip(told, expected[env][at], strict=True):
                assert np.array_equal(one, other), (at, env)
        assert step.reward.dtype == np.float64
        ends += int((step.terminated | step.truncated).sum())
    field.close()
    assert ends == len(field.finished) > COUNT


def test_after_an_end_is_the_final_observation_and_the_next_begins_anew():
    world = World.of(*CARTPOLE)
    field = Field(world, [1, 2])
    for _ in range(6):
        step = field.step(np.array([0, 1]))
        assert np.array_equal(step.after, field.observation)
    step = field.step(np.array([1, 0]))
    assert step.truncated.all()
    assert not step.terminated.any()
    assert np.abs(step.after).max() > 0.05 > np.abs(field.observation).max(), "episodes begin within 0.05"
    counter = Field(World.of("odd_worlds:Counter", {"end": 1}), [1])
    step = counter.step(np.array([2]))
    assert (step.terminated & step.truncated & step.ended).all()
    assert 1 <= step.after.min() < 2 > 1 > counter.observation.max()


def test_finished_episodes_are_counted_once():
    world, seeds = World.of("odd_worlds:Counter", {"end": 3}), [7, 7, 9]
    field, value = Field(world, seeds), np.zeros(3)
    for _ in range(2):
        value += field.step(np.array([2, 3, 2])).reward
    assert field.take_finished() == []
    value += field.step(np.array([2, 3, 1])).reward
    finished = field.take_finished()
    assert [(each.environment, each.episode, each.length) for each in finished] == [(0, 0, 3), (1, 0, 3)]
    assert [each.value for each in finished] == value[:2].tolist()
    field.step(np.array([2, 2, 2]))
    assert [(each.environment, each.episode, each.length) for each in field.take_finished()] == [(2, 0, 4)]
    assert field.take_finished() == []


def test_environments_of_other_seeds_differ_and_episodes_too():
    field = Field(World.of(*CARTPOLE), [1, 2, 1])
    first = field.observation.copy()
    assert np.array_equal(first[0], first[2])
    assert not np.array_equal(first[0], first[1])
    for _ in range(7):
        field.step(np.zeros(3, dtype=np.int64))
    assert not np.array_equal(first, field.observation)
    assert np.array_equal(field.observation[0], field.observation[2])
    assert len({episode_seed(seed, episode) for seed in range(20) for episode in range(20)}) == 400


@pytest.mark.parametrize(("source", "settings"), WORLDS)
def test_field_goes_on_in_the_middle_of_an_episode_as_if_it_had_never_stopped(source, settings):
    world, actions = World.of(source, settings), _actions(World.of(source, settings))
    field = Field(world, range(COUNT))
    for action in actions[:30]:
        field.step(action)
    state = field.state()
    kept = copy.deepcopy(state)
    steps = [(field.step(action), field.observation.copy()) for action in actions[30:]]
    other = Field(world, range(COUNT))
    other.step(actions[9])
    other.restore(kept)
    for action, (step, observation) in zip(actions[30:], steps, strict=True):
        again = other.step(action)
        for name in ("reward", "after", "terminated", "truncated"):
            assert np.array_equal(getattr(again, name), getattr(step, name))
        assert np.array_equal(other.observation, observation)
    assert other.take_finished() == field.take_finished()
    one, two = field.state(), other.state()
    assert all(a.equal(b) if hasattr(a, "equal") else a == b for a, b in zip(one.values(), two.values(), strict=True))


def test_long_episodes_are_kept_whole():
    field = Field(World.of("odd_worlds:Counter", {"end": 1000}), [1, 2])
    for _ in range(200):
        field.step(np.array([1, 2]))
    assert field.state()["actions"].tolist() == [1] * 200 + [2] * 200
    again = Field(field.world, [1, 2])
    again.restore(field.state())
    assert np.array_equal(again.step(np.array([1, 1])).after, field.step(np.array([1, 1])).after)


def test_environment_that_is_not_the_same_again_cannot_be_gone_on_with():
    field = Field(World.of("odd_worlds:Unseeded", {}), [1])
    field.step(np.array([1]))
    again = Field(field.world, [1])
    with pytest.raises(AurifyError, match="odd_worlds:Unseeded does not do the same again with the same seed"):
        again.restore(field.state())


def test_error_of_an_environment_is_one_line_that_says_where():
    field = Field(World.of("odd_worlds:Failing", {}), [1])
    line = r"odd_worlds:Failing fails in a step: odd_worlds\.py, line \d+: ValueError: the motor is off"
    with pytest.raises(AurifyError, match=line):
        field.step(np.array([1]))


def test_play_counts_the_first_episode_of_each_environment_and_no_more():
    world, asked, stepped = World.of("odd_worlds:Counter", {"end": 3}), [], []

    class Watched(Singles):
        def step_some(self, which, actions):
            stepped.append(list(which))
            return super().step_some(which, actions)

    def act(observation, which):
        asked.append((observation.shape, which.tolist()))
        return np.where(which == 0, 2, 1 + (len(asked) > 4))

    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aurify.worlds.episodes.Singles", Watched)
        played = play(world, [11, 12, 13], act, partial(calls.append, 1))
    assert played.length.tolist() == [3, 7, 7]
    assert played.terminated.all()
    assert stepped == [[0, 1, 2]] * 3 + [[1, 2]] * 4
    assert asked == [((len(which), 2), which) for which in stepped]
    assert len(calls) == 7
    assert played.seed.tolist() == [11, 12, 13]


@pytest.mark.parametrize("at_once", [None, 4])
def test_play_is_the_first_episode_of_a_field_with_the_seed(at_once):
    world = World.of("CartPole-v1", {"max_episode_steps": 30})

    def act(observation, which):
        return (observation[:, 2] > 0).astype(np.int64)

    side = None if at_once is None else Singles(world, at_once)
    played, field = play(world, range(6), act, lambda: None, side), Field(world, range(6))
    assert side is None or np.array_equal(play(world, range(6), act, lambda: None, side).value, played.value)
    first = {}
    while len(first) < 6:
        field.step(act(field.observation, None))
        for each in field.take_finished():
            first.setdefault(each.environment, each)
    assert [first[n].value for n in range(6)] == played.value.tolist()
    assert [first[n].length for n in range(6)] == played.length.tolist()
    assert len(played) == 6


def test_play_stops_when_it_is_told_to():
    def stop():
        raise AurifyError("enough")

    with pytest.raises(AurifyError, match="enough"):
        play(World.of(*CARTPOLE), [1], lambda observation, which: np.zeros(1, dtype=int), stop)
