"""A search does the same whoever trains how fast, whenever it is stopped, and tells what it did in order."""

import math
import random
from dataclasses import replace

import pytest

from aurify.core.errors import AurifyError
from aurify.study.axis import Axis
from aurify.study.compare import curve
from aurify.study.methods import LAG, METHODS, Plan, View, combinations
from aurify.study.search import COMPLETE, FAILED, PRUNED, Over, Search
from aurify.study.space import Space, space_of

FOLDS = 3
COSTS = ("latency", "parameters")


@pytest.fixture
def space(lab):
    """Three axes, of which one matters much: no recipe is made of them."""
    axes = (
        Axis("rate", 0.01, low=1e-4, high=1.0, log=True),
        Axis("width", 32, low=8, high=128, log=True, whole=True),
        Axis("mixup.on", False, choices=(False, True)),
    )
    return Space(lab.recipe("classify", {}), None, axes)


def scored(settings, share):
    """Best at a rate of 0.01; the further the training, the better."""
    return 0.9 - 0.1 * abs(math.log10(settings["rate"]) + 2) - 0.05 * (1 - share) + 0.01 * settings["mixup.on"]


class Bench:
    """Trains in an order of its own: a random one of those that ``workers`` are at is done next."""

    def __init__(self, workers=1, seed=0, stop_after=None, odd=None):
        self.workers, self.random, self.stop_after, self.odd = workers, random.Random(seed), stop_after, odd or {}
        self.known, self.waiting, self.made, self.most_open = {}, [], [], 0

    def begin(self, trial, share):
        if trial.settings.get("rate") is not None and self.odd.get(trial.number) == "unfit":
            raise AurifyError("these do not go together")
        keys = [(tuple(sorted(trial.settings.items())), share, fold) for fold in range(FOLDS)]
        self.waiting += [
            (key, trial) for key in keys if key not in self.known and all(key != k for k, _ in self.waiting)
        ]
        return {key: self.known.get(key) for key in keys}

    def ended(self):
        if self.stop_after is not None and len(self.made) >= self.stop_after:
            raise Over("time was up")
        self.most_open = max(self.most_open, len({trial.number for _, trial in self.waiting}))
        key, trial = self.waiting.pop(self.random.randrange(min(self.workers, len(self.waiting))))
        self.made.append(key)
        self.known[key] = self.answer(key, trial)
        return key, self.known[key]

    def answer(self, key, trial):
        settings, share, fold = key
        odd = self.odd.get(trial.number)
        if odd == "refused" and fold == 1:
            return {"refused": "out of memory"}
        score = None if odd == "undefined" else scored(dict(settings), share) + 0.001 * fold
        diverged = "the loss became nan" if odd == "diverged" and fold == 2 else None
        return {"scores": {"auc": score}, "seconds": share, "latency": 1.0, "parameters": 10, "diverged": diverged}


class Unlike(Bench):
    """Scores that settings say nothing about: a portfolio begins recipes, whatever their settings."""

    def begin(self, trial, share):
        keys = [(trial.number, share, fold) for fold in range(FOLDS)]
        self.waiting += [(key, trial) for key in keys]
        return dict.fromkeys(keys)

    def answer(self, key, trial):
        known = super().answer(((("rate", 0.01), ("mixup.on", False)), *key[1:]), trial)
        return known | {"scores": {"auc": random.Random(str(key)).random()}}


def search(space, method, bench, most=20, seed=0, told=lambda trial: None, sign=1):
    found = Search(metric="auc", sign=sign, costs=COSTS, most=most, begin=bench.begin, ended=bench.ended, told=told)
    found.run(METHODS[method](Plan(found, space, seed, ["auc"])))
    return found


def plain(found):
    return [{k: v for k, v in trial.plain().items() if k != "told"} for trial in found.trials]


SAMPLED = ["grid", "random", "tpe", "bayes", "hyperband"]


