"""SIGTERM and SIGINT stop a run in good order: saved, one line, the exit code of the signal, and bit-equal later."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest

SIGNALS = {"SIGTERM": 143, "SIGINT": 130}


@pytest.mark.slow
@pytest.mark.parametrize("output", ["--quiet", "--json"])
@pytest.mark.parametrize("name", SIGNALS)
def test_signal_in_training_saves_and_says_how_to_go_on(name, output, start, long_fit, long_run, tmp_path, same, saved):
    folder = tmp_path / "run"
    command = start(*long_fit, output, "--out", folder).until(lambda: len(saved(folder)) > 1)
    newest = saved(folder)[-1]
    before = (newest, newest.stat().st_ino)
    command.send(getattr(signal, name))
    ended = command.wait()
    assert ended.code == SIGNALS[name], ended
    assert ended.out == ""
    ended.one_line(name, "--resume")
    newest = saved(folder)[-1]
    assert (newest, newest.stat().st_ino) != before, "nothing was saved at the stop"
    assert not (folder / "model.aurify").exists()
    again = start(*long_fit, output, "--resume", "--out", folder).wait()
    assert again.code == 0, again
    assert again.err == ""
    same(folder, long_run[0])


def test_signal_without_options_leaves_nothing_but_its_line(start, long_fit, tmp_path, saved):
    folder = tmp_path / "run"
    command = start(*long_fit, "--out", folder).until(lambda: saved(folder))
    command.send(signal.SIGTERM)
    ended = command.wait()
    assert ended.code == 143
    assert ended.out == ""
    noticed = ("- ", "note  ", "warning  ", " ")  # while reading and in the data, before the signal
    said = [line for line in ended.err.splitlines() if not line.startswith(noticed)]
    assert len(said) == 1, ended
    assert said[0].startswith("aurify: stopped by SIGTERM")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_signals_at_random_moments_lose_nothing(seed, start, long_fit, long_run, tmp_path, same, whole):
    random = np.random.default_rng(seed)
    unbroken, seconds = long_run
    folder = tmp_path / "run"
    for _ in range(4):
        command = start(*long_fit, "--json", "--resume", "--out", folder)
        time.sleep(random.uniform(0, 0.7) * seconds)
        name = str(random.choice(list(SIGNALS)))
        command.send(getattr(signal, name))
        ended = command.wait()
        whole(folder)
        if ended.code == 0:
            break
        assert ended.out == ""
        if ended.code == -signal.SIGTERM:  # before anybody was there to catch it; a shell says 143 all the same
            assert ended.err == ""
        else:
            assert ended.code == SIGNALS[name], ended
            ended.one_line()
    assert start(*long_fit, "--resume", "--out", folder).wait().code == 0
    same(folder, unbroken)


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["recipe.yaml", "training.json", "openings.jsonl"])
def test_signal_outside_training_is_obeyed_too(mark, start, long_fit, long_run, tmp_path, same):
    folder = tmp_path / "run"
    command = start(*long_fit, "--json", "--out", folder).until((folder / mark).exists)
    command.send(signal.SIGTERM)
    ended = command.wait()
    assert ended.code == 143, ended
    assert ended.out == ""
    ended.one_line("SIGTERM", "--resume")
    assert start(*long_fit, "--resume", "--out", folder).wait().code == 0
    same(folder, long_run[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_second_signal_interrupts_at_once(name, start, long_fit, long_run, tmp_path, same, saved):
    folder = tmp_path / "run"
    command = start(*long_fit, "--json", "--out", folder).until(lambda: len(saved(folder)) > 1)
    for _ in range(2):
        command.send(getattr(signal, name))
        time.sleep(0.001)
    ended = command.wait()
    assert ended.code == SIGNALS[name], ended
    assert ended.out == ""
    ended.one_line()
    assert start(*long_fit, "--resume", "--out", folder).wait().code == 0
    same(folder, long_run[0])


@pytest.mark.slow
def test_interrupted_run_stays_interrupted_however_often(start, long_fit, long_run, tmp_path, same, saved):
    """Each sitting is stopped as soon as it has taken a step: they add up."""
    folder, stops = tmp_path / "run", 0
    while stops < 12:
        known = {path.name for path in saved(folder)}
        command = start(*long_fit, "--json", "--resume", "--out", folder)
        command.until(lambda known=known: {path.name for path in saved(folder)} - known)
        command.send(signal.SIGINT)
        assert command.wait().code == 130, "the run ended before it could be stopped"
        stops += 1
    assert start(*long_fit, "--resume", "--out", folder).wait().code == 0
    same(folder, long_run[0])


@pytest.mark.slow
def test_installed_command_obeys_signals(cold, long_fit, tmp_path, saved):
    folder = tmp_path / "run"
    process = cold(*long_fit, "--json", "--out", folder)
    while not saved(folder):
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert out == ""
    assert err.startswith("aurify: stopped by SIGTERM")
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="how far the start has come is seen in /proc")
@pytest.mark.parametrize("wait_seconds", [0, 0.1, 0.3])
def test_ctrl_c_while_torch_is_imported_is_one_line(wait_seconds, cold, long_fit, tmp_path):
    process = cold(*long_fit, "--json", "--out", tmp_path / "run")
    while "libtorch_cpu" not in Path(f"/proc/{process.pid}/maps").read_text():
        assert process.poll() is None
        time.sleep(0.001)
    time.sleep(wait_seconds)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert err.startswith("aurify: ")
    assert err.count("\n") == 1
