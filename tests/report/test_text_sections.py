"""What is said of texts: pieces that are whole, effects that mean what they say, planted facts found, tests unseen."""

import itertools
import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.words import LANGUAGES, say
from aurify.data.packed import Packed
from aurify.measure.contributions import contributions
from aurify.measure.explain import importance
from aurify.measure.occlusion import MOST_CHARACTERS, MOST_PIECES, occlusion
from aurify.measure.pace import affordable
from aurify.measure.pieces import grouped, shortened, spans, visible, words
from aurify.measure.places import LengthPlace, TextPlace, every_place, lengths_of, texts_of
from aurify.measure.predictions import Predictions
from aurify.measure.slices import worst_slices
from aurify.measure.text_shapes import lengths, telling_words
from aurify.report import marked as room
from aurify.report.marked import marked
from aurify.report.section import Card, Figure, Folded, Marked, Paragraph, Rows, sections
from aurify.report.sections.texts import measure_texts
from aurify.tasks.text import Text
from aurify.testing.tables import small_frame
from aurify.workbench.record import record

HOSTILE = "<script>a</script> it's \u202e\x00\ufeff 👨‍👩‍👧 नमस्ते مرحبا 3.5分 很好！！ \n\t x" + "e\u0301" * 3
ROWS = 200


def store_of(catalog, frame):
    plain = {"task": {"name": "text"}, "source": {"target": "y", "text": ["t"]}}
    recipe = catalog.recipe({**plain, "network": {"name": "mlp"}, "optimizer": {"name": "adamw"}, "techniques": {}})
    assert isinstance(recipe.task, Text)
    return recipe.task.read(recipe.source, frame, "random").store


class Counting:
    """A model that goes by how often a text says ``good``, and by a number."""

    def __init__(self, catalog, seed=0, weight=2.0):
        random = np.random.default_rng(seed)
        texts = [" ".join(random.choice(["good", "room", "很", "的"], random.integers(1, 12))) for _ in range(ROWS)]
        self.weight, number = weight, random.normal(size=ROWS)
        score = np.array([t.count("good") for t in texts]) - 2 + number
        labels = np.where(score + random.normal(0, 0.5, ROWS) > 0, "yes", "no")
        self.store = store_of(catalog, pl.DataFrame({"t": texts, "n": number, "y": labels}))
        self.inputs = dict(self.store.inputs)
        self.asked = 0
        told = self.respond(self.inputs, np.arange(ROWS))
        self.predictions = Predictions(
            row=np.arange(ROWS),
            target=np.asarray(self.store.target),
            prediction=told.argmax(1),
            probabilities=told,
            classes=self.store.schema.classes,
        )

    def respond(self, inputs, at):
        self.asked += len(at)
        count = np.array([text.count("good") for text in inputs["texts"].column(0)])
        chance = 1 / (1 + np.exp(-(self.weight * (count - 2) + inputs["numbers"][:, 0])))
        return np.column_stack([1 - chance, chance])


@pytest.fixture(scope="module")
def model(catalog):
    return Counting(catalog)


def test_pieces_hold_every_character_that_is_seen_once():
    random = np.random.default_rng(0)
    letters = np.array(list(HOSTILE))
    for text in [HOSTILE, "", " ", "\u0301a", *("".join(random.choice(letters, 60)) for _ in range(50))]:
        found = spans(text)
        assert all(start < end for start, end in found)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))
        inside = {at for start, end in found for at in range(start, end)}
        assert {at for at, c in enumerate(text) if not c.isspace()} <= inside
        together = grouped(found, 7)
        assert len(together) <= 7
        assert not found or (together[0][0], together[-1][1]) == (found[0][0], found[-1][1])


def test_words_and_signs_that_belong_together_stay_together():
    text = "isn't well-known 3.5 👨‍👩‍👧❤️ नमस्ते e\u0301t مرحبا !!!"
    assert [text[start:end] for start, end in spans(text)] == text.split()


def test_chinese_without_a_cutter_is_cut_into_characters(monkeypatch):
    monkeypatch.setattr("aurify.measure.pieces._has_jieba", lambda: False)
    assert spans("很好ok") == [(0, 1), (1, 2), (2, 4)]
    assert words("房间很好 OK") == {"房间", "间很", "很好", "ok"}


def test_what_is_not_seen_is_named():
    shown = visible(HOSTILE + "\ud800\r\n")
    assert all(c.isprintable() or c in "\n\t\u200d" for c in shown)
    assert shown.encode()
    assert visible("很好 مرحبا 👨‍👩‍👧") == "很好 مرحبا 👨‍👩‍👧"
    assert len(shortened("x" * 10**6, 50)) == 50
    assert shortened("a\n b", 50) == "a b"


