"""A linear model on n-grams beside the network: one file, from training rows alone, whatever stands beside a row."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import aurify
from aurify.core.errors import AurifyError
from aurify.data.tfidf import Tfidf
from aurify.ship.ngram_model import fit_ngrams
from aurify.testing.tables import TEXT


@pytest.fixture(scope="module")
def recipe(lab):
    return lab.recipe(TEXT, {})


def member(lab, recipe, store=None):
    store = store or lab.store(TEXT)
    held = recipe.task.part(recipe, store).held
    return fit_ngrams(recipe, store, lab.problem(recipe, store), held, lambda: None)


def fitted(frames, blend, folder):
    words = {"text": ["said"], "network": "mlp", "settings": {"budget.epochs": 1}}
    return aurify.fit(frames[TEXT], "y", blend=blend, out=folder / "r", **words)


def test_blend_is_one_file_that_answers_as_before(lab, frames, tmp_path):
    run = fitted(frames, "ngrams", tmp_path)
    names = list(run.summary["members"])
    assert names == ["network", "ngrams"]
    frame = frames[TEXT].drop("y")
    first = run.predict(frame)
    again = aurify.load(run.path / "model.aurify").predict(frame)
    assert first.equals(again)
    assert again.head(7).equals(aurify.load(run.path / "model.aurify").predict(frame.head(7)))


def test_member_that_answers_has_learnt_the_held_rows_too(lab, recipe):
    judged, final = member(lab, recipe)
    assert torch.equal(judged.keys, final.keys)
    assert not torch.equal(judged.weights, final.weights)


def test_texts_of_rows_that_are_tested_change_nothing(lab, recipe):
    store = lab.store(TEXT)
    test = recipe.task.part(recipe, store).test
    texts = np.array(store.inputs["texts"].column(0), dtype=object)
    texts[test] = "tampered"
    other = replace(store, inputs={**store.inputs, "texts": store.inputs["texts"].replaced(0, texts.tolist())})
    for one, two in zip(member(lab, recipe, store), member(lab, recipe, other), strict=True):
        for name, tensor in one.tensors().items():
            assert torch.equal(tensor, two.tensors()[name]), name


def test_hidden_texts_are_not_read_in_new_rows_either(lab, frames):
    recipe = lab.recipe(TEXT, {"exclude_columns": {"columns": ["said"]}})
    _, final = member(lab, recipe)
    said = lab.store(TEXT).inputs["texts"].ragged
    output = final({"texts": said})["output"]
    assert bool((output == output[0]).all())


def test_ngrams_need_texts(lab, frames, tmp_path):
    with pytest.raises(AurifyError, match=r"blend\.model = ngrams needs texts"):
        aurify.fit(frames["classify"], "y", blend="ngrams", out=tmp_path / "r")


def test_trees_may_stand_beside_a_network_of_texts(lab, frames, tmp_path):
    run = fitted(frames, "trees", tmp_path)
    assert list(run.summary["members"]) == ["network", "trees"]


def test_answers_are_the_weighed_rows_times_the_weights(lab, recipe):
    _, final = member(lab, recipe)
    texts = lab.store(TEXT).inputs["texts"]
    ngrams = Tfidf(tuple(final.kinds), tuple(final.sizes), final.keys.numpy(), final.rarity.numpy(), final.length)
    expected = ngrams.matrix(texts).toarray().astype(np.float64) @ final.weights.double().numpy() + final.base.numpy()
    np.testing.assert_allclose(final({"texts": texts.ragged})["output"].numpy(), expected, atol=1e-9)
