"""Several labels a row, from a file to a report and back."""

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

import aurify
from aurify import workbench
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.folder import RunFolder
from aurify.measure.predictions import Predictions
from aurify.ship.bundle import Bundle

FAST = ["budget.epochs=4", "optimizer.learning_rate=0.02", "network.members=2", "network.width=16"]
NAMES = ("art", "math", "\u79d1\u5b66")


def _rows(rows: int = 260, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 3))
    held = (x + 0.6 * random.normal(size=x.shape) > [0, 0.5, 0.9]).astype(np.int8)
    frame = pl.DataFrame({"u": x[:, 0], "v": x[:, 1], "w": x[:, 2], "k": random.choice(["p", "q"], rows)})
    return frame, held


def _cells(held: np.ndarray, separator: str = ";") -> list[str]:
    return [separator.join(n for n, h in zip(NAMES, row, strict=True) if h) or separator for row in held]


def _in_columns() -> pl.DataFrame:
    frame, held = _rows()
    return frame.with_columns(*(pl.Series(name, held[:, at].astype(np.int64)) for at, name in enumerate(NAMES)))


def _in_cells() -> pl.DataFrame:
    frame, held = _rows()
    return frame.with_columns(pl.Series("topics", _cells(held)))


def _in_lists() -> pl.DataFrame:
    frame, held = _rows()
    return frame.with_columns(pl.Series("topics", [[n for n, h in zip(NAMES, r, strict=True) if h] for r in held]))


FORMS = {"columns": (_in_columns, list(NAMES)), "cells": (_in_cells, "topics"), "lists": (_in_lists, "topics")}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("labels")
    made = {}
    for form, (frame, target) in FORMS.items():
        data = frame()
        path = root / f"{form}.{'jsonl' if form == 'lists' else 'csv'}"
        (data.write_ndjson if form == "lists" else data.write_csv)(path)
        made[form] = aurify.fit(path, target, out=root / form, settings=FAST, using=["label_thresholds"])
    return made


def test_three_forms_are_one_target(runs):
    scores = [run.summary["scores"]["log_loss"]["value"] for run in runs.values()]
    assert scores[0] == scores[1] == scores[2]  # the labels' order is the same in all of them
    assert {run.recipe.task.settings()["kind"] for run in runs.values()} == {"multi_label"}


@pytest.mark.parametrize("form", FORMS)
def test_report_and_every_section_stand(runs, form):
    run = runs[form]
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "How it does on each label" in page
    assert "confuses" not in page
    run.report("zh", run.path / "zh.html")
    assert "\u5728\u6bcf\u4e2a\u6807\u7b7e\u4e0a\u7684\u8868\u73b0" in (run.path / "zh.html").read_text(
        encoding="utf-8"
    )
    assert not [finding.text for finding in run.findings if "failed (" in finding.text]
    evidence = json.loads((run.path / "evidence.json").read_text(encoding="utf-8"))
    assert evidence["labels"]["labels"]
    assert evidence["calibration"]["bins"]
    assert evidence["importance"]["columns"]
    assert evidence["confusion"] is None
    assert evidence["wrong_rows"] is None


def test_scores_are_those_of_the_kept_predictions(runs):
    run = runs["cells"]
    kept = Predictions.read(run.folder.predictions)
    assert kept.target is not None
    wrong = (kept.prediction != kept.target).mean()
    assert run.summary["scores"]["hamming_loss"]["value"] == pytest.approx(wrong, abs=1e-12)
    assert run.summary["main_metric"] == "log_loss"
    assert set(run.summary["baseline_scores"]) == {"majority", "linear", "boosting"}
    assert run.summary["scores"]["log_loss"]["value"] < run.summary["baseline_scores"]["majority"]["log_loss"]["value"]


@pytest.mark.parametrize("form", FORMS)
def test_predictions_come_back_as_the_labels_were_written(runs, form, tmp_path):
    run, (frame, _) = runs[form], FORMS[form]
    answered = run.predict(frame())
    answered.write_csv(tmp_path / "out.csv")
    again = pl.read_csv(tmp_path / "out.csv")
    thresholds = run.bundle.pipeline.thresholds.numpy()
    classes = run.bundle.schema.classes
    held = answered.select(f"p_{name}" for name in classes).to_numpy() >= thresholds
    if form == "columns":
        assert np.array_equal(again.select(classes).to_numpy(), held)
        return
    cells = again["prediction"].fill_null("").to_list()
    read = [json.loads(cell) if form == "lists" else [c for c in cell.split(";") if c] for cell in cells]
    assert read == [[name for name, h in zip(classes, row, strict=True) if h] for row in held]


def test_model_file_alone_predicts_the_same_and_evaluates(runs, tmp_path):
    run = runs["cells"]
    alone = workbench.load(run.folder.bundle)
    assert isinstance(alone, Bundle)
    frame = _in_cells()
    assert alone.predict(frame).equals(run.predict(frame))
    frame.write_csv(tmp_path / "more.csv")
    found = workbench.evaluate(run.path, tmp_path / "more.csv")
    assert found["rows"] == len(frame)
    assert 0 < found["scores"]["subset_accuracy"]["value"] <= 1


