"""A run that a search has tuned: nothing of it has looked at the test part, until ``aurify evaluate`` measures it."""

import json
import re
import shlex
import shutil
import signal
from dataclasses import replace

import polars as pl
import pytest

import aurify
from aurify import workbench
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.words import LANGUAGES
from aurify.data.splits import Parts
from aurify.workbench import measuring, rows

MEASURED = ("scores.json", "evidence.json", "predictions.parquet", "report.html", "openings.jsonl")


@pytest.fixture(scope="session")
def searched(csv_files, small, tmp_path_factory):
    """A search of two trials whose folds' models, networks and trees, are averaged."""
    folder = tmp_path_factory.mktemp("tuned") / "churn-tuned"
    options = {"trials": 2, "method": "random", "knobs": ["network.width"], "workers": 1, "blend": "trees"}
    workbench.tune(csv_files["classify"], "y", settings=small, out=folder, **options)
    assert len(aurify.load(folder).bundle.members) > 2
    return folder


@pytest.fixture
def tuned(searched, tmp_path):
    return shutil.copytree(searched, tmp_path / "runs" / "churn-tuned")


@pytest.fixture(scope="session")
def measured(searched, tmp_path_factory):
    """A tuned run after ``evaluate``, to look at; and what that returned."""
    path = shutil.copytree(searched, tmp_path_factory.mktemp("measured") / "churn-tuned")
    return path, workbench.evaluate(path)


@pytest.mark.slow
def test_unmeasured_run_says_what_measures_it(tuned, csv_files, frames, words):
    run = aurify.load(tuned)
    assert repr(run) == f"<aurify run {tuned}: not measured>"
    assert "not measured" in run._repr_html_()
    for ask in (lambda: run.summary, lambda: run.scores):
        with pytest.raises(AurifyError, match=f"not measured yet: aurify evaluate {tuned}"):
            ask()
    assert run.curves.is_empty()
    assert run.predict(frames["classify"].head(3)).height == 3
    assert "prediction" in words("predict", tuned, csv_files["classify"]).out
    assert json.loads(words("export", tuned, "model.onnx", "--json").out)["difference"] < 1e-3
    assert [name for name in MEASURED if (tuned / name).exists()] == ["report.html"]


def test_unfinished_fit_still_says_to_go_on(runs, tmp_path):
    path = shutil.copytree(runs["regress"].path, tmp_path / "run")
    (path / "scores.json").unlink()
    for ask in (lambda: aurify.load(path).summary, lambda: aurify.load(path).report()):
        with pytest.raises(AurifyError, match="not measured yet: go on with --resume"):
            ask()


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_of_an_unmeasured_run_opens_nothing(language, tuned):
    page = workbench.report(tuned, language=language).read_text()
    assert not {"scores", "asked", "split"} & set(re.findall(r'<section id="(\w+)"', page))
    assert ("a search for better settings" in page) == (language == "en")
    assert not (tuned / "openings.jsonl").exists()
    assert not (tuned / "evidence.json").exists()
    assert "scores" not in dir(aurify.load(tuned).plot)


@pytest.mark.slow
def test_evaluating_measures_as_the_end_of_a_fit_does(measured, frames, runs):
    path, result = measured
    run = aurify.load(path)
    assert result == {**run.summary, "notes": [], "report": str(path / "report.html")}
    assert result["model"] == "blend"
    assert set(result["members"]) == {"network", "trees"}
    assert {"linear", "boosting"} < set(result["baselines"])
    assert [(o["verb"], o["purpose"].split()[0]) for o in run.folder.read_openings()] == [("evaluate", "evaluate")]
    assert result["test_openings"] == 1
    assert all((path / name).exists() for name in MEASURED)
    parts = Parts.open(path / "parts.aurify")
    assert pl.read_parquet(path / "predictions.parquet")["row"].to_list() == parts.test.tolist()
    tested = frames["classify"][parts.test.tolist()]
    right = run.predict(tested)["prediction"] == tested["y"]
    assert result["scores"]["accuracy"]["value"] == pytest.approx(right.mean())
    assert set(runs["classify"].summary) == set(run.summary)


@pytest.mark.slow
def test_evaluating_again_is_a_further_look_and_the_first_stays(tuned, csv_files):
    first = workbench.evaluate(tuned)
    again = workbench.evaluate(tuned, seed=3, out="again")
    assert again["test_openings"] == 2
    assert again["scores"].keys() == first["scores"].keys()
    assert aurify.load(tuned).summary["test_openings"] == 1
    assert workbench.evaluate(tuned, csv_files["classify"])["test_openings"] is None


def test_words_of_another_look_are_refused_before_the_first(tuned, csv_files):
    for more in ({"out": "elsewhere"}, {"seed": 3}):
        with pytest.raises(AurifyError, match="not measured yet: --out and --seed are for another look"):
            workbench.evaluate(tuned, **more)
    assert not (tuned / "openings.jsonl").exists()
    assert workbench.evaluate(tuned, csv_files["classify"], out="elsewhere")["test_openings"] is None
    assert not (tuned / "openings.jsonl").exists(), "new rows are not the test part"


@pytest.mark.slow
@pytest.mark.parametrize("at", ["summarise", "gather", "page"])
def test_measuring_that_was_cut_short_goes_on_and_is_one_look(at, tuned, monkeypatch):
    workbench.report(tuned)
    sealed_page = (tuned / "report.html").read_text()

    def cut(*_, **__):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        place, name = {"page": (measuring.page, "render"), "summarise": (rows, at)}.get(at, (measuring, at))
        patched.setattr(place, name, cut)
        with pytest.raises(RuntimeError, match="killed"):
            workbench.evaluate(tuned)
    result = workbench.evaluate(tuned)
    assert result["test_openings"] == 1
    assert len((tuned / "openings.jsonl").read_text().splitlines()) == 1
    assert (tuned / "evidence.json").exists()
    assert (tuned / "report.html").read_text() != sealed_page


