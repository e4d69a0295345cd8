"""The verbs: a run folder that repeats itself, resumes, counts its openings and refuses what it must."""

import json
import os
import signal

import numpy as np
import polars as pl
import pytest
import torch
from small import KINDS, same

import aurify
from aurify import workbench
from aurify.core.errors import AurifyError, Interrupted
from aurify.measure.predictions import Predictions

SMALL = {"budget.steps": 8, "budget.batch_size": 32, "budget.validate_every": 4, "network.width": 16}


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def runs(csv_files, tmp_path_factory):
    """A finished run of each kind; tests that open its test part use a copy."""
    root = tmp_path_factory.mktemp("runs")
    return {kind: fit(csv_files[kind], out=root / kind) for kind in KINDS}


def fit(data, target="y", **options):
    return workbench.fit(data, target, **{"settings": SMALL, **options})


def weights(run):
    return dict(run.bundle.network.state_dict())


# one run


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
def test_recipe_file_repeats_the_run(runs, kind, tmp_path):
    again = workbench.fit(recipe=runs[kind].folder.recipe, out=tmp_path / "again")
    assert same(weights(again), weights(runs[kind]))
    assert again.summary["scores"] == runs[kind].summary["scores"]
    assert again.folder.recipe.read_text() == runs[kind].folder.recipe.read_text()


def test_every_source_of_the_same_rows_gives_the_same_model(runs, frames):
    for at, frame in enumerate((frames["regress"], frames["regress"].to_pandas())):
        assert same(weights(fit(frame, out=f"frame{at}")), weights(runs["regress"]))


def test_settings_may_be_a_mapping_or_words(csv_files, runs):
    words = [f"{name}={value}" for name, value in SMALL.items()]
    assert same(weights(fit(csv_files["regress"], settings=words, out="words")), weights(runs["regress"]))


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_have_the_promised_columns_in_order(runs, kind, frames):
    frame = runs[kind].predict(frames[kind].head(5))
    expected = ["prediction", "p_low", "p_mid", "p_top"] if kind == "classify" else ["prediction"]
    assert frame.columns == expected
    assert frame.height == 5
    if kind == "classify":
        np.testing.assert_allclose(frame.select(expected[1:]).sum_horizontal(), 1, atol=1e-6)


def test_ids_come_back_beside_their_predictions(frames, tmp_path):
    named = frames["regress"].with_columns(customer=pl.Series([f"C{i:03}" for i in range(240)]))
    run = fit(named, out="ids")
    assert run.predict(named.head(3)).columns == ["customer", "prediction"]
    assert run.predict(named.head(3).drop("customer")).columns == ["prediction"]
    findings = json.loads(run.folder.findings.read_text())
    assert any("'customer' is left out: an id" in text for text in findings)


def test_dropped_columns_are_not_used(csv_files, frames):
    run = fit(csv_files["regress"], drop=["a", "colour"], out="dropped")
    other = frames["regress"].with_columns(a=99.0, colour=pl.lit("x"))
    assert run.predict(other).equals(run.predict(frames["regress"]))


@pytest.mark.parametrize("name", ["drop", "target", "test"])
def test_source_settings_act_like_the_arguments(csv_files, frames, name, tmp_path):
    frames["regress"].head(50).write_csv("t.csv")
    value = {"drop": ["a"], "target": "b", "test": "t.csv"}[name]
    one = workbench.fit(csv_files["regress"], **{"target": "y", name: value}, settings=SMALL, out="one")
    target = None if name == "target" else "y"
    two = workbench.fit(csv_files["regress"], target, settings={**SMALL, f"source.{name}": value}, out="two")
    assert same(weights(one), weights(two))
    assert one.folder.recipe.read_text() == two.folder.recipe.read_text()


# names and rules of folders


def test_default_folders_are_numbered_and_latest_points_at_the_newest(csv_files, tmp_path):
    (tmp_path / "churn.csv").write_bytes(csv_files["regress"].read_bytes())
    paths = [fit("churn.csv").path for _ in range(2)]
    assert [p.as_posix() for p in paths] == ["runs/churn", "runs/churn-2"]
    assert (tmp_path / "runs" / "latest").resolve() == tmp_path / "runs" / "churn-2"
    assert fit("churn.csv", resume=True).path == paths[1], "finished: there is nothing to resume"
    assert fit(pl.read_csv("churn.csv")).path.as_posix() == "runs/frame"


