"""A damaged checkpoint is seen, said and passed over; the run still ends bit-equal."""

import json
import shutil
import signal

import numpy as np
import pytest
import torch

from aurify.core import archive
from aurify.core.archive import DamagedError


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(data))


def header_bits(path):
    return 8 * (8 + int.from_bytes(path.read_bytes()[:8], "little"))


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


DAMAGES = {
    "a bit of the length": lambda path: flip(path, 60),
    "a bit of the format number": lambda path: flip(path, 8 * (path.read_bytes().index(b'\\"format\\":') + 11) + 1),
    "a bit of the tensors": lambda path: flip(path, header_bits(path) + 12_345),
    "empty": lambda path: cut(path, 0),
    "half": lambda path: cut(path, path.stat().st_size // 2),
    "something else": lambda path: path.write_text("not a checkpoint at all"),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoint_falls_back_to_the_one_before(damage, start, long_fit, long_run, interrupted, same, saved):
    newest = saved(interrupted)[-1]
    DAMAGES[damage](newest)
    ended = start(*long_fit, "--resume", "--out", interrupted).wait()
    assert ended.code == 0, ended
    said = [line for line in ended.err.splitlines() if newest.name in line]
    assert len(said) == 1, ended
    assert "checkpoint before it" in said[0]
    same(interrupted, long_run[0])


@pytest.mark.slow
def test_missing_checkpoint_falls_back_to_the_one_before(start, long_fit, long_run, interrupted, same, saved):
    saved(interrupted)[1].unlink()
    assert start(*long_fit, "--resume", "--out", interrupted).wait().code == 0
    same(interrupted, long_run[0])


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["a bit of the tensors", "empty"])
def test_two_damaged_checkpoints_start_from_the_beginning_and_say_so(
    damage, start, long_fit, long_run, interrupted, same, saved
):
    broken = saved(interrupted)
    for path in broken:
        DAMAGES[damage](path)
    ended = start(*long_fit, "--resume", "--out", interrupted).wait()
    assert ended.code == 0, ended
    assert all(path.name in ended.err for path in broken), ended
    assert "from the beginning" in ended.err
    same(interrupted, long_run[0])


@pytest.mark.slow
def test_no_checkpoint_left_starts_from_the_beginning(start, long_fit, long_run, interrupted, same):
    shutil.rmtree(interrupted / "checkpoints")
    assert start(*long_fit, "--resume", "--out", interrupted).wait().code == 0
    same(interrupted, long_run[0])


def test_fall_back_is_said_even_when_the_run_is_stopped_again(start, long_fit, interrupted, saved):
    newest = saved(interrupted)[-1]
    DAMAGES["empty"](newest)
    command = start(*long_fit, "--resume", "--out", interrupted)
    command.until(lambda: len([p for p in saved(interrupted) if p.stat().st_size]) > 1)
    command.send(signal.SIGTERM)
    ended = command.wait()
    assert ended.code == 143
    assert newest.name in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("broken", [1, 2])
def test_new_checkpoints_outlive_damaged_ones(broken, start, long_fit, long_run, interrupted, same, saved):
    """Work done after a fall back is saved like any other: stopped again, it goes on from there."""
    for path in saved(interrupted)[-broken:]:
        DAMAGES["a bit of the tensors"](path)
    damaged_names = {path.name for path in saved(interrupted)[-broken:]}
    known = set(saved(interrupted))
    command = start(*long_fit, "--json", "--resume", "--out", interrupted)
    command.until(lambda: len(set(saved(interrupted)) - known) > 1)
    command.send(signal.SIGTERM)
    assert command.wait().code == 143
    sound = []
    for path in saved(interrupted):
        try:
            sound.append(archive.unpack(*archive.load(path, "checkpoint"))["step"])
        except DamagedError:
            assert path.name in damaged_names
    assert len(sound) == 2, "what was done after the fall back is lost"
    assert max(sound) >= max([entry["step"] for entry in progress(interrupted)], default=1)
    assert start(*long_fit, "--resume", "--out", interrupted).wait().code == 0
    same(interrupted, long_run[0])


def progress(folder):
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


def test_any_flipped_bit_is_seen(tmp_path):
    path = tmp_path / "file.aurify"
    archive.save(path, "checkpoint", {"step": 7}, {"weights": torch.arange(6.0)})
    sound = path.read_bytes()
    for bit in range(0, 8 * len(sound), 3):  # every byte, and each of its bits somewhere
        flip(path, bit)
        with pytest.raises(DamagedError):
            archive.load(path, "checkpoint")
        path.write_bytes(sound)
    assert archive.load(path, "checkpoint")[0] == {"step": 7}


def test_any_cut_and_any_addition_is_seen(tmp_path):
    path = tmp_path / "file.aurify"
    archive.save(path, "checkpoint", {"step": 7}, {"weights": torch.arange(6.0)})
    sound = path.read_bytes()
    for changed in [sound[:size] for size in range(len(sound))] + [sound + b"\0", sound + sound, bytes(len(sound))]:
        path.write_bytes(changed)
        with pytest.raises(DamagedError):
            archive.load(path, "checkpoint")


def test_random_rubbish_is_refused(tmp_path):
    path, random = tmp_path / "file.aurify", np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(random.bytes(int(random.integers(0, 3000))))
        if len(data) > 10 and random.random() < 0.7:
            data[:8] = int(random.integers(2, len(data))).to_bytes(8, "little")
            data[8:9] = b"{"
        path.write_bytes(bytes(data))
        with pytest.raises(DamagedError):
            archive.load(path, "checkpoint")


RECORDS = ["recipe.yaml", "environment.json", "store/store.json", "store/numbers.npy", "store/target.npy"]


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("damage", ["half", "empty", "something else"])
def test_damaged_record_of_an_interrupted_run_is_one_line(record, damage, start, long_fit, interrupted):
    DAMAGES[damage](interrupted / record)
    ended = start(*long_fit, "--quiet", "--resume", "--out", interrupted).wait()
    ended.refused(record.split("/")[0])


def test_damaged_scores_of_a_finished_run_are_one_line(start, long_fit, long_run, tmp_path):
    folder = shutil.copytree(long_run[0], tmp_path / "run")
    DAMAGES["half"](folder / "scores.json")
    start(*long_fit, "--resume", "--out", folder, "--quiet").wait().refused("scores.json")


def test_damaged_opening_does_not_swallow_the_next(start, long_run, tmp_path):
    """What cannot be read any more is not counted, what comes after it is."""
    folder = shutil.copytree(long_run[0], tmp_path / "run")
    DAMAGES["half"](folder / "openings.jsonl")
    openings = [json.loads(start("evaluate", folder, "--json").wait().out)["test_openings"] for _ in range(2)]
    assert openings == [1, 2]


def test_flipped_bit_of_the_store_is_seen_before_training_goes_on(start, long_fit, interrupted):
    flip(interrupted / "store" / "numbers.npy", 8 * 5_000 + 6)
    start(*long_fit, "--quiet", "--resume", "--out", interrupted).wait().refused("store")
