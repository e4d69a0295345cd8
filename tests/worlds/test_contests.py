"""The contests of ``benchmarks/control.py`` measure what they say."""

import os
import sys

import polars as pl
import pytest

from aurify.worlds.field import episode_seed
from benchmarks.acting.contestants import Agents, episodes_of, returns_of
from benchmarks.acting.contests import share_of
from benchmarks.acting.processes import process

SPIN = "import time\nwhile time.process_time() < {seconds}: pass\nprint('done')"


def ended(tmp_path, program):
    return process([sys.executable, "-c", program], tmp_path / "place", os.environ)


def test_cpu_seconds_are_those_of_one_process_and_what_it_waited_for(tmp_path):
    alone = ended(tmp_path, SPIN.format(seconds=0.3))
    assert alone.printed == "done\n"
    assert 0.3 <= alone.cpu_seconds < 0.6
    inner = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SPIN.format(seconds=0.3)!r}])"
    assert 0.3 <= ended(tmp_path, inner).cpu_seconds < 0.6


def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="no such thing"):
        ended(tmp_path, "raise SystemExit('no such thing')")


def test_each_agent_counts_with_the_mean_of_its_greedy_episodes(tmp_path):
    rows = [
        (agent, policy, n, 70 + n, 100.0 * agent + n + 50 * (policy == "sampling"))
        for agent in range(3)
        for policy in ("greedy", "sampling")
        for n in range(4)
    ]
    played = pl.DataFrame(rows, ["agent", "policy", "episode", "seed", "return"], orient="row")
    played.sample(fraction=1.0, shuffle=True, seed=0).write_parquet(tmp_path / "episodes.parquet")
    assert returns_of(tmp_path) == [1.5, 101.5, 201.5]
    assert sorted(episodes_of(tmp_path)) == sorted(episode_seed(seed, 0) for seed in range(70, 74))


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end(tmp_path):
    used = [ended(tmp_path, "pass")]
    told = Agents([0.0, 10.0, 20.0, 1000.0], used, [8.0], {"version": "1"}).told(wanted=15.0)
    assert (told["iqm"], told["mean"], told["reached"], told["seeds"]) == (15.0, 257.5, 2, 4)
    assert told["training_seconds_a_seed"] == 2.0
    assert told["version"] == "1"


@pytest.mark.parametrize(("value", "optimum", "share"), [(0.45, 0.9, 0.5), (-26.0, -13.0, 0.5), (-13.0, -13.0, 1.0)])
def test_a_share_of_the_best_is_below_one_for_gains_and_for_costs(value, optimum, share):
    assert share_of(value, optimum) == share