def test_stopped_measuring_says_how_to_go_on(tuned, monkeypatch):
    def stop(*_, **__):
        raise Interrupted("stopped by SIGINT; go on with --resume", signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(rows, "summarise", stop)
        with pytest.raises(Interrupted, match=f"go on with aurify evaluate {tuned}"):
            workbench.evaluate(tuned)
    assert workbench.evaluate(tuned)["test_openings"] == 1


def test_another_process_at_work_is_waited_for(tuned):
    with aurify.load(tuned).folder.held(), pytest.raises(AurifyError, match="another process is working"):
        workbench.evaluate(tuned)
    assert not (tuned / "openings.jsonl").exists()


def test_damaged_data_is_not_scored(tuned):
    path = next((tuned / "store").glob("*target*"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(AurifyError):
        workbench.evaluate(tuned)
    assert not (tuned / "openings.jsonl").exists()


@pytest.mark.slow
def test_evaluate_prints_like_fit(tuned, words):
    out = words("evaluate", tuned, "--lang", "zh").out
    assert "opened 1 time." in out
    assert f"Report: {tuned / 'report.html'}" in out
    assert 'lang="zh-Hans"' in (tuned / "report.html").read_text()
    (tuned / "scores.json").unlink()
    assert {"scores", "report", "test_openings"} <= set(json.loads(words("evaluate", tuned, "--json").out))


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_a_measured_run_has_its_chapters_and_claims_no_training(language, measured):
    path, result = measured
    page = workbench.report(path, language=language).read_text()
    found = re.findall(r'<section id="(\w+)"', page)
    assert {"asked", "data", "split", "scores", "importance", "recipe", "cost", "reproduce"} <= set(found)
    assert "learning" not in found
    if language == "en":
        parts = Parts.open(path / "parts.aurify")
        assert f">{len(parts.fit) + len(parts.held)}<" in page
        assert "held out" not in page[page.index('id="split"') : page.index('id="scores"')]
        assert "trains the same model again" not in page
        assert "settings that the search found" in page
        assert f"{result['seconds']:,.1f} s" in page


@pytest.mark.slow
def test_command_of_the_page_trains_the_recipe(measured, words):
    path, _ = measured
    code = re.search(r"aurify fit [^<]*", (path / "report.html").read_text())
    again = json.loads(words(*shlex.split(code[0])[1:], "--json").out)
    assert (aurify.load(again["run"]).folder.recipe).read_text() == (path / "recipe.yaml").read_text()


def test_fit_goes_on_with_no_tuned_run(tuned, csv_files, fit):
    aurify.load(tuned).folder.mark_latest()
    for given in ({"out": tuned}, {"out": tuned, "resume": True}):
        with pytest.raises(AurifyError, match=f"holds a tuned run: measure it with aurify evaluate {tuned}"):
            fit(csv_files["classify"], **given)
    with pytest.raises(AurifyError, match="holds a tuned run"):
        workbench.fit(resume=True)
    assert not (tuned / "openings.jsonl").exists()
    assert fit(csv_files["classify"], out=tuned, force=True).summary["test_openings"] == 1
    assert not aurify.load(tuned).folder.tuned()


@pytest.mark.slow
@pytest.mark.parametrize("first", ["ablate", "evaluate"])
def test_ledger_of_a_tuned_run(first, tuned):
    ask = {"rows": 120, "steps": 2, "sweep": ["network.width=8,16"], "workers": 1}
    if first == "evaluate":
        workbench.evaluate(tuned)
    ledger = workbench.ablate(tuned, **ask)
    assert ledger.effects.height
    assert (tuned / "openings.jsonl").exists() == (first == "evaluate")
    page = (tuned / "report.html").read_text()
    assert 'id="ledger"' in page
    assert ('id="scores"' in page) == (first == "evaluate")
    if first == "ablate":
        assert "not measured" in repr(aurify.load(tuned))
        workbench.evaluate(tuned)
        page = (tuned / "report.html").read_text()
        assert 'id="ledger"' in page
        assert 'id="scores"' in page


def test_networks_averaged_alone_are_one_model(runs, tmp_path):
    path = shutil.copytree(runs["regress"].path, tmp_path / "run")
    run = aurify.load(path)
    several = [replace(m, weight=0.5, name=f"{m.name} {n}") for n in (1, 2) for m in run.bundle.members]
    replace(run.bundle, members=tuple(several)).save(run.folder.bundle, run.catalog)
    for name in (*MEASURED, "environment.json"):
        (path / name).unlink(missing_ok=True)
    (path / "trials.json").write_text("[]")
    result = workbench.evaluate(path)
    assert result["model"] == "network"
    assert result["members"] == {}
    assert result["parameters"] == 2 * runs["regress"].bundle.parameter_count
    assert result["scores"]["rmse"]["value"] == pytest.approx(runs["regress"].summary["scores"]["rmse"]["value"])


def test_search_without_a_model_is_no_run_to_measure(tuned):
    (tuned / "model.aurify").unlink()
    for verb in (aurify.load, workbench.evaluate):
        with pytest.raises(AurifyError, match="is a search that has left no model"):
            verb(tuned)
