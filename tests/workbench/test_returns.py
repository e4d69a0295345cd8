"""What is said of agents\' returns beside an optimum that is known."""

import numpy as np
import pytest

from aurify.workbench.returns import Returns


def summary(exact, optimal, agents=12):
    value = np.full((agents, 4), exact)
    return Returns(
        value={"greedy": value},
        length={"greedy": np.ones_like(value)},
        random=np.full(4, exact - 1.0),
        random_length=np.ones(4),
        best=0,
        exact=np.full(agents, exact),
        optimal=optimal,
    ).summary(seed=0)


@pytest.mark.parametrize(("exact", "optimal", "share"), [(0.45, 0.9, 0.5), (-26.0, -13.0, 0.5)])
def test_gains_and_costs_are_shares_of_the_optimum(exact, optimal, share):
    found = summary(exact, optimal)
    assert found["scores"]["share_of_optimal"]["value"] == pytest.approx(share)
    assert f"{share:.1%} of the optimum" in found["verdict"]


@pytest.mark.parametrize("optimal", [-13.0, 0.9, 0.0])
def test_what_cannot_be_bettered_is_called_optimal(optimal):
    found = summary(optimal, optimal)
    assert "the surest actions are optimal" in found["verdict"]
    if optimal:
        assert found["scores"]["share_of_optimal"]["value"] == 1.0


@pytest.mark.parametrize("exact", [-2.0, 0.0])
def test_a_loss_where_much_can_be_gained_is_no_share(exact):
    found = summary(exact, 0.87)
    assert "share_of_optimal" not in found["scores"]
    assert "%" not in found["verdict"].replace("95%", "")
    assert "the optimum 0.870" in found["verdict"]


def test_nobody_is_called_better_than_the_optimum_by_luck_of_the_episodes():
    """Twelve equal agents in episodes that went well: what they return by the model is below the optimum."""
    value = np.tile((np.arange(100) < 80).astype(float), (12, 1))
    found = Returns(
        value={"greedy": value},
        length={"greedy": np.ones_like(value)},
        random=np.zeros(100),
        random_length=np.ones(100),
        best=0,
        exact=np.full(12, 0.74),
        optimal=0.744,
    ).summary(seed=0)
    apart = found["differences"]["optimal"]
    assert apart["return"]["verdict"] == "no measurable difference"
    assert apart["return_exact"]["value"] == pytest.approx(-0.004)
    assert apart["return_exact"]["verdict"] == "worse"
    assert found["scores"]["return"]["low"] < 0.744


def test_episodes_are_paired_with_those_of_the_random_policy():
    luck = np.random.default_rng(0).normal(0, 100, 60)
    found = Returns(
        value={"greedy": np.tile(luck + 1, (12, 1))},
        length={"greedy": np.ones((12, 60))},
        random=luck,
        random_length=np.ones(60),
        best=0,
    ).summary(seed=0)
    assert found["differences"]["random"]["return"]["low"] == pytest.approx(1)
    assert found["differences"]["random"]["return"]["verdict"] == "better"


@pytest.mark.parametrize(("agents", "told"), [(1, "One agent is"), (3, "too narrow"), (12, "")])
def test_few_agents_are_called_so(agents, told):
    verdict = summary(0.5, None, agents)["verdict"]
    assert told in verdict
    assert ("preliminary" in verdict) == (agents < 10)
