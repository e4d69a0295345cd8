"""A run with folds that is killed or stopped at any moment ends bit-equal to one that was not."""

import json
import shutil
import signal

import polars as pl
import pytest


@pytest.fixture(scope="module")
def folds(table):
    """Three folds of two steps each, with a checkpoint after each step."""
    words = ["fit", table, "--target", "label", "--checkpoint-every", "0.000001s", "--set", "network.width=16"]
    return [*words, "--folds", "3", "--set", "budget.steps=2", "--set", "budget.batch_size=400", "--quiet"]


def outcome(folder):
    scores = json.loads((folder / "scores.json").read_text())
    del scores["run"], scores["seconds"]
    for record in (scores["training"], *scores["training"]["folds"]):
        del record["seconds"]
    fold_files = sorted(path.relative_to(folder).as_posix() for path in folder.glob("folds/*/*.aurify"))
    return {
        "scores": scores,
        "model": (folder / "model.aurify").read_bytes(),
        "folds": {name: (folder / name).read_bytes() for name in fold_files},
        "predictions": pl.read_parquet(folder / "predictions.parquet").to_dict(as_series=False),
    }


@pytest.mark.slow
def test_kill_before_any_change_of_a_file_loses_nothing(start, folds, tmp_path):
    """Every seventh of all moments in which the state on disk has changed, whatever they fall on."""
    folder, trace = tmp_path / "run", tmp_path / "trace"
    assert start(*folds, "--out", folder, changes_in=folder, trace=trace).wait().code == 0
    unbroken, states = outcome(folder), trace.read_text().splitlines()
    assert len(unbroken["folds"]) == 6
    moments = [at for at, state in enumerate(states, start=1) if state not in states[: at - 1]]
    assert len(moments) > 30
    for at in moments[3::7]:
        shutil.rmtree(folder)
        assert start(*folds, "--out", folder, changes_in=folder, kill_at=at).wait().code == -signal.SIGKILL
        ended = start(*folds, "--resume", "--out", folder).wait()
        assert ended.code == 0, (at, states[at - 1], ended)
        assert outcome(folder) == unbroken, (at, states[at - 1])
        assert not list(folder.rglob(".*.tmp"))


@pytest.mark.slow
def test_sigterm_in_the_middle_of_fold_2_saves_and_goes_on_there(start, folds, tmp_path):
    long = [*folds, "--set", "budget.steps=50", "--set", "budget.batch_size=64"]
    folder, unbroken = tmp_path / "run", tmp_path / "elsewhere" / "run"
    assert start(*long, "--out", unbroken).wait().code == 0
    first, second = (folder / "folds" / number for number in "12")
    command = start(*long, "--out", folder).until(lambda: list(second.glob("checkpoints/step-*.aurify")))
    command.send(signal.SIGTERM)
    ended = command.wait()
    assert ended.code == 143, ended
    ended.one_line("SIGTERM", "--resume")
    assert not (second / "model.aurify").exists(), "the fold ended too soon to be interrupted"
    trained = (first / "model.aurify").stat().st_mtime_ns
    assert start(*long, "--resume", "--out", folder).wait().code == 0
    assert (first / "model.aurify").stat().st_mtime_ns == trained, "a finished fold is not trained again"
    assert outcome(folder) == outcome(unbroken)
