"""A run that was stopped goes on to the very end it would have had."""

import json
import os
import signal

import pytest
import torch
from small import same

from aurify import workbench
from aurify.core.errors import AurifyError, Interrupted


def stopping_after(step, number=signal.SIGTERM):
    def show(run):
        if run.step == step:
            os.kill(os.getpid(), number)

    return show


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_run_resumes_to_the_same_model_scores_and_openings(csv_files, runs, number, code, fit, weights):
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


def test_resume_needs_no_words_but_takes_the_same_ones_only(csv_files, fit, small):
    with pytest.raises(Interrupted):
        fit(csv_files["regress"], show=stopping_after(2))
    with pytest.raises(
        AurifyError, match=r"began with network.width = 16, now it is 32.*--resume goes on with the same"
    ):
        fit(csv_files["regress"], settings={**small, "network.width": 32}, resume=True)
    with pytest.raises(AurifyError, match=r"techniques.mixup"):
        fit(csv_files["regress"], using=["mixup"], resume=True)
    done = workbench.fit(resume=True)
    assert done.path.resolve().name == "regress"
    assert done.summary["training"]["steps"] == 8


def test_resume_of_a_changed_file_is_refused_or_uses_the_rows_it_began_with(
    csv_files, frames, runs, tmp_path, fit, weights
):
    (tmp_path / "moving.csv").write_bytes(csv_files["regress"].read_bytes())
    with pytest.raises(Interrupted):
        fit("moving.csv", out="run", show=stopping_after(2))
    frames["regress"].head(200).write_csv("moving.csv")
    try:
        done = fit("moving.csv", out="run", resume=True)
    except AurifyError:
        return
    assert same(weights(done), weights(runs["regress"])), "the Store of the run is what counts"


def test_other_number_of_threads_is_refused_when_resuming(csv_files, fit):
    with pytest.raises(Interrupted):
        fit(csv_files["regress"], out="run", threads=1, show=stopping_after(2))
    with pytest.raises(AurifyError, match="began with 1 threads"):
        fit(csv_files["regress"], out="run", threads=2, resume=True)
    assert torch.get_num_threads() == 1


def test_time_limit_is_recorded_with_where_it_stopped(csv_files, fit):
    run = fit(csv_files["regress"], settings={"network.width": 16}, seconds=1.5, out="timed")
    training = run.summary["training"]
    assert run.folder.choices_made()["steps"] == training["planned_steps"]
    assert training["steps"] <= training["planned_steps"]
    assert (training["stopped"] is None) == (training["steps"] == training["planned_steps"])
    assert run.recipe.budget.seconds == 1.5
