"""Every part that changes what a model computes: ONNX Runtime answers as torch does, or the part says why not."""

import numpy as np
import pytest
from small import variants

from aurify.core.errors import AurifyError
from aurify.data.store import Asked
from aurify.ship import trial
from aurify.ship.export import export
from aurify.ship.graph import Graph

CLOSE = 1e-5


@pytest.fixture
def bundle(lab, group, part, kind, variant):
    return lab.bundle(lab.fitted(lab.using(lab.recipe(kind), group, part, variants(part)[variant])))


@pytest.fixture
def rows(lab, kind):
    """All rows of a table, and copies of them with cells missing and unknown."""
    return trial.with_gaps(lab.store(kind).inputs, seed=0)


@pytest.fixture
def graph(bundle, rows, group, part, variant, tmp_path):
    """The exported model, or None when the part said why there is none."""
    reason = part.make(variants(part)[variant]).why_unexportable()
    if not reason:
        export(bundle, tmp_path / "model.onnx", rows, spread=1.0)
        return Graph(tmp_path / "model.onnx")
    with pytest.raises(AurifyError, match=part.name()) as refused:
        export(bundle, tmp_path / "model.onnx", rows, spread=1.0)
    assert reason in str(refused.value)
    assert not (tmp_path / "model.onnx").exists()
    return None


def test_graph_answers_as_torch_does(graph, bundle, rows, group, part, kind, variant):
    if graph is None:
        return
    count = len(rows["numbers"])
    expected = bundle.predictions(Asked(rows, np.empty(0), np.arange(count)), known=False)
    answers = expected.prediction if expected.probabilities is None else expected.probabilities
    for size in (count, 7, 1):
        for start in (0, 240):  # whole rows, and rows with gaps
            asked = {name: values[start : start + size] for name, values in rows.items()}
            assert graph.answer(asked) == pytest.approx(answers[start : start + size], abs=CLOSE)
