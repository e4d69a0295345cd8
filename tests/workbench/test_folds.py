"""Folds: every row is answered for by a model that did not see it, stopped or not; the shipped model is their mean."""

import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small import KINDS, same

from aurify import workbench
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.folder import RunFolder
from aurify.core.recipe import Source
from aurify.core.watch import Watch
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.measure.predictions import Predictions
from aurify.report.section import Section
from aurify.ship.make import make
from aurify.training.checkpoint import Keeper
from aurify.workbench import reporting

FOLDS = 3


def weights(run):
    return [dict(member.network.state_dict()) for member in run.bundle.members]


@pytest.fixture(scope="module")
def folded(fit, csv_files, tmp_path_factory):
    root = tmp_path_factory.mktemp("folded")
    return {kind: fit(csv_files[kind], folds=FOLDS, out=root / kind) for kind in KINDS}


def parts_of(run):
    return [Parts.open(run.folder.fold(number).parts) for number in range(1, FOLDS + 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_predicted_once_by_a_model_that_did_not_see_it(folded, kind, lab):
    run = folded[kind]
    kept = Predictions.read(run.folder.predictions)
    np.testing.assert_array_equal(np.sort(kept.row), np.arange(240))
    for number, parts in enumerate(parts_of(run), 1):
        own = kept.take(kept.fold == number)
        np.testing.assert_array_equal(np.sort(own.row), parts.test)
        assert not np.isin(own.row, np.r_[parts.fit, parts.held]).any()
        store = Store.open(run.folder.store)
        bundle, _ = make(run.recipe, store, parts, run.bundle.device, Keeper(None), Watch(), lambda run: None)
        asked = lab.task(kind).ask(store.schema, lab.frames[kind][own.row.tolist()], Source(), labelled=True)
        np.testing.assert_allclose(bundle.predictions(asked).prediction, own.prediction, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_over_the_union_with_baselines_fitted_for_each_fold(folded, kind, frames):
    summary, kept = folded[kind].summary, Predictions.read(folded[kind].folder.predictions)
    assert summary["rows"] == 240
    assert "each fold's own model" in summary["measured"]
    truth = frames[kind]["y"].to_numpy()
    if kind == "regress":
        rmse = np.sqrt(np.mean((kept.prediction - truth[kept.row]) ** 2))
        assert summary["scores"]["rmse"]["value"] == pytest.approx(rmse)
        means = np.empty(240)
        for parts in parts_of(folded[kind]):
            means[parts.test] = truth[np.r_[parts.fit, parts.held]].mean()
        assert summary["baselines"]["mean"]["rmse"] == pytest.approx(np.sqrt(np.mean((means - truth) ** 2)))
    else:
        assert summary["scores"]["accuracy"]["value"] == pytest.approx(
            (kept.to_frame()["prediction"].to_numpy() == truth[kept.row]).mean()
        )


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_model_is_the_mean_of_the_folds(folded, kind, frames, lab):
    run = folded[kind]
    asked = lab.task(kind).ask(run.bundle.schema, frames[kind], Source(), labelled=True)
    each = [workbench.load(run.folder.fold(n).bundle).predictions(asked) for n in range(1, FOLDS + 1)]
    mean = run.bundle.predictions(asked)
    if kind == "regress":
        np.testing.assert_allclose(mean.prediction, np.mean([p.prediction for p in each], axis=0))
    else:
        np.testing.assert_allclose(mean.probabilities, np.mean([p.probabilities for p in each], axis=0))
    assert [m.name for m in run.bundle.members] == ["network 1", "network 2", "network 3"]
    assert run.summary["training"]["steps"] == sum(f["steps"] for f in run.summary["training"]["folds"]) == 24


@pytest.mark.slow
def test_evaluating_folds_again_gives_the_scores_of_fit_and_new_rows_meet_the_shipped_model(
    csv_files, fit, frames, folded
):
    run = fit(csv_files["regress"], folds=FOLDS, out="run")
    again = workbench.evaluate("run")
    for key in ("scores", "baselines", "differences", "verdict", "rows", "measured", "intervals"):
        assert again[key] == run.summary[key]
    assert again["test_openings"] == 2
    new = workbench.evaluate("run", frames["regress"].with_columns(b=pl.col("b") + 0.01))
    assert "measured" not in new
    assert "without_overlap" not in new
    assert workbench.evaluate("run", frames["regress"])["without_overlap"]["same_inputs"] == 240
    assert same(weights(run), weights(folded["regress"])), "same recipe, same bits"


@pytest.mark.parametrize("kind", KINDS)
def test_sections_ask_of_each_row_the_model_of_its_fold(folded, kind, tmp_path, monkeypatch):
    seen = []

    class Probe(Section):
        def measure(self, tested):
            seen.append(tested)

    run = workbench.load(shutil.copytree(folded[kind].path, tmp_path / "run"))
    monkeypatch.setattr(reporting, "sections_for", lambda task: (Probe(),))
    run.report(out=tmp_path / "report.html")
    (tested,), kept = seen, Predictions.read(run.folder.predictions)
    order = np.random.default_rng(0).permutation(len(kept))
    answers = tested.respond({name: values[order] for name, values in tested.inputs.items()}, order)
    expected = kept.prediction if kept.probabilities is None else kept.probabilities
    np.testing.assert_allclose(answers, expected[order], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_stopped_in_the_middle_of_a_fold_resumes_to_the_same_bits(csv_files, fit, folded, number):
    calls = []

    def show(run):
        calls.append(run.step)
        if len(calls) in (8 + 3, 8 + 3 + 3):  # twice in the middle of fold 2, once before a validation
            os.kill(os.getpid(), number)

    for sitting in range(2):
        with pytest.raises(Interrupted):
            fit(csv_files["classify"], folds=FOLDS, out="stopped", resume=sitting > 0, show=show)
    place = RunFolder(Path("stopped"))
    first = place.fold(1).bundle
    assert first.exists()
    assert not place.fold(2).bundle.exists()
    before = first.stat().st_mtime_ns
    resumed = fit(
        csv_files["classify"], folds=FOLDS, out="stopped", resume=True, show=lambda run: calls.append(run.step)
    )
    assert first.stat().st_mtime_ns == before, "a finished fold is not trained again"
    assert len(calls) == 24, "no step is taken twice"
    assert same(weights(resumed), weights(folded["classify"]))
    assert resumed.folder.bundle.read_bytes() == folded["classify"].folder.bundle.read_bytes()
    assert resumed.summary["scores"] == folded["classify"].summary["scores"]
    assert resumed.summary["test_openings"] == 1


@pytest.mark.slow
def test_force_replaces_folds_by_fewer_or_none(csv_files, fit):
    fit(csv_files["regress"], folds=4, out="run")
    fit(csv_files["regress"], folds=2, out="run", force=True)
    assert sorted(p.name for p in (Path("run") / "folds").iterdir()) == ["1", "2"]
    fit(csv_files["regress"], out="run", force=True)
    assert not (Path("run") / "folds").exists()


@pytest.mark.slow
def test_time_limit_is_shared_between_the_folds(csv_files, fit):
    run = fit(csv_files["regress"], folds=2, seconds=3.0, settings={"network.width": 16}, out="timed")
    spent = [fold["seconds"] for fold in run.summary["training"]["folds"]]
    assert len(spent) == 2
    for number in (1, 2):
        planned = run.folder.fold(number).choices_made()["steps"]
        assert run.summary["training"]["folds"][number - 1]["planned_steps"] == planned
    assert not run.folder.choices.exists()


def test_folds_and_a_test_file_are_refused_together(csv_files, fit, frames):
    frames["regress"].head(50).write_csv("t.csv")
    with pytest.raises(AurifyError, match="--folds tests every row in turn and --test names the rows to test"):
        fit(csv_files["regress"], folds=3, test="t.csv")


@pytest.mark.parametrize("folds", [1, 101])
def test_folds_out_of_range_are_refused(csv_files, fit, folds):
    with pytest.raises(AurifyError, match=r"split.folds = .* out of range"):
        fit(csv_files["regress"], folds=folds)


@pytest.mark.slow
def test_recipe_of_a_run_with_folds_repeats_it(folded, tmp_path):
    again = workbench.fit(recipe=folded["regress"].folder.recipe, out=tmp_path / "again")
    assert same(weights(again), weights(folded["regress"]))
    findings = [f["text"] for f in json.loads(again.folder.findings.read_text())]
    assert len(findings) == len(set(findings))
