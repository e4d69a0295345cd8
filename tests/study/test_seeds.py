"""Ledgers of agents: pairs are seeds, the agents of a recipe are one program, and it changes nothing but the time."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from aurify import workbench
from aurify.core.errors import Apart, AurifyError
from aurify.core.folder import RunFolder
from aurify.core.watch import Watch
from aurify.data.splits import Parts
from aurify.measure.paired import effect
from aurify.study import worker
from aurify.study.examples import STREAM
from aurify.study.kept import Kept
from aurify.study.pace import pace
from aurify.study.seeds import EPISODES, SEEDS, Steps, seeds
from aurify.study.trainings import Wanted
from aurify.study.trial import measure, measure_together
from aurify.study.worker import Trainer
from aurify.training.device import choose
from aurify.worlds.episodes import seeds_of
from aurify.worlds.world import World

GRID = "aurify/GridWorld-v0"
SMALL = ["width=3", "height=3", "max_episode_steps=12"]
TINY = {"task.envs": 2, "task.held": 1, "task.tested": 3, "task.options": SMALL}
WORDS = {"method": "q_learning", "steps": 200, "seeds": 3, "settings": TINY, "workers": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def world():
    return World.of(GRID, {"width": 3, "height": 3, "slip": 0.5, "max_episode_steps": 30})


@pytest.fixture(scope="module")
def acting(catalog, world):
    """A recipe of an agent that learns values in a table; more of it by ``words``."""

    def make(techniques=(), **words):
        task = catalog.part("task", {"name": "control", "method": "q_learning", "envs": 2, "held": 2, "steps": 400})
        plain = {**task.defaults(world), "task": {"name": "control", **task.settings()}, **words}
        plain["techniques"] = {**plain["techniques"], **{name: {} for name in techniques}}
        return catalog.recipe(plain)

    return make


@pytest.fixture
def ledger_of(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "pace", lambda recipes, *given: {**pace(recipes, *given), "alone": 1e9})

    def make(out="run", source=GRID, **words):
        words = {**WORDS, **words} if source == GRID else {"workers": 1, "device": "cpu", **words}
        where = {"out": tmp_path / out} if source == GRID else {}
        return workbench.ablate(source, **where, **words)

    return make


def test_seeds_are_independent_pairs_of_which_more_are_collected_by_the_spread_alone(acting, tmp_path):
    found = seeds(acting(), Steps(), tmp_path)
    assert len({cell.seed for cell in found.all}) == len(found.all) == 20
    assert (found.pilot, len({cell.path for cell in found.all})) == (SEEDS, 1)
    differences = np.random.default_rng(0).normal(0.4, 1.0, 15)
    one, plain = effect(differences.tolist(), found.pairing, 1), stats.ttest_1samp(differences, 0.0)
    assert one.p == pytest.approx(plain.pvalue)
    assert (one.low, one.high) == pytest.approx(tuple(plain.confidence_interval(0.95)))
    fresh = seeds(acting(), Steps(), tmp_path, fresh=True)
    assert {cell.seed for cell in found.all}.isdisjoint(cell.seed for cell in fresh.all)


@pytest.mark.parametrize(
    ("asked", "sizes"), [(None, [9, 5, 5]), (2, [1]), (10, [9]), (11, [10]), (12, [6, 5]), (31, [10] * 3)]
)
def test_groups_are_all_seeds_but_the_first_whatever_is_made_already(acting, tmp_path, asked, sizes):
    found = seeds(acting(), Steps(seeds=asked), tmp_path)
    assert sorted(map(len, found.groups)) == sorted(sizes)
    assert [at for group in found.groups for at in group] == list(range(1, len(found.all)))
    assert found.beside(0) == ()
    assert found.all[1] in found.beside(1)


def test_fewer_steps_are_as_a_fit_of_so_many_would_take_them(acting, catalog, world):
    recipe = acting()
    long = catalog.part("task", {**recipe.plain()["task"], "steps": 80_000, "agents": 7})
    whole = catalog.recipe({**long.defaults(world), "task": {"name": "control", **long.settings()}})
    capped = Steps(most=20_000).capped(whole)
    short = replace(long, steps=20_000, agents=1)
    assert capped.task == short
    assert capped.budget.epochs == short.defaults(world)["budget"]["epochs"]
    assert Steps(most=None).capped(whole) == replace(whole, task=replace(long, agents=1))
    assert Steps(most=10**6).capped(whole).budget == whole.budget


def parts():
    return Parts(np.zeros(1, dtype=np.int64), np.arange(2), np.arange(5))


def timeless(answer):
    return {name: value for name, value in answer.items() if name not in ("seconds", "latency", "beside", "curve")}


def acted(answer):
    return {name: value for name, value in answer["scores"].items() if name != "return_learning"}


@pytest.mark.slow
def test_agents_trained_as_one_program_score_as_each_does_alone(acting, catalog, world):
    watch, cpu = Watch(), choose("cpu")
    recipes = [replace(acting(), seed=seed) for seed in (2**63 - 1, 3, 2**62)]
    beside = measure_together(recipes, world, [parts()] * 3, catalog, cpu, watch, [Kept()] * 3)
    trainer = Trainer(world, catalog, cpu, watch)
    for recipe, one in zip(recipes, beside, strict=True):
        alone = measure(recipe, world, parts(), catalog, cpu, watch, trainer._once)
        # each validates in episodes of its own seed alone, and in those of the first one beside others
        assert {**timeless(one), "scores": acted(one)} == {**timeless(alone), "scores": acted(alone)}
        assert [point[2] for point in one["curve"]] == [point[2] for point in alone["curve"]]
        assert one["scores"]["return_learning"] == pytest.approx(np.mean([point[1] for point in one["curve"]]))
        assert (one["seconds"], one["beside"]) == (None, 3)
        assert alone["seconds"] > 0
    assert len({one["scores"]["return"] for one in beside}) > 1


def test_episodes_that_score_are_none_that_a_fit_goes_by(acting):
    every = [
        n for stream in (STREAM, "validation", "test", "play") for n in seeds_of(acting().seed, stream, range(EPISODES))
    ]
    assert len(set(every)) == len(every)


@pytest.mark.slow
def test_what_does_not_stack_is_trained_one_after_another_and_said(acting, catalog, world, tmp_path):
    recipe, watch, cpu = acting(["sam"]), Watch(), choose("cpu")
    found = seeds(recipe, Steps(seeds=3), tmp_path)
    wanted = Wanted(recipe, found.all[1], beside=found.beside(1))
    with pytest.raises(Apart, match="sam does not train several"):
        measure_together(
            [one.seeded for one in wanted.together], world, [parts()] * 2, catalog, cpu, watch, [Kept()] * 2
        )
    trainer = Trainer(world, catalog, cpu, watch)
    told = trainer({"together": [one.order for one in wanted.together], "parts": wanted.cell.path})["together"]
    for one, answer in zip(wanted.together, told, strict=True):
        alone = trainer(one.order)
        assert "sam does not train several" in answer.pop("apart")
        assert timeless(answer) == timeless(alone)
        assert answer["seconds"] is not None


@pytest.mark.slow
def test_ledger_of_a_world_is_made_of_its_agents_and_the_same_after_a_kill(ledger_of, lines, timeless):
    found = ledger_of()
    plain = found.plain
    assert sorted(row["technique"] for row in plain["effects"]) == [
        *("epsilon_greedy", "sgd", "tabular", "visit_rates", "weight_averaging")
    ]
    returns = {(one["variant"], one["repeat"]): one["scores"]["return"] for one in plain["trainings"]}
    for row in plain["effects"]:
        again = [sum(sign * returns[name, seed] for name, sign in row["terms"].items()) for seed in (1, 2, 3)]
        assert row["differences"] == pytest.approx(again)
        assert row["gain"] == pytest.approx(np.mean(again))
    assert (plain["preliminary"], plain["pilot"], plain["steps"], plain["tested"]) == (True, 3, 200, EPISODES)
    assert plain["worth"] == pytest.approx(0.05 * abs(plain["reference"]["score"] - plain["random"]))
    assert {one["beside"] for one in plain["trainings"] if one["repeat"] == 1} == {1}
    beside = {(one["variant"], one["beside"]) for one in plain["trainings"] if one["repeat"] > 1}
    assert beside == {(name, 1 if name == "without tabular" else 2) for name in plain["variants"]}
    table, diverges, other = plain["paces"]
    assert (table["network"], diverges["network"], other["optimizer"]) == ("tabular", "mlp", "adam")
    assert all(one["together"] > 0 < one["alone"] for one in (table, other))
    assert "the loss became" in diverges["apart"]
    assert "One program was" in found.report.read_text(encoding="utf-8")
    file = found.path / "ablation" / "trainings.jsonl"
    kept = file.read_text().splitlines(keepends=True)
    group = next(at for at, line in enumerate(kept) if json.loads(line)["answer"]["beside"] == 2)
    file.write_text("".join(kept[: group + 1]))  # killed while the second of two was being written down
    told = []
    assert timeless(ledger_of(note=told.append)) == timeless(found)
    assert len(lines(found.path)) == len(kept)
    assert any("trainings were finished before" in text for text in told)


@pytest.mark.slow
def test_page_of_agents_speaks_of_seeds_and_of_no_rows(ledger_of):
    text = ledger_of(sweep=["task.gamma=0.9"], designs=["leave_one_out"]).report.read_text(encoding="utf-8")
    for words in ("3 seeds hardly tell", "over seeds, at 200 steps of each agent", "a random policy returns"):
        assert words in text
    for words in ("training sets of", "repeats of", "rows answered", "held-out rows"):
        assert words not in text


@pytest.mark.slow
def test_ledger_of_a_run_stands_in_its_report_and_its_test_episodes_stay_sealed(ledger_of, tmp_path):
    run = workbench.fit(GRID, method="q_learning", seeds=2, steps=400, settings=TINY, out=tmp_path / "fitted")
    before = RunFolder(run.path).read_openings()
    found = ledger_of(source=run.path, seeds=2, simplify=True)
    assert found.path == run.path
    assert {one["beside"] for one in found.plain["trainings"]} == {1}, "a group of one is no group"
    assert RunFolder(run.path).read_openings() == before
    assert "What each ingredient was worth" in run.folder.report.read_text(encoding="utf-8")
    assert found.plain["simplified"] is not None
    with pytest.raises(AurifyError, match="has its data and recipe already"):
        ledger_of(source=run.path, method="sarsa")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"rows": 500}, "--rows is about rows of data, and aurify/GridWorld-v0 is a world"),
        ({"seeds": 1}, "--seeds 1 is not allowed: at least 2"),
        ({"metric": "roc_auc"}, "--metric roc_auc: there is no such metric here"),
        ({"metric": "retrun"}, "did you mean 'return'"),
    ],
)
def test_nonsense_is_one_line(ledger_of, words, said):
    with pytest.raises(AurifyError, match=said):
        ledger_of(**words)


def test_seeds_of_rows_are_refused(ablate, tmp_path):
    with pytest.raises(AurifyError, match="--seeds is about agents in a world"):
        ablate(out=tmp_path / "run", seeds=3)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_what_was_slower_as_one_program_is_trained_alone_whenever_it_goes_on(ledger_of, monkeypatch, timeless):
    monkeypatch.setattr(worker, "pace", lambda *given: {"together": 2.0, "alone": 1.0})
    found = ledger_of(designs=["leave_one_out"])
    assert {one["beside"] for one in found.plain["trainings"]} == {1}
    monkeypatch.setattr(worker, "pace", lambda *given: {"together": 1.0, "alone": 2.0})
    file = found.path / "ablation" / "trainings.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:5]))
    assert timeless(ledger_of(designs=["leave_one_out"])) == timeless(found)
