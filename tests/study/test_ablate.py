"""The ledger: what it says can be recomputed from its trainings, and the test part has no say in it."""

import json
import math

import numpy as np
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.measure.paired import Pairing, effect, holm
from aurify.study import worker
from aurify.workbench import load


def scores_of(plain, metric):
    return {(t["variant"], t["repeat"], t["fold"]): t["scores"][metric] for t in plain["trainings"]}


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["regress", "classify"])
def test_metrics_and_worth_are_those_of_the_problem(kind, ablate, tmp_path):
    found = ablate(kind, out=tmp_path / "run", worth=None).plain
    assert found["metric"] == {"regress": "rmse", "classify": "log_loss"}[kind]
    assert found["curve_metric"] == found["metric"]
    assert not found["greater_is_better"]
    assert found["worth"] == pytest.approx(0.01 * found["reference"]["score"])
    assert found["reference"]["score"] == found["reference"]["scores"][found["metric"]]


@pytest.mark.slow
def test_unit_of_the_target_makes_no_difference_to_a_verdict(ablate, frames, tmp_path):
    """In farads the scores of a capacitor are as small as what else would be rounding."""
    found = []
    for unit in (1.0, 1e-12):
        frames["regress"].with_columns(y=pl.col("y") * unit).write_csv(tmp_path / "units.csv")
        techniques = {"dropout": {}, "scale_numbers": {}, "scale_target": {}}
        recipe = {"network": "mlp", "optimizer": "adamw", "techniques": techniques, "budget": {"steps": 4}}
        made = ablate(tmp_path / "units.csv", out=tmp_path / f"run{unit}", recipe=recipe, steps=4)
        found.append(next(row for row in made.plain["effects"] if row["technique"] == "dropout"))
    assert found[0]["verdict"] == found[1]["verdict"] != "identical"
    assert found[1]["gain"] == pytest.approx(found[0]["gain"] * 1e-12, rel=0.05)


@pytest.mark.slow
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
    """Of a name that no metric has nothing is trained at all; of one that other data has, a single time."""
    with pytest.raises(AurifyError, match=r"--metric rocauc: .*did you mean 'roc_auc'"):
        ablate(out=tmp_path / "run", metric="rocauc")
    with pytest.raises(AurifyError, match=r"--metric rmse: there is no such metric here"):
        ablate(out=tmp_path / "run", metric="rmse")
    assert len(lines(tmp_path / "run")) == 1


@pytest.mark.slow
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


@pytest.mark.slow
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
    frames["classify"].drop("day").head(60).write_csv("60.csv")
    found = ablate("60.csv", out=tmp_path / "60").plain
    assert found["rows"] < 60
    assert len(found["effects"]) == 3
    pl.DataFrame({"x": range(7), "y": ["a", "b", "a", "b", "a", "b", "a"]}).write_csv("7.csv")
    with pytest.raises(AurifyError, match=r"few|only") as error:
        ablate("7.csv", out=tmp_path / "7")
    assert "\n" not in str(error.value)


@pytest.mark.slow
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


@pytest.mark.slow
def test_simpler_recipe_is_written_and_shown(ablate, ablate_run, tmp_path, lines):
    found = ablate(out=tmp_path / "run", simplify=True).plain["simplified"]
    assert found["removed"] == found["tried"]
    assert len(found["path"]) > 1
    for step in found["path"]:
        assert step["score"] > 0
    assert "simplified.yaml" in (tmp_path / "run" / "report.html").read_text()
    trained = len(lines(tmp_path / "run"))
    ablate_run(tmp_path / "run", simplify=True)
    assert len(lines(tmp_path / "run")) == trained


def test_variant_that_cannot_be_trained_is_a_row_with_a_reason(ablate, tmp_path):
    (tmp_path / "breaking_part.py").write_text(BREAKING)
    found = ablate(out=tmp_path / "run", parts=["breaking_part.py"], sweep=["breaking.rate=0.2"])
    (row,) = found.plain["effects"]
    assert (row["verdict"], row["reason"]) == ("failed", "ValueError: boom")
    assert {t["variant"] for t in found.plain["trainings"]} == {"full"}
    assert found.pairs.height == 10
    assert "ValueError: boom" in found.report.read_text()


BREAKING = """
from dataclasses import dataclass
from aurify.core.parts import Stage, Technique, knob


@dataclass(kw_only=True)
class Breaking(Technique):
    '''Raise.'''

    stage = Stage.SCALE
    neutral = {"rate": 0.0}
    rate: float = knob(0.1, "nothing", low=0.0, high=0.5)

    def layer(self, view):
        raise ValueError("boom")
"""


@pytest.mark.slow
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


@pytest.mark.slow
def test_trainings_as_one_program_say_what_each_says_alone(ablate, tmp_path, monkeypatch):
    def as_measured(together):
        monkeypatch.setattr(worker, "pace", lambda *given: {"together": together, "alone": 1.0})
        found = ablate(out=tmp_path / f"{together}").plain
        return {(one["variant"], one["repeat"], one["fold"]): one for one in found["trainings"]}, found

    (beside, ledger), (alone, _) = as_measured(0.5), as_measured(2.0)
    assert {one["beside"] for at, one in beside.items() if at[1:] == (1, 1)} == {1}
    assert {one["beside"] for at, one in beside.items() if at[1:] != (1, 1)} == {9}
    assert {one["beside"] for one in alone.values()} == {1}
    for at, one in alone.items():
        assert beside[at]["scores"] == pytest.approx(one["scores"], rel=1e-4, abs=1e-4)
        assert beside[at]["steps"] == one["steps"]
        assert (beside[at]["seconds"] is None) == (at[1:] != (1, 1))
    assert all(row["seconds"] is not None for row in ledger["effects"])
    assert {pace["members"] for pace in ledger["paces"]} == {9}


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


@pytest.mark.slow
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
