"""Event files hold what the run folder holds, read back by TensorBoard itself."""

import json

import numpy as np
import pytest
from tracked import SETTINGS, STEPS, progress

import aurify
from aurify.workbench import track

pytest.importorskip("tensorboard")


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def curve(accumulator, name):
    return [(event.step, event.value) for event in accumulator.Scalars(name)]


def single(points):
    """Event files hold float32."""
    return [(step, float(np.float32(value))) for step, value in points]


@pytest.fixture(scope="module")
def run(csv_files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("board") / "run"
    aurify.fit(csv_files["classify"], "y", settings=SETTINGS, out=folder, track=["tensorboard"])
    return folder


def assert_complete(folder, run):
    accumulator = read(folder)
    for name in ("loss", "log_loss", "rate"):
        assert curve(accumulator, name) == single(progress(run, name))
    for metric, score in json.loads((run / "scores.json").read_text())["scores"].items():
        assert curve(accumulator, f"test/{metric}") == single([(STEPS, score["value"])])
    assert "network:" in accumulator.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()


def test_event_files_hold_every_validation_and_score_once(run):
    assert_complete(run / "tensorboard", run)


def test_settings_stand_beside_the_scores(run):
    plugin = read(run / "tensorboard").SummaryMetadata("_hparams_/session_start_info").plugin_data
    assert b"network.width" in plugin.content


def test_a_folder_of_events_cut_short_by_a_kill_is_made_whole(run):
    (events,) = (run / "tensorboard").iterdir()
    events.write_bytes(events.read_bytes()[: events.stat().st_size // 3])
    with pytest.raises((AssertionError, KeyError)):
        assert_complete(run / "tensorboard", run)
    track(run, ["tensorboard"])
    assert_complete(run / "tensorboard", run)


def test_runs_in_one_folder_stay_apart_and_files_of_others_stay(run, tmp_path):
    (tmp_path / "board").mkdir()
    (tmp_path / "board/events.out.tfevents.1.other.1.0").write_bytes(b"")
    for _ in range(2):
        (sent,) = track(run, [f"tensorboard:{tmp_path / 'board'}"])["sent"]
    assert {path.name for path in (tmp_path / "board").iterdir()} == {
        "events.out.tfevents.1.other.1.0",
        f"run-{json.loads((run / 'tracking.json').read_text())['name'][:8]}",
    }
    assert_complete(sent["link"], run)


@pytest.mark.slow
def test_a_run_begun_anew_keeps_no_event_of_the_old_one(run, csv_files, tmp_path):
    out = {"out": tmp_path / "run", "track": ["tensorboard"]}
    for steps in (8, 4):
        settings = {**SETTINGS, "budget.steps": steps}
        aurify.fit(csv_files["regress"], "y", settings=settings, force=steps == 4, **out)
    assert [step for step, _ in curve(read(tmp_path / "run/tensorboard"), "loss")] == [1, 2, 3, 4]
