"""Targets given beside their table are the target column of a table that holds them."""

import numpy as np
import pandas as pd
import pytest
from small import same

from aurify.core.errors import AurifyError


def test_run_of_a_table_and_its_targets_is_the_run_of_the_table_that_holds_them(frames, fit, weights):
    frame = frames["regress"]
    whole = fit(frame)
    apart = fit(frame.drop("y"), frame["y"])
    assert same(weights(apart), weights(whole))
    assert apart.summary["scores"] == whole.summary["scores"]
    assert apart.predict(frame).equals(whole.predict(frame))


def test_array_and_list_are_a_table_and_its_target(fit):
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 2))
    y = np.where(X[:, 0] > 0, "high", "low")
    run = fit(X, y.tolist(), inspect=False)
    assert run.recipe.source.target == "target"
    assert run.predict(X).columns == ["prediction", "p_high", "p_low"]


def test_target_that_the_table_has_already_is_renamed_and_said(frames, fit):
    said = []
    X = pd.DataFrame({"target": np.arange(120) % 7, "b": np.arange(120) / 3})
    run = fit(X, X["b"].rename(None) * 2, inspect=False, note=said.append)
    assert run.recipe.source.target == "target_2"
    assert any("'target_2'" in text for text in said)


def test_targets_of_another_length_are_refused_before_anything_is_written(frames, fit, tmp_path):
    with pytest.raises(AurifyError, match="the table has 240 rows and the target 3 values; give one a row"):
        fit(frames["regress"], [1, 2, 3])
    assert list(tmp_path.iterdir()) == []
