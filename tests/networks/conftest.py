"""What the tests of networks share: a place to work in, and tables that a linear model cannot learn."""

import numpy as np
import polars as pl
import pytest
import torch


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


@pytest.fixture
def exported(tmp_path):
    """Return a function from a network and rows to the largest difference that ONNX Runtime makes, in any number."""
    onnxruntime = pytest.importorskip("onnxruntime")

    def difference(model, inputs):
        names, path = list(inputs), tmp_path / "network.onnx"
        torch.onnx.export(
            model.eval(),
            kwargs={"inputs": dict(inputs)},
            f=path,
            dynamic_shapes={"inputs": {n: {0: torch.export.Dim.DYNAMIC} for n in names}},
            input_names=names,
            dynamo=True,
            verbose=False,
        )
        session, found = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]), 0.0
        for count in (1, 3, 32):
            given = {n: inputs[n][:count] for n in names}
            (answered,) = session.run(None, {n: v.numpy() for n, v in given.items()})
            found = max(found, float(np.abs(answered - model(given).detach().numpy()).max()))
        return found

    return difference
