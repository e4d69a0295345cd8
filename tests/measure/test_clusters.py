"""Rows that resemble one another are resampled together, and the intervals then cover what they promise."""

import numpy as np
import pytest

from aurify.measure.clusters import clusters_of, group_clusters, time_blocks
from aurify.measure.intervals import scores
from aurify.measure.predictions import Predictions


def errors_of(error):
    count = len(error)
    return Predictions(row=np.arange(count), target=np.zeros(count), prediction=error, probabilities=None, classes=None)


def coverage(make, clusters, tries=120):
    """How often the interval of the mean absolute error holds the true one, and its mean width."""
    hits, width = 0, 0.0
    for seed in range(tries):
        error, truth = make(np.random.default_rng(seed))
        score = scores(errors_of(error), draws=400, seed=seed, clusters=clusters)["mae"]
        hits, width = hits + (score.low <= truth <= score.high), width + (score.high - score.low) / tries
    return hits / tries, width


@pytest.mark.slow
def test_clustered_interval_covers_where_rows_of_a_group_are_alike_and_the_plain_one_does_not():
    group = np.repeat(np.arange(40), 20)

    def make(random):
        return 5 + random.normal(size=40)[group] + 0.3 * random.normal(size=800), 5.0

    clustered, wide = coverage(make, clusters_of({"group": group}, np.arange(800)).codes)
    plain, narrow = coverage(make, None)
    assert 0.89 <= clustered <= 0.99
    assert plain < 0.6
    assert wide > 3 * narrow


def test_blocks_of_time_cover_where_neighbours_are_alike():
    def make(random):
        shocks, error = random.normal(size=450), np.zeros(450)
        for at in range(1, 450):
            error[at] = 0.6 * error[at - 1] + shocks[at]
        return 10 + error[50:], 10.0

    blocked, wide = coverage(make, clusters_of({"time": np.arange(400.0)}, np.arange(400)).codes)
    plain, narrow = coverage(make, None)
    assert blocked >= 0.83  # blocks of 7 catch most, not all, of a correlation that fades over 5
    assert plain < 0.75
    assert wide > 1.5 * narrow


@pytest.mark.parametrize("count", [1, 2, 5, 20, 45, 400, 700, 5000])
def test_blocks_are_consecutive_even_and_as_long_as_the_cube_root(count):
    random = np.random.default_rng(count)
    times = random.permutation(np.repeat(random.normal(size=count), 3))
    codes, length = time_blocks(times)
    order = np.argsort(times)
    assert (np.diff(codes[order]) >= 0).all(), "a block is a stretch of time"
    assert all(len(set(codes[times == t])) == 1 for t in times[:20]), "equal times together"
    sizes = np.array([len(np.unique(times[codes == c])) for c in np.unique(codes)])
    assert sizes.max() - sizes.min() <= 1
    assert abs(sizes.mean() - length) <= 0.5 + 0.1 * length
    assert len(sizes) >= min(count, 20)
    assert length <= count ** (1 / 3) + 0.5


def test_rows_without_a_group_or_a_time_stand_alone():
    codes = group_clusters(np.array([4, -1, 4, -1]))
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3
    blocks, _ = time_blocks(np.array([1.0, np.nan, 1.0, np.nan]))
    assert blocks[0] == blocks[2]
    assert len(set(blocks.tolist())) == 3


def test_what_is_resampled_is_said_and_few_clusters_are_rough():
    rows = np.arange(702)
    assert clusters_of({}, rows).say() == "cover the sampling of these rows"
    assert clusters_of({"group": rows % 52}, rows).say().endswith(", resampled by 52 groups")
    times = clusters_of({"time": rows * 60.0}, rows).say()
    assert times.endswith(", resampled by 78 blocks of 9 consecutive times")
    assert "so few make a rough interval" in clusters_of({"group": rows % 4}, rows).say()
    assert clusters_of({"group": rows % 52}, rows[:30]).words == "30 groups"
