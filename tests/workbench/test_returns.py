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
