"""The verb inspect and the gate in fit: what stops a run, what lets it through, what fixes it, and what is sealed."""

import json

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.data.findings import Finding, Findings
from aurify.workbench.inspecting import SevereError

SMALL = {"network.width": 8, "network.depth": 1, "budget.steps": 2}
HONEST = 600


@pytest.fixture(scope="module")
def frame():
    """Two honest columns and a copy of the target under another name and in other words."""
    random = np.random.default_rng(7)
    a, b = random.normal(size=(2, HONEST))
    y = np.where(a + b + random.normal(size=HONEST) > 0, "yes", "no")
    return pl.DataFrame({"a": a, "b": b, "after the call": np.where(y == "yes", "closed", "open"), "y": y})


@pytest.fixture
def fit(frame, tmp_path):
    def run(data=frame, out="run", **words):
        return workbench.fit(data, "y", settings=SMALL, out=tmp_path / out, **words)

    return run


def test_a_copy_of_the_target_stops_the_run_and_leaves_nothing(fit, tmp_path):
    with pytest.raises(SevereError, match="'after the call'") as stopped:
        fit()
    assert stopped.value.exit_code == 3
    assert stopped.value.findings.severe[0].columns == ("after the call",)
    said = str(stopped.value)
    assert "--drop 'after the call'" in said
    assert "--accept 'target_leak:after the call'" in said
    assert "\n" not in said
    assert not (tmp_path / "run").exists()


def test_an_earlier_run_survives_a_refused_one(fit, frame, tmp_path):
    run = fit(frame.drop("after the call"))
    before = run.folder.scores.read_bytes()
    with pytest.raises(SevereError):
        fit(force=True)
    assert run.folder.scores.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("word", ["target_leak", "target_leak:after the call"])
def test_what_is_accepted_goes_on_and_stays_accepted(fit, word):
    run = fit(accept=[word])
    (leak,) = run.findings.severe
    assert leak.columns == ("after the call",)
    again = fit(recipe=run.folder.recipe, out="again")
    assert again.recipe.source.accept == (word,)


def test_only_a_check_and_a_column_that_there_are_can_be_accepted(fit):
    with pytest.raises(AurifyError, match="no check is called 'target_lek'; did you mean 'target_leak'"):
        fit(accept=["target_lek"])
    with pytest.raises(AurifyError, match="column 'c' is not in the data"):
        fit(accept=["target_leak:c"])


def test_nothing_is_looked_for_where_that_is_asked(fit):
    run = fit(inspect=False)
    assert {finding.check for finding in run.findings} <= {"reading"}
    assert "was not inspected" in run.findings.warnings[0].text


def test_what_a_given_recipe_takes_care_of_is_no_warning(frame, tmp_path):
    honest = frame.drop("after the call")
    pl.concat([honest, honest[:60]]).write_csv(tmp_path / "calls.csv")
    found = workbench.inspect(tmp_path / "calls.csv", "y", out=tmp_path / "look", fix=True)
    (before,) = found.where(check="duplicates")
    (after,) = workbench.inspect(recipe=tmp_path / "look" / "recipe.yaml").where(check="duplicates")
    assert (before.severity, after.severity) == ("warning", "note")
    assert after.fix == "nothing to do: the recipe takes care of it"


@pytest.mark.slow
def test_a_fixed_recipe_trains_and_the_baselines_do_not_see_the_leak(frame, fit, tmp_path):
    frame.write_csv(tmp_path / "calls.csv")
    found = workbench.inspect(tmp_path / "calls.csv", "y", out=tmp_path / "look", fix=True)
    assert len(found.severe) == 1
    written = tmp_path / "look" / "recipe.yaml"
    run = workbench.fit(recipe=written, settings=SMALL, out=tmp_path / "run")
    assert run.recipe.hidden == {"after the call"}
    assert not run.findings.severe
    assert max(run.summary["baselines"][name]["roc_auc"] for name in ("linear", "boosting")) < 0.95


def test_an_inspection_is_a_folder_that_is_replaced_and_nobody_elses(frame, tmp_path):
    first = workbench.inspect(frame, "y", out=tmp_path / "look")
    second = workbench.inspect(frame.drop("after the call"), "y", out=tmp_path / "look")
    assert {path.name for path in (tmp_path / "look").iterdir()} == {"findings.json", "report.html"}
    kept = [Finding.from_plain(plain) for plain in json.loads((tmp_path / "look" / "findings.json").read_text())]
    assert [str(finding) for finding in kept] == [str(finding) for finding in second]
    assert first.severe
    assert not second.severe
    (tmp_path / "look" / "mine.txt").write_text("keep")
    with pytest.raises(AurifyError, match="other things than an inspection"):
        workbench.inspect(frame, "y", out=tmp_path / "look")


def test_targets_of_the_test_part_are_not_looked_at(frame):
    """Other targets there, also of rows that are on both sides, and nothing that is said changes."""
    honest = frame.drop("after the call").sort("a")
    given = pl.concat([honest[: HONEST - 120], honest[:120]]).with_columns(moment=pl.int_range(HONEST))
    sealed = given["moment"] >= int(0.8 * HONEST)
    other = given.with_columns(y=pl.when(sealed).then(pl.lit("yes")).otherwise(pl.col("y")))
    one, two = (workbench.inspect(each, "y", split="time:moment") for each in (given, other))
    assert [f.plain() for f in one if f.check != "reading"] == [f.plain() for f in two if f.check != "reading"]
    assert one.where(check="test_overlap")


def test_without_a_target_there_is_still_something_to_say(frame):
    found = workbench.inspect(frame.with_columns(nothing=pl.lit(1)))
    assert isinstance(found, Findings)
    assert any("nothing" in finding.columns for finding in found)
    with pytest.raises(AurifyError, match="--target"):
        workbench.inspect(frame, out="x", fix=True)


@pytest.mark.slow
def test_command_line_prints_one_object_and_stops_with_3(words, frame, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame.write_csv("calls.csv")
    told = json.loads(words("inspect", "calls.csv", "-t", "y", "--json").out)
    assert set(told["findings"][0]) >= {"check", "severity", "columns", "rows", "evidence", "fix"}
    assert told["findings"][0]["severity"] == "severe"
    stopped = words("fit", "calls.csv", "-t", "y", check=False)
    assert stopped.code == 3
    assert stopped.err.splitlines()[-1].startswith("aurify: ")
    shown = words("inspect", "calls.csv", "-t", "y", "--fix").out
    assert "after the call" in shown
    assert (tmp_path / "runs" / "calls-inspected" / "recipe.yaml").exists()
