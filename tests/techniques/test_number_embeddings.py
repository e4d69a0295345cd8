"""Number embeddings equal the library's, span the training rows, and survive odd columns, saving and export."""

from functools import partial

import numpy as np
import pytest
import rtdl_num_embeddings as library
import torch

from aurify.blocks.entries import Categories, Ordinal, Plain
from aurify.blocks.number_embeddings import Periodic as PeriodicEntry
from aurify.blocks.number_embeddings import PiecewiseEncoding
from aurify.blocks.number_embeddings import PiecewiseLinear as PiecewiseLinearEntry
from aurify.core.types import Input, View
from aurify.data import prepare
from aurify.techniques.number_embeddings import Periodic, PiecewiseLinear

EDGES = ((-2.0, -1.0, 0.25, 3.0), (0.0, 1.0), (-1.0, 0.0, 1.0), tuple(np.linspace(-3, 3, 25).tolist()))
NUMBERS = Input("numbers", (4,), ("a", "b", "c", "d"))
SETTINGS = {
    "piecewise": partial(PiecewiseLinearEntry, edges=EDGES, width=5),
    "encoding": partial(PiecewiseEncoding, edges=EDGES),
    "periodic": partial(PeriodicEntry, frequencies=6, spread=0.3, width=5, lite=False),
    "lite": partial(PeriodicEntry, frequencies=6, spread=0.3, width=5, lite=True),
}


def drawn(module, seed=0):
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(generator=random)
    return module


def rows(count=64):
    """Rows within the bins and far beyond them."""
    return 2 * torch.randn(count, 4, generator=torch.Generator().manual_seed(1))


def view(numbers, target=None, classes=None):
    count, columns = numbers.shape
    names = tuple("abcdefgh"[:columns])
    target = torch.zeros(count) if target is None else torch.from_numpy(target)
    values = {"numbers": torch.from_numpy(numbers)}
    return View(
        {"numbers": Input("numbers", (columns,), names)}, values, target, classes, 0, torch.ones(count).double()
    )


@pytest.fixture
def bins():
    return [torch.tensor(e) for e in EDGES]


