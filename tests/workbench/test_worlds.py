"""Worlds through the verbs: what is recognised, refused, measured, played, predicted and exported."""

import importlib
import io
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image
from rich.console import Console

import aurify
from aurify import catalog as catalogs
from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.data.splits import Parts
from aurify.report import terminal
from aurify.ship.acting import GREEDY, acting
from aurify.ship.graph import Graph
from aurify.workbench.watching import moments
from aurify.worlds.episodes import seeds_of
from aurify.worlds.exact import expected_return, model_of, optimal_return
from aurify.worlds.field import episode_seed
from aurify.worlds.world import World

GRID = "aurify/GridWorld-v0"
TINY = {"task.envs": 2, "task.horizon": 32, "task.passes": 1, "task.held": 2, "task.tested": 4, "network.width": 16}
WORDS = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """A run of three agents that have learnt next to nothing."""
    out = tmp_path_factory.mktemp("worlds") / "grid"
    return workbench.fit(GRID, seeds=3, steps=256, settings=TINY, out=out)


@pytest.fixture(scope="module")
def pole(tmp_path_factory):
    out = tmp_path_factory.mktemp("worlds") / "pole"
    return workbench.fit("CartPole-v1", seeds=2, steps=256, settings=TINY, out=out)


def test_fit_of_a_world_prints_scores_in_the_shape_of_tables(words, tmp_path):
    done = words("fit", "CartPole-v1", "--method", "ppo", "--steps", 128, "--seeds", 2, *WORDS, "--json")
    summary = json.loads(done.out)
    assert done.err == ""
    assert summary["run"] == "runs/CartPole-v1"
    assert {"return", "return_iqm", "return_median", "return_best", "return_sampled"} <= set(summary["scores"])
    assert all(set(score) == {"value", "low", "high"} for score in summary["scores"].values())
    assert summary["scores"]["return"]["low"] <= summary["scores"]["return"]["value"]
    assert set(summary["baselines"]) == {"random"}
    assert (summary["agents"], summary["episodes"], summary["main_metric"]) == (2, 4, "return")
    assert summary["preliminary"]
    assert "fewer than 10 agents" in summary["verdict"]
    assert summary["test_openings"] == 1
    recipe = aurify.load("runs/CartPole-v1").recipe
    assert (recipe.task.method, recipe.task.steps, recipe.task.agents) == ("ppo", 128, 2)


def test_every_agent_plays_the_test_episodes_greedily_and_sampling(grid):
    played = pl.read_parquet(grid.folder.episodes)
    assert played.columns == ["agent", "policy", "episode", "seed", "return", "length", "terminated"]
    counts = {(agent, policy): n for agent, policy, n in played.group_by("agent", "policy").len().iter_rows()}
    agents = {(agent, policy): 4 for agent in range(3) for policy in ("greedy", "sampled")}
    assert counts == agents | {(None, "random"): 4}
    greedy = played.filter(pl.col("policy") == "greedy").group_by("agent").agg(pl.col("return").mean())
    assert grid.summary["scores"]["return"]["value"] == pytest.approx(greedy["return"].mean())
    assert played["seed"].n_unique() == 4


def test_test_episodes_are_none_that_agents_were_chosen_by(grid):
    held = seeds_of(grid.recipe.seed, "validation", Parts.open(grid.folder.parts).held)
    chosen = {episode_seed(seed, 0) for seed in held}
    tested = set(pl.read_parquet(grid.folder.episodes)["seed"])
    played = set(workbench.play(grid.path, episodes=3).to_frame()["seed"])
    assert len(chosen | tested | played) == 2 + 4 + 3


def test_known_optimum_stands_beside_the_agents(grid):
    world = World.open(grid.folder.store)
    model = model_of(world)
    summary = grid.summary
    assert summary["baselines"]["optimal"]["return"] == pytest.approx(optimal_return(model, world.limit))
    states = world.values(np.arange(len(model.start)))
    with torch.no_grad():
        answers = [grid.bundle.pipeline.answer(member, states) for member in grid.bundle.members]
    exact = np.mean([expected_return(model, each.argmax(1).numpy(), world.limit) for each in answers])
    assert summary["scores"]["return_exact"]["value"] == pytest.approx(exact)
    assert "By the model of the world" in summary["verdict"]


