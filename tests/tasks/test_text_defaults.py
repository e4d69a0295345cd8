"""What texts get by themselves: a network and a linear model of n-grams as one, told apart in the scores."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import aurify
from aurify.data.store import Store
from aurify.tasks.text import FEWEST_EPOCHS, MOST_EPOCHS


def reviews(count, seed=0):
    random = np.random.default_rng(seed)
    good = random.integers(0, 2, count)
    words = [("dull", "poor", "weak"), ("fine", "great", "warm")]
    about = random.choice(["long", "short", "new"], count)
    texts = [f"the {random.choice(words[g])} film was {about[at]} {at}" for at, g in enumerate(good)]
    return pl.DataFrame({"text": texts, "label": np.where(good, "good", "bad")})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("texts") / "run"
    return aurify.fit(reviews(300), "label", text=["text"], out=place, inspect=False)


def test_default_learns_and_its_parts_are_measured_beside_tfidf(run):
    assert list(run.summary["members"]) == ["network", "ngrams"]
    assert list(run.summary["baselines"]) == ["majority", "tfidf"]
    assert run.summary["scores"]["accuracy"]["value"] > 0.95


def test_verdict_and_page_name_tfidf_in_plain_words(run):
    assert "a linear model of n-grams (TF-IDF)" in run.summary["verdict"]
    page = run.folder.report.read_text(encoding="utf-8")
    assert "linear model of n-grams" in page


def test_string_is_answered_as_its_row_in_a_table(run):
    new = pl.DataFrame({"text": ["a great warm film", "", "poor"]})
    answers = run.predict(new)
    assert answers["prediction"].to_list()[0] == "good"
    assert answers["prediction"].to_list()[2] == "bad"
    assert run.predict(new[2:]).equals(answers[2:])


@pytest.mark.parametrize(("rows", "epochs"), [(120, MOST_EPOCHS), (6_000, 10), (400_000, FEWEST_EPOCHS)])
def test_more_rows_are_seen_fewer_times(run, rows, epochs):
    store = Store.open(run.folder.store)
    many = replace(store, target=np.zeros(rows, dtype=np.int64))
    assert run.recipe.task.defaults(many)["budget"]["epochs"] == epochs
