"""Calendar features against Python's own calendar, and what happens outside the training range."""

import datetime
import math

import numpy as np
import pytest
import torch

from aurify.core.types import Input, View
from aurify.techniques.dates import NAMES, Calendar, calendar

DAY = 86_400.0
EPOCH = datetime.datetime(1970, 1, 1)


def seconds(moment):
    return (moment - EPOCH).total_seconds()


def view(dates, numbers=None):
    inputs = {"dates": Input("dates", (dates.shape[1],), tuple("de"[: dates.shape[1]]))}
    values = {"dates": dates}
    if numbers is not None:
        inputs["numbers"], values["numbers"] = Input("numbers", (1,), ("n",)), numbers
    count = len(dates)
    return View(inputs, values, torch.zeros(count), None, 0, torch.ones(count).double())


def test_features_are_those_of_the_calendar():
    random = np.random.default_rng(0)
    moments = [EPOCH + datetime.timedelta(seconds=s) for s in random.integers(-(10**10), 10**10, 3000).tolist()]
    moments += [
        datetime.datetime(y, m, d) for y in (1600, 1900, 2000, 2023, 2024) for m, d in ((2, 28), (3, 1), (12, 31))
    ]
    moments.append(datetime.datetime(2024, 2, 29, 23, 59, 59))
    found = calendar(torch.tensor([[seconds(m)] for m in moments], dtype=torch.float64)).numpy()
    for moment, row in zip(moments, found, strict=True):
        march = datetime.datetime(moment.year - (moment.month < 3), 3, 1)
        turns = (moment - march).days / 365.25, moment.weekday() / 7, seconds(moment) % DAY / DAY
        waves = [wave(2 * math.pi * turn) for turn in turns for wave in (math.sin, math.cos)]
        np.testing.assert_allclose(row, [*waves, moment.day, moment.weekday() >= 5], atol=1e-9)


def test_only_what_varies_in_training_is_added():
    mondays = torch.arange(50, dtype=torch.float64)[:, None] * 7 * DAY + 4 * DAY
    layer = Calendar().layer(view(mondays))
    assert layer.added == ["d day of year sine", "d day of year cosine", "d day of month"]
    assert layer.inputs(view(mondays).inputs)["numbers"].names == ("d", *layer.added)


def test_days_are_held_within_the_training_range_unless_free():
    train = torch.tensor([[10.0], [20.0], [torch.nan]], dtype=torch.float64) * DAY
    other = torch.tensor([[5.0], [15.0], [99.0], [torch.nan]], dtype=torch.float64) * DAY
    for elapsed, expected in (("clamp", [0, 5, 10, np.nan]), ("free", [-5, 5, 89, np.nan])):
        layer = Calendar(elapsed=elapsed, cycles=True).layer(view(train))
        np.testing.assert_array_equal(layer({"dates": other})["numbers"][:, 0], expected)


def test_a_missing_date_is_told_by_its_days_alone():
    dates = torch.arange(400, dtype=torch.float64)[:, None] * DAY * 1.1
    given = view(dates, torch.ones(400, 1).double())
    layer = Calendar().layer(given)
    gone = layer({"dates": torch.full((1, 1), torch.nan).double(), "numbers": torch.ones(1, 1).double()})["numbers"][0]
    assert torch.isnan(gone).nonzero().flatten().tolist() == [1]
    np.testing.assert_allclose(gone[2:], calendar(dates).mean(0), atol=1e-12)


@pytest.mark.parametrize("settings", [{"elapsed": "off"}, {"elapsed": "off", "cycles": False, "days": False}])
def test_days_may_be_left_out_where_something_else_is_left(settings):
    dates = torch.arange(400, dtype=torch.float64)[:, None] * DAY * 1.1
    layer = Calendar(**settings).layer(view(dates, torch.ones(400, 1).double()))
    values = layer({"dates": dates, "numbers": torch.ones(400, 1).double()})
    assert set(values) == {"numbers"}
    assert layer.inputs(view(dates, torch.ones(400, 1).double()).inputs)["numbers"].names == ("n", *layer.added)
    assert len(layer.added) == (len(NAMES) if len(settings) == 1 else 0)


def test_a_table_of_one_date_that_never_changes_keeps_its_days():
    assert Calendar(elapsed="off").layer(view(torch.ones(9, 1).double())) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of the exporter, about torch
def test_graph_of_onnx_gives_the_same_features(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    random = np.random.default_rng(0)
    dates = torch.from_numpy(random.uniform(-1e9, 3e9, (500, 2)))
    dates[::7, 1] = torch.nan
    layer = Calendar().layer(view(dates)).eval()

    class Alone(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, dates):
            return self.layer({"dates": dates})["numbers"]

    rows = torch.export.Dim("rows", min=2)
    program = torch.onnx.export(Alone().eval(), (dates[:3],), dynamo=True, dynamic_shapes=[{0: rows}], verbose=False)
    program.save(tmp_path / "calendar.onnx")
    session = runtime.InferenceSession(tmp_path / "calendar.onnx")
    found = session.run(None, {session.get_inputs()[0].name: dates.numpy()})[0]
    np.testing.assert_allclose(found, Alone()(dates), atol=1e-6)  # the graph keeps 2 pi in float32