def test_best_agent_answers_and_the_others_are_kept(pole):
    weights = [member.weight for member in pole.bundle.members]
    assert sorted(weights) == [0.0, 1.0]
    frame = pl.DataFrame({f"observation_{at}": [0.0, 0.3, -0.2] for at in range(4)})
    answer = pole.predict(frame)
    assert answer.columns == ["action", "p_0", "p_1"]
    assert answer["action"].dtype == pl.Int64
    values = {"numbers": torch.full((3, 4), 0.0, dtype=torch.float64) + torch.tensor([[0.0], [0.3], [-0.2]])}
    with torch.no_grad():
        alone = pole.bundle.pipeline.answer(pole.bundle.members[weights.index(1.0)], values)
    np.testing.assert_allclose(answer.select("p_0", "p_1").to_numpy(), alone.numpy(), rtol=1e-6)
    np.testing.assert_array_equal(answer["action"].to_numpy(), alone.argmax(1).numpy())


def test_predict_reads_observations_from_a_file(pole, words, tmp_path):
    (tmp_path / "seen.csv").write_text(
        "observation_0,observation_1,observation_2,observation_3\n0,0,0.1,0\n0,0,-0.1,0\n"
    )
    done = words("predict", pole.path, "seen.csv")
    assert done.out.splitlines()[0] == "action,p_0,p_1"
    assert len(done.out.splitlines()) == 3


def test_predict_takes_observations_as_an_environment_gives_them(pole, grid):
    seen = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    frame = pl.DataFrame({f"observation_{at}": seen[:, at] for at in range(4)})
    assert pole.predict(seen).equals(pole.predict(frame))
    states = grid.predict(np.array([0, 3, 1]))
    assert states.equals(grid.predict(pl.DataFrame({"observation": [0, 3, 1]})))
    with pytest.raises(AurifyError, match=r"the shape \(5, 3\) does not hold observations of 4 number"):
        pole.predict(seen[:, :3])


@pytest.mark.slow
def test_exported_graph_acts_as_the_best_agent_does(pole, tmp_path):
    workbench.export(pole.path, tmp_path / "pole.onnx")
    seen = np.random.default_rng(0).normal(size=(8, 4))
    graph = Graph((tmp_path / "pole.onnx").read_bytes())
    frame = pl.DataFrame({f"observation_{at}": seen[:, at] for at in range(4)})
    expected = pole.predict(frame).select("p_0", "p_1").to_numpy()
    np.testing.assert_allclose(graph.answer({"numbers": seen}), expected, atol=1e-6)


def test_played_episodes_are_told_and_recorded(pole, words, tmp_path):
    done = words("play", pole.path, "--episodes", 2, "--record", "pole.gif")
    first, second, recorded = done.out.splitlines()
    assert first.startswith("episode 0: return ")
    assert second.startswith("episode 1: return ")
    assert recorded.endswith("pictures in pole.gif")
    with Image.open("pole.gif") as film:
        assert film.n_frames > 5
        assert max(film.size) <= 400
    assert (
        "exists already; replace it with --force" in words("play", pole.path, "--record", "pole.gif", check=False).err
    )


def test_play_of_one_agent_is_the_same_each_time(grid):
    first = workbench.play(grid.path, agent=1, sampled=True, episodes=3)
    again = workbench.play(grid.path, agent=1, sampled=True, episodes=3)
    other = workbench.play(grid.path, agent=1, sampled=True, episodes=3, seed=1)
    assert first == again
    assert first.policy == "sampled"
    assert [each["seed"] for each in first.episodes] != [each["seed"] for each in other.episodes]


def test_texts_of_a_world_are_recorded(grid, tmp_path):
    played = workbench.play(grid.path, record=tmp_path / "grid.txt")
    assert played.pictures == played.episodes[0]["length"] + 1
    assert (tmp_path / "grid.txt").read_text().count("\n") > played.pictures


def test_played_test_episode_returns_what_was_measured(pole):
    """What a section watches is what was counted."""
    world, member = World.open(pole.folder.store), pole.bundle.members[1]
    seed = seeds_of(pole.recipe.seed, "test", [2])[0]
    seen = list(moments(world, acting(pole.bundle, member, world, GREEDY, [seed]), seed, None))
    told = pl.read_parquet(pole.folder.episodes).row(
        by_predicate=(pl.col("agent") == 1) & (pl.col("policy") == "greedy") & (pl.col("episode") == 2), named=True
    )
    assert sum(moment.reward for moment in seen) == told["return"]
    assert len(seen) - 1 == told["length"]


@pytest.mark.slow
def test_progress_tells_steps_a_second_return_and_epsilon(tmp_path, monkeypatch):
    monkeypatch.setattr(terminal, "REFRESH_SECONDS", -1.0)
    screen = io.StringIO()
    with terminal.progress(Console(file=screen, force_terminal=True, width=200)) as show:
        settings = {"task.envs": 2, "task.held": 1, "task.tested": 1, "budget.validate_every": 8}
        workbench.fit(GRID, method="q_learning", steps=128, settings=settings, out=tmp_path / "run", show=show)
    assert re.search(r"held-out return -?[\d.]+, best -?[\d.]+, [\d,]+ steps/s, epsilon \d\.\d\d", screen.getvalue())


