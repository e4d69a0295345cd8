"""The verdict says no more than the rows do, and numbers keep digits that tell something."""

import numpy as np
import pytest

from aurify.measure.intervals import score_table
from aurify.measure.predictions import Predictions
from aurify.measure.verdict import number, sentence


def table(rows):
    """A perfect model beside one that always says the same."""
    target = np.arange(rows) % 2
    right, same = (np.where(np.arange(2) == said[:, None], 0.9, 0.1) for said in (target, np.zeros(rows, int)))
    sets = {
        name: Predictions(
            row=np.arange(rows), target=target, prediction=p.argmax(1), probabilities=p, classes=("no", "yes")
        )
        for name, p in (("network", right), ("majority", same))
    }
    return score_table(sets, reference="network")


def test_few_rows_give_a_hint_at_most():
    assert "beats the majority class" in sentence(table(6))
    assert sentence(table(6)).endswith("On 6 test rows this is a hint at most.")
    assert "hint" not in sentence(table(300))


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (0.8472, False, "0.847"),
        (45120.4, False, "45,120"),
        (0.0, False, "0.000"),
        (1.3e-17, False, "0.000"),
        (0.00012345, False, "0.00012"),
        (0.0032, True, "+0.0032"),
        (-0.0000032, True, "-3.2e-06"),
        (-0.0, True, "+0.0000"),
        (None, True, "-"),
    ],
)
def test_numbers_keep_digits_that_tell_something(value, signed, shown):
    assert number(value, signed=signed) == shown