def test_a_word_has_the_effect_that_it_has(model):
    at = next(i for i, t in enumerate(model.inputs["texts"].column(0)) if t.count("good") == 2)
    found = occlusion(model.predictions, model.respond, model.inputs, texts_of(model.store.schema), [at])[0]
    sign = 1 if found["prediction"] == "yes" else -1
    for piece in found["texts"][0]["pieces"]:
        if "effect" in piece:
            assert piece["effect"] == pytest.approx(2.0 * sign if piece["text"] == "good" else 0.0, abs=1e-4)
    assert "".join(p["text"] for p in found["texts"][0]["pieces"]) == model.inputs["texts"].column(0)[at]


def test_a_long_text_is_asked_about_a_few_times_only(model):
    texts = ["good " * 5000, "", "的" * (MOST_CHARACTERS + 1)]
    inputs = {"texts": Packed.of([texts]), "numbers": np.zeros((3, 1))}
    before = model.asked
    found = occlusion(model.predictions, model.respond, inputs, texts_of(model.store.schema), [0, 1, 2])
    assert model.asked - before <= 3 * (MOST_PIECES + 1)
    more = found[0]["texts"][0]["pieces"][-1]
    assert more["more"] == len(texts[0]) - MOST_CHARACTERS
    assert found[1]["texts"][0]["pieces"] == []
    json.dumps(found, allow_nan=False)


def test_a_slow_model_is_asked_less():
    inputs = {"texts": Packed.of([["a"] * 40])}
    assert affordable(lambda given, at: np.zeros(len(at)), inputs, 4000, 4.0) == 4000

    def slow(given, at):
        import time

        time.sleep(0.001 * len(at))
        return np.zeros(len(at))

    assert affordable(slow, inputs, 4000, 0.5) in (250, 62)


def test_a_column_of_texts_is_shuffled_as_a_whole(model):
    places = every_place(model.store.schema)
    assert [type(place) for place in places if place.name == "t"] == [TextPlace]
    found = importance(model.predictions, model.respond, model.inputs, places, "log_loss", asks=4000)
    by_name = {each["column"]: each for each in found["columns"]}
    assert by_name["t"]["kind"] == "text"
    assert by_name["t"]["low"] > 0
    flat = Counting.__new__(Counting)
    flat.weight, flat.asked = 0.0, 0
    told = flat.respond(model.inputs, np.arange(ROWS))
    deaf = replace(model.predictions, probabilities=told, prediction=told.argmax(1))
    found = importance(deaf, flat.respond, model.inputs, places, "log_loss", asks=4000)
    assert {each["column"]: each["value"] for each in found["columns"]}["t"] == 0


def test_what_a_text_added_and_the_rest_sum_to_the_answer(model):
    places = every_place(model.store.schema)
    rows = {name: values[np.arange(50)] for name, values in model.inputs.items()}
    found = contributions(model.predictions, model.respond, model.inputs, places, rows)
    for row in found["rows"]:
        total = row["base"] + sum(c["contribution"] for c in row["columns"]) + row["rest"]
        assert total == pytest.approx(row["answer"], abs=1e-4)
        assert {c["column"] for c in row["columns"]} == {"t", "n"}


def test_texts_of_a_length_that_is_answered_worse_are_found(model):
    places = lengths_of(model.store.schema)
    long = model.inputs["texts"].lengths[:, 0] > 25
    told = np.where(long[:, None], 0.5, np.eye(2)[np.asarray(model.store.target)] * 0.9 + 0.05)
    ours = replace(model.predictions, probabilities=told, prediction=told.argmax(1))
    found = worst_slices(ours, model.inputs, places)
    assert found["slices"]
    assert all(c["length"] and c["column"] == "t" for each in found["slices"] for c in each["conditions"])
    assert isinstance(places[0], LengthPlace)


def test_words_that_tell_classes_apart_are_found_and_chance_is_not():
    random = np.random.default_rng(0)
    group = random.integers(0, 2, 400)
    common = ["room", "hotel", "the", "的", "3"]
    texts = [" ".join([*random.choice(common, 6), *(["awful"] if g and random.random() < 0.5 else [])]) for g in group]
    found = telling_words(texts, group, ("good", "bad"))
    told = {each["name"]: [w["word"] for w in each["words"]] for each in found}
    assert told == {"good": [], "bad": ["awful"]}
    word = next(w for each in found for w in each["words"])
    assert 0.4 < word["share"] < 0.6
    assert word["elsewhere"] == 0
    assert telling_words([], np.empty(0, dtype=np.int64), ("a", "b"))[0]["words"] == []


