"""The recipes with which a search begins: each can be trained, the first is cheap, what a user fixed stays fixed."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from differing import names
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # benchmarks are no part of the package

from aurify import catalog as catalogs
from aurify.catalog import override
from aurify.core.parts import Network, Optimizer, Task
from aurify.core.recipe import Recipe, Split
from aurify.core.watch import Watch
from aurify.networks.given import given
from aurify.study.kept import Kept
from aurify.study.portfolio import Held, entered, entries, portfolio
from aurify.study.trial import measure
from benchmarks.choosing.bench import Bench
from benchmarks.choosing.candidates import candidates
from benchmarks.choosing.choice import ALONE, greedy, left_out, regrets
from benchmarks.choosing.tables import Table
from benchmarks.choosing.written import written

KINDS = ("classify", "regress")
SIZE = 8


@pytest.fixture(params=KINDS)
def own(request, lab, catalog):
    """The task's own recipe, in full size."""
    store, task = lab.store(request.param), lab.task(request.param)
    about = {"name": "table", "kind": request.param}
    return catalog.recipe({"task": about, "source": {"target": "y"}, "seed": 3, **task.defaults(store)})


def test_every_entry_can_be_built_and_no_two_are_equal(own, catalog):
    assert len(entries(own.task)) == SIZE
    found = portfolio(own, catalog)
    assert len(found) == SIZE
    assert len({one.to_yaml() for one in found}) == SIZE
    assert found == portfolio(own, catalogs.load())


def test_of_many_rows_the_first_are_the_cheap_one_and_the_recipe_beside_boosted_trees(own, catalog):
    plain, (first, second, *others) = portfolio(own, catalog), portfolio(own, catalog, rows=10_000)
    assert first.blend.model == second.blend.model == "trees"
    assert replace(first, blend=own.blend) == plain[0]
    assert replace(second, blend=own.blend) == own
    assert others == [one for one in plain if one not in (first, second)]


def test_every_entry_trains_and_answers_better_than_nothing(own, lab, catalog):
    store = lab.store(own.task.kind)
    parts = own.task.part(own, store)
    for recipe in portfolio(own, catalog):
        short = replace(recipe, budget=replace(recipe.budget, steps=40, batch_size=32))
        found = measure(short, store, parts, catalog, torch.device("cpu"), Watch(), Kept())
        assert found["diverged"] is None
        scores = found["scores"]
        assert scores["log_loss"] < np.log(3) if own.task.kind == "classify" else scores["r2"] > 0, recipe.to_yaml()


def test_the_first_takes_a_tenth_of_the_work_of_the_recipe_which_is_one_of_them(own, lab, catalog):
    first, *others = portfolio(own, catalog)
    assert own in others
    assert _work(first, lab) < 0.1 * _work(own, lab)


def _work(recipe, lab):
    """Multiplications of one row's answer, times the epochs."""
    problem = lab.problem(recipe)
    model = recipe.network.build(problem.signature)
    inputs, _ = problem.unseen
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(inputs)
    return counter.get_total_flops() * recipe.budget.epochs


def test_what_is_not_for_a_portfolio_to_say_stays_the_users(own, catalog):
    asked = replace(own, split=Split(by="time:day", folds=4), seed=7, precision="bfloat16")
    asked = asked.using(catalog.part("technique", {"name": "exclude_columns", "columns": ["b"]}))
    for recipe in portfolio(asked, catalog):
        assert (recipe.source, recipe.split, recipe.task) == (asked.source, asked.split, asked.task)
        assert (recipe.seed, recipe.precision) == (7, "bfloat16")
        assert recipe.hidden == {"b"}


def test_a_technique_of_the_users_is_in_one_of_them(own, catalog):
    asked = own.using(catalog.part("technique", {"name": "remove_outliers", "share": 0.01}))
    found = portfolio(asked, catalog)
    assert asked in found
    assert "remove_outliers" not in names(found[0])


def test_what_a_user_said_holds_in_every_entry(own, catalog):
    held = Held(settings=["network=mlp", "blend.model=trees"], using=["remove_outliers"], without=["dropout"])
    plain = override(own.plain(), settings=held.settings, using=held.using, without=held.without)
    found = portfolio(catalog.recipe(plain), catalog, held)
    assert len(found) > 2
    for recipe in found:
        assert (recipe.network.name(), recipe.blend.model) == ("mlp", "trees")
        assert "remove_outliers" in names(recipe)
        assert "dropout" not in names(recipe)
    widths = {recipe.network.settings()["width"] for recipe in found}
    assert len(widths) > 1, "an entry that has the network keeps its settings"


def test_a_value_of_a_knob_is_only_where_the_search_begins():
    words = Held(settings=["network=mlp", "network.width=8"], using=["mixup.alpha=0.4", "focal"], without=["dropout"])
    assert words.beside({"network.width", "mixup.on", "dropout.on"}) == Held(
        settings=["network=mlp"], using=["focal"], without=[]
    )


def test_no_entry_trains_longer_than_the_recipe(own, catalog):
    short = replace(own, budget=replace(own.budget, epochs=3, batch_size=16, find_rate=True))
    for recipe in portfolio(short, catalog):
        assert recipe.budget == short.budget
    assert len({one.budget.epochs for one in portfolio(own, catalog)}) > 2


def test_a_recipe_that_is_an_entry_already_is_there_once(own, catalog):
    first = portfolio(own, catalog)[0]
    found = portfolio(first, catalog)
    assert found.count(first) == 1
    assert found[0] == first


