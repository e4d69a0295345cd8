"""Scores of agents: rliable's definitions by hand, and intervals that hold the truth about as often as they say."""

import numpy as np
import pytest
from scipy import stats

from aurify.measure import agents
from aurify.measure.agents import aggregates, over_episodes, probability_of_improvement, profile

SCORES = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 100.0], [9.0, 50.0]])


def test_values_are_those_worked_out_by_hand():
    found = aggregates(SCORES)
    # 1 2 | 3 4 9 10 20 30 | 50 100
    assert found["iqm"].value == pytest.approx((3 + 4 + 9 + 10 + 20 + 30) / 6)
    assert found["mean"].value == pytest.approx(22.9)
    assert found["median"].value == pytest.approx((3.8 + 42) / 2)
    assert aggregates(SCORES[:, 0])["median"].value == 3.0
    assert aggregates(SCORES[:, 0])["iqm"].value == pytest.approx(3.0)


@pytest.mark.parametrize("count", range(1, 13))
def test_interquartile_mean_is_scipys_trimmed_mean(count):
    scores = np.random.default_rng(count).normal(size=(count, 1))
    assert agents.iqm(scores) == pytest.approx(stats.trim_mean(scores.ravel(), 0.25))


def test_chance_to_be_better_counts_pairs_of_one_world_and_ties_half():
    ours, theirs = np.array([[1.0, 5.0], [3.0, 6.0]]), np.array([[0.0, 9.0], [3.0, 9.0], [2.0, 9.0]])
    # world 1: 1 > 0 and 3 > 0, 3 = 3, 3 > 2 of six; world 2: none
    assert probability_of_improvement(ours, theirs).value == pytest.approx((3.5 / 6 + 0) / 2)
    one, other = np.random.default_rng(0).integers(0, 6, (2, 9)).astype(float)
    statistic = stats.mannwhitneyu(one, other, alternative="greater").statistic
    assert probability_of_improvement(one, other).value == pytest.approx(statistic / 81)


def test_profile_counts_scores_above_each_threshold():
    found = profile(SCORES, np.array([0.0, 3.0, 10.0, 100.0]))
    np.testing.assert_allclose(found.share, [1.0, 0.7, 0.4, 0.0])
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    assert found.low[1] < 0.7 < found.high[1]


def test_worlds_are_drawn_by_themselves():
    """An agent of one world is none of another: between worlds that differ much the mean hardly moves."""
    far = np.array([[0.0, 1000.0], [1.0, 1001.0], [2.0, 1002.0]])
    found = aggregates(far)["mean"]
    assert 500 <= found.low < found.value == 501 < found.high <= 502


def test_one_agent_alone_is_no_evidence_of_others():
    found = aggregates(np.array([5.0]))["iqm"]
    assert found.value == 5.0
    assert np.isnan([found.low, found.high]).all()
    assert np.isnan(probability_of_improvement(np.array([5.0]), np.array([1.0, 2.0])).low)


def test_chunks_change_nothing(monkeypatch):
    whole = aggregates(SCORES, draws=300), probability_of_improvement(SCORES, SCORES + 1, draws=300)
    monkeypatch.setattr(agents, "NUMBERS_AT_ONCE", 700)
    assert aggregates(SCORES, draws=300) == whole[0]
    assert probability_of_improvement(SCORES, SCORES + 1, draws=300).value == whole[1].value


def test_chunks_of_episodes_change_nothing(monkeypatch):
    whole = over_episodes(SCORES, draws=300)
    monkeypatch.setattr(agents, "NUMBERS_AT_ONCE", 35)
    assert over_episodes(SCORES, draws=300) == whole


@pytest.mark.parametrize(("count", "least"), [(10, 0.85), (40, 0.9)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(count, least):
    """Of a normal law, whose trimmed mean, mean and median are 0."""
    random, held = np.random.default_rng(5), np.zeros(3)
    for trial in range(300):
        found = aggregates(random.normal(size=count), draws=400, seed=trial)
        held += [each.low <= 0 <= each.high for each in found.values()]
    assert (held / 300 >= least).all()
    assert (held / 300 <= 0.985).all()


def test_luck_of_episodes_that_all_agents_play_is_in_the_interval():
    """Agents that are alike and meet the same episodes agree with each other, but not with what is true."""
    random, held, agents_alone = np.random.default_rng(6), 0, 0
    for trial in range(200):
        returns = np.tile(random.normal(size=40), (10, 1)) + 0.1 * random.normal(size=(10, 1))
        found, alone = over_episodes(returns, draws=400, seed=trial)["mean"], aggregates(returns.mean(1), draws=400)
        held += found.low <= 0 <= found.high
        agents_alone += alone["mean"].low <= 0 <= alone["mean"].high
    assert held / 200 >= 0.88
    assert agents_alone / 200 < 0.5


def test_one_agent_has_an_interval_of_its_episodes_and_one_of_one_has_none():
    returns = np.random.default_rng(7).normal(size=(1, 50))
    found = over_episodes(returns)["mean"]
    assert found.value == pytest.approx(returns.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * returns.std() / np.sqrt(50), rel=0.1)
    assert np.isnan(over_episodes(np.ones((1, 1)))["mean"].low)


def test_same_seed_gives_the_same_interval():
    assert aggregates(SCORES, seed=4) == aggregates(SCORES, seed=4)
    assert aggregates(SCORES, seed=4)["iqm"].low != aggregates(SCORES, draws=77, seed=5)["iqm"].low
