"""Baselines of texts learn from words and from columns beside them, and see nothing that they should not."""

import numpy as np
import pytest

from aurify.data.columns import Column
from aurify.data.packed import Packed
from aurify.data.schema import NUMBER, TEXT, Schema
from aurify.data.store import Asked
from aurify.measure.text_baselines import fit_text_baselines
from aurify.measure.text_linear import NEVER, Kind, Rows, best_kind, probabilities

CLASSES = ("bad", "good", "so")
WORDS = (("awful", "broken"), ("lovely", "swift"), ("fair", "usual"))


def schema(classes=CLASSES, beside=False):
    columns = [Column("said", TEXT), *([Column("size", NUMBER)] if beside else [])]
    return Schema(columns=tuple(columns), target="y", classes=classes)


def rows(count=240, seed=0, beside=False, roles=None):
    random = np.random.default_rng(seed)
    target = random.integers(0, 3, count)
    said = [f"the {random.choice(WORDS[t])} room we {random.choice(['had', 'took'])}" for t in target]
    inputs = {"texts": Packed.of([said])}
    if beside:
        inputs["numbers"] = (target + 0.1 * random.normal(size=count))[:, None]
    return Asked(inputs, target, np.arange(count), roles or {})


def answers(train, test, given, hidden=(), check=lambda: None):
    return fit_text_baselines(train, test, given, hidden=hidden, seed=0, check=check)


def accuracy(predictions):
    return (predictions.prediction == predictions.target).mean()


def test_words_are_learnt_and_probabilities_are_whole():
    found = answers(rows(), rows(seed=1), schema())
    assert list(found) == ["majority", "tfidf"]
    assert accuracy(found["tfidf"]) == 1
    np.testing.assert_allclose(found["tfidf"].probabilities.sum(1), 1)


def test_columns_beside_the_texts_have_baselines_of_their_own_and_are_joined():
    found = answers(rows(beside=True), rows(seed=1, beside=True), schema(beside=True))
    assert list(found) == ["majority", "linear", "boosting", "tfidf"]
    hidden = answers(rows(beside=True), rows(seed=1, beside=True), schema(beside=True), hidden=["said"])
    assert accuracy(hidden["tfidf"]) > 0.9
    neither = answers(rows(beside=True), rows(seed=1, beside=True), schema(beside=True), hidden=["said", "size"])
    assert accuracy(neither["tfidf"]) < 0.6


def test_numbers_are_learnt_too():
    train, test = (rows(seed=s) for s in (0, 1))
    train, test = (Asked(each.inputs, each.target * 10.0, each.rows) for each in (train, test))
    found = answers(train, test, schema(classes=None))
    assert list(found) == ["mean", "tfidf"]
    error = {name: np.abs(each.prediction - each.target).mean() for name, each in found.items()}
    assert error["tfidf"] < 0.2 * error["mean"]


def test_rows_without_weight_teach_nothing():
    train, weight = rows(), np.ones(240)
    weight[120:] = 0
    wrong = np.concatenate([train.target[:120], (train.target[120:] + 1) % 3])
    weighed = Asked(train.inputs, wrong, train.rows, {"weight": weight})
    alone = Asked(train.inputs, wrong, train.rows[:120], {"weight": weight})
    first, second = (answers(each, rows(seed=1), schema()) for each in (weighed, alone))
    for name in first:
        assert np.array_equal(first[name].probabilities, second[name].probabilities)


def test_the_clock_may_stop_them_between_models():
    calls = []
    answers(rows(), rows(seed=1), schema(), check=lambda: calls.append(1))
    assert len(calls) >= 5

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers(rows(), rows(seed=1), schema(), check=stop)


@pytest.mark.parametrize("present", [(0,), (0, 2)])
def test_class_that_training_lacks_has_no_probability(present):
    train = rows()
    some = Asked(train.inputs, train.target, np.flatnonzero(np.isin(train.target, present)))
    chances = answers(some, rows(seed=1), schema())["tfidf"].probabilities
    assert not chances[:, [c for c in range(3) if c not in present]].any()


@pytest.mark.parametrize("classes", [2, 3])
def test_ngrams_that_tell_classes_apart_weigh_more(classes):
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(0)
    target = random.integers(0, classes, 400)
    telling = (random.random((400, classes)) < 0.05) | (np.eye(classes)[target] > 0)
    matrix = csr_matrix(np.hstack([telling, random.random((400, 60)) < 0.3]).astype(np.float32))
    known, asked = (Rows(matrix[s], target[s], np.ones(200)) for s in (slice(200), slice(200, 400)))
    kind = best_kind(known, asked, classes, lambda: None, bayes=True)
    linear = kind.fit(known, classes)
    assert kind.name == "bayes"
    assert (linear.output(asked.matrix).argmax(1) == asked.target).mean() > 0.85
    lacking = known.take(np.flatnonzero(known.target > 0))
    assert (kind.fit(lacking, classes).output(asked.matrix)[:, 0] <= NEVER / 2).all()


@pytest.mark.parametrize("kind", [Kind("machine", 0.3, 2.0), Kind("logistic", 10.0, 1.0)])
@pytest.mark.parametrize("classes", [2, 3])
def test_outputs_are_what_scikit_learn_decides(kind, classes):
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(0)
    target = random.integers(0, classes, 100)
    matrix = csr_matrix(random.normal(size=(100, 5)) + target[:, None])
    linear = kind.fit(Rows(matrix, target, np.ones(100)), classes)
    model = kind._model().fit(matrix, target)
    theirs = model.decision_function(matrix) * kind.scale
    ours = linear.output(matrix)
    np.testing.assert_allclose(ours[:, 1] - ours[:, 0] if classes == 2 else ours, theirs, atol=1e-5)
    if kind.name == "logistic":
        np.testing.assert_allclose(probabilities(ours), model.predict_proba(matrix), atol=1e-6)


def test_scale_makes_probabilities_of_margins_as_sure_as_they_are_right():
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(0)
    target = random.integers(0, 2, 4000)
    matrix = csr_matrix(random.normal(size=(4000, 8)) + 0.2 * target[:, None])
    known, asked = (Rows(matrix[s], target[s], np.ones(2000)) for s in (slice(2000), slice(2000, 4000)))
    kind = best_kind(known, asked, 2, lambda: None)
    chances = probabilities(kind.fit(known, 2).output(asked.matrix))
    sure = chances.max(1)
    assert abs(sure.mean() - (chances.argmax(1) == asked.target).mean()) < 0.03
    assert chances.min() > np.exp(NEVER)