@pytest.mark.slow
@pytest.mark.parametrize("method", SAMPLED)
def test_trials_do_not_depend_on_workers_or_on_who_is_faster(space, method):
    most = {"bayes": 11, "grid": 18}.get(method, 20)
    one = search(space, method, Bench(), most)
    for workers, seed in ((2, 1), (7, 2)):
        other = search(space, method, Bench(workers, seed), most)
        assert plain(other) == plain(one)
        assert other.best.number == one.best.number
    assert len(one.trials) == most
    assert plain(search(space, method, Bench(), most, seed=1)) != plain(one)


@pytest.mark.parametrize("method", ["grid", "random", "tpe", "hyperband"])
@pytest.mark.parametrize("after", [0, 1, 7, 20, 40])
def test_what_is_finished_when_it_is_stopped_is_the_beginning_of_the_whole(space, method, after):
    tasks = []
    whole = search(
        space, method, Bench(3, 1), told=lambda trial: tasks.append((trial.number, trial.share, trial.score))
    )
    part = []
    stopped = search(
        space,
        method,
        Bench(3, 5, stop_after=after),
        told=lambda trial: part.append((trial.number, trial.share, trial.score)),
    )
    assert part == tasks[: len(part)]
    assert len(part) >= (after - (LAG + 1) * FOLDS) // FOLDS
    assert [trial.settings for trial in stopped.trials] == [t.settings for t in whole.trials[: len(stopped.trials)]]
    if after <= 20:
        assert stopped.stopped == "time was up"
    assert all(trial.rungs for trial in stopped.trials)


@pytest.mark.parametrize("method", ["random", "tpe", "hyperband"])
def test_a_search_that_goes_on_trains_nothing_twice_and_ends_the_same(space, method):
    whole, made = search(space, method, Bench(2, 1)), []
    known = {}
    for stop in (3, 10, 25, None):
        bench = Bench(2, stop or 0, stop_after=stop and stop - len(made))
        bench.known = known
        found = search(space, method, bench)
        made += bench.made
    assert plain(found) == plain(whole)
    assert len(made) == len(set(made))


@pytest.mark.parametrize("method", ["tpe", "auto"])
def test_what_is_remembered_of_trials_changes_no_proposal(lab, catalog, method, monkeypatch):
    kept, asked = View.proposed, []

    def proposed(view, sampler):
        asked.append(kept(view, sampler))
        assert asked[-1] == kept(View(view.plan, view.space), sampler)
        return asked[-1]

    monkeypatch.setattr(View, "proposed", proposed)
    recipe = lab.recipe("classify", {"dropout": {}})
    space = space_of(recipe, catalog, ["dropout", "optimizer.learning_rate"])
    bench = Unlike(2, odd={2: "diverged", 9: "refused"})
    found = Search(metric="auc", sign=1, costs=(), most=40, begin=bench.begin, ended=bench.ended, told=lambda _: None)
    other = replace(recipe, network=catalog.part("network", {"name": "tabm"}))  # not of the space around the best
    found.run(METHODS[method](Plan(found, space, 0, ["auc"], (recipe, other))))
    assert len(asked) == len(found.trials) - (2 if method == "auto" else 0)
    assert {trial.state for trial in found.trials} >= {COMPLETE, FAILED}


def test_hyperband_takes_the_best_third_on_and_never_trains_a_rung_again(space):
    bench = Bench(2)
    found = search(space, "hyperband", bench, most=9 + 5 + 3)
    wide = found.trials[:9]
    shares = sorted(round(trial.share, 3) for trial in wide)
    assert shares == [0.111] * 6 + [0.333] * 2 + [1.0]
    by_first = sorted(wide, key=lambda trial: -trial.rungs[0].score)
    assert {t.number for t in wide if t.share > 0.2} == {t.number for t in by_first[:3]}
    assert [len(trial.rungs) for trial in by_first[3:]] == [1] * 6
    assert len(bench.made) == len(set(bench.made))
    assert {trial.state for trial in wide} == {COMPLETE, PRUNED}
    assert found.best.share == 1.0


