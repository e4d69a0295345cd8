"""Environments by their names: what they show and take, how they are kept, and what is said of those there are not."""

import json
import re
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import torch

from aurify.core.errors import AurifyError
from aurify.core.gathering import joined
from aurify.core.pixels import Pixels
from aurify.data.prepare import raw_inputs, raw_values
from aurify.worlds.naming import looks_like_a_world
from aurify.worlds.world import World


@pytest.mark.parametrize(
    ("source", "settings", "observed", "actions", "limit"),
    [
        ("CartPole-v1", {}, ("numbers", (4,)), (2, ()), 500),
        ("CartPole-v1", {"max_episode_steps": 7}, ("numbers", (4,)), (2, ()), 7),
        ("FrozenLake-v1", {"map_name": "8x8"}, ("codes", ()), (4, ()), 100),
        ("CliffWalking-v1", {}, ("codes", ()), (4, ()), None),
        ("Pendulum-v1", {}, ("numbers", (3,)), (None, (1,)), 200),
        ("odd_worlds:Counter", {}, ("numbers", (2,)), (3, ()), None),
        ("odd_worlds:Counter", {"shape": [2, 3], "max_episode_steps": 9}, ("numbers", (2, 3)), (3, ()), 9),
        ("odd_worlds:Steered", {}, ("numbers", (2,)), (None, (2,)), None),
        ("odd_worlds:Seen", {}, ("images", (6, 5, 3)), (3, ()), None),
        ("odd_worlds:Seen", {"shape": [6, 5]}, ("images", (6, 5)), (3, ()), None),
        ("odd_worlds:Seen", {"shape": [3, 6, 5]}, ("images", (3, 6, 5)), (3, ()), None),
        ("odd_worlds:made", {"limit": 4}, ("numbers", (2,)), (3, ()), 4),
        ("odd_worlds:made", {"limit": 40, "max_episode_steps": 3}, ("numbers", (2,)), (3, ()), 3),
    ],
)
def test_world_says_what_it_shows_and_takes_and_is_kept(source, settings, observed, actions, limit, tmp_path):
    world = World.of(source, settings)
    assert (world.observed.kind, world.observed.shape) == observed
    assert (world.actions.count, world.actions.shape) == actions
    assert world.limit == limit
    world.write(tmp_path / "world")
    kept = World.open(tmp_path / "world")
    assert kept == world
    assert kept.schema == world.schema
    kept.verify(tmp_path / "world")
    assert raw_inputs(world.schema).keys() == world.values(_observations(world)).keys()
    env = world.make()
    for choice in _choices(world, 3):
        env.reset(seed=1)
        env.step(world.actions.to_world(choice[None])[0])
    env.close()


def _observations(world, count=6):
    space = world.make().observation_space
    space.seed(3)
    return np.stack([space.sample() for _ in range(count)])


def _choices(world, count):
    random = np.random.default_rng(0)
    if world.actions.count is None:
        return random.normal(size=(count, *world.actions.shape)) * 9
    return random.integers(0, world.actions.count, count)


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("CartPole-v1", {}),
        ("Taxi-v4", {}),
        ("odd_worlds:Counter", {"shape": [2, 3]}),
        ("odd_worlds:Seen", {}),
        ("odd_worlds:Seen", {"shape": [6, 5]}),
        ("odd_worlds:Seen", {"shape": [3, 6, 5]}),
    ],
)
def test_values_are_those_of_rows_of_a_table(source, settings):
    world = World.of(source, settings)
    seen = _observations(world)
    if world.observed.kind == "numbers":
        seen[1].flat[0], seen[2].flat[1] = np.inf, np.nan
    if world.observed.kind == "codes":
        seen[1] = 10_000
    columns = world.observed.columns
    if world.observed.kind == "images":
        cells = {columns[0].name: pl.Series([None] * len(seen), dtype=pl.Object)}
        images = seen.reshape(len(seen), *(*seen.shape[1:], 1)[:3])
        images = images.transpose(0, 2, 3, 1) if seen.shape[1:] == (3, 6, 5) else images
        expected = raw_values({"images": images}, np.arange(len(seen)))
        assert raw_inputs(world.schema)["images"].shape == images.shape[1:], cells
    else:
        flat = seen.reshape(len(seen), -1)
        frame = pl.DataFrame({column.name: flat[:, at] for at, column in enumerate(columns)})
        parsed = world.schema.parse(frame)
        inputs = {"numbers": parsed.numbers} if world.observed.kind == "numbers" else {"codes": parsed.codes}
        expected = raw_values(inputs, np.arange(len(seen)))
    given = world.values(seen)
    assert given.keys() == expected.keys()
    for name, value in given.items():
        one, other = (v.taken() if isinstance(v, Pixels) else v for v in (value, expected[name]))
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert (
            torch.equal(one.nan_to_num(-1e9), other.nan_to_num(-1e9)) if one.is_floating_point() else one.equal(other)
        )
        assert len(joined([value, value] if not isinstance(value, Pixels) else [value, value[:0]])) in (6, 12)


