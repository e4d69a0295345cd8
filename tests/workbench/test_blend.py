"""A blend is what is shipped and judged; the network alone and the trees alone are always measured beside it."""

import json
from pathlib import Path

import numpy as np
import pytest
from small import same

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder


@pytest.fixture(scope="module")
def blend(fit, csv_files, tmp_path_factory):
    return fit(csv_files["regress"], out=tmp_path_factory.mktemp("blend") / "run", blend="trees")


@pytest.mark.slow
def test_blend_and_each_of_its_parts_are_measured_on_the_same_rows(blend, runs, csv_files):
    summary, alone = blend.summary, runs["regress"].summary
    assert summary["model"] == "blend"
    assert summary["members"]["network"] == alone["scores"], "the network is the one of a run without trees"
    assert summary["baseline_scores"] == alone["baseline_scores"]
    assert set(summary["members"]) == {"network", "trees"}
    assert set(summary["differences"]) == {"network", "trees", "mean", "linear", "boosting"}
    for metric, difference in summary["differences"]["network"].items():
        gained = summary["scores"][metric]["value"] - summary["members"]["network"][metric]["value"]
        assert difference["value"] == pytest.approx(gained)
        assert difference["low"] <= difference["value"] <= difference["high"]
    assert summary["verdict"].startswith("The blend ")
    assert 0 <= summary["training"]["network_share"] <= 1
    assert set(blend.scores["model"]) == {"blend", "network", "trees", "mean", "linear", "boosting"}
    again = workbench.evaluate(blend.path)
    assert again["members"] == summary["members"]
    assert workbench.evaluate(blend.path, csv_files["regress"])["model"] == "blend"


def test_run_without_a_blend_is_as_it_was(runs, csv_files, fit, weights):
    summary = runs["regress"].summary
    assert (summary["model"], summary["members"]) == ("network", {})
    assert summary["verdict"].startswith("The network ")
    off = fit(csv_files["regress"], out="off", blend="none")
    assert same(weights(off), weights(runs["regress"]))
    assert len(off.bundle.members) == 1


def test_predictions_of_the_run_are_the_blends(blend, csv_files):
    share, apart = blend.summary["training"]["network_share"], blend.bundle.apart()
    answers = {name: each.predict(csv_files["regress"])["prediction"].to_numpy() for name, each in apart.items()}
    mixed = share * answers["network"] + (1 - share) * answers["trees"]
    assert np.allclose(answers["blend"], mixed, rtol=0, atol=1e-12)


def test_blend_stopped_and_resumed_is_the_same(blend, csv_files, fit):
    def stop(run):
        if run.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(csv_files["regress"], out="run", blend="trees", show=stop)
    with pytest.raises(AurifyError, match=r"began with blend.model = trees, now it is none"):
        fit(csv_files["regress"], out="run", resume=True)
    resumed = fit(csv_files["regress"], out="run", blend="trees", resume=True)
    assert json.loads(resumed.folder.choices.read_text()) == json.loads(blend.folder.choices.read_text())
    assert resumed.predict(csv_files["regress"]).equals(blend.predict(csv_files["regress"]))


def test_share_that_was_written_down_is_not_measured_again(csv_files, fit):
    def stop(run):
        if run.step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(csv_files["regress"], out="run", blend="trees", show=stop)
    RunFolder(Path("run")).choose("network_share", 0.125)
    resumed = fit(csv_files["regress"], out="run", blend="trees", resume=True)
    assert [m.weight for m in resumed.bundle.members] == [0.125, 0.875]


def test_screen_shows_the_blend_before_its_network(blend, words):
    shown = words("evaluate", blend.path).out
    for word in ("blend [95%]", "network [95%]", "trees [95%]", "blend - network [95%]", "The blend "):
        assert word in shown
