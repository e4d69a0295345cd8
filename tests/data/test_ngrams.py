"""N-grams are those of scikit-learn, and so are their weights; nothing depends on how rows are read together."""

import random
from collections import Counter

import numpy as np
import pytest
from scipy.sparse import hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from aurify.data import tfidf
from aurify.data.ngrams import kinds_for, ngrams_of
from aurify.data.packed import Packed
from aurify.data.tfidf import Tfidf

THEIRS = {
    "words": {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "inner": {"analyzer": "char_wb", "ngram_range": (2, 5)},
    "characters": {"analyzer": "char", "ngram_range": (1, 3)},
}
LETTERS = "aB1_ \u3001\u3002\u4e2d\u6587\u00e9  .,!-\u00c0\u00df\u0416\U0001f642 "


def texts(count=200, letters=LETTERS, seed=0):
    draw = random.Random(seed)
    return ["".join(draw.choice(letters) for _ in range(draw.randrange(40))) for _ in range(count)]


@pytest.mark.parametrize("kind", THEIRS)
def test_every_ngram_of_scikit_learn_has_one_key_and_is_there_as_often(kind):
    given = texts()
    cut, found = CountVectorizer(**THEIRS[kind]).build_analyzer(), ngrams_of(Packed.of([given]), kind)
    names = {}
    for at, text in enumerate(given):
        theirs, ours = Counter(cut(text)), Counter(found.key[found.row == at].tolist())
        assert sorted(theirs.values()) == sorted(ours.values()), text
        if len(set(theirs.values())) == 1 == len(theirs):
            names |= dict(zip(theirs, ours, strict=True))
    assert len({name for text in given for name in cut(text)}) == len(set(found.key.tolist()))
    assert len(names) == len(set(names.values()))


@pytest.mark.parametrize(
    ("kinds", "letters"), [(("words", "inner"), "abc dE, "), (("characters",), "\u4e2d\u6587\u597d\u5f88\u3002 ")]
)
def test_rows_are_as_alike_as_those_of_scikit_learn(kinds, letters):
    known, asked = texts(150, letters), texts(40, letters, seed=1)
    theirs = [TfidfVectorizer(sublinear_tf=True, min_df=2, **THEIRS[kind]).fit(known) for kind in kinds]
    ours = Tfidf.fit(Packed.of([known]), np.ones(150))
    assert ours.kinds == kinds
    first, second = (hstack([t.transform(each) for t in theirs]) for each in (known, asked))
    own_first, own_second = (ours.matrix(Packed.of([each])) for each in (known, asked))
    assert own_first.shape == first.shape
    np.testing.assert_allclose((own_first @ own_second.T).toarray(), (first @ second.T).toarray(), atol=1e-5)


def test_rows_read_a_few_at_a_time_come_out_the_same(monkeypatch):
    given = Packed.of([texts()])
    whole = Tfidf.fit(given, np.ones(200))
    expected = whole.matrix(given)
    monkeypatch.setattr(tfidf, "POINTS_AT_ONCE", 50)
    monkeypatch.setattr(tfidf, "MOST_COUNTED", 100)
    pieces = Tfidf.fit(given, np.ones(200))
    assert np.array_equal(pieces.keys, whole.keys)
    assert np.array_equal(pieces.rarity, whole.rarity)
    assert (pieces.matrix(given) != expected).nnz == 0


def test_no_ngram_reaches_into_the_next_column():
    for kind in THEIRS:
        apart = [set(ngrams_of(Packed.of([[text]]), kind).key.tolist()) for text in ("ab c", "cd ab")]
        assert set(ngrams_of(Packed.of([["ab c"], ["cd ab"]]), kind).key.tolist()) == apart[0] | apart[1]


def test_row_that_weighs_two_is_as_rare_as_two_rows():
    given = texts(30)
    twice = Tfidf.fit(Packed.of([given + given[:10]]), np.ones(40))
    weighed = Tfidf.fit(Packed.of([given]), np.where(np.arange(30) < 10, 2.0, 1.0))
    assert np.array_equal(twice.keys, weighed.keys)
    np.testing.assert_allclose(twice.rarity, weighed.rarity)


def test_vocabulary_and_texts_are_cut_where_there_is_too_much(monkeypatch):
    monkeypatch.setattr(tfidf, "MOST_NGRAMS", 7)
    monkeypatch.setattr(tfidf, "SHORTEST", 3)
    monkeypatch.setattr(tfidf, "MOST_POINTS", 600)
    given = texts(200, "abc ")
    small = Tfidf.fit(Packed.of([given]), np.ones(200))
    assert small.sizes == (7, 7)
    assert small.length == 3
    assert (small.matrix(Packed.of([given])) != small.matrix(Packed.of([[t[:3] for t in given]]))).nnz == 0


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a good room", ("words", "inner")),
        ("\u623f\u95f4\u5f88\u597d", ("characters",)),
        ("\u623f\u95f4\u5f88\u597d ok wifi", ("words", "inner", "characters")),
        ("1234 !", ("words", "inner")),
        ("", ("words", "inner")),
    ],
)
def test_kinds_follow_the_script(text, kinds):
    assert kinds_for(Packed.of([[text]])) == kinds


def test_empty_texts_alone_are_a_row_of_zeros():
    nothing = Packed.of([["", " "]])
    assert Tfidf.fit(nothing, np.ones(2)).matrix(nothing).toarray().tolist() == [[0.0], [0.0]]
