"""Agents that are stopped while they act go on as if nothing had happened, in worlds left in the middle."""

import signal

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_agents_stopped_in_training_go_on_to_the_same_model(
    number, start, acting_fit, acting_run, tmp_path, same, whole
):
    folder = tmp_path / "run"
    command = start(*acting_fit, "--out", folder, "--quiet")
    command.until(lambda: len(list((folder / "checkpoints").glob("step-*.aurify"))) > 0)
    command.send(number)
    ended = command.wait()
    assert ended.code in (-number, 128 + number), ended
    assert not (folder / "model.aurify").exists(), "it was done before it could be stopped"
    whole(folder)
    ended = start("fit", "--resume", "--out", folder, "--quiet").wait()
    assert ended.code == 0, ended
    same(folder, acting_run)


@pytest.mark.slow
def test_agents_stopped_while_they_are_measured_go_on_and_look_once(
    start, acting_fit, acting_run, tmp_path, same, whole
):
    folder = tmp_path / "run"
    start(*acting_fit, "--out", folder, "--quiet").until((folder / "openings.jsonl").exists).kill()
    whole(folder)
    ended = start(*acting_fit, "--resume", "--out", folder, "--quiet").wait()
    assert ended.code == 0, ended
    same(folder, acting_run)
