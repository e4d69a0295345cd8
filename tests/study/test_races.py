"""The races of ``benchmarks/tune.py`` measure what they say."""

import math
import time

import numpy as np
import pytest

from aurify.core.files import write_bytes
from benchmarks.tuning import ratios
from benchmarks.tuning.cache import Cache
from benchmarks.tuning.functions import FUNCTIONS
from benchmarks.tuning.moments import moments
from benchmarks.tuning.watching import Watching

LEAST_AT = {
    "branin": [math.pi, 2.275],
    "hartmann_3": [0.114614, 0.555649, 0.852547],
    "hartmann_6": [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573],
    "ackley_5": [0.0] * 5,
    "rosenbrock_4": [1.0] * 4,
}


def test_a_score_is_kept_from_the_moment_after_which_no_model_falls_below():
    found = moments([1, 2, 3, 4], [0.7, 0.9, 0.8, 0.85], wanted=0.8)
    assert (found.first, found.kept) == (2, 2)
    found = moments([1, 2, 3, 4], [0.7, 0.9, 0.7, 0.85], wanted=0.8)
    assert (found.first, found.kept) == (2, 4)
    found = moments([1, 2], [0.9, 0.7], wanted=0.8)
    assert (found.first, found.kept) == (1, None)
    assert moments([], [], wanted=0.8).first is None


def test_each_version_of_a_file_is_kept_as_it_was_with_its_moment(tmp_path):
    file = tmp_path / "model"
    with Watching(file, tmp_path / "kept") as watching:
        for text in (b"one", b"two"):
            time.sleep(0.2)
            write_bytes(file, text)
        time.sleep(0.2)
    assert [place.read_bytes() for _, place in watching.seen] == [b"one", b"two"]
    first, second = (at for at, _ in watching.seen)
    assert 0.2 <= first < second


def test_a_version_written_at_the_very_end_is_seen(tmp_path):
    with Watching(tmp_path / "model", tmp_path / "kept") as watching:
        write_bytes(tmp_path / "model", b"last")
    assert len(watching.seen) == 1


def test_what_a_peer_scored_is_asked_for_once(tmp_path):
    asked, calls = {"peer": "grid", "seed": 0}, []

    def make():
        calls.append(1)
        return {"seconds": 3.0}

    first = Cache(tmp_path / "race.jsonl").get(asked, make)
    assert Cache(tmp_path / "race.jsonl").get(asked, make) == first
    Cache(tmp_path / "race.jsonl").get({**asked, "seed": 1}, make)
    assert len(calls) == 2


def test_a_geometric_mean_of_ratios_is_as_far_from_one_as_that_of_their_inverses():
    mean, low, high = ratios.geometric_mean([2.0, 8.0, 4.0])
    assert mean == pytest.approx(4.0)
    inverse = ratios.geometric_mean([0.5, 0.125, 0.25])
    assert inverse == pytest.approx([1 / mean, 1 / high, 1 / low])


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_standard_function_has_its_least_value_where_it_is_known_to_be(function):
    least = np.array(LEAST_AT[function.name])
    assert function.value(least) == pytest.approx(function.least, abs=1e-6)
    random = np.random.default_rng(0)
    low, high = np.array(function.limits).T
    assert all(function.value(x) > function.least for x in random.uniform(low, high, (500, len(low))))
    assert ((low <= least) & (least <= high)).all()