@pytest.mark.filterwarnings("ignore:The .*th feature has just two bin edges")
def test_piecewise_linear_equals_the_library(bins):
    ours = drawn(SETTINGS["piecewise"](NUMBERS))
    theirs = library.PiecewiseLinearEmbeddings(bins, 5, activation=False, version="B")
    with torch.no_grad():
        theirs.linear0.weight.copy_(ours.line[:, 0])
        theirs.linear0.bias.copy_(ours.level[:, 0])
        for c, edges in enumerate(EDGES):  # the library keeps the last bin of each column at the end
            last = len(edges) - 2
            theirs.linear.weight[c, :last] = ours.curves[c, :last]
            theirs.linear.weight[c, -1] = ours.curves[c, last]
    torch.testing.assert_close(ours(rows()), theirs(rows()).flatten(1), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:The .*th feature has just two bin edges")
def test_piecewise_encoding_equals_the_library(bins):
    theirs = library.PiecewiseLinearEncoding(bins)
    ours = SETTINGS["encoding"](NUMBERS)
    torch.testing.assert_close(ours(rows()), theirs(rows()), rtol=1e-5, atol=1e-6)
    assert ours.widths == [3, 1, 2, 24]


@pytest.mark.parametrize("lite", [False, True])
def test_periodic_equals_the_library(lite):
    ours = drawn(SETTINGS["lite" if lite else "periodic"](NUMBERS))
    theirs = library.PeriodicEmbeddings(4, 5, n_frequencies=6, frequency_init_scale=0.3, lite=lite)
    with torch.no_grad():
        theirs.periodic.weight.copy_(ours.frequency)
        if lite:
            theirs.linear.weight.copy_(ours.mix[0].T)
            theirs.linear.bias.copy_(ours.level[0, 0])
        else:
            theirs.linear.weight.copy_(ours.mix)
            theirs.linear.bias.copy_(ours.level[:, 0])
    torch.testing.assert_close(ours(rows()), theirs(rows()).flatten(1), rtol=1e-5, atol=1e-5)


def test_piecewise_linear_begins_as_a_line():
    entry = SETTINGS["piecewise"](NUMBERS)
    one, two, three = (entry(torch.full((1, 4), x)) for x in (-5.0, 0.0, 5.0))
    torch.testing.assert_close(two, (one + three) / 2)


@pytest.mark.parametrize("name", SETTINGS)
def test_entry_is_rebuilt_without_memory(name):
    entry = drawn(SETTINGS[name](NUMBERS))
    with torch.device("meta"):
        again = SETTINGS[name](NUMBERS)
    again.load_state_dict(entry.state_dict(), strict=True, assign=True)
    assert torch.equal(again(rows()), entry(rows()))


@pytest.mark.parametrize("name", SETTINGS)
def test_widths_of_columns_follow_the_output(name):
    """Moving one column moves the numbers that ``widths`` says are its own, and no others."""
    assert_widths_follow(drawn(SETTINGS[name](NUMBERS)), rows())


def test_widths_of_other_entries_follow_the_output():
    codes = Input("codes", (3,), ("a", "b", "c"), (3, 40, 5))
    asked = torch.tensor([[1, 7, 2], [0, 39, 4]])
    for entry in (Plain, Ordinal):
        assert_widths_follow(entry(codes), asked)
    entry = Categories(codes, hot_up_to=10, most=4)
    assert entry.widths == [4, 3, 5]  # learnt columns first
    assert_widths_follow(entry, asked, order=[1, 0, 2])


def assert_widths_follow(entry, asked, order=None):
    assert entry(asked).shape == (len(asked), entry.width)
    assert sum(entry.widths) == entry.width
    before = entry(asked).split(entry.widths, 1)
    for at, column in enumerate(order or range(asked.shape[1])):
        moved = asked.clone()
        moved[:, column] = moved[:, column].flip(0)
        after = entry(moved).split(entry.widths, 1)
        assert [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if not torch.equal(a, b)] == [at]


@pytest.mark.parametrize("name", SETTINGS)
def test_entry_stays_finite_for_absurd_numbers(name):
    entry = drawn(SETTINGS[name](NUMBERS))
    assert torch.isfinite(entry(torch.tensor([[-1e18, 1e18, 0.0, 1e18]]))).all()


def test_quantile_edges_equal_the_library():
    numbers = np.random.default_rng(0).exponential(size=(500, 3))
    numbers[:, 2] = np.round(numbers[:, 2])  # few values: bins between them alone
    layer = PiecewiseLinear(bins=16).layer(view(numbers))
    ours = layer.inputs(view(numbers).inputs)["numbers"].entry.keywords["edges"]
    theirs = library.compute_bins(torch.from_numpy(numbers - numbers.mean(0)).float(), 16)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(one), other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("classes", [None, ("no", "yes")])
def test_tree_edges_equal_the_library(classes):
    random = np.random.default_rng(0)
    numbers = random.normal(size=(2000, 2))
    target = (numbers[:, 0] > 0.7) + 0.1 * random.normal(size=2000)
    target = (target > 0.5).astype(np.int64) if classes else target
    given = view(numbers, target, classes)
    layer = PiecewiseLinear(edges="tree", bins=8).layer(given)
    ours = layer.inputs(given.inputs)["numbers"].entry.keywords["edges"]
    theirs = library.compute_bins(
        torch.from_numpy(numbers - numbers.mean(0)).float(),
        8,
        tree_kwargs={"min_samples_leaf": 64},
        y=torch.from_numpy(target),
        regression=classes is None,
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(one), other, rtol=1e-5, atol=1e-6)
    assert min(abs(np.array(ours[0]) + numbers[:, 0].mean() - 0.7)) < 0.02


@pytest.mark.parametrize("edges", ["quantile", "tree"])
def test_odd_columns_get_at_least_one_bin(edges):
    numbers = np.random.default_rng(0).normal(size=(200, 6))
    numbers[:, 0] = np.nan
    numbers[:, 1] = 7e9
    numbers[:100, 2] = np.nan
    numbers[0, 3] = 1e300
    numbers[:, 4] = numbers[:, 4] > 0
    numbers[:, 5] = 1e9 + 1e-3 * numbers[:, 5]
    target = np.random.default_rng(1).normal(size=200)
    prepared = prepare.prepare([PiecewiseLinear(edges=edges, bins=6)], view(numbers, target))
    assert all(len(e) >= 2 and (np.diff(e) > 0).all() for e in prepared.inputs["numbers"].entry.keywords["edges"])
    entry = drawn(prepared.inputs["numbers"].entry(prepared.inputs["numbers"]))
    assert torch.isfinite(entry(prepared.values["numbers"])).all()
    fine = entry.slope[5] * prepared.values["numbers"][:, 5, None]
    assert fine.std() > 1, "a column far from zero keeps its resolution"


def test_column_of_tiny_numbers_keeps_finite_slopes():
    numbers = np.random.default_rng(0).normal(size=(100, 2)) * [1e-38, 1e-29]
    prepared = prepare.prepare([PiecewiseLinear(bins=8)], view(numbers))
    entry = drawn(prepared.inputs["numbers"].entry(prepared.inputs["numbers"]))
    assert all(torch.isfinite(buffer).all() for buffer in entry.buffers())
    assert torch.isfinite(entry(torch.tensor([[1e18, -1e18], [1e-38, 1e-38]]))).all()


def test_constant_number_far_from_zero_has_a_bin():
    numbers = np.full((9, 1), -3e30)
    edges = PiecewiseLinear().layer(view(numbers)).edges
    assert (edges.diff() > 0).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")  # the exporter's own
def test_entries_export_with_any_number_of_rows(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")

    class Side(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.entries = torch.nn.ModuleList(drawn(make(NUMBERS)) for make in SETTINGS.values())

        def forward(self, x):
            return torch.cat([entry(x) for entry in self.entries], 1)

    entries, path, rows_axis = Side().eval(), tmp_path / "entries.onnx", {0: torch.export.Dim("rows")}
    torch.onnx.export(entries, (rows(8),), path, dynamic_shapes=(rows_axis,), input_names=["x"], verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 33):
        (answered,) = session.run(None, {"x": rows(count).numpy()})
        np.testing.assert_allclose(answered, entries(rows(count)).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_periodic_leaves_numbers_as_they_are():
    given = view(np.random.default_rng(0).normal(size=(20, 2)))
    layer = Periodic(width=3, frequencies=4).layer(given)
    assert layer(dict(given.values)) == given.values
    assert layer.inputs(given.inputs)["numbers"].entry(given.inputs["numbers"]).widths == [3, 3]
