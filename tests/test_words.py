"""What aurify says: every sentence is in the catalogue of each language; a user's own words are never translated."""

import ast
import copy
import json
from pathlib import Path
from string import Formatter

import numpy as np
import polars as pl
import pytest
import yaml

import aurify
from aurify import catalog
from aurify.core import words
from aurify.core.errors import listing
from aurify.core.recipe import Source
from aurify.core.words import CATALOGUE, LANGUAGES, PLAIN, Said, in_a_row, keep, listed, plainly, recall, said, say
from aurify.data.tables import read_table, say_left_out
from aurify.measure.clusters import clusters_of
from aurify.measure.intervals import score_table
from aurify.measure.predictions import Predictions
from aurify.measure.verdict import sentence

PACKAGE = Path(aurify.__file__).parent
OTHERS = sorted(LANGUAGES.keys() - {"en"})
HOSTILE = ["{0}", "{x.__class__}", "{", "{{}}", "%s", "</script>", "a\nb", "it's", "", "accuracy", "Contents"]

pytestmark = pytest.mark.parametrize("language", OTHERS)


def calls():
    """Every call of ``said`` in the package, and where it is."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            if name == "said":
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def literal(call):
    return call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None


def fields(template):
    """The placeholders of a template: name, conversion and how they are written."""
    return {(name, conversion, form) for _, name, form, conversion in Formatter().parse(template) if name is not None}


def entries(language):
    """Every pair of templates as the files have them, also where a key is there twice."""
    for path in sorted((CATALOGUE / language).glob("*.yaml")):
        node = yaml.compose(path.read_text(encoding="utf-8"))
        for key, value in node.value:
            assert key.tag == value.tag == "tag:yaml.org,2002:str", f"{path.name}: {key.value} is not a text"
            yield key.value, value.value


def expected():
    """What can be said: the templates in the code, and the idea of every part."""
    ideas = {part.idea() for parts in catalog.load().parts.values() for part in parts.values()}
    return ideas | {literal(call) for _, call in calls()}


def test_every_template_is_a_literal_with_the_values_it_names(language):
    for place, call in calls():
        assert isinstance(literal(call), str), f"{place}: the catalogue cannot be checked for what is no literal"
        given = {keyword.arg for keyword in call.keywords}
        assert {name for name, _, _ in fields(literal(call))} == given, place


def test_every_template_is_one_that_is_read_back_from_a_file(language):
    said = {literal(call) for _, call in calls() if call.keywords} | {value for _, value in entries(language)}
    assert [template for template in sorted(said) if not PLAIN.fullmatch(template)] == []


def test_every_sentence_is_in_the_catalogue_and_nothing_else_is(language):
    known = [key for key, _ in entries(language)]
    assert sorted({key for key in known if known.count(key) > 1}) == []
    assert sorted(expected() - set(known)) == []
    assert sorted(set(known) - expected()) == []


def test_translations_have_the_placeholders_of_the_english(language):
    assert [key for key, value in entries(language) if value != value.strip() or not value] == []
    for key, value in entries(language):
        assert fields(value) == fields(key), key


def samples():
    for hostile in HOSTILE:
        yield said("column {column!r}: {what}", column=hostile, what=said("taken {pairs}", pairs=hostile))
        yield said("{name}: columns without a name are called {names}", name=hostile, names=listing([hostile] * 9))
        yield Said(hostile, {})
    yield said("{rows:,} rows of {name} have no target and are left out", rows=12345, name=said("the data"))
    yield in_a_row([said("accuracy"), listed([said("recall"), "recall", said("F1")]), listed(["b", "c"], "or")])


def test_texts_survive_json_and_copies_in_every_language(language):
    for text in samples():
        for other in (Said.from_plain(json.loads(json.dumps(text.plain()))), copy.deepcopy(text)):
            assert (other, say(other, language)) == (text, say(text, language))


def test_a_document_is_plain_texts_with_what_they_are_made_of_beside_them(language):
    text = next(samples())
    document = {"a": text, "b": [{"c": text, "d": 1.5}], "user": {"e": "accuracy", "f": None}}
    plain = json.loads(json.dumps(keep(document)))
    assert plain["a"] == plain["b"][0]["c"] == text
    assert plain["user"] == document["user"]
    again = recall(plain)
    assert again == document
    assert say(again["b"][0]["c"], language) == say(text, language)
    assert not isinstance(again["user"]["e"], Said)


@pytest.mark.parametrize("own", HOSTILE)
def test_users_own_texts_stay_as_they_are(own, language):
    assert say(own, language) == own
    assert say(Said.from_plain(plainly(own)), language) == own
    note = said("{name}: quotes are taken as plain characters", name=own)
    assert say(note, language).startswith(own)
    assert note == f"{own}: quotes are taken as plain characters"
    assert repr(own) in say(said("column {column!r} is left out: {reason}", column=own, reason="x"), language)


def test_findings_of_a_table_are_said_whole(language):
    """A column called as one of our words, and values that look like templates, come through as they are."""
    numbers = np.arange(300)
    frame = pl.DataFrame(
        {
            "accuracy": numbers,
            "{x}": ["same"] * 300,
            "Contents": [f"{n % 28 + 1}/3/2024" for n in range(299)] + ["{0}"],
            "paid": [f"{n},000" for n in range(1, 301)],
            "y": [None, *(numbers[1:] % 2)],
        }
    )
    read = read_table(Source.make({"target": "y"}), frame, "auto", "random")
    notes = [*read.notes, *say_left_out(read.store.schema)]
    assert len(notes) >= 4
    for note in notes:
        assert isinstance(note, Said)
        chinese = say(note, language)
        assert not chinese.isascii()
        assert [name for name in frame.columns if repr(name) in note] == [
            name for name in frame.columns if repr(name) in chinese
        ]
    assert any("'{0}'" in say(note, language) for note in notes)


def test_verdict_and_intervals_have_no_english_left(language):
    generator = np.random.default_rng(5)
    target = (generator.random(400) < 0.4).astype(int)
    good = np.clip(0.6 * target + 0.4 * generator.random(400), 0.01, 0.99)
    odds = {"network": good, "linear": generator.random(400), "boosting": good, "majority": np.full(400, 0.4)}
    sets = {
        name: Predictions(
            row=np.arange(400),
            target=target,
            prediction=(p > 0.5).astype(np.int64),
            probabilities=np.stack([1 - p, p], 1),
            classes=("a", "b"),
        )
        for name, p in odds.items()
    }
    verdict = sentence(score_table(sets, reference="network", draws=200, seed=1))
    assert isinstance(verdict, Said)
    assert verdict.startswith("The network does not measurably beat gradient boosting (")
    for text in (verdict, clusters_of({"time": np.arange(400) % 50}, np.arange(400)).say()):
        left = say(text, language)
        for name in ("ROC AUC", "F1", "Brier"):
            left = left.replace(name, "")
        assert not any(letter.isascii() and letter.isalpha() for letter in left), left


def test_language_without_the_words_falls_back_to_english(language, monkeypatch):
    monkeypatch.setattr(words, "catalogue", lambda language: {})
    assert say(said("accuracy"), language) == "accuracy"