def test_another_look_at_the_test_episodes_is_counted(pole):
    again = workbench.evaluate(pole.path)
    assert again["test_openings"] == pole.summary["test_openings"] + 1
    assert again["scores"] == pole.summary["scores"]
    with pytest.raises(AurifyError, match="episodes of their own world, not on data"):
        workbench.evaluate(pole.path, pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ({"target": "y"}, "--target"),
        ({"test": "other.csv"}, "--test"),
        ({"folds": 3}, "--folds"),
        ({"blend": "trees"}, "--blend"),
        ({"split": "time:x"}, "--split"),
        ({"find_rate": True}, "--find-rate"),
    ],
)
def test_words_about_rows_are_refused_for_a_world(words, option):
    with pytest.raises(AurifyError, match=f"{option} is about rows of data, and CartPole-v1 is a world"):
        workbench.fit("CartPole-v1", **words)


def test_words_about_worlds_are_refused_for_rows(csv_files):
    for words, option in (({"method": "ppo"}, "--method"), ({"seeds": 3}, "--seeds"), ({"steps": 9}, "--steps")):
        with pytest.raises(AurifyError, match=f"{option} is about agents in a world"):
            workbench.fit(csv_files["classify"], "y", **words)


@pytest.mark.slow
def test_agents_that_cannot_learn_side_by_side_are_trained_one_after_another(tmp_path):
    words = {"method": "q_learning", "steps": 400, "using": ["sam"]}
    words["settings"] = {"task.envs": 2, "task.held": 2, "task.tested": 4}
    told = []
    both = workbench.fit(GRID, seeds=2, seed=5, out=tmp_path / "both", note=told.append, **words)
    assert any("sam does not train several agents side by side: they are trained one after another" in t for t in told)
    one = workbench.fit(GRID, seeds=1, seed=6, out=tmp_path / "one", **words)
    theirs, own = both.bundle.members[1].network.state_dict(), one.bundle.members[0].network.state_dict()
    assert all(torch.equal(theirs[name], value) for name, value in own.items())
    assert sorted(member.weight for member in both.bundle.members) == [0.0, 1.0]
    assert (both.summary["agents"], both.recipe.task.agents) == (2, 2)
    log = both.folder.read_progress()
    assert all(len(entry["returns"]) == 2 for entry in log)
    assert "How the agents learnt" in both.folder.report.read_text(encoding="utf-8")
    before = both.folder.bundle.read_bytes()
    for left in (both.folder.scores, both.folder.bundle, both.folder.agents / "1" / "model.aurify"):
        left.unlink()
    again = workbench.fit(GRID, seeds=2, seed=5, out=tmp_path / "both", resume=True, note=told.append, **words)
    assert again.folder.bundle.read_bytes() == before
    assert told[-3:].count("training agent 1 of 2") == 0


def test_play_needs_what_acts(lab, grid, tmp_path):
    lab.bundle(lab.fitted(lab.default("classify"))).save(tmp_path / "rows.aurify", lab.catalog)
    with pytest.raises(AurifyError, match="predicts rows and plays nothing"):
        workbench.play(tmp_path / "rows.aurify")
    with pytest.raises(AurifyError, match="--agent 3: agents are numbered from 0 to 2"):
        workbench.play(grid.path, agent=3)
    with pytest.raises(AurifyError, match=r"a \.gif of pictures or a \.txt of texts"):
        workbench.play(grid.path, record="film.mp4")


def test_model_file_alone_can_play(grid):
    assert workbench.play(grid.folder.bundle, episodes=2) == workbench.play(grid.path, episodes=2)


def test_file_that_is_not_there_and_world_that_is_unknown_have_errors_of_their_own():
    with pytest.raises(AurifyError, match=r"no file at nowhere\.csv"):
        workbench.fit("nowhere.csv", "y")
    with pytest.raises(AurifyError, match="there is no environment 'CartPole-v9'"):
        workbench.fit("CartPole-v9")


@pytest.mark.slow
def test_recipe_of_a_run_makes_the_same_run_again(grid, tmp_path):
    again = workbench.fit(recipe=grid.folder.recipe, out=tmp_path / "again")
    assert again.folder.bundle.read_bytes() == grid.folder.bundle.read_bytes()
    assert again.summary["scores"] == grid.summary["scores"]


def test_class_of_an_environment_is_a_source(tmp_path, monkeypatch):
    (tmp_path / "corridor.py").write_text(CORRIDOR)
    monkeypatch.syspath_prepend(tmp_path)
    kind = importlib.import_module("corridor").Corridor
    run = workbench.fit(kind, steps=128, settings=TINY, out=tmp_path / "run")
    assert run.recipe.source.path == "corridor:Corridor"
    assert RunFolder(run.path).finished()