def test_actions_are_named_and_bounded_as_the_environment_has_them():
    counter, steered = World.of("odd_worlds:Counter", {}), World.of("odd_worlds:Steered", {})
    assert counter.schema.classes == ("1", "2", "3")
    assert counter.actions.to_world(np.array([0, 2])).tolist() == [1, 3]
    target = counter.schema.parse_target(pl.DataFrame({"action": [3, 1]}))
    assert target.tolist() == [2, 0]
    taken = steered.actions.to_world(np.array([[-3.0, -3.0], [0.5, 1e30]]))
    assert taken.dtype == np.float32
    assert taken.tolist() == [[-1.0, 0.0], [0.5, np.float32(1e30)]]
    assert (steered.schema.classes, steered.schema.target) == (None, "action")


def test_world_that_has_changed_is_told_from_what_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "from gymnasium.envs.classic_control import CartPoleEnv\nclass Pole(CartPoleEnv): pass\n"
    (tmp_path / "changing_world.py").write_text(text)
    world = World.of("changing_world:Pole", {})
    world.write(tmp_path / "world")
    (tmp_path / "changing_world.py").write_text(text + "# heavier\n")
    with pytest.raises(AurifyError, match=r"changing_world:Pole is not what it was when .*world was begun"):
        World.open(tmp_path / "world").verify(tmp_path / "world")
    assert World.of("CartPole-v1", {}).fingerprint != World.of("CartPole-v1", {"max_episode_steps": 9}).fingerprint


@pytest.mark.parametrize("damage", ["", "{}", '{"format": 9}', "[1]", '{"format": 1, "source": "a"}'])
def test_damaged_world_is_said_in_one_line(damage, tmp_path):
    (tmp_path / "world.json").write_text(damage)
    with pytest.raises(AurifyError, match=r"is not a readable world|is of world format 9"):
        World.open(tmp_path)


