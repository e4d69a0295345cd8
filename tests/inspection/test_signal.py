"""Tables of noise are said to hold nothing, weak signals are not denied, and perfect answers are doubted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from seeing import only

import aurify


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, "no_signal", "too_good")


def _found(inputs, target, check):
    frame = pl.DataFrame({**{f"x{i}": inputs[:, i] for i in range(inputs.shape[1])}, "y": target})
    return aurify.inspect(frame, "y").where(check=check)


def test_noise_is_said_to_hold_nothing():
    draws = [np.random.default_rng(seed) for seed in range(10)]
    found = [_found(r.normal(size=(300, 4)), r.normal(size=300), "no_signal") for r in draws]
    assert sum(len(each) == 1 for each in found) >= 9


def test_weak_signal_is_not_denied():
    for seed in range(5):
        inputs = np.random.default_rng(seed).normal(size=(1000, 4))
        target = inputs[:, 0] + 3 * np.random.default_rng(seed + 50).normal(size=1000)
        assert not _found(inputs, target, "no_signal")


def test_sum_of_three_columns_is_too_good_to_be_true():
    inputs = np.random.default_rng(0).normal(size=(2000, 5))
    (found,) = _found(inputs, inputs[:, :3].sum(1), "too_good")
    assert set(found.columns) == {"x0", "x1", "x2"}
    assert found.severity == "warning"
