"""A search in a world: trials of some agents, an honest score by others, and one agent that acts."""

import json
import re
import shutil
import signal

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.ship.bundle import Bundle
from aurify.study import worker
from aurify.study.examples import STREAM
from aurify.training import checkpoint
from aurify.worlds.episodes import play, seeds_of
from aurify.worlds.world import World

GRID = "aurify/GridWorld-v0"
SMALL = ["width=3", "height=3", "slip=0.3", "max_episode_steps=12"]
TINY = {"task.method": "q_learning", "task.envs": 2, "task.held": 2, "task.tested": 3, "task.options": SMALL}
WORDS = {"steps": 400, "seeds": 2, "settings": TINY, "workers": 1, "device": "cpu"}
CLOCKS = ("told", "seconds", "values", "latency")


@pytest.fixture(scope="module")
def tune(tmp_path_factory):
    place = tmp_path_factory.mktemp("tuned")

    def make(out="run", **words):
        return workbench.tune(GRID, out=place / out, **{**WORDS, "trials": 4, "method": "random", **words})

    return make


@pytest.fixture(scope="module")
def tuned(tune):
    """A finished search, for looking at only."""
    return tune("whole")


def told(found):
    trials = [{k: v for k, v in trial.items() if k not in CLOCKS} for trial in found.listed]
    for trial in trials:
        trial["rungs"] = [(rung["share"], rung["score"]) for rung in trial["rungs"]]
    return trials, found.plain["best"], found.plain["remeasured"], (found.path / "model.aurify").read_bytes()


@pytest.mark.slow
def test_a_trial_scores_the_mean_of_its_agents_in_the_episodes_of_all_trials(tuned):
    best = tuned.plain["best"]
    every = [pl.read_parquet(path) for path in sorted(tuned.path.glob("search/models/*/predictions.parquet"))]
    trials = [frame for frame in every if frame["agent"].n_unique() == 2]
    assert len(trials) == len({json.dumps(t["settings"]) for t in tuned.listed}) == 4
    assert sorted(frame["return"].mean() for frame in trials) == pytest.approx(sorted(t["score"] for t in tuned.listed))
    assert best["score"] == max(trial["score"] for trial in tuned.listed)


def test_the_winner_is_measured_again_by_ten_agents_of_other_seeds(tuned):
    again = tuned.plain["remeasured"]
    assert len(again["folds"]) == 10
    assert again["value"] == pytest.approx(np.mean(again["folds"]))
    assert again["low"] <= again["value"] <= again["high"]


def test_its_agents_are_shipped_and_play_as_they_were_scored(tuned, catalog):
    bundle, folder = tuned.bundle, RunFolder(tuned.path)
    assert len(bundle.members) == bundle.recipe.task.agents == 2
    assert sorted(member.weight for member in bundle.members) == [0.0, 1.0]
    assert catalog.read_recipe(folder.recipe) == bundle.recipe
    world = World.open(folder.store)
    kept = Bundle.load(next(p for p in tuned.path.glob("search/models/*/model.aurify")), catalog, bundle.device)
    seeds = seeds_of(kept.recipe.seed, STREAM, range(20))
    from aurify.ship.acting import GREEDY, acting

    means = [play(world, seeds, acting(kept, m, world, GREEDY, seeds), lambda: None).value.mean() for m in kept.members]
    assert any(np.mean(means) == pytest.approx(trial["score"]) for trial in tuned.listed)


def test_the_test_episodes_stay_sealed_until_it_is_evaluated(tuned, tmp_path):
    folder = shutil.copytree(tuned.path, tmp_path / "run")
    assert not (folder / "openings.jsonl").exists()
    summary = workbench.evaluate(folder)
    assert (summary["agents"], summary["test_openings"]) == (2, 1)
    page = (folder / "report.html").read_text()
    assert "Re-measuring takes that out: 10 agents of other" in re.sub(r"\s+", " ", page)
    workbench.report(folder, language="zh")
    assert "10 个使用其他随机种子的智能体" in (folder / "report.html").read_text()


@pytest.mark.slow
def test_stopped_again_and_again_it_ends_as_if_it_never_was(tune, monkeypatch):
    words = {"method": "auto", "trials": 4}
    unbroken = tune("unbroken", **words)
    assert {trial["state"] for trial in unbroken.listed} == {"complete", "pruned"}
    monkeypatch.setattr(checkpoint, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "COST_SHARE", 1e9)
    made, measure = [], worker.measure

    def counted(*given):
        made.append(given[-2])
        if len(made) in (2, 4):
            signal.raise_signal(signal.SIGINT)
        return measure(*given)

    monkeypatch.setattr(worker, "measure", counted)
    for _ in range(3):
        try:
            found = tune("stopped", **words)
        except AurifyError:
            continue
    assert len(made) >= 5
    assert told(found) == told(unbroken)


@pytest.mark.slow
def test_agents_that_do_not_learn_side_by_side_are_trained_one_after_another(tune):
    words = {"using": ["sam"], "trials": 3, "method": "hyperband", "knobs": ["optimizer.learning_rate"], "steps": 200}
    found = tune("apart", **words)
    assert {trial["state"] for trial in found.listed} == {"complete", "pruned"}
    assert len(found.bundle.members) == 2


@pytest.mark.slow
def test_methods_are_compared_in_a_world(tune):
    found = tune("compared", compare=["random", "hyperband"], trials=2, repeats=2, steps=200)
    assert [row["method"] for row in found.plain["compare"]["table"]] == ["random", "hyperband"]
    assert all(row["remeasured"] is not None for row in found.plain["compare"]["table"])
    assert "Each trial was 2 agents" in found.report.read_text()


@pytest.mark.slow
def test_settings_of_the_task_are_knobs(tune):
    found = tune("gamma", knobs=["task.gamma", "epsilon_greedy.last"], trials=3)
    assert {knob for trial in found.listed for knob in trial["settings"]} == {"task.gamma", "epsilon_greedy.last"}
    assert found.bundle.recipe.task.gamma == found.plain["best"]["settings"]["task.gamma"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"nested": True}, "--nested is about rows of data, and aurify/GridWorld-v0 is a world to act in"),
        ({"folds": 3}, "--inner is about rows of data"),
        ({"metric": "roc_auc"}, "--metric roc_auc: there is no such metric here"),
        ({"metric": "return_learning"}, "--metric return_learning: there is no such metric here"),
        ({"knobs": ["task.trace"]}, "--knobs task.trace: there is no knob 'task.trace' here"),
        ({"seeds": 0}, "agents"),
    ],
)
def test_words_that_mean_nothing_in_a_world_are_refused_in_one_line(tune, words, message):
    with pytest.raises(AurifyError) as refused:
        tune("refused", **words)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_steps_and_seeds_mean_nothing_of_rows(csv_files):
    for word, option in (("steps", "--steps"), ("seeds", "--seeds")):
        with pytest.raises(AurifyError, match=f"{option} is about agents in a world"):
            workbench.tune(csv_files["classify"], "y", trials=2, **{word: 3})
