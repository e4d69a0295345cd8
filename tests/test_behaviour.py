"""Small tasks are learnt past their baselines, and what should not help does not seem to."""

import numpy as np
import polars as pl
import pytest

import aurify


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def curved(seed=0, count=900):
    """Two numbers whose product decides: a linear model sees nothing."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, count))
    return pl.DataFrame({"a": a, "b": 1000 + 250 * b, "y": 50 + 20 * a * b + random.normal(size=count)})


@pytest.mark.slow
def test_network_learns_a_curve_that_a_linear_model_cannot():
    run = aurify.fit(curved(), "y", settings={"budget.epochs": 40, "budget.batch_size": 64}, inspect=False)
    scores, baselines = run.summary["scores"], run.summary["baselines"]
    assert baselines["linear"]["r2"] < 0.1
    assert scores["r2"]["low"] > 0.8
    assert run.summary["differences"]["linear"]["rmse"]["verdict"] == "better"


@pytest.mark.slow
def test_targets_that_are_noise_are_not_learnt():
    random = np.random.default_rng(1)
    frame = pl.DataFrame({**{f"x{i}": random.normal(size=600) for i in range(5)}, "y": random.choice(["a", "b"], 600)})
    run = aurify.fit(frame, "y", settings={"budget.epochs": 20, "budget.batch_size": 64})
    auc = run.summary["scores"]["roc_auc"]
    assert auc["low"] < 0.5 < auc["high"]


@pytest.mark.slow
def test_bundled_example_reaches_the_published_range(shared_data):
    """Telco churn: published ROC AUC of tuned models is 0.84 to 0.85."""
    path = shared_data("telco_churn/Telco-Customer-Churn.csv")
    run = aurify.fit(path, "Churn", settings={"budget.epochs": 5})
    auc = run.summary["scores"]["roc_auc"]
    assert 0.80 < auc["value"] < 0.88
    assert auc["high"] - auc["low"] < 0.06
