"""What a finished run holds, and that it can be repeated from what it holds."""

import json

import numpy as np
import polars as pl
import pytest
from small import KINDS, same

from aurify import workbench
from aurify.core.words import say
from aurify.measure.predictions import Predictions


@pytest.mark.parametrize("kind", KINDS)
def test_run_folder_holds_everything_in_plain_files(runs, kind):
    names = {p.name for p in runs[kind].path.iterdir() if p.name[0] != "."}
    promised = {"recipe.yaml", "findings.json", "progress.jsonl", "model.aurify", "predictions.parquet", "scores.json"}
    assert promised | {"environment.json", "store", "openings.jsonl"} <= names


@pytest.mark.parametrize("kind", KINDS)
def test_every_score_has_an_interval_and_stands_beside_the_baselines(runs, kind):
    summary = runs[kind].summary
    metric = "log_loss" if kind == "classify" else "rmse"  # ROC AUC where there are two classes only
    assert summary["main_metric"] == metric
    for scores in (summary["scores"], *summary["baseline_scores"].values()):
        for name, score in scores.items():
            assert set(score) == {"value", "low", "high"}
            if score["value"] is not None and score["low"] is not None:
                assert score["low"] <= score["high"], name
    assert {"linear", "boosting"} < set(summary["baselines"])
    assert summary["verdict"]
    assert summary["rows"] == len(Predictions.read(runs[kind].folder.predictions))
    frame = runs[kind].scores
    assert frame.columns == ["model", "metric", "value", "low", "high"]
    assert set(frame["model"]) == {"network", *summary["baselines"]}


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_shipped_model_on_the_sealed_rows(runs, kind, lab, frames):
    run = runs[kind]
    kept = Predictions.read(run.folder.predictions)
    parts = run.recipe.task.part(run.recipe, lab.store(kind))
    np.testing.assert_array_equal(kept.row, parts.test)
    predicted = run.predict(frames[kind][parts.test.tolist()])
    assert predicted["prediction"].to_list() == kept.to_frame()["prediction"].to_list()
    if kind == "regress":
        rmse = float(np.sqrt(np.mean((kept.prediction - frames[kind]["y"].to_numpy()[parts.test]) ** 2)))
        assert run.summary["scores"]["rmse"]["value"] == pytest.approx(rmse)
    else:
        accuracy = float((predicted["prediction"] == frames[kind]["y"][parts.test.tolist()]).mean())
        assert run.summary["scores"]["accuracy"]["value"] == pytest.approx(accuracy)


@pytest.mark.parametrize("kind", KINDS)
def test_recipe_file_repeats_the_run(runs, kind, tmp_path, weights):
    again = workbench.fit(recipe=runs[kind].folder.recipe, out=tmp_path / "again")
    assert same(weights(again), weights(runs[kind]))
    assert again.summary["scores"] == runs[kind].summary["scores"]
    assert again.folder.recipe.read_text() == runs[kind].folder.recipe.read_text()


def test_every_source_of_the_same_rows_gives_the_same_model(runs, frames, fit, weights):
    for at, frame in enumerate((frames["regress"], frames["regress"].to_pandas())):
        assert same(weights(fit(frame, out=f"frame{at}")), weights(runs["regress"]))


def test_settings_may_be_a_mapping_or_words(csv_files, runs, fit, weights, small):
    words = [f"{name}={value}" for name, value in small.items()]
    assert same(weights(fit(csv_files["regress"], settings=words, out="words")), weights(runs["regress"]))


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_have_the_promised_columns_in_order(runs, kind, frames):
    frame = runs[kind].predict(frames[kind].head(5))
    expected = ["prediction", "p_low", "p_mid", "p_top"] if kind == "classify" else ["prediction"]
    assert frame.columns == expected
    assert frame.height == 5
    if kind == "classify":
        np.testing.assert_allclose(frame.select(expected[1:]).sum_horizontal(), 1, atol=1e-6)


def test_ids_come_back_beside_their_predictions(frames, tmp_path, fit):
    named = frames["regress"].with_columns(customer=pl.Series([f"C{i:03}" for i in range(240)]))
    run = fit(named, out="ids", inspect=True)
    assert run.predict(named.head(3)).columns == ["customer", "prediction"]
    assert run.predict(named.head(3).drop("customer")).columns == ["prediction"]
    findings = json.loads(run.folder.findings.read_text())
    assert any("'customer' is left out: an id" in finding["text"] for finding in findings)


def test_dropped_columns_are_not_used(csv_files, frames, fit):
    run = fit(csv_files["regress"], drop=["a", "colour"], out="dropped")
    other = frames["regress"].with_columns(a=99.0, colour=pl.lit("x"))
    assert run.predict(other).equals(run.predict(frames["regress"]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["drop", "target", "test"])
def test_source_settings_act_like_the_arguments(csv_files, frames, name, tmp_path, weights, small):
    frames["regress"].head(50).write_csv("t.csv")
    value = {"drop": ["a"], "target": "b", "test": "t.csv"}[name]
    words = {"settings": small, "accept": ["test_overlap"]}
    one = workbench.fit(csv_files["regress"], **{**words, "target": "y", name: value}, out="one")
    target = None if name == "target" else "y"
    words["settings"] = {**small, f"source.{name}": value}
    two = workbench.fit(csv_files["regress"], target, **words, out="two")
    assert same(weights(one), weights(two))
    assert one.folder.recipe.read_text() == two.folder.recipe.read_text()


def test_what_a_run_says_is_plain_in_its_files_and_said_in_every_language(fit, csv_files, small):
    ends = ["early_stopping.patience=1", "early_stopping.least_gain=1e9"]
    often = {**small, "budget.validate_every": 2}
    run = fit(csv_files["classify"], using=ends, settings=often, folds=2, out="said")
    plain, kept = (json.loads((run.path / name).read_text()) for name in ("scores.json", "training.json"))
    summary = run.summary
    assert plain["training"] == kept
    assert summary["training"]["stopped"] == kept["stopped"] == "no gain in 1 validations"
    for text in (summary["verdict"], summary["measured"], summary["intervals"], summary["training"]["stopped"]):
        assert say(text, "zh") != text
    assert json.loads(json.dumps(summary))["verdict"] == plain["verdict"]
    assert "said" not in summary
