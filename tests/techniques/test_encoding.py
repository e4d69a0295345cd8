"""Categories told by numbers: equal to slow loops and scikit-learn, and without a leak of the row's own target."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import TargetEncoder
from small import same

from aurify.core import rng
from aurify.core.types import Input, View
from aurify.data import prepare
from aurify.techniques.encoding import EncodeCategories
from aurify.techniques.number_embeddings import PiecewiseLinear

SIZES = (6, 12)


def codes(seed=0, count=400):
    random = np.random.default_rng(seed)
    return np.stack([random.integers(-1, 5, count), random.integers(0, 12, count) ** 2 // 12], 1)


def view(given, target, classes=None, sizes=SIZES, numbers=None, weight=None, seed=0):
    names = tuple("abcdefgh"[: given.shape[1]])
    inputs, values = {"codes": Input("codes", (len(names),), names, sizes)}, {"codes": torch.from_numpy(given)}
    if numbers is not None:
        inputs["numbers"], values["numbers"] = Input("numbers", (1,), ("x",)), torch.from_numpy(numbers)
    weight = torch.ones(len(given)).double() if weight is None else torch.from_numpy(weight)
    return View(inputs, values, torch.from_numpy(target), classes, seed, weight)


def target_of(classes, count=400, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, len(classes), count) if classes else random.normal(5, 3, count)


def raw(layer, told):
    """Before standardising."""
    return (told * layer.spread + layer.shift).numpy()


@pytest.mark.parametrize("classes", [None, ("no", "yes"), ("low", "mid", "top")])
def test_target_encoding_equals_scikit_learn(classes):
    train, target = codes(), target_of(classes)
    asked = np.array([[-2, 11], [5, 0], [0, 3], [4, -1]])  # code 5 never occurs, nor is 11 of the second column known
    layer = EncodeCategories(method="target", smoothing=7.0, least=1).layer(view(train, target, classes))
    ours = raw(layer, layer({"codes": torch.from_numpy(asked)})["numbers"])
    kind = {None: "continuous", 2: "binary", 3: "multiclass"}[classes and len(classes)]
    wanted = np.where(train < 0, -1, train)
    expected = TargetEncoder(smooth=7.0, target_type=kind).fit(wanted, target)
    renamed = np.where(asked == -2, 99, asked)
    renamed[0, 1] = renamed[3, 1] = 99
    reference = expected.transform(renamed)
    # scikit-learn takes the missing as a value of its own: here they are unseen, and a value besides is as all are
    unseen = np.zeros_like(reference, bool)
    per = reference.shape[1] // 2
    unseen[[0, 1], :per] = unseen[[3], per:] = True
    np.testing.assert_allclose(ours[~unseen], reference[~unseen], rtol=1e-9)


@pytest.mark.parametrize("classes", [None, ("no", "yes"), ("low", "mid", "top")])
def test_training_rows_are_encoded_from_the_other_folds(classes):
    train, target = codes(), target_of(classes)
    weight = np.random.default_rng(3).uniform(0, 2, len(train))
    given = view(train, target, classes, weight=weight, seed=4)
    layer = EncodeCategories(method="target", smoothing=3.0, least=30, folds=4).layer(given)
    ours = raw(layer, layer.own["numbers"])
    fold = (torch.randperm(400, generator=rng.generator(4, "target encoding")) % 4).numpy()
    goals = [target] if classes is None else [target == k for k in range(len(classes))][len(classes) == 2 :]
    expected = []
    for column in train.T:
        common = [k for k in range(12) if (column == k).sum() >= 30]
        seen = np.where(np.isin(column, common), column, -1)
        for goal in goals:
            mean = np.average(goal, weights=weight)
            rows = [(fold != f) & (seen == k) for f, k in zip(fold, seen, strict=True)]
            expected.append([((weight * goal)[r].sum() + 3 * mean) / (weight[r].sum() + 3) for r in rows])
    np.testing.assert_allclose(ours, np.transpose(expected), rtol=1e-9)


def test_target_encoding_of_random_labels_tells_nothing():
    """In-fold means of a column with hundreds of values would correlate with the target however random it is."""
    random = np.random.default_rng(0)
    many, target = random.integers(0, 600, (3000, 1)), random.integers(0, 2, 3000)
    given = view(many, target, ("no", "yes"), (600,))
    layer = EncodeCategories(method="target", smoothing=1.0, least=1).layer(given)
    naive = layer({"codes": torch.from_numpy(many)})["numbers"][:, 0]
    assert np.corrcoef(naive, target)[0, 1] > 0.3
    assert abs(np.corrcoef(layer.own["numbers"][:, 0], target)[0, 1]) < 0.06


def test_a_row_does_not_see_its_own_target():
    """Changing one row's target changes what others see, not what the row itself sees."""
    train, target = codes(), target_of(None)
    settings = {"method": "target", "smoothing": 0.0, "least": 1}
    before = EncodeCategories(**settings).layer(view(train, target))
    changed = target.copy()
    changed[17] += 100
    after = EncodeCategories(**settings).layer(view(train, changed))
    one, other = raw(before, before.own["numbers"]), raw(after, after.own["numbers"])
    np.testing.assert_allclose(one[17], other[17], rtol=1e-9)
    assert (abs(one - other) > 1).any()


