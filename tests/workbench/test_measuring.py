"""Evaluate, predict and load; each look at the test part is counted."""

import json

import polars as pl
import pytest
from small import KINDS

import aurify
from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.measure.predictions import Predictions


def test_each_opening_of_the_test_part_is_counted(csv_files, fit):
    run = fit(csv_files["regress"], out="run")
    assert run.summary["test_openings"] == 1
    assert fit(csv_files["regress"], out="run", resume=True).summary["test_openings"] == 1
    assert workbench.evaluate("run")["test_openings"] == 2
    assert workbench.evaluate("run")["test_openings"] == 3
    assert workbench.evaluate("run", csv_files["regress"])["test_openings"] is None
    assert workbench.load("run").summary["test_openings"] == 1, "what fit printed stays what fit printed"


def test_evaluating_the_test_part_again_gives_the_scores_of_fit(csv_files, fit):
    run = fit(csv_files["classify"], out="run")
    again = workbench.evaluate("run")
    for key in ("scores", "baselines", "differences", "verdict", "rows"):
        assert again[key] == run.summary[key]


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
