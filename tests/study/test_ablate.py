"""The ledger: what it says can be recomputed from its trainings, and the test part has no say in it."""

import json
import math
import shutil

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.measure.paired import Pairing, effect, holm
from aurify.workbench import load


def scores_of(plain, metric):
    return {(t["variant"], t["repeat"], t["fold"]): t["scores"][metric] for t in plain["trainings"]}


def test_every_gain_is_the_mean_of_differences_between_trainings_that_are_in_the_ledger(ledger):
    plain = ledger.plain
    sign = 1 if plain["greater_is_better"] else -1
    scores = scores_of(plain, plain["metric"])
    assert len({row["design"] for row in plain["effects"]}) == 5
    for row in plain["effects"]:
        cells = [(1 + at // 5, 1 + at % 5) for at in range(row["pairs"])]
        again = [sign * sum(s * scores[name, *cell] for name, s in row["terms"].items()) for cell in cells]
        np.testing.assert_allclose(row["differences"], again, rtol=0, atol=1e-12)
        assert row["gain"] == pytest.approx(np.mean(again), abs=1e-12)
        assert row["pairs"] in (10, 15, 20)
        for other, found in row["others"].items():
            known, turn = scores_of(plain, other), -1 if other in ("log_loss", "brier", "calibration_error") else 1
            mean = np.mean([turn * sum(s * known[name, *cell] for name, s in row["terms"].items()) for cell in cells])
            assert found["gain"] == pytest.approx(mean, abs=1e-9), other


def test_both_sides_of_a_pair_have_the_same_rows_and_seed_and_each_pair_a_seed_of_its_own(ledger):
    seeds = {}
    for one in ledger.plain["trainings"]:
        seeds.setdefault((one["repeat"], one["fold"]), set()).add(one["seed"])
    assert all(len(found) == 1 for found in seeds.values())
    assert len(set.union(*seeds.values())) == len(seeds)


def test_intervals_and_verdicts_follow_from_the_differences(ledger):
    plain = ledger.plain
    pairing = Pairing(plain["folds"], plain["ratio"], plain["apart"])
    found = [effect(row["differences"], pairing, len(plain["effects"])) for row in plain["effects"]]
    adjusted = holm([one.p for one in found])
    for row, one, p in zip(plain["effects"], found, adjusted, strict=True):
        assert row["p_adjusted"] == pytest.approx(p)
        for name in ("gain", "low", "high", "simultaneous_low", "simultaneous_high", "sees"):
            value = getattr(one, name)
            assert row[name] is None if math.isnan(value) else row[name] == pytest.approx(value, abs=1e-12)
        assert (row["verdict"] in ("helps", "hurts")) == (p <= 0.05)


def test_costs_are_those_with_minus_those_without(ledger):
    sizes = {(t["variant"], t["repeat"], t["fold"]): (t["parameters"], t["bytes"]) for t in ledger.plain["trainings"]}
    for row in ledger.plain["effects"]:
        cells = [(1 + at // 5, 1 + at % 5) for at in range(row["pairs"])]
        for at, name in enumerate(("parameters", "bytes")):
            again = [sum(s * sizes[variant, *cell][at] for variant, s in row["terms"].items()) for cell in cells]
            assert row[name] == pytest.approx(np.mean(again))


def test_pairs_are_the_pilot_and_as_many_more_as_the_spread_asks_for(ablate, tmp_path, lines):
    few = ablate(out=tmp_path / "run", worth=10.0)
    assert {row["pairs"] for row in few.plain["effects"]} == {10}
    kept = lines(few.path)
    many = ablate(out=tmp_path / "run", worth=1e-9)
    assert {row["pairs"] for row in many.plain["effects"]} == {20}
    more = lines(many.path)
    assert more[: len(kept)] == kept
    assert len({line["key"] for line in more}) == len(more) == 2 * len(kept)
    for one, other in zip(few.plain["effects"], many.plain["effects"], strict=True):
        assert other["differences"][:10] == one["differences"]


def test_frames_have_a_row_an_ingredient_and_a_row_a_training(ledger):
    assert isinstance(ledger.effects, pl.DataFrame)
    assert ledger.effects.height == len(ledger.plain["effects"])
    assert ledger.pairs.height == len(ledger.plain["trainings"])
    assert ledger.effects["gain"].to_list() == [row["gain"] for row in ledger.plain["effects"]]
    assert ledger.pairs["diverged"].to_list() == [False] * ledger.pairs.height
    again = load(ledger.path) if RunFolder(ledger.path).finished() else None
    assert again is None or again.ledger.equals(ledger.effects)


def test_files_of_a_ledger_are_plain_json(ledger):
    def never(constant):
        raise AssertionError(constant)

    text = (ledger.path / "ledger.json").read_text()
    assert json.loads(text, parse_constant=never)["metric"] == "log_loss"
    assert ledger.report.read_text().startswith("<!doctype html>") or "<html" in ledger.report.read_text()[:200]


def test_tampering_with_the_test_part_changes_nothing(ablate, ablate_run, tmp_path, timeless):
    one = ablate(out=tmp_path / "one")
    folder = RunFolder(shutil.copytree(one.path, tmp_path / "two"))
    shutil.rmtree(folder.ablation)
    folder.ledger.unlink()
    tested, store = Parts.open(folder.parts).test, Store.open(folder.store)
    assert len(tested) > 40
    inputs, target = {name: np.array(v) for name, v in store.inputs.items()}, np.array(store.target)
    for values in (*inputs.values(), target):
        values[tested] = values[tested][::-1] * -1000 if values.dtype.kind == "f" else 1
    shutil.rmtree(folder.store)
    Store.of(store.schema, inputs, target, np.array(store.test)).write(folder.store)
    assert timeless(ablate_run(folder.path)) == timeless(one)


@pytest.mark.parametrize("folds", [None, 3])
def test_ledger_of_a_run_leaves_its_test_part_sealed(folds, ablate_run, csv_files, tmp_path, tiny):
    words = {"recipe": tiny, "inspect": False, "device": "cpu"}
    run = workbench.fit(csv_files["classify"], "y", out=tmp_path / "run", settings={"split.folds": folds}, **words)
    before = {p.name: p.read_bytes() for p in run.path.iterdir() if p.is_file() and p.name != "report.html"}
    found = ablate_run(run.path)
    after = {p.name: p.read_bytes() for p in run.path.iterdir() if p.is_file() and p.name != "report.html"}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"ledger.json"}
    parts = Parts.open(run.path / "parts.aurify")
    used = rows_of(run.path)
    assert used <= set(parts.fit) | set(parts.held)
    assert not used & set(parts.test)
    assert found.plain["rows"] == len(parts.fit) + len(parts.held)
    assert workbench.load(run.path).ledger.equals(found.effects)
    assert "dropout" in found.report.read_text()


def rows_of(path):
    """Rows that any training of a study learnt from, stopped by or scored."""
    every = [Parts.open(p) for p in (path / "ablation" / "parts").glob("*.aurify")]
    assert every
    return {int(row) for parts in every for rows in (parts.fit, parts.held, parts.test) for row in rows}


def test_rows_of_a_test_file_are_never_used(ablate, csv_files, frames, tmp_path):
    frames["classify"].sample(60, seed=3).write_csv(tmp_path / "test.csv")
    found = ablate(out=tmp_path / "run", test=tmp_path / "test.csv")
    used = rows_of(found.path)
    assert max(used) < 240
    assert found.plain["rows"] == 240


def with_groups(frames, tmp_path, kind="classify"):
    random = np.random.default_rng(0)
    frame = frames[kind].with_columns(who=pl.Series(random.integers(0, 60, 240).astype(str)), at=pl.Series(range(240)))
    frame.write_csv(tmp_path / "more.csv")
    return frame, tmp_path / "more.csv"


def test_groups_stay_whole_across_the_folds_of_a_study(ablate, frames, tmp_path):
    frame, path = with_groups(frames, tmp_path)
    found = ablate(path, split="group:who", drop=["at"], out=tmp_path / "run", rows=100)
    assert found.plain["by"] == "group:who"
    who = frame["who"].to_list()
    for file in (found.path / "ablation" / "parts").glob("*.aurify"):
        parts = Parts.open(file)
        sides = [{who[row] for row in rows} for rows in (parts.fit, parts.held, parts.test)]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
        assert not sides[0] & sides[1]


def test_of_a_split_by_time_every_fold_learns_from_what_came_before(ablate, frames, tmp_path):
    frame, path = with_groups(frames, tmp_path)
    found = ablate(path, split="time:at", drop=["who"], out=tmp_path / "run", rows=None)
    at = frame["at"].to_numpy()
    ratios = []
    for file in (found.path / "ablation" / "parts").glob("*.aurify"):
        parts = Parts.open(file)
        learnt = np.concatenate([parts.fit, parts.held])
        assert at[learnt].max() < at[parts.test].min()
        ratios.append(len(parts.test) / len(learnt))
    assert not found.plain["apart"]
    assert found.plain["ratio"] == pytest.approx(np.mean(ratios), rel=0.2)
    assert found.plain["ratio"] > 0.25


def test_samples_that_share_no_row_are_said_to_be_apart(ablate, tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    pl.DataFrame({"x": x, "z": random.normal(size=400), "y": x + random.normal(size=400)}).write_csv("more.csv")
    found = ablate("more.csv", out=tmp_path / "run", rows=60)
    assert found.plain["apart"]
    every = [Parts.open(p) for p in (found.path / "ablation" / "parts").glob("*.aurify")]
    tested = np.concatenate([parts.test for parts in every])
    assert len(tested) == len(set(tested.tolist())) == 4 * 60, "a row was tested in two repeats"
    assert not ablate("more.csv", out=tmp_path / "run", rows=150).plain["apart"]


@pytest.mark.parametrize("kind", ["regress", "classify"])
def test_metrics_and_worth_are_those_of_the_problem(kind, ablate, tmp_path):
    found = ablate(kind, out=tmp_path / "run", worth=None).plain
    assert found["metric"] == {"regress": "rmse", "classify": "log_loss"}[kind]
    assert found["curve_metric"] == found["metric"]
    assert not found["greater_is_better"]
    assert found["worth"] == pytest.approx(0.01 * found["reference"]["score"])
    assert found["reference"]["score"] == found["reference"]["scores"][found["metric"]]


def test_other_metric_judges_the_same_trainings(ablate, tmp_path, lines):
    one = ablate("regress", out=tmp_path / "run")
    kept = lines(one.path)
    other = ablate("regress", out=tmp_path / "run", metric="r2", worth=None)
    assert lines(other.path)[: len(kept)] == kept
    assert other.plain["greater_is_better"]
    assert other.plain["worth"] == 0.005
    for row, again in zip(one.plain["effects"], other.plain["effects"], strict=True):
        if row["pairs"] == again["pairs"]:
            assert again["gain"] == pytest.approx(row["others"]["r2"]["gain"])


def test_unknown_metric_is_said_after_one_training(ablate, tmp_path, lines):
    with pytest.raises(AurifyError, match=r"--metric rocauc: .*did you mean 'roc_auc'"):
        ablate(out=tmp_path / "run", metric="rocauc")
    assert len(lines(tmp_path / "run")) == 1


def test_weights_count(ablate, frames, tmp_path):
    random = np.random.default_rng(0)
    frame = frames["regress"].with_columns(times=pl.Series(random.integers(1, 9, 240)))
    frame.write_csv(tmp_path / "weighed.csv")
    weighed = ablate(tmp_path / "weighed.csv", weight="times", out=tmp_path / "one")
    plain = ablate(tmp_path / "weighed.csv", drop=["times"], out=tmp_path / "two")
    assert weighed.plain["reference"]["score"] != plain.plain["reference"]["score"]


def test_many_classes(ablate, tmp_path):
    random = np.random.default_rng(0)
    code = random.integers(0, 12, 400)
    pl.DataFrame({"x": code + random.normal(size=400), "y": [f"class {c}" for c in code]}).write_csv("many.csv")
    found = ablate("many.csv", out=tmp_path / "run").plain
    assert {row["verdict"] for row in found["effects"]} <= {"helps", "hurts", "no measurable difference", "identical"}


def test_undefined_metrics_fail_their_rows_with_a_reason(ablate, tmp_path):
    """Of one positive row in forty, some folds test none: there is no ROC curve."""
    random = np.random.default_rng(0)
    y = np.where(np.arange(300) % 75 == 0, "yes", "no")
    pl.DataFrame({"x": random.normal(size=300), "z": random.normal(size=300), "y": y}).write_csv("rare.csv")
    found = ablate("rare.csv", out=tmp_path / "run", metric="roc_auc", simplify=True).plain
    assert {row["verdict"] for row in found["effects"]} == {"failed"}
    for row in found["effects"]:
        assert "roc_auc is undefined in fold" in row["reason"]
        assert row["gain"] is None
        assert row["p_adjusted"] == 1
    assert found["simplified"]["removed"] == []
    other = ablate("rare.csv", out=tmp_path / "run", metric="log_loss").plain
    assert "failed" not in {row["verdict"] for row in other["effects"]}


def test_what_changes_nothing_is_identical(ablate, tmp_path, tiny):
    recipe = {**tiny, "techniques": {"dropout": {"rate": 0.0}, "scale_numbers": {}, "fill_missing": {}}}
    found = ablate(out=tmp_path / "run", recipe=recipe).plain
    row = next(row for row in found["effects"] if row["technique"] == "dropout")
    assert row["verdict"] == "identical"
    assert (row["gain"], row["low"], row["high"], row["pairs"]) == (0, 0, 0, 10)
    assert row["p_adjusted"] == 1


def test_diverged_trainings_count_as_the_constant_answer_and_are_said(ablate, frames, tmp_path):
    found = ablate(
        "regress",
        out=tmp_path / "run",
        sweep=["optimizer.learning_rate=1e3"],
        recipe=None,
        steps=12,
        settings={"network": "mlp", "optimizer": "sgd", "budget.batch_size": 32},
        without=["gradient_clipping"],
    )
    (row,) = found.plain["effects"]
    assert row["verdict"] == "hurts"
    assert row["stopped"] == 10
    assert row["value"] == 1e3
    target = frames["regress"]["y"].to_numpy()
    lost = [one for one in found.plain["trainings"] if one["diverged"]]
    assert {one["variant"] for one in lost} == {"optimizer.learning_rate=1e3"}
    for one in lost:
        assert one["scores"]["rmse"] == pytest.approx(target.std(), rel=0.5)
        assert abs(one["scores"]["r2"]) < 0.5
    assert found.pairs["diverged"].sum() == len(lost)


def test_small_tables_have_a_ledger_and_tiny_ones_a_line(ablate, frames, tmp_path):
    for count in (60, 20):
        frames["classify"].drop("day").head(count).write_csv(f"{count}.csv")
    found = ablate("60.csv", out=tmp_path / "60").plain
    assert found["rows"] < 60
    assert len(found["effects"]) == 3
    pl.DataFrame({"x": range(7), "y": ["a", "b", "a", "b", "a", "b", "a"]}).write_csv("7.csv")
    for name in ("20.csv", "7.csv"):
        try:
            ablate(name, out=tmp_path / name[:-4])
        except AurifyError as error:
            assert "\n" not in str(error)
            assert "few" in str(error) or "only" in str(error)
        else:
            assert name == "20.csv"


def test_seed_draws_other_folds(ablate, ablate_run, tmp_path):
    one = ablate(out=tmp_path / "run")
    first = rows_files(one.path)
    other = ablate_run(one.path, seed=7)
    assert other.plain["seed"] == 7
    assert rows_files(one.path) - first
    assert {t["seed"] for t in one.plain["trainings"]}.isdisjoint(t["seed"] for t in other.plain["trainings"])
    assert one.plain["effects"][0]["differences"] != other.plain["effects"][0]["differences"]


def rows_files(path):
    return {p.name for p in (path / "ablation" / "parts").iterdir()}


def test_clock_and_finder_of_rates_have_no_say(ablate, tmp_path, tiny):
    recipe = {**tiny, "budget": {**tiny["budget"], "seconds": 1.0}}
    found = ablate(out=tmp_path / "run", recipe=recipe).plain
    assert {t["steps"] for t in found["trainings"]} == {4}
    assert {t["stopped"] for t in found["trainings"]} == {None}


@pytest.mark.slow
def test_trees_that_are_blended_in_are_an_ingredient(ablate, tmp_path, tiny):
    found = ablate(out=tmp_path / "run", recipe={**tiny, "blend": {"model": "trees"}}, rows=100).plain
    row = next(row for row in found["effects"] if row["technique"] == "trees")
    assert row["family"] == "blend"
    assert row["verdict"] != "failed", row["reason"]
    assert row["bytes"] > 0


def test_simpler_recipes_are_shown_step_by_step_with_their_scores(ablate, tmp_path, tiny):
    recipe = {**tiny, "techniques": {**tiny["techniques"], "fill_missing": {}}}  # nothing is missing: never of use
    found = ablate(out=tmp_path / "run", recipe=recipe, simplify=True)
    told = found.plain["simplified"]
    assert "fill_missing" in told["removed"]
    assert told["path"][0]["removed"] == []
    assert told["path"][0]["score"] == pytest.approx(found.plain["variants"]["full"]["score"])
    sign = 1 if found.plain["greater_is_better"] else -1
    for step in told["path"]:
        assert sign * (step["score"] - told["path"][0]["score"]) == pytest.approx(step["gain"], abs=1e-9)
    assert "How the simpler recipe was picked" in found.report.read_text(encoding="utf-8")


def test_a_second_call_says_what_it_found_finished(ablate, tmp_path, lines):
    told = []
    ablate(out=tmp_path / "run", note=told.append)
    assert not any("finished before" in text for text in told)
    again = ablate(out=tmp_path / "run", note=told.append)
    assert f"{len(lines(again.path))} trainings were finished before and are not made again" in told


@pytest.mark.parametrize("words", [{"metric": "acc"}, {"families": "prep"}, {"sweep": "dropout"}, {"designs": "leave"}])
def test_wrong_words_cost_no_training_even_with_force(ablate, ablate_run, tmp_path, lines, words):
    kept = lines(ablate(out=tmp_path / "run").path)
    with pytest.raises(AurifyError, match=r"--(metric acc|families prep|sweep dropout|designs leave):"):
        ablate_run(tmp_path / "run", force=True, **words)
    assert lines(tmp_path / "run") == kept


BROKEN = '''
from dataclasses import dataclass

from aurify.core.parts import Technique, knob


@dataclass(kw_only=True)
class Broken(Technique):
    """Stop every training."""

    size: float = knob(0.1, "how much", low=0.0, high=1.0)
    neutral = {"size": 0.0}

    def on_batch(self, batch, run):
        raise ValueError("boom")
'''


@pytest.mark.parametrize("workers", [1, 2])
def test_a_part_that_raises_is_a_failed_row_of_a_page_that_is_written(ablate, tmp_path, workers):
    (tmp_path / "broken.py").write_text(BROKEN)
    words = {"parts": [tmp_path / "broken.py"], "sweep": ["broken.size=0.5"], "designs": ["leave_one_out"]}
    found = ablate(out=tmp_path / "run", workers=workers, **words)
    row = next(row for row in found.plain["effects"] if row["technique"] == "broken.size")
    assert row["verdict"] == "failed"
    assert row["reason"] == "ValueError: boom"
    assert "ValueError: boom" in found.report.read_text(encoding="utf-8")
    assert found.pairs.height == len(found.plain["trainings"]) > 0


def test_a_recipe_that_cannot_be_trained_is_said_after_one_training(ablate, tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    done = []
    words = {"parts": [tmp_path / "broken.py"], "using": ["broken"], "progress": lambda *told: done.append(told[0])}
    with pytest.raises(AurifyError, match=r"the recipe cannot be trained on a part of the rows: ValueError: boom"):
        ablate(out=tmp_path / "run", **words)
    assert max(done) == 1