def test_own_values_are_what_is_trained_on_and_never_saved():
    train, target = codes(), target_of(None)
    prepared = prepare.prepare([EncodeCategories(method="target")], view(train, target))
    again = EncodeCategories(method="target").layer(view(train, target))
    torch.testing.assert_close(prepared.values["numbers"], again.own["numbers"].float(), rtol=1e-5, atol=1e-5)
    assert all(layer.own is None for layer in prepared.layers)
    assert not any("own" in name for layer in prepared.layers for name in (*layer.tensors(), *layer.config))


def test_frequency_is_the_share_of_training_rows():
    train = codes()
    layer = EncodeCategories(method="frequency").layer(view(train, target_of(None)))
    asked = np.array([[-2, 0], [-1, 1], [5, 2], [2, 11]])
    ours = raw(layer, layer({"codes": torch.from_numpy(asked)})["numbers"])
    expected = [[np.mean(train[:, c] == asked[r, c]) for c in range(2)] for r in range(4)]
    np.testing.assert_allclose(ours, expected, atol=1e-12)


@pytest.mark.parametrize("method", ["frequency", "target"])
def test_told_numbers_are_standardised_and_come_after_the_others(method):
    given = view(codes(), target_of(None), numbers=np.random.default_rng(0).normal(size=(400, 1)))
    layer = EncodeCategories(method=method).layer(given)
    values = layer.own or layer(dict(given.values))
    assert layer.inputs(given.inputs)["numbers"].names == ("x", f"a {method}", f"b {method}")
    assert "codes" not in values
    assert torch.equal(values["numbers"][:, :1], given.values["numbers"])
    told = values["numbers"][:, 1:]
    torch.testing.assert_close(told.mean(0), torch.zeros(2).double())
    torch.testing.assert_close(told.std(0, correction=0), torch.ones(2).double())


def test_told_numbers_get_bins_of_their_own():
    given = view(codes(), target_of(None), numbers=np.random.default_rng(0).normal(size=(400, 1)))
    prepared = prepare.prepare([EncodeCategories(method="target"), PiecewiseLinear(width=3)], given)
    assert prepared.inputs["numbers"].entry(prepared.inputs["numbers"]).widths == [3, 3, 3]


def test_constant_column_is_told_by_zero():
    layer = EncodeCategories(method="frequency").layer(view(np.zeros((9, 1), np.int64), target_of(None, 9), sizes=(1,)))
    assert layer({"codes": torch.zeros(1, 1, dtype=torch.int64)})["numbers"].item() == 0


def test_hashed_values_share_buckets_which_do_not_depend_on_the_rows():
    random = np.random.default_rng(0)
    many = random.integers(0, 500, (4000, 2))
    settings = EncodeCategories(method="hashing", buckets=16, least=1)
    one = settings.layer(view(many, target_of(None, 4000), sizes=(500, 500)))
    other = settings.layer(view(many[::-1].copy(), target_of(None, 4000), sizes=(500, 500), seed=9))
    assert same(one.tensors(), other.tensors())
    assert one.sizes == [17, 17]
    every = one({"codes": torch.arange(500)[:, None].expand(500, 2)})["codes"]
    counts = torch.bincount(every[:, 0], minlength=17)
    assert counts[0] == 0
    assert 10 < counts[1:].min() <= counts[1:].max() < 60
    assert not torch.equal(every[:, 0], every[:, 1]), "columns fall differently"
    assert (one({"codes": torch.tensor([[-1, -2]])})["codes"] == 0).all()


def test_buckets_without_training_rows_share_the_code_of_unseen_values():
    few = np.repeat(np.arange(3), 10)[:, None]
    layer = EncodeCategories(method="hashing", buckets=64).layer(view(few, target_of(None, 30), sizes=(500,)))
    assert 2 <= layer.sizes[0] <= 4
    every = layer({"codes": torch.arange(500)[:, None]})["codes"]
    assert (every == 0).sum() > 400
    assert (every[:3] > 0).all()