@pytest.mark.parametrize("odd", ["refused", "diverged", "undefined", "unfit"])
@pytest.mark.parametrize("method", ["random", "tpe", "hyperband"])
def test_a_failure_is_told_with_its_reason_and_the_search_goes_on(space, odd, method):
    found = search(space, method, Bench(2, odd={0: odd, 4: odd}), most=12)
    assert [trial.number for trial in found.trials if trial.state == FAILED] == [0, 4]
    assert all(trial.reason for trial in found.trials if trial.state == FAILED)
    assert found.trials[0].score is None
    assert len(found.trials) == 12
    assert found.best.number not in (0, 4)


def test_what_comes_of_some_folds_only_is_no_score(space):
    found = search(space, "random", Bench(odd={0: "refused"}), most=2)
    assert found.trials[0].values == dict.fromkeys(("auc", *COSTS))
    assert found.trials[0].plain()["rungs"][0]["score"] is None


@pytest.mark.parametrize("method", ["grid", "random", "tpe", "hyperband"])
def test_a_search_may_be_stopped_while_its_last_trials_are_at_work(space, method):
    whole = Bench()
    found = search(space, method, whole, most=9)
    for left in (1, FOLDS):
        stopped = search(space, method, Bench(stop_after=len(whole.made) - left), most=9)
        assert stopped.stopped == "time was up"
        assert [trial.settings for trial in stopped.known] == [t.settings for t in found.trials[: len(stopped.known)]]


def test_every_trial_may_fail(space):
    found = search(space, "hyperband", Bench(odd=dict.fromkeys(range(20), "diverged")), most=20)
    assert found.best is None
    assert len(found.trials) == 20


def test_no_more_trials_are_open_than_the_lag_allows(space):
    bench = Bench(50, 1)
    search(space, "random", bench)
    assert bench.most_open <= LAG + 1


def test_a_smaller_score_is_better_where_the_metric_says_so(space):
    up, down = (search(space, "random", Bench(), sign=sign) for sign in (1, -1))
    assert up.best.score == max(trial.score for trial in up.trials)
    assert down.best.score == min(trial.score for trial in down.trials)


def test_the_best_so_far_is_that_of_its_moment(space):
    """The winner of a bracket is not known before the others of it were trained."""
    found = search(space, "hyperband", Bench(), most=9 + 5)
    line, wide = curve(found), found.trials[:9]
    assert line["best"][:8] == [None] * 8
    assert line["best"][8] == max(trial.score for trial in wide if trial.share == 1.0)
    assert line["seconds"][:8] == pytest.approx([FOLDS / 9 * (at + 1) for at in range(8)], abs=1e-3)
    assert line["seconds"][8] == pytest.approx(sum(rung.seconds for t in wide for rung in t.rungs), abs=1e-3)
    spent = sum(rung.seconds for trial in found.trials for rung in trial.rungs)
    assert line["seconds"][-1] == pytest.approx(spent, abs=1e-3)
    assert line["picked"] == found.best.score


def test_grid_has_each_combination_once_and_ends_by_itself(space):
    found = search(space, "grid", Bench(), most=None)
    assert len(found.trials) == 3 * 3 * 2
    assert len({tuple(sorted(trial.settings.items())) for trial in found.trials}) == 18
    assert sorted({trial.settings["width"] for trial in found.trials}) == [8, 32, 128]


def test_a_grid_of_any_size_is_walked_without_being_written_out(space):
    wide = Space(space.recipe, None, tuple(Axis(f"x{at}", 0.5, low=0.0, high=1.0) for at in range(60)))
    points = combinations(wide, 0)
    first = [next(points) for _ in range(50)]
    assert len({tuple(sorted(point.items())) for point in first}) == 50
    assert {value for point in first for value in point.values()} == {0.0, 0.5, 1.0}