def test_lengths_are_counted():
    told = lengths({"all": np.array([0, 3, 3, 9]), "tested": np.array([1])})
    assert told["empty"] == {"all": 1, "tested": 0}
    assert told["quantiles"]["all"] == [0, 2.25, 3, 4.5, 9]
    assert lengths({"all": np.zeros(3, dtype=int)})["outside"] == 0


def test_test_rows_tell_nothing_of_which_words_tell_classes_apart(catalog):
    random = np.random.default_rng(0)
    group = random.integers(0, 2, ROWS)
    texts = [f"the room {at % 7} was {'awful' if bad else 'fine and swift'}, we think" for at, bad in enumerate(group)]
    store = store_of(catalog, pl.DataFrame({"t": texts, "y": np.where(group, "bad", "good")}))
    parts = {"learnt": np.arange(120), "tested": np.arange(120, ROWS)}
    before = measure_texts(store, parts["learnt"], parts)
    other = Packed.of([[*store.inputs["texts"].column(0)[:120], *["tampered"] * (ROWS - 120)]])
    tampered = np.where(np.arange(ROWS) < 120, store.target, 0)
    after = measure_texts(replace(store, inputs={"texts": other}, target=tampered), parts["learnt"], parts)
    assert before is not None
    assert after is not None
    assert after["telling"] == before["telling"]
    assert before["columns"][0]["languages"] == {"en": ROWS}
    told = {each["name"]: {w["word"] for w in each["words"]} for each in before["telling"]}
    assert told == {"bad": {"awful"}, "good": {"fine", "and", "swift"}}


def test_marks_are_as_strong_as_the_effects():
    effects = {"a": 2, "b": -2, "c": 1, "d": 0.3, "e": 0.01}
    pieces = [{"text": t, "start": 0, "effect": e, "without": 0.5} for t, e in effects.items()]
    found = marked({"texts": [{"column": "t", "pieces": [*pieces, {"text": " ", "start": 9}]}]}, of_classes=True)
    levels = next(block for block in found if isinstance(block, Marked)).pieces
    assert [level for _, level in levels] == [3, -3, 2, 1, 0, 0]
    faint = [{**piece, "effect": piece["effect"] / 1e4} for piece in pieces]
    found = marked({"texts": [{"column": "t", "pieces": faint}]}, of_classes=True)
    assert {level for block in found if isinstance(block, Marked) for _, level in block.pieces} == {0}
    assert room.FAINT > 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    small = {"budget.steps": 12, "budget.batch_size": 32, "budget.validate_every": 4, "network.width": 16}
    frame = small_frame("text").select("said", "y")
    return workbench.fit(frame, "y", text=["said"], settings=small, out=tmp_path_factory.mktemp("run") / "texts")


def test_what_a_run_shows_of_texts_is_what_its_predictions_say(run):
    evidence = json.loads(run.folder.evidence.read_text())
    frame = pl.read_parquet(run.folder.predictions)
    said = small_frame("text")["said"]
    listed = evidence["wrong_rows"]["texts"]
    assert listed
    for row in [*listed, *evidence["explained_texts"]["wrong"], *evidence["explained_texts"]["sure"]]:
        mine = frame.filter(row=row["row"])
        assert (mine["target"][0], mine["prediction"][0]) == (row["target"], row["prediction"])
        if "texts" in row:
            assert row["answer"] == pytest.approx(mine[f"p_{row['prediction']}"][0], abs=1e-4)
            assert "".join(p["text"] for p in row["texts"][0]["pieces"]) == said[row["row"]]
    assert all(row["target"] != row["prediction"] for row in listed)
    assert [row["loss"] for row in listed] == sorted((row["loss"] for row in listed), reverse=True)
    sure = [row["prediction"] for row in evidence["explained_texts"]["sure"]]
    assert set(sure[: len(set(frame["prediction"]))]) == set(frame["prediction"]), "each class has its surest"
    assert evidence["texts"]["tokens"]["vocabulary"] > 20
    assert evidence["importance"] is None, "of one column alone there is nothing to compare"


def blocks_of(blocks):
    for block in blocks:
        yield block
        if isinstance(block, (Folded, Card)):
            yield from blocks_of(block.blocks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_of_texts_is_shown_in_every_language(run, language):
    told = record(run.folder, run.catalog, language)
    for name in ("texts", "explained_texts", "wrong_rows"):
        section = next(s for s in sections() if s.name() == name)
        shown = list(blocks_of(section.show(told, told.evidence[name])))
        assert shown
        own = [block.text for block in shown if isinstance(block, Paragraph)]
        own += [block.caption for block in shown if isinstance(block, Figure)]
        assert language == "en" or all(not say(text, language).isascii() for text in own)
        for table in (block for block in shown if isinstance(block, Rows)):
            assert {len(row) for row in table.rows} == {len(table.header)}
