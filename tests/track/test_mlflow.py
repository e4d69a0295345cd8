"""What a real MLflow server has of a run, whatever happened to either of them on the way."""

import json
import logging
import os
import signal
import subprocess
import sys

import pytest
from tracked import PATIENCE_SECONDS, SETTINGS, STEPS, progress, wait_for

import aurify
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.recipe import load_yaml
from aurify.workbench import track

pytestmark = pytest.mark.slow  # the server takes five to fifteen seconds to start
CURVES = ("loss", "log_loss", "rate")


def to(server):
    return [f"mlflow:{server.address}"]


def assert_complete(server, folder):
    """Assert that the server has every validation once, every score, and calls the run finished."""
    assert server.run(folder)["info"]["status"] == "FINISHED"
    for name in CURVES:
        assert server.history(folder, name) == progress(folder, name)
    for metric, score in json.loads((folder / "scores.json").read_text())["scores"].items():
        for key, value in {"": score["value"], "_low": score["low"], "_high": score["high"]}.items():
            expected = [] if value is None else [(json.loads((folder / "training.json").read_text())["steps"], value)]
            assert server.history(folder, f"test/{metric}{key}") == expected


def own_settings():
    """What of this process tracking changes for a while."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW")}
    return variables, logging.getLogger("mlflow").level, logging.getLogger("urllib3").level


@pytest.fixture(scope="module")
def sent(server, csv_files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sent") / "run"
    before = own_settings()
    aurify.fit(csv_files["classify"], "y", settings=SETTINGS, out=folder, track=to(server))
    assert own_settings() == before
    return folder


def test_server_has_every_validation_and_score_once(server, sent):
    assert_complete(server, sent)
    assert [step for step, _ in server.history(sent, "loss")] == list(range(1, STEPS + 1))


def test_server_has_the_recipe_as_parameters_and_the_environment_as_tags(server, sent):
    data = server.run(sent)["data"]
    params = {p["key"]: p["value"] for p in data["params"]}
    recipe = load_yaml(sent / "recipe.yaml")
    assert params["network.width"] == str(recipe["network"]["width"])
    assert params["source.target"] == "y"
    assert params["source.test"] == "null"
    assert params["techniques.fill_missing.by"] == '""'
    flat = sum(max(1, len(v)) if isinstance(v, dict) else 1 for k, v in recipe.items() if k != "techniques")
    assert len(params) == flat + sum(max(1, len(v)) for v in recipe["techniques"].values())
    tags = {t["key"]: t["value"] for t in data["tags"]}
    assert {k: tags[f"environment.{k}"] for k in ("aurify", "threads")} == {"aurify": "0.1.0", "threads": "1"}
    assert tags["mlflow.note.content"] == json.loads((sent / "scores.json").read_text())["verdict"]


def test_server_has_the_baselines_and_the_files_but_not_the_predictions(server, sent):
    baselines = json.loads((sent / "scores.json").read_text())["baselines"]
    metrics = {m["key"]: m["value"] for m in server.run(sent)["data"]["metrics"]}
    for model, scores in baselines.items():
        assert {k: metrics[f"baselines/{model}/{k}"] for k in scores} == scores
    names = {"recipe.yaml", "environment.json", "findings.json", "training.json", "scores.json", "model.aurify"}
    names |= {"report.html"}
    assert server.files(sent) == {name: (sent / name).stat().st_size for name in names}


@pytest.mark.slow
def test_sending_again_changes_nothing(server, sent):
    assert track(sent, to(server))["sent"][0]["values"] == 0
    assert_complete(server, sent)


@pytest.mark.slow
def test_tracking_prints_nothing_and_changes_no_bit_of_the_model(server, sent, csv_files, tmp_path, words):
    steps = [word for name, value in SETTINGS.items() for word in ("--set", f"{name}={value}")]
    target = ("--out", tmp_path / "run", "--track", *to(server))
    done = words("fit", csv_files["classify"], "-t", "y", *steps, *target, "--json")
    assert done.err == ""
    assert json.loads(done.out)["run"] == str(tmp_path / "run")
    untracked = aurify.fit(csv_files["classify"], "y", settings=SETTINGS, out=tmp_path / "untracked")
    assert (untracked.path / "model.aurify").read_bytes() == (tmp_path / "run/model.aurify").read_bytes()


@pytest.mark.slow
def test_folds_are_told_apart(server, csv_files, tmp_path):
    settings = {"budget.steps": 3, "budget.validate_every": 1, "network.width": 16}
    run = aurify.fit(csv_files["regress"], "y", folds=2, settings=settings, out=tmp_path / "run", track=to(server))
    for number in (1, 2):
        expected = progress(run.path / f"folds/{number}", "loss")
        assert server.history(run.path, f"fold_{number}/loss") == expected
        assert len(expected) == 3


def interrupt():
    os.kill(os.getpid(), signal.SIGTERM)


def fail():
    raise AurifyError("no more")


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("end", "status"), [(interrupt, "KILLED"), (fail, "FAILED")])
def test_a_stopped_run_is_said_to_be_and_goes_on_in_the_same_mlflow_run(server, csv_files, tmp_path, end, status):
    what = {"settings": SETTINGS, "out": tmp_path / "run", "track": to(server), "checkpoint_seconds": 0.001}
    with pytest.raises(AurifyError):
        aurify.fit(csv_files["classify"], "y", show=lambda run: end() if run.step == STEPS // 2 else None, **what)
    assert server.run(tmp_path / "run")["info"]["status"] == status
    assert server.history(tmp_path / "run", "loss") == progress(tmp_path / "run", "loss")
    aurify.fit(csv_files["classify"], "y", resume=True, **what)
    assert_complete(server, tmp_path / "run")


HALTING_FIT = """
import sys, time
import aurify
from aurify.track import follow