def test_folder_that_holds_a_run_is_kept_unless_forced(runs, csv_files, tmp_path):
    first = fit(csv_files["regress"], out="mine")
    with pytest.raises(AurifyError, match="holds a run already; go on with --resume, replace it with --force"):
        fit(csv_files["regress"], out="mine")
    second = fit(csv_files["regress"], out="mine", force=True, seed=9)
    assert second.recipe.seed == 9
    assert not same(weights(second), weights(runs["regress"]))
    assert second.summary["test_openings"] == 1
    assert first.path == second.path


def test_foreign_folders_and_files_are_never_touched(csv_files, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    (tmp_path / "file").write_text("text")
    for force in (False, True):
        with pytest.raises(AurifyError, match="holds files that are no run's"):
            fit(csv_files["regress"], out="photos", force=force)
        with pytest.raises(AurifyError, match="is a file; give a folder"):
            fit(csv_files["regress"], out="file", force=force)
    assert (tmp_path / "photos" / "cat.jpg").read_text() == "meow"
    (tmp_path / "empty").mkdir()
    assert fit(csv_files["regress"], out="empty").path.name == "empty"


def test_nothing_is_left_behind_by_a_run_that_could_not_begin(csv_files, tmp_path):
    for wrong in ({"target": "Y"}, {"settings": {"network.width": -1}}, {"using": ["mixpu"]}, {"drop": ["nope"]}):
        with pytest.raises(AurifyError):
            fit(csv_files["regress"], **{"target": "y", **wrong})
    fit(csv_files["regress"])
    assert [p.name for p in sorted((tmp_path / "runs").iterdir())] == ["latest", "regress"]


# stopping and resuming


def stopping_after(step, number=signal.SIGTERM):
    def show(run):
        if run.step == step:
            os.kill(os.getpid(), number)

    return show


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_run_resumes_to_the_same_model_scores_and_openings(csv_files, runs, number, code):
    for step in (2, 5):
        with pytest.raises(Interrupted) as caught:
            fit(csv_files["classify"], out="stopped", resume=step > 2, show=stopping_after(step, number))
        assert caught.value.exit_code == code
    with pytest.raises(AurifyError, match="an unfinished run: go on with --resume"):
        workbench.load("stopped")
    resumed = fit(csv_files["classify"], out="stopped", resume=True)
    assert same(weights(resumed), weights(runs["classify"]))
    assert resumed.summary["scores"] == runs["classify"].summary["scores"]
    assert resumed.summary["test_openings"] == 1
    lines = [json.loads(line) for line in resumed.folder.progress.read_text().splitlines()]
    assert [line["step"] for line in lines] == [4, 8]


def test_resume_needs_no_words_but_takes_the_same_ones_only(csv_files):
    with pytest.raises(Interrupted):
        fit(csv_files["regress"], show=stopping_after(2))
    with pytest.raises(
        AurifyError, match=r"began with network.width = 16, now it is 32.*--resume goes on with the same"
    ):
        fit(csv_files["regress"], settings={**SMALL, "network.width": 32}, resume=True)
    with pytest.raises(AurifyError, match=r"techniques.mixup"):
        fit(csv_files["regress"], using=["mixup"], resume=True)
    done = workbench.fit(resume=True)
    assert done.path.resolve().name == "regress"
    assert done.summary["training"]["steps"] == 8


def test_resume_of_a_changed_file_is_refused_or_uses_the_rows_it_began_with(csv_files, frames, runs, tmp_path):
    (tmp_path / "moving.csv").write_bytes(csv_files["regress"].read_bytes())
    with pytest.raises(Interrupted):
        fit("moving.csv", out="run", show=stopping_after(2))
    frames["regress"].head(200).write_csv("moving.csv")
    try:
        done = fit("moving.csv", out="run", resume=True)
    except AurifyError:
        return
    assert same(weights(done), weights(runs["regress"])), "the Store of the run is what counts"


def test_other_number_of_threads_is_refused_when_resuming(csv_files):
    with pytest.raises(Interrupted):
        fit(csv_files["regress"], out="run", threads=1, show=stopping_after(2))
    with pytest.raises(AurifyError, match="began with 1 threads"):
        fit(csv_files["regress"], out="run", threads=2, resume=True)
    assert torch.get_num_threads() == 1


def test_time_limit_is_recorded_with_where_it_stopped(csv_files):
    run = fit(csv_files["regress"], settings={"network.width": 16}, seconds=1.5, out="timed")
    training = run.summary["training"]
    assert run.folder.choices_made()["steps"] == training["planned_steps"]
    assert training["steps"] <= training["planned_steps"]
    assert (training["stopped"] is None) == (training["steps"] == training["planned_steps"])
    assert run.recipe.budget.seconds == 1.5


# openings of the test part


def test_each_opening_of_the_test_part_is_counted(csv_files):
    run = fit(csv_files["regress"], out="run")
    assert run.summary["test_openings"] == 1
    assert fit(csv_files["regress"], out="run", resume=True).summary["test_openings"] == 1
    assert workbench.evaluate("run")["test_openings"] == 2
    assert workbench.evaluate("run")["test_openings"] == 3
    assert workbench.evaluate("run", csv_files["regress"])["test_openings"] is None
    assert workbench.load("run").summary["test_openings"] == 1, "what fit printed stays what fit printed"


def test_evaluating_the_test_part_again_gives_the_scores_of_fit(csv_files):
    run = fit(csv_files["classify"], out="run")
    again = workbench.evaluate("run")
    for key in ("scores", "baselines", "differences", "verdict", "rows"):
        assert again[key] == run.summary[key]


# evaluate, predict, load


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_on_labelled_rows_and_write_what_was_predicted(runs, kind, frames, tmp_path):
    result = workbench.evaluate(runs[kind].path, frames[kind].head(60), out=tmp_path / "e")
    assert result["rows"] == 60
    assert len(Predictions.read(tmp_path / "e" / "predictions.parquet")) == 60
    assert json.loads((tmp_path / "e" / "scores.json").read_text())["scores"] == result["scores"]
    with pytest.raises(AurifyError, match="holds scores already"):
        workbench.evaluate(runs[kind].path, frames[kind].head(60), out=tmp_path / "e")


def test_rows_without_a_label_are_left_out_of_an_evaluation_and_counted(runs, frames):
    gone = frames["classify"].head(60).with_columns(y=pl.when(pl.int_range(60) < 7).then(None).otherwise("y"))
    result = workbench.evaluate(runs["classify"].path, gone)
    assert result["rows"] == 53
    assert any("7 rows" in note for note in result["notes"])
    with pytest.raises(AurifyError, match="no row of the data has a value in the target column 'y'"):
        workbench.evaluate(runs["classify"].path, gone.head(5))
    with pytest.raises(AurifyError, match="lacks the target column 'y'"):
        workbench.evaluate(runs["classify"].path, gone.drop("y"))


def test_model_file_works_without_its_folder(runs, frames, tmp_path):
    (tmp_path / "alone.aurify").write_bytes(runs["classify"].folder.bundle.read_bytes())
    expected = runs["classify"].predict(frames["classify"])
    assert aurify.load("alone.aurify").predict(frames["classify"]).equals(expected)
    assert workbench.evaluate("alone.aurify", frames["classify"])["baselines"] == {}
    with pytest.raises(AurifyError, match="a model without its data"):
        workbench.evaluate("alone.aurify")


def test_what_is_no_run_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        for verb in (workbench.load, workbench.evaluate, lambda p: workbench.predict(p, "x.csv")):
            with pytest.raises(AurifyError):
                verb(path)


def test_missing_words_are_asked_for(csv_files):
    with pytest.raises(AurifyError, match="say so with --target"):
        workbench.fit(csv_files["regress"])
    with pytest.raises(AurifyError, match="give the data to fit"):
        workbench.fit()
    with pytest.raises(AurifyError, match="give the data to fit"):
        workbench.fit(resume=True)
