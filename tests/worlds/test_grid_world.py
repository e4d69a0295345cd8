"""The grid world: it keeps Gymnasium's rules, and many side by side do what single ones do, number by number."""

import json
from itertools import pairwise

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from aurify.core.errors import AurifyError
from aurify.worlds import grid_world
from aurify.worlds.field import Field, Singles
from aurify.worlds.grid import LAKE, Grid
from aurify.worlds.world import World

SMALL = {"width": 4, "height": 3, "traps": [[1, 1]], "walls": [[0, 2]], "slip": 0.4}


@pytest.fixture(autouse=True)
def known():
    grid_world.register()
    grid_world.register()


def made(**settings):
    return gymnasium.make(grid_world.ID, **settings)


@pytest.mark.parametrize("settings", [{}, SMALL, {"width": 1, "height": 2, "goal": [1, 0]}])
@pytest.mark.parametrize("render_mode", [None, "ansi", "rgb_array"])
def test_it_passes_gymnasiums_check(settings, render_mode):
    check_env(made(render_mode=render_mode, **settings).unwrapped)


def test_its_model_is_frozen_lakes_where_its_cells_are():
    lake = gymnasium.make("FrozenLake8x8-v1", success_rate=0.75).unwrapped
    ours = made(slip=0.25, rewards=[0, 0, 1]).unwrapped
    assert (ours.observation_space, ours.action_space) == (lake.observation_space, lake.action_space)
    np.testing.assert_array_equal(ours.initial_state_distrib, lake.initial_state_distrib)
    for cell, action in np.ndindex(64, 4):
        theirs = [(p, after, r, ended) for p, after, r, ended in lake.P[cell][action]]
        assert ours.P[cell][action] == [pytest.approx(outcome) for outcome in theirs]


def test_walls_and_borders_stop_a_move_and_traps_and_goal_end_an_episode():
    world = made(**{**SMALL, "slip": 0.0})
    world.reset(seed=0)
    stay = (0, -0.01, False, False, {})
    assert world.step(0) == stay  # the border
    assert world.step(2)[0] == 1
    assert world.step(2)[0] == 1  # the wall
    assert world.step(1) == (5, -1.0, True, False, {})
    world.reset()
    steps = [world.step(way) for way in (1, 1, 2, 2, 2)]
    assert [after for after, *_ in steps] == [4, 8, 9, 10, 11]
    assert steps[-1][1:4] == (1.0, True, False)


def test_default_world_has_the_traps_of_the_lake_and_others_have_none():
    assert Grid.of({}).traps == LAKE
    assert Grid.of({"width": 5}).traps == ()
    assert Grid.of({"width": 5, "height": 6}).goal == (5, 4)


def test_text_and_picture_show_where_everything_is():
    world = made(render_mode="ansi", **SMALL)
    world.reset(seed=0)
    assert world.render() == "A.#.\n.T..\n...G\n"
    drawn = made(render_mode="rgb_array", **SMALL)
    drawn.reset(seed=0)
    image = drawn.render()
    assert image.shape == (144, 192, 3)
    assert image.dtype == np.uint8
    centres = image[24::48, 24::48]
    assert tuple(centres[0, 0]) == (31, 97, 165)  # the agent
    assert len(np.unique(centres.reshape(-1, 3), axis=0)) == 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"widht": 4}, "a grid world has no setting 'widht'; did you mean 'width'?"),
        ({"width": 0}, "width = 0: it must be a whole number from 1 to 256"),
        ({"height": "tall"}, "height = 'tall': it must be a whole number from 1 to 256"),
        ({"slip": 1.5}, "slip = 1.5: it must be a number from 0 to 1"),
        ({"rewards": [1, 2]}, "rewards = [1, 2]: it must be three numbers, of a step, a trap and the goal"),
        ({"start": 3}, "start: 3 is no cell; give its row and column, such as [0, 3]"),
        ({"goal": [8, 0]}, "goal: the cell [8, 0] lies outside the grid; rows go from 0 to 7, columns from 0 to 7"),
        ({"traps": "all"}, "traps = 'all': it must be a list of cells, such as [[0, 3], [1, 2]]"),
        ({"goal": [0, 0]}, "the goal at [0, 0]: the start is there already; take another cell"),
        ({"walls": [[2, 3]]}, "a wall at [2, 3]: a trap is there already; take another cell"),
        (
            {"walls": [[0, 1], [1, 0]]},
            "no way leads from the start [0, 0] to the goal [7, 7]: leave one open between walls and traps",
        ),
        ({"render_mode": "human"}, "render_mode = 'human': a grid world is drawn as ansi or as rgb_array"),
    ],
)
def test_what_makes_no_world_is_refused_in_one_line(settings, words):
    with pytest.raises(AurifyError) as refused:
        grid_world.GridWorld(**settings)
    assert str(refused.value) == words


def test_unknown_action_is_refused():
    world = grid_world.GridWorld()
    world.reset(seed=0)
    with pytest.raises(AurifyError, match="action 4 is none of a grid world's: 0 left, 1 down, 2 right, 3 up"):
        world.step(4)


def sides(mode, limit=7, **settings):
    """Three grid worlds as Gymnasium runs single ones side by side, and ours."""
    limited = {"max_episode_steps": limit, **SMALL, **settings}
    theirs = SyncVectorEnv([lambda: made(**limited)] * 3, autoreset_mode=mode)
    ours = gymnasium.make_vec(grid_world.ID, num_envs=3, autoreset_mode=mode, **limited)
    assert type(ours) is grid_world.GridWorldVectorEnv
    return theirs, ours