follow.LEAST_SECONDS, follow.COST_SHARE = 0.01, 1.0
settings = {"budget.steps": 120, "budget.validate_every": 1, "network.width": 16}
data, out, address, halts = sys.argv[1:]
pauses = {20: 0.6, 45: 3600} if halts == "halts" else {}  # long enough for a checkpoint; then until it is killed
aurify.fit(
    data, "y", settings=settings, without=["early_stopping"], out=out, resume=True, track=[f"mlflow:{address}"],
    checkpoint_seconds=0.5, show=lambda run: time.sleep(pauses.get(run.step, 0)), note=print,
)
"""


@pytest.mark.slow
def test_a_run_killed_after_its_last_checkpoint_has_every_step_once(server, csv_files, tmp_path):
    folder = tmp_path / "run"
    command = [sys.executable, "-c", HALTING_FIT, str(csv_files["classify"]), str(folder), server.address]
    with subprocess.Popen([*command, "halts"], stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: (folder / "tracking.json").exists() and server.runs(folder))
        wait_for(lambda: len(server.history(folder, "loss")) == 45)
        process.kill()
    reached = server.history(folder, "loss")
    saved = max(int(path.stem[5:]) for path in (folder / "checkpoints").glob("step-*.aurify"))
    assert 0 < saved < 45
    assert server.run(folder)["info"]["status"] == "RUNNING"
    subprocess.run([*command, "goes on"], stdout=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, check=True)
    assert_complete(server, folder)
    assert len(server.history(folder, "loss")) == 120
    assert server.history(folder, "loss")[: len(reached)] == reached


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("fault", ["shut", "silent"])
def test_a_server_lost_in_the_middle_is_said_once_and_gets_the_rest_later(server, gate, csv_files, tmp_path, fault):
    notes, folder = [], tmp_path / "run"

    def lose(run):
        if run.step == 3:
            wait_for(lambda: server.runs(folder) and len(server.history(folder, "loss")) >= 2)
            if fault == "shut":
                gate.shut()
            else:
                gate.silent = True
        if run.step == 6:
            wait_for(lambda: any("is lost" in text for text in notes))

    what = {"settings": SETTINGS, "out": folder, "show": lose, "note": notes.append}
    run = aurify.fit(csv_files["classify"], "y", track=to(gate), **what)
    assert run.summary["verdict"]
    said = [text for text in notes if gate.address in text]
    reason = {"shut": "Connection refused", "silent": "timed out"}[fault]
    assert said[0] == f"mlflow at {gate.address} is lost ({reason}); the run goes on"
    assert said[1].endswith(f"send the rest with: aurify track {folder} --to mlflow:{gate.address}")
    assert len(said) == 2
    assert len(server.history(folder, "loss")) < STEPS
    assert track(folder, to(server))["sent"][0]["values"] > 0
    assert_complete(server, folder)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("fault", ["shut", "silent"])
def test_a_server_that_is_not_there_is_said_before_anything_begins(gate, sent, csv_files, fault):
    if fault == "shut":
        gate.shut()
    else:
        gate.silent = True
    before = {path: path.read_bytes() for path in sent.glob("*.*") if path.is_file()}
    with pytest.raises(AurifyError, match=f"mlflow at {gate.address} cannot be reached \\("):
        aurify.fit(csv_files["classify"], "y", settings=SETTINGS, out=sent, force=True, track=to(gate))
    assert {path: path.read_bytes() for path in sent.glob("*.*") if path.is_file()} == before


@pytest.mark.slow
def test_an_unfinished_run_can_be_sent_too(server, csv_files, tmp_path):
    def stop(run):
        if run.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        aurify.fit(csv_files["classify"], "y", settings=SETTINGS, out=tmp_path / "run", show=stop)
    record = track(tmp_path / "run", to(server))
    assert not record["finished"]
    assert server.run(tmp_path / "run")["info"]["status"] == "RUNNING"
    assert server.history(tmp_path / "run", "loss") == progress(tmp_path / "run", "loss")
    aurify.fit(csv_files["classify"], "y", settings=SETTINGS, out=tmp_path / "run", resume=True, track=to(server))
    assert_complete(server, tmp_path / "run")
