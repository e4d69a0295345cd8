"""Two columns that decide the target together are found, and honest tables are left alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from seeing import only

import aurify

CHECKS = ("target_pair", "too_good", "no_signal")


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, *CHECKS)


def _table(a, b, target, seed):
    rest = np.random.default_rng(seed + 99).normal(size=(len(target), 3))
    return pl.DataFrame({"a": a, "b": b, **{f"r{i}": rest[:, i] for i in range(3)}, "y": target})


def _replaced(values, random, share):
    return np.where(random.random(len(values)) < share, random.permutation(values), values)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("form", ["sum", "difference", "product", "ratio"])
def test_number_reckoned_from_two_columns_with_a_twentieth_replaced_is_severe(form, seed):
    random = np.random.default_rng(seed)
    a, b = random.lognormal(0, 0.7, (2, 400))
    made = {"sum": a + b, "difference": a - b, "product": a * b, "ratio": a / b}[form]
    found = aurify.inspect(_table(a, _replaced(b, random, 0.05), 2.5 * made, seed), "y").where(check="target_pair")
    assert [(f.severity, set(f.columns)) for f in found] == [("severe", {"a", "b"})]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("form", ["xor", "remainder", "greater"])
def test_class_decided_by_two_columns_is_severe(form, seed):
    random = np.random.default_rng(seed)
    a, b = (
        random.normal(size=(2, 400)) if form == "greater" else random.integers(0, 2 if form == "xor" else 3, (2, 400))
    )
    target = a > b if form == "greater" else (a + b) % (2 if form == "xor" else 3)
    frame = _table(a, _replaced(b, random, 0.03), [f"c{int(v)}" for v in target], seed)
    found = aurify.inspect(frame, "y").where(check="target_pair")
    assert [(f.severity, set(f.columns)) for f in found] == [("severe", {"a", "b"})]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_honest_tables_are_left_alone(name):
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
    target = bunch.target if name == "diabetes" else [f"c{v}" for v in bunch.target]
    frame = pl.from_pandas(bunch.data.assign(y=target))
    found = aurify.inspect(frame, "y")
    assert not [f for check in CHECKS for f in found.where(check=check)]
