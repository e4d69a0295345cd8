"""What the tests of networks share: a place to work in, and tables that a linear model cannot learn."""

import numpy as np
import polars as pl
import pytest


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def crossed():
    """Two numbers whose product decides, and a category that adds a little."""
    random = np.random.default_rng(0)
    a, b, more = random.normal(size=600), random.normal(size=600), random.integers(0, 2, 600)
    y = 50 + 20 * a * b + 5 * more + random.normal(size=600)
    return pl.DataFrame({"a": a, "b": 1000 + 250 * b, "c": np.where(more, "yes", "no"), "y": y})
