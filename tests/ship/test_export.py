"""One ONNX file that says how to parse, needs no torch, answers as the model does, and is not written otherwise."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

import aurify
from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.data.schema import DATE, Column
from aurify.data.store import Asked, Store
from aurify.ship import export as shipping
from aurify.ship import trial
from aurify.ship.bundle import Bundle
from aurify.ship.graph import Graph
from aurify.techniques.filling import FillMissing

SMALL = {"budget.steps": 8, "network.width": 16}


@pytest.fixture(scope="module")
def run(csv_files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "run"
    return workbench.fit(csv_files["classify"], "y", settings=SMALL, out=folder)


@pytest.fixture(scope="module")
def exported(run):
    path = run.path.parent / "model.onnx"
    return path, workbench.export(run.path, path)


def answers(bundle, rows):
    predicted = bundle.predictions(Asked(rows, np.empty(0), np.arange(len(rows["numbers"]))), known=False)
    return predicted.prediction if predicted.probabilities is None else predicted.probabilities


def test_file_alone_answers_raw_data_where_there_is_no_torch(exported, run, csv_files):
    code = f"""
import sys
sys.modules["torch"] = None
from pathlib import Path
from aurify.data.sources import read_frame
from aurify.ship.graph import Graph
graph = Graph(Path({str(exported[0])!r}))
frame = read_frame(Path({str(csv_files["classify"])!r}), texts=graph.schema.as_written).frame
print(graph.answer(graph.schema.parse(frame).inputs).tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = run.predict(csv_files["classify"]).select(pl.col("^p_.*$")).to_numpy()
    assert np.array(json.loads(done.stdout)) == pytest.approx(expected, abs=1e-6)


def test_file_says_what_it_is(exported, run):
    import onnx

    path, record = exported
    model, graph = onnx.load(path, load_external_data=False), Graph(path)
    assert graph.schema == run.bundle.schema
    assert json.loads(graph.metadata["classes"]) == ["low", "mid", "top"]
    assert graph.metadata["recipe"] == run.recipe.to_yaml()
    assert graph.metadata["version"] == aurify.__version__
    numbers, dates, codes = model.graph.input
    assert (numbers.name, dates.name, codes.name) == ("numbers", "dates", "codes")
    assert numbers.doc_string == "a, b, c (float64, NaN for missing)"
    kinds = [i.type.tensor_type.elem_type for i in (numbers, codes, *model.graph.output)]
    assert kinds == [onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64, onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64]
    assert [o.name for o in model.graph.output] == record["outputs"] == ["probabilities", "prediction"]
    assert record["bytes"] == path.stat().st_size
    assert record["difference"] < 1e-6


def test_file_is_whole_and_tells_nothing_of_where_it_was_made(exported):
    path, _ = exported
    assert {p.name for p in path.parent.iterdir()} == {"run", path.name}
    data = path.read_bytes()
    for secret in (b"site-packages", b".py", b"stack_trace", b"external"):
        assert secret not in data


def test_preparing_stays_float64(lab, frames, tmp_path):
    """Seconds since 1970 differ by less than float32 can tell apart."""
    frame = frames["regress"].with_columns(b=1.7e9 + pl.col("b"))
    store = lab.read("regress", frame)
    recipe = lab.recipe("regress", {"scale_numbers": {}, "scale_target": {}})
    bundle = lab.bundle(lab.fit(recipe, problem=lab.problem(recipe, store)))
    record = shipping.export(bundle, tmp_path / "m.onnx", store.inputs, spread=1.0)
    assert record["difference"] < 1e-6
    column = answers(bundle, store.inputs)
    coarse = {**store.inputs, "numbers": store.inputs["numbers"].astype(np.float32)}
    assert abs(answers(bundle, coarse) - column).max() > 0.01, "else the test shows nothing"


def test_dates_and_several_members_go_into_the_graph(lab, tmp_path):
    plain = lab.store("regress")
    schema = replace(plain.schema, columns=(*plain.schema.columns, Column("when", DATE)))
    dates = np.random.default_rng(0).uniform(1.6e9, 1.7e9, (len(plain), 1))
    dates[::7] = np.nan
    both = np.concatenate([plain.inputs["dates"], dates], axis=1)
    store = Store.of(schema, {**plain.inputs, "dates": both}, plain.target, plain.test)
    members = []
    for seed in (0, 1):
        recipe = replace(lab.recipe("regress", {"scale_numbers": {}, "scale_target": {}}), seed=seed)
        fitted = lab.bundle(lab.fit(recipe, problem=lab.problem(recipe, store)))
        members.append(replace(fitted.members[0], weight=(0.25, 0.75)[seed], name=f"network {seed}"))
    bundle = Bundle(recipe, schema, tuple(members), torch.device("cpu"))
    rows = trial.with_gaps(store.inputs, seed=0)
    shipping.export(bundle, tmp_path / "m.onnx", rows, spread=1.0)
    assert Graph(tmp_path / "m.onnx").answer(rows) == pytest.approx(answers(bundle, rows), abs=1e-5)


def test_members_that_clip_one_and_the_same_input_go_into_the_graph(csv_files, tmp_path):
    """The days since the first date of each fold, of one column."""
    settings = {"budget.steps": 2, "network.width": 8, "network.name": "mlp"}
    run = workbench.fit(csv_files["classify"], "y", folds=2, settings=settings, out=tmp_path / "folds")
    bounds = [layer.first.item() for m in run.bundle.members for layer in m.layers if hasattr(layer, "first")]
    assert len(set(bounds)) == 2
    record = workbench.export(run.path, tmp_path / "m.onnx")
    assert record["difference"] < 1e-5


def test_model_file_is_tried_on_drawn_rows(run, tmp_path):
    record = workbench.export(run.path / "model.aurify", tmp_path / "m.onnx")
    assert record["rows"] == 2 * trial.DRAWN_ROWS
    assert record["difference"] < 1e-5
    drawn = trial.with_gaps(trial.drawn(run.bundle.schema, seed=0), seed=0)
    assert set(np.unique(drawn["codes"])) >= {-2, -1, 0}
    assert np.isnan(drawn["numbers"]).any()


def test_difference_is_an_error_and_leaves_the_old_file(run, tmp_path, monkeypatch):
    target = tmp_path / "m.onnx"
    target.write_text("old")
    with pytest.raises(AurifyError, match=r"m.onnx exists already; replace it with --force"):
        workbench.export(run.path, target)
    told = Graph.answer
    monkeypatch.setattr(Graph, "answer", lambda self, inputs: told(self, inputs) + 2e-4)
    with pytest.raises(AurifyError, match=r"differ from the model's by 0.0002, more than 0.0001"):
        workbench.export(run.path, target, force=True)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_part_that_cannot_be_exported_says_why(run, tmp_path, monkeypatch):
    monkeypatch.setattr(FillMissing, "why_unexportable", lambda self: f"strategy={self.strategy} looks back")
    with pytest.raises(AurifyError, match=r"fill_missing cannot be exported: strategy=median looks back"):
        workbench.export(run.path, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_package_that_is_not_installed_is_named_with_the_way_out(run, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(AurifyError, match=rf"export needs {package}, .*pip install 'aurify\[export\]'"):
        workbench.export(run.path, tmp_path / "m.onnx")


def test_other_files_are_no_models(csv_files, tmp_path, exported):
    import onnx

    stranger = onnx.load(exported[0])
    del stranger.metadata_props[:]
    onnx.save(stranger, tmp_path / "stranger.onnx")
    for path in (csv_files["classify"], tmp_path / "nowhere.onnx", tmp_path / "stranger.onnx"):
        with pytest.raises(AurifyError, match="is not an exported model") as refused:
            Graph(path)
        assert "\n" not in str(refused.value)
    with pytest.raises(AurifyError, match=r"nowhere"):
        workbench.export(tmp_path / "nowhere", tmp_path / "m.onnx")


def test_command_prints_what_was_measured(run, tmp_path, words, monkeypatch):
    record = json.loads(words("export", run.path, tmp_path / "m.onnx", "--json").out)
    assert record["difference"] < 1e-6
    monkeypatch.setattr(workbench, "export", lambda *given, **options: record)
    said = words("export", run.path, "m.onnx")
    assert said.out == ""
    assert "numbers (rows, 3), dates (rows, 1), codes (rows, 2) to probabilities, prediction" in said.err
    assert f"the largest difference is {record['difference']:.1e}" in said.err
    assert words("export", run.path, "m.onnx", "--quiet").err == ""