@pytest.mark.parametrize(
    ("source", "settings", "expected"),
    [
        ("CartPoel-v1", {}, "there is no environment 'CartPoel-v1'; did you mean 'CartPole-v1'?"),
        ("CartPole-v9", {}, "there is no environment 'CartPole-v9'; its versions are 'CartPole-v0', 'CartPole-v1'"),
        ("LunarLandr-v3", {}, "did you mean 'LunarLander-v3'? (that needs: pip install 'aurify[box2d]')"),
        ("LunarLander-v3", {}, "LunarLander-v3 needs packages that are not installed: pip install 'aurify[box2d]'"),
        ("ALE/Pong-v5", {}, "ALE/Pong-v5 needs packages that are not installed: pip install 'gymnasium[atari]'"),
        ("nowhere/Pong-v5", {}, "nothing installed has a namespace 'nowhere'; if a package makes it known, write"),
        ("phys2/CartPole-v1", {}, "nothing installed has a namespace 'phys2'; did you mean 'phys2d'?"),
        (
            "CartPole-v1",
            {"sutton": 1},
            "CartPole-v1 has no setting 'sutton'; known: max_episode_steps, sutton_barto_re",
        ),
        ("CartPole-v1", {"max_episode_steps": 0}, "max_episode_steps = 0: it must be a whole number from 1"),
        ("Blackjack-v1", {}, "Blackjack-v1 shows Tuple(Discrete(32), Discrete(11), Discrete(2)); aurify learns from"),
        ("odd_worlds:Deaf", {}, "odd_worlds:Deaf shows Dict('a': Discrete(2)); aurify learns from Box and Discrete"),
        ("odd_worlds:Seen", {"shape": [6, 5, 2]}, "shows images of the shape (6, 5, 2); it must be (height, width)"),
        ("odd_worlds:Conter", {}, "odd_worlds has no 'Conter'; did you mean 'Counter'?"),
        ("odd_words:Counter", {}, "odd_words:Counter: there is no module 'odd_words'; did you mean 'odd_worlds'?"),
        ("xyzzy:Counter", {}, "xyzzy:Counter: there is no module 'xyzzy'; put xyzzy.py into "),
        ("odd_worlds:Broken", {}, "odd_worlds:Broken cannot be made: odd_worlds.py, line "),
        ("odd_worlds:no_world", {}, "odd_worlds:no_world cannot be made: TypeError: The environment must inherit from"),
        (
            "os:system",
            {"command": "false"},
            "os:system is no environment: name a class made of gymnasium.Env, or a fun",
        ),
        ("subprocess:run", {"args": ["false"]}, "subprocess:run is no environment: name a class made of gymnasium.Env"),
        ("odd_worlds:Counter", {"ends": 3}, "odd_worlds:Counter has no setting 'ends'; did you mean 'end'?"),
        ("odd_worlds:Failing-v0", {}, "there is no environment 'Failing-v0'"),
        (
            "some data.csv",
            {},
            "'some data.csv' names no environment; write an id, such as CartPole-v1, or my_module:My",
        ),
    ],
)
def test_what_cannot_be_made_is_said_in_one_line(source, settings, expected):
    with pytest.raises(AurifyError, match=re.escape(expected)) as told:
        World.of(source, settings)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import gymnasium\nx = (\n", r"broken_a:Env: broken_a\.py, line 2: SyntaxError: '\(' was never closed"),
        ("import gymnasium\n\nx = 1 / 0\n", r"broken_a:Env: broken_a\.py, line 3: ZeroDivisionError: division by zero"),
        (
            "import absent_package\n",
            r"broken_a:Env: broken_a\.py, line 1: ModuleNotFoundError: No module named 'absent_",
        ),
    ],
)
def test_what_goes_wrong_in_a_module_is_said_with_its_line(text, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_a.py").write_text(text)
    with pytest.raises(AurifyError, match=expected):
        World.of("broken_a:Env", {})


def test_environment_is_told_from_a_file(tmp_path, monkeypatch):
    worlds = ["CartPole-v1", "aurify/GridWorld-v0", "my_module:MyEnv", "a.b:C", "pack:ns/Name-v2", "ALE/Pong-v5"]
    files = [
        "data.csv",
        "runs/data-v1.csv",
        "http://a.b/c",
        "C:\\data",
        "CartPole",
        "folder",
        "hf://a/b",
        "-v1",
        "a:b:c",
    ]
    assert list(filter(looks_like_a_world, worlds + files)) == worlds
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CartPole-v1").mkdir()
    assert not looks_like_a_world("CartPole-v1")


@pytest.mark.slow
def test_gymnasium_is_imported_when_it_is_needed_and_asked_for_where_it_is_not():
    code = (
        "import sys\n"
        "import aurify.worlds.checking, aurify.worlds.episodes, aurify.worlds.world as world\n"
        "assert 'gymnasium' not in sys.modules\n"
        "sys.modules['gymnasium'] = None\n"
        "try: world.World.of('CartPole-v1', {})\n"
        "except Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "control needs gymnasium, which is not installed: pip install 'aurify[control]'\n"


def test_kept_world_is_plain_json(tmp_path):
    World.of("odd_worlds:Steered", {}).write(tmp_path)
    plain = json.loads((tmp_path / "world.json").read_text())
    assert plain["actions"]["high"] == [1.0, None]