def test_unknown_labels_and_missing_columns_of_new_data_are_refused(runs, tmp_path):
    frame, held = _rows()
    frame.with_columns(topics=pl.Series(["art;poetry", *_cells(held)[1:]])).write_csv(tmp_path / "odd.csv")
    with pytest.raises(AurifyError, match="'poetry'; known"):
        workbench.evaluate(runs["cells"].path, tmp_path / "odd.csv")
    _in_columns().drop("math").write_csv(tmp_path / "lacks.csv")
    with pytest.raises(AurifyError, match="lacks the target column 'math'"):
        workbench.evaluate(runs["columns"].path, tmp_path / "lacks.csv")


@pytest.mark.slow
def test_stopped_run_resumes_to_the_same_model(tmp_path, monkeypatch):
    data = tmp_path / "rows.csv"
    _in_cells().write_csv(data)
    whole = aurify.fit(data, "topics", out=tmp_path / "whole", settings=FAST, inspect=False)

    def stop(run):
        if run.step == 5:
            raise Interrupted("stopped", 15)

    with pytest.raises(Interrupted):
        aurify.fit(data, "topics", out=tmp_path / "two", settings=FAST, inspect=False, show=stop, checkpoint_seconds=0)
    assert not RunFolder(tmp_path / "two").finished()
    again = aurify.fit(data, "topics", out=tmp_path / "two", settings=FAST, inspect=False, resume=True)
    assert again.predict(data).equals(whole.predict(data))
    rerun = aurify.fit(recipe=whole.folder.recipe, out=tmp_path / "three", inspect=False)
    assert rerun.predict(data).equals(whole.predict(data))


def test_label_that_only_test_rows_hold_is_answered_and_scored(tmp_path):
    frame, held = _rows()
    known, late = frame.with_columns(*(pl.Series(n, held[:, at]) for at, n in enumerate(NAMES))), held.copy()
    known = known.with_columns(pl.lit(0).alias("new"))
    test = known.with_columns(pl.Series("new", late[:, 0])).head(60)
    known.tail(200).write_csv(tmp_path / "train.csv")
    test.write_csv(tmp_path / "test.csv")
    run = aurify.fit(
        tmp_path / "train.csv", [*NAMES, "new"], test=tmp_path / "test.csv", out=tmp_path / "run", settings=FAST
    )
    assert any("'new' (0)" in finding.text for finding in run.findings)
    assert run.summary["baseline_scores"]["linear"]["log_loss"]["value"] > 0
    assert run.predict(test)["p_new"].to_numpy().max() < 0.7


def test_a_column_that_gives_one_label_away_stops_the_run(tmp_path):
    frame = _in_columns().with_columns(pl.col("math").alias("copy"))
    with pytest.raises(workbench.SevereError, match=r"'copy'.*'math'"):
        aurify.fit(frame, list(NAMES), out=tmp_path / "run", settings=FAST)


@pytest.mark.slow
def test_folds_groups_and_weights_work_with_labels(tmp_path):
    frame = _in_columns().with_columns(g=pl.int_range(pl.len()) // 4, z=pl.lit(2.0))
    every: list[dict[str, Any]] = [{"folds": 3}, {"split": "group:g"}, {"weight": "z"}]
    for at, words in enumerate(every):
        run = aurify.fit(frame, list(NAMES), out=tmp_path / str(at), settings=FAST, inspect=False, **words)
        assert 0 < run.summary["scores"]["log_loss"]["value"] < 1


def test_texts_hold_several_labels_too(tmp_path):
    random = np.random.default_rng(3)
    words = {"sport": "ball goal", "tech": "chip code", "food": "rice soup"}
    held = random.random((150, 3)) < 0.45
    said = [
        " ".join([*(w for w, h in zip(words.values(), row, strict=True) if h), f"and so it was on day {at} again."])
        for at, row in enumerate(held)
    ]
    cells = ["|".join(n for n, h in zip(words, row, strict=True) if h) or "|" for row in held]
    frame = pl.DataFrame({"said": said, "tags": cells})
    run = aurify.fit(frame, "tags", out=tmp_path / "run", settings=["budget.epochs=1"], inspect=False)
    assert run.recipe.task.name() == "text"
    assert run.summary["baseline_scores"]["tfidf"]["f1_micro"]["value"] > 0.9
    assert run.predict(frame.select("said")).columns == ["prediction", "p_food", "p_sport", "p_tech"]


@pytest.mark.parametrize("name", ["temperature", "focal", "smote", "clean_labels", "scale_target", "label_smoothing"])
def test_techniques_for_one_class_or_number_are_refused(name, tmp_path):
    with pytest.raises(AurifyError, match=f"'{name}' does not fit"):
        aurify.fit(_in_columns(), list(NAMES), out=tmp_path / "run", using=[name], inspect=False)


def test_trees_beside_the_network_are_refused(tmp_path):
    with pytest.raises(AurifyError, match="not several labels"):
        aurify.fit(_in_columns(), list(NAMES), out=tmp_path / "run", blend="trees", inspect=False)
