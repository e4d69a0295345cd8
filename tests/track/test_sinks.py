"""Words for trackers: what is refused, and when."""

import sys
import tomllib
from pathlib import Path

import pytest

import aurify
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.track import sink
from aurify.workbench import track

REFUSED = {
    "wandb": "'wandb': no tracker is called 'wandb'; known: mlflow, tensorboard",
    "mlfow": "did you mean 'mlflow'",
    "mlflow:": "'mlflow:' names no place after the colon; write mlflow:PLACE or mlflow alone",
    "mlflow:127.0.0.1:5000": "write one such as mlflow:http://127.0.0.1:5000",
    "mlflow:http://user:secret@127.0.0.1:1": "mlflow at http://127.0.0.1:1 cannot be reached (Connection refused)",
    "mlflow:nosuch://x": "mlflow at nosuch://x cannot be reached",
    "tensorboard:/dev/null/x": "tensorboard:/dev/null/x cannot be made",
}


@pytest.mark.parametrize("word", REFUSED)
def test_a_tracker_that_cannot_be_used_is_refused_in_one_line_before_anything_begins(csv_files, tmp_path, word):
    with pytest.raises(AurifyError) as refused:
        aurify.fit(csv_files["classify"], "y", out=tmp_path / "run", track=[word])
    assert REFUSED[word] in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "module"), [("mlflow", "mlflow"), ("tensorboard", "torch.utils.tensorboard")])
def test_a_missing_package_is_named_with_the_extra_that_brings_it(csv_files, tmp_path, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AurifyError, match=rf"pip install 'aurify\[{name}\]'"):
        aurify.fit(csv_files["classify"], "y", out=tmp_path / "run", track=[name])
    assert not (tmp_path / "run").exists()


def test_every_sink_has_an_extra_of_its_name():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert set(sink.known()) <= set(project["optional-dependencies"])


def test_a_place_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(AurifyError, match="is not a run folder"):
        track(tmp_path, ["tensorboard"])


def test_a_run_folder_owns_what_tracking_leaves_in_it(tmp_path):
    folder = RunFolder(tmp_path)
    folder.tensorboard.mkdir()
    folder.tracking.write_text("{}")
    assert not folder.foreign()
    folder.clear()
    assert list(tmp_path.iterdir()) == []