def test_what_does_not_fit_is_left_out(own, catalog):
    other = {"network": {"name": "mlp", "depth": 2}, "techniques": {"stochastic_depth": {}, "dropout": {}}}
    assert names(entered(own, other, catalog)) == ["dropout"]
    residual = {**other, "network": {"name": "mlp", "depth": 2, "residual": True}}
    assert set(names(entered(own, residual, catalog))) == {"dropout", "stochastic_depth"}
    kinds = {"techniques": {"temperature": {}, "scale_target": {}}}
    assert names(entered(own, kinds, catalog)) == ["temperature" if own.task.kind == "classify" else "scale_target"]


@pytest.mark.parametrize(
    "entry",
    [
        {"network": {"name": "nonesuch"}},
        {"techniques": {"nonesuch": {}}},
        {"techniques": {"cosine": {}, "one_cycle": {}}},
        {"optimizer": {"name": "adamw", "learning_rate": -1.0}},
    ],
)
def test_an_entry_that_cannot_be_built_is_passed_over(entry, own, catalog):
    assert entered(own, entry, catalog) is None


def test_a_network_from_python_stays(own):
    network, catalog = given(nn.LazyLinear(3)), catalogs.load()
    catalog.parts["network"]["given"] = type(network)
    found = portfolio(replace(own, network=network), catalog)
    assert len(found) > SIZE // 2
    assert all(one.network == network for one in found)


@dataclass(kw_only=True)
class Song(Task):
    """No table."""


@dataclass(kw_only=True)
class Ear(Network):
    """Anything."""


@dataclass(kw_only=True)
class Plain(Optimizer):
    """Anything."""


def test_where_there_are_no_columns_the_recipe_is_all_there_is(catalog):
    recipe = Recipe(task=Song(), network=Ear(), optimizer=Plain())
    own = catalogs.load()
    for kind, part in (("task", Song), ("network", Ear), ("optimizer", Plain)):
        own.parts[kind][part.name()] = part
    assert portfolio(recipe, own) == [recipe]


@pytest.mark.parametrize("name", ["image", "text"])
def test_where_images_or_texts_are_read_no_recipe_of_a_table_is_tried(name, catalog):
    assert list(entries(catalog.find("task", name)())) == [{}]


def test_more_candidates_only_add_to_fewer_and_each_can_be_built(own, catalog):
    few, many = (candidates(own.task.kind, count) for count in (20, 60))
    assert many[:20] == few
    found = [entered(own, entry, catalog) for entry in many]
    assert None not in found
    assert len({str(one.plain()) for one in found}) == 60
    assert all(one.budget.epochs == entry["budget"]["epochs"] for one, entry in zip(found[1:], many[1:], strict=True))


def test_what_a_bench_trained_is_there_again(frames, tmp_path):
    table, entry = (
        Table("small", "classify", frames["classify"]),
        {**candidates("classify", 2)[1], "budget": {"steps": 3}},
    )
    bench = Bench(table, tmp_path)
    assert len(bench.cells) == len(bench.first) == 3
    assert bench.measured(entry, bench.first) is None
    bench.make(entry, bench.first)
    again = Bench(table, tmp_path)
    assert bench.measured(entry, bench.first) == again.measured(entry, again.first)
    assert len((tmp_path / "small" / "trainings.jsonl").read_text().splitlines()) == 3
    assert again.linear(again.cells) == again.linear(again.cells) < np.log(3)


LOSSES = np.array([[0.0, 9.0, 4.0], [5.0, 5.0, 5.0], [9.0, 0.0, 6.0], [8.0, 8.0, 0.0]])


def test_the_choice_is_what_helps_those_before_most():
    regret = regrets(LOSSES)
    assert regret.min() == 0
    assert regret.max() <= 2
    chosen = greedy(regret, 4)
    assert sorted(chosen) == [0, 1, 2, 3]
    for n in range(4):
        others = set(range(4)) - set(chosen[:n])
        after = {c: regret[[*chosen[:n], c]].min(axis=0).mean() + ALONE * regret[c].mean() for c in others}
        assert chosen[n] == min(after, key=after.__getitem__)
    helps, alone = np.array([[0, 1, 1], [1, 0.9, 1], [1, 0.8, 1.4]]), np.array([[0, 1, 1], [1, 0.9, 1], [1, 0.89, 1.9]])
    assert greedy(helps, 2, [0]) == [0, 2]
    assert greedy(alone, 2, [0]) == [0, 1]
    assert greedy(regret, 3, [1])[0] == 1
    assert len(greedy(regret, 9)) == 4


def test_a_table_that_had_no_say_is_not_looked_at():
    regret = regrets(LOSSES)
    other = regret.copy()
    other[:, 0] = other[::-1, 0]
    chosen = [greedy(np.delete(table, 0, axis=1), 3, [1]) for table in (regret, other)]
    assert chosen[0] == chosen[1]
    found = left_out(regret, 4, [1], draws=20)
    assert found["portfolio"][-1] == found["random"][-1] == 0
    assert found["portfolio"][0] == found["random"][0] == round(float(regret[1].mean()), 3)


def test_what_is_written_is_what_was_chosen():
    import yaml

    entry = {"network": {"name": "mlp", "width": 8}, "techniques": {"dropout": {"rate": 0.1}, "cosine": {}}}
    told = {"alone": 1.0, "so_far": 0.5, "seconds": 1.0}
    plain = {"classify": [{"entry": entry, **told}, {"entry": {}, **told}], "regress": [{"entry": {}, **told}]}
    assert yaml.safe_load(written(plain)) == {"classify": [entry, {}], "regress": [{}]}