def same(one, other):
    """Observations, rewards, ends and infos as equal as arrays and dicts can be."""
    for left, right in zip(one, other, strict=True):
        if isinstance(left, dict):
            assert left.keys() == right.keys()
            for name in left:
                np.testing.assert_array_equal(left[name], right[name])
        else:
            np.testing.assert_array_equal(left, right)
            assert left.dtype == right.dtype


@pytest.mark.parametrize("mode", AutoresetMode)
def test_many_side_by_side_do_what_single_ones_do(mode):
    theirs, ours = sides(mode)
    random = np.random.default_rng(1)
    same(theirs.reset(seed=[5, 9, 2]), ours.reset(seed=[5, 9, 2]))
    ends, again = np.zeros(2), np.zeros(3, dtype=bool)
    for _ in range(300):
        if mode == AutoresetMode.DISABLED and again.any():
            seeds = [int(random.integers(99)) if end and random.random() < 0.5 else None for end in again]
            begun = [env.reset(seed=seeds, options={"reset_mask": again}) for env in (theirs, ours)]
            same(*begun)
        actions = random.integers(0, 4, 3)
        left, right = theirs.step(actions), ours.step(actions)
        same(left, right)
        again = left[2] | left[3]
        ends += left[2].sum(), left[3].sum()
    assert (ends > 20).all()  # both kinds of end were met


@pytest.mark.parametrize("mode", AutoresetMode)
def test_state_goes_on_from_where_it_was_taken(mode):
    _, ours = sides(mode)
    ours.reset(seed=3)
    actions = np.random.default_rng(0).integers(0, 4, (200, 3))

    def going(env, some):
        for each in some:
            step = env.step(each)
            if mode == AutoresetMode.DISABLED and (step[2] | step[3]).any():
                env.reset(options={"reset_mask": step[2] | step[3]})
            yield step

    list(going(ours, actions[:97]))
    kept = json.loads(json.dumps(ours.state()))
    expected = list(going(ours, actions[97:]))
    _, other = sides(mode)
    other.restore(kept)
    for left, right in zip(expected, going(other, actions[97:]), strict=True):
        same(left, right)


def test_stepping_on_after_an_end_is_an_error_without_autoreset():
    _, ours = sides(AutoresetMode.DISABLED, slip=0.0)
    ours.reset(seed=0)
    for action in (1, 2):
        ours.step(np.full(3, action))
    with pytest.raises(AssertionError, match="an ended episode goes on"):
        ours.step(np.zeros(3, dtype=int))


def test_transitions_are_as_frequent_as_the_model_says():
    settings = {**SMALL, "traps": []}
    ours = gymnasium.make_vec(grid_world.ID, num_envs=2000, **settings)
    ours.reset(seed=0)
    counts = np.zeros((12, 4, 12))
    random, ended = np.random.default_rng(2), np.zeros(2000, dtype=bool)
    before = np.zeros(2000, dtype=int)
    for _ in range(30):
        actions = random.integers(0, 4, 2000)
        after, _, terminated, truncated, _ = ours.step(actions)
        np.add.at(counts, (before[~ended], actions[~ended], after[~ended]), 1)
        before, ended = after, terminated | truncated
    model = made(**settings).unwrapped.P
    for cell, action in np.ndindex(12, 4):
        seen, told = counts[cell, action], np.zeros(12)
        for chance, to, _, _ in model[cell][action]:
            told[to] += chance
        if seen.sum() > 200:
            error = np.sqrt(told * (1 - told) / seen.sum())
            assert (np.abs(seen / seen.sum() - told) <= 5 * error + 1e-12).all()
    assert (counts.sum((1, 2)) > 200).sum() == 10  # all cells but wall and goal


def test_a_stream_is_its_seeds_alone():
    """What an environment meets does not depend on how many there are beside it."""
    actions = np.random.default_rng(4).integers(0, 4, (150, 4))
    several, alone = (gymnasium.make_vec(grid_world.ID, num_envs=n, **SMALL) for n in (4, 1))
    several.reset(seed=[8, 6, 7, 5])
    alone.reset(seed=[7])
    for each in actions:
        assert several.step(each)[0][2] == alone.step(each[2:3])[0][0]


def test_path_is_pairwise_of_neighbours():
    grid = Grid.of({"width": 3, "height": 3})
    path = [0]
    for way in (2, 1, 0, 3):
        path.append(int(grid.after[path[-1], way]))
    assert path == [0, 1, 4, 3, 0]
    assert all(abs(a - b) in (1, 3) for a, b in pairwise(path))


def test_field_of_them_is_the_field_of_single_ones_and_goes_on_where_it_was():
    world = World.of(grid_world.ID, {**SMALL, "max_episode_steps": 9})
    assert world.limit == 9
    together, singles = Field(world, [4, 5, 6]), Field(world, [4, 5, 6], side=Singles(world, 3))
    assert isinstance(together.native, grid_world.GridWorldVectorEnv)
    actions = np.random.default_rng(3).integers(0, 4, (120, 3))
    for each in actions[:70]:
        left, right = together.step(each), singles.step(each)
        same(vars(left).values(), vars(right).values())
        np.testing.assert_array_equal(together.observation, singles.observation)
    assert together.finished == singles.finished
    assert len(together.finished) > 10
    again = Field(world, [4, 5, 6])
    again.restore(together.state())
    for each in actions[70:]:
        same(vars(again.step(each)).values(), vars(together.step(each)).values())
    assert again.take_finished() == together.take_finished()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("GridWorld-v0", "there is no environment 'GridWorld-v0'; did you mean 'aurify/GridWorld-v0'?"),
        ("aurify/GridWord-v0", "there is no environment 'aurify/GridWord-v0'; did you mean 'aurify/GridWorld-v0'?"),
    ],
)
def test_a_name_like_its_own_is_told_of_it(source, words):
    with pytest.raises(AurifyError) as refused:
        World.of(source, {})
    assert str(refused.value) == words