def test_action_of_several_numbers_is_as_many_columns(tmp_path, monkeypatch):
    (tmp_path / "pointing.py").write_text(POINTING)
    monkeypatch.syspath_prepend(tmp_path)
    run = workbench.fit("pointing:Pointing", steps=128, settings=TINY, out=tmp_path / "run")
    answer = run.predict(np.zeros((3, 3), dtype=np.float32))
    assert answer.columns == ["action_0", "action_1"]
    workbench.export(run.path, tmp_path / "pointing.onnx")
    graph = Graph((tmp_path / "pointing.onnx").read_bytes())
    np.testing.assert_allclose(graph.answer({"numbers": np.zeros((3, 3))}), answer.to_numpy(), atol=1e-5)
    assert workbench.play(run.path).episodes[0]["length"] == 10


POINTING = '''
import gymnasium
import numpy as np


class Pointing(gymnasium.Env):
    """Two numbers are to be as the first two that are seen."""

    observation_space = gymnasium.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.step_count, self.seen = 0, self.np_random.uniform(-1, 1, 3).astype(np.float32)
        return self.seen, {}

    def step(self, action):
        away = float(np.abs(action - self.seen[:2]).sum())
        self.step_count, self.seen = self.step_count + 1, self.np_random.uniform(-1, 1, 3).astype(np.float32)
        return self.seen, -away, False, self.step_count >= 10, {}
'''

CORRIDOR = '''
import gymnasium
import numpy as np


class Corridor(gymnasium.Env):
    """Five places in a row; the right end pays."""

    observation_space = gymnasium.spaces.Discrete(5)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.step_count = 0, 0
        return self.place, {}

    def step(self, action):
        self.place = int(np.clip(self.place + 2 * int(action) - 1, 0, 4))
        self.step_count += 1
        return self.place, float(self.place == 4), self.place == 4, self.step_count >= 20, {}
'''


@pytest.fixture
def odd(monkeypatch):
    """Where worlds may be named that are odd."""
    monkeypatch.chdir(Path(__file__).parent.parent / "worlds")


def test_reward_that_is_no_number_is_said_as_such(odd, tmp_path):
    settings = {**TINY, "task.horizon": 1000}
    with pytest.raises(AurifyError, match=r"PaysNaNLate fails in a step: it pays nan; a reward must be a finite"):
        workbench.fit("odd_worlds:PaysNaNLate", steps=2000, settings=settings, inspect=False, out=tmp_path / "run")


def test_what_a_world_prints_is_no_answer(odd, words, tmp_path):
    done = words("fit", "odd_worlds:Talks", "--steps", 64, *WORDS, "--out", tmp_path / "run", "--json")
    assert json.loads(done.out)["agents"] == 1
    assert "stepping" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("method", ["q_learning", "sarsa"])
def test_values_of_numbers_do_not_run_away(method, tmp_path):
    settings = {"task.held": 2, "task.tested": 2}
    run = workbench.fit("Acrobot-v1", method=method, steps=1600, settings=settings, inspect=False, out=tmp_path / "run")
    assert run.folder.read_progress()[-1]["played"] == 1600
    with pytest.raises(AurifyError, match="has no policy to draw actions from"):
        workbench.play(run.path, sampled=True)


@pytest.mark.parametrize(("method", "most"), [("ppo", 1024), ("a2c", 128), ("q_learning", 32)])
def test_no_more_steps_are_done_than_were_allowed(method, most):
    world = World.of("CartPole-v1", {})
    task = catalogs.load().part("task", {"name": "control", "method": method, "steps": 3 * most + most - 1})
    budget = task.defaults(world)["budget"]
    updates = budget.get("steps") or budget["epochs"]
    assert updates * most <= task.steps
    with pytest.raises(AurifyError, match=f"task.steps = {most - 1:,}: what {method} gathers at once"):
        catalogs.load().part("task", {"name": "control", "method": method, "steps": most - 1}).defaults(world)


def test_world_without_all_of_its_name_is_told(csv_files):
    with pytest.raises(AurifyError, match=r"CartPole is no data; a world is .*, such as CartPole-v1"):
        workbench.fit("CartPole", method="ppo")
    with pytest.raises(AurifyError, match=r"my_envs\.py is no data; .*, such as my_envs:MyEnv"):
        workbench.fit("my_envs.py")


def test_technique_of_another_method_is_refused_in_words():
    with pytest.raises(AurifyError, match="'epsilon_greedy' does not fit: it needs a method that learns what actions"):
        workbench.fit("CartPole-v1", using=["epsilon_greedy"], inspect=False)
    with pytest.raises(AurifyError, match=r"a choice of control\.method"):
        catalogs.load().anywhere("ppo")
