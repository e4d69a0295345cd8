"""Texts become ids of a vocabulary: which words there are, who may add to it, and that each text is cut by itself."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
import torch

from aurify.core.errors import AurifyError
from aurify.core.ragged import UNKNOWN, from_texts
from aurify.core.types import Input, View
from aurify.data import jieba_words, segmenting
from aurify.data.characters import SPECIAL, Characters
from aurify.data.segmenting import Segmenter
from aurify.data.vocabulary import kept, recalled
from aurify.ship.bundle import Bundle
from aurify.techniques.tokens import Tokenize, WordTokens, suited

WAYS = ("auto", "characters", "words", "jieba", "bpe", "unigram")
ENGLISH = ["the room was good", "The room was bad!", "good good food, bad view", "don't go there", "a 2nd-hand room"]
CHINESE = ["房间很干净，服务也不错。", "手机屏幕坏了，客服不理人！", "这本书很好看", "房间不好，服务差", "很好，很满意"]
HOSTILE = [
    "",
    " \n\t",
    "\x00\x00a",
    "\ud800 half \udfff",
    "👩‍👩‍👧 👍🏽",
    "שלום עולם مرحبا",
    "<mask> <pad> <unknown>",
    "नमस्ते",
    "a" * 5_000,
]


def view(texts, columns=1):
    rows = len(texts) // columns
    names = tuple(f"text {k}" for k in range(columns))
    inputs = {"texts": Input("texts", (columns, -1), names)}
    return View(inputs, {"texts": from_texts(texts, columns)}, torch.zeros(rows), None, 0, torch.ones(rows).double())


def fitted(texts, columns=1, **settings):
    rows = view(texts, columns)
    layer = Tokenize(**settings).layer(rows)
    return layer, layer.inputs(rows.inputs)["tokens"].vocabulary


def ids(layer, texts, columns=1):
    tokens = layer({"texts": from_texts(texts, columns)})["tokens"]
    return [tokens[torch.tensor([row])].values.tolist() for row in range(len(tokens))]


def said(layer, vocabulary, text):
    return [vocabulary[at] for at in ids(layer, [text])[0]]


def test_characters_are_those_of_the_bare_conversion():
    rows = view(CHINESE + ENGLISH + HOSTILE)
    bare, layer = Characters.fit(rows), Tokenize.make({**Tokenize.neutral}).layer(rows)
    assert type(layer) is Characters
    assert torch.equal(layer.points, bare.points)
    assert layer.length == bare.length
    lower, vocabulary = fitted(["Ab", "aB"], by="characters", least=2, lower=True)
    assert said(lower, vocabulary, "ABBA") == ["a", "b", "b", "a"]


def test_words_are_letters_with_their_marks_and_every_other_sign():
    layer, vocabulary = fitted(["Don't stop, Zürich 2024! नमस्ते 很好 👍🏽 e\u0301a"], by="words", least=1)
    text = "Don't stop, Zürich 2024! नमस्ते 很好 👍 e\u0301a"
    assert said(layer, vocabulary, text) == [
        *("Don't", "stop", ",", "Zürich", "2024", "!", "नमस्ते", "很", "好", "👍", "e\u0301a")
    ]


def test_the_vocabulary_holds_the_most_frequent_words_and_each_counts_once_it_is_there_often_enough():
    _, vocabulary = fitted(["b a", "b c", "b a d"], by="words", least=2)
    assert vocabulary == (*SPECIAL, "b", "a")
    _, vocabulary = fitted(["b a", "b c", "b a d"], by="words", least=1, size=7)
    assert vocabulary == (*SPECIAL, "b", "a", "c")


def test_a_pattern_of_the_users_says_what_a_word_is():
    layer, vocabulary = fitted(["#good #bad plain"], by="words", least=1, pattern=r"#(\w+)")
    assert said(layer, vocabulary, "#bad plain #good") == ["#bad", "#good"]
    with pytest.raises(AurifyError, match=r"tokenize\.pattern = '\(' is not a regular expression"):
        fitted(["a"], by="words", pattern="(")


def test_jieba_finds_chinese_words_and_leaves_blanks_out():
    layer, vocabulary = fitted(["房间 很干净", "房间 不错"], by="jieba", least=1)
    assert said(layer, vocabulary, "房间\n不错") == ["房间", "不错"]


def test_a_dictionary_of_the_users_changes_the_words_and_is_not_needed_later(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("很干净服务 1000 n\n\n理人客\n", encoding="utf-8-sig")
    plain, _ = fitted(["房间很干净服务好"], by="jieba", least=1)
    own, vocabulary = fitted(["房间很干净服务好"], by="jieba", least=1, dictionary=str(file))
    assert "很干净服务" in vocabulary
    assert len(ids(own, ["房间很干净服务好"])[0]) < len(ids(plain, ["房间很干净服务好"])[0])
    file.unlink()
    again = WordTokens(**json.loads(json.dumps(own.config)), **{k: v.clone() for k, v in own.tensors().items()})
    assert said(again, vocabulary, "很干净服务好") == ["很干净服务", "好"]


@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "cannot be read"), (b"\xff\xfe\xff", "is not UTF-8"), ("好词 0".encode(), "line 1 of .* a count of 0")],
)
def test_a_dictionary_that_cannot_be_used_is_said_in_a_line(tmp_path, data, words):
    file = tmp_path / "words.txt"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(AurifyError, match=words) as error:
        fitted(CHINESE, by="jieba", dictionary=str(file))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("by", WAYS)
def test_a_text_is_cut_the_same_alone_and_among_others(by):
    layer, vocabulary = fitted(CHINESE * 3 + ENGLISH * 2, by=by, least=1)
    texts = [*CHINESE, *HOSTILE, *ENGLISH, "从未见过的词 unseen"]
    together = ids(layer, texts)
    assert together == [ids(layer, [text])[0] for text in texts]
    assert all(row and min(row) > 0 and max(row) < len(vocabulary) for row in together)
    assert together[texts.index("")] == [UNKNOWN]


@pytest.mark.parametrize("by", WAYS)
def test_columns_stand_side_by_side_with_a_separator_and_nothing_is_kept_beyond_the_length(by):
    layer, vocabulary = fitted(["good 很好", "bad 不好", "", "good 很好"], columns=2, by=by, least=1, length=6)
    rows = ids(layer, ["good 很好", "bad 不好", "", ""], columns=2)
    assert all(len(row) <= 6 for row in rows)
    assert [vocabulary[at] for at in rows[1]] == ["<separator>"]


@pytest.mark.parametrize("by", WAYS)
def test_texts_of_nothing_and_of_strange_signs_can_be_learnt_from(by):
    for texts in ([""], ["", " "], HOSTILE):
        layer, vocabulary = fitted(texts, by=by)
        assert vocabulary[: len(SPECIAL)] == SPECIAL
        assert all(0 < at < len(vocabulary) for row in ids(layer, HOSTILE + CHINESE) for at in row)


@pytest.mark.parametrize("by", [way for way in WAYS if way != "auto"])
@pytest.mark.parametrize(
    "text", ["好" * 1_000_000, "\u9fa6" * 1_000_000, "word " * 200_000], ids=["han", "rare", "words"]
)
def test_a_megabyte_of_text_takes_no_longer_than_what_is_kept_of_it(by, text):
    layer, _ = fitted([*CHINESE, text[:100]], by=by, least=1)
    assert len(ids(layer, [text])[0]) <= layer.length


@pytest.mark.parametrize("by", ["bpe", "unigram"])
def test_pieces_make_up_words_that_training_lacks_and_are_no_special_words(by):
    layer, vocabulary = fitted(["lowest newest widest", "low new wide slow"] * 20, by=by, size=40)
    assert len(vocabulary) <= 40
    assert "".join(said(layer, vocabulary, "slowest")) == "▁slowest"
    assert "<mask>" not in said(layer, vocabulary, "<mask>")
    lower, vocabulary = fitted(["lowest newest widest"] * 9, by=by, size=40, lower=True)
    assert "".join(said(lower, vocabulary, "NEWEST")) == "▁newest"


LEARN = """
import hashlib, sys
from aurify.data.subwords import learnt
words = "the of room was good bad view 房间 很好 服务 不错 lovely broken arrived".split()
texts = [" ".join(words[(k * 7 + j * j) % len(words)] for j in range(k % 13)) for k in range(400)]
print(hashlib.sha256(learnt(texts, sys.argv[1], 120, 1).encode()).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("by", ["bpe", "unigram"])
def test_the_same_texts_give_the_same_pieces_in_every_process_with_any_number_of_threads(by):
    found = {
        subprocess.run(
            [sys.executable, "-c", LEARN, by],
            env={**os.environ, "RAYON_NUM_THREADS": threads, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "3")
    }
    assert len(found) == 1
    assert len(found.pop().strip()) == hashlib.sha256().digest_size * 2


def test_auto_goes_by_the_script_of_the_training_rows():
    def by(*texts):
        return suited(from_texts(texts).values)

    assert by("房间 iPhone 很好") == by(*CHINESE) == "jieba"
    assert by(*ENGLISH) == by("Привет мир") == by("안녕하세요 세계") == by("") == by("12 !") == "words"
    assert by("ホテルはとても綺麗でした") == by("สวัสดีครับ") == "characters"


@pytest.mark.slow
def test_many_texts_on_several_cores_are_cut_as_one_core_cuts_them(monkeypatch):
    texts = [f"{a}{at}{b}\ud800" for at in range(40) for a in CHINESE for b in CHINESE]
    one, several = Segmenter((("服务差", 900),), True), Segmenter((("服务差", 900),), True)
    alone = one(texts)
    monkeypatch.setattr(segmenting, "MANY_CHARACTERS", 1)
    monkeypatch.setattr(segmenting, "BATCH_CHARACTERS", 5_000)
    monkeypatch.setenv("AURIFY_CORES", "2")
    monkeypatch.setattr(several, "_here", None)  # all of it is done elsewhere
    together = several(texts)
    assert [together.words[at] for at in together.places.values] == [alone.words[at] for at in alone.places.values]
    assert torch.equal(together.places.ends, alone.places.ends)
    assert "服务差" in together.words


def test_a_process_that_fails_costs_time_alone(monkeypatch, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("print('no answer'); raise SystemExit(3)")
    monkeypatch.setattr(jieba_words, "__file__", str(broken))
    monkeypatch.setattr(segmenting, "MANY_CHARACTERS", 1)
    monkeypatch.setattr(segmenting, "BATCH_CHARACTERS", 10)
    monkeypatch.setenv("AURIFY_CORES", "2")
    cut = Segmenter((), True)(CHINESE)
    assert "房间" in cut.words


def test_a_text_is_cut_once_and_what_is_remembered_has_a_limit(monkeypatch):
    cutter, asked = Segmenter((), True), []
    here = cutter._here
    monkeypatch.setattr(cutter, "_here", lambda texts: asked.extend(texts) or here(texts))
    first = cutter(CHINESE)
    again = cutter([*CHINESE[::-1], CHINESE[0]])
    assert asked == CHINESE
    assert [first.words[at] for at in first.places[torch.tensor([0])].values] == [
        again.words[at] for at in again.places[torch.tensor([5])].values
    ]
    monkeypatch.setattr(segmenting, "MOST_BYTES", 0)
    cutter(CHINESE[:1])
    assert asked == [*CHINESE, CHINESE[0]]
    assert [first.words[at] for at in first.places.values[:3]] == ["房间", "很", "干净"]


def test_jieba_keeps_no_file_and_reads_none_of_those_that_lie_about(monkeypatch, tmp_path):
    (tmp_path / "jieba.cache").write_bytes(b"anybody's bytes")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "房间" in Segmenter((), False)(CHINESE).words
    assert [file.name for file in tmp_path.iterdir()] == ["jieba.cache"]
    assert (tmp_path / "jieba.cache").read_bytes() == b"anybody's bytes"


@pytest.mark.parametrize(("by", "package"), [("jieba", "jieba"), ("bpe", "tokenizers"), ("unigram", "tokenizers")])
def test_a_package_that_is_absent_is_asked_for_in_a_line(monkeypatch, by, package):
    monkeypatch.setitem(sys.modules, package, None)
    segmenting.segmenter.cache_clear()
    with pytest.raises(AurifyError, match=rf"needs {package}, which is not installed: pip install 'aurify\[text\]'"):
        fitted(CHINESE, by=by)


def test_words_are_kept_as_bytes_whatever_they_hold():
    words = ["\ud800", "\x00", "好", '"', "\n"]
    assert kept(words).dtype == torch.uint8
    assert recalled(kept(words)) == words


def test_a_saved_model_cuts_with_the_users_words_when_their_file_is_gone(lab, tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("房间好 900\n", encoding="utf-8")
    settings = {"by": "jieba", "least": 1, "dictionary": str(file)}
    bundle = lab.bundle(lab.fit(lab.recipe("text", {"tokenize": settings}, budget={"steps": 2})))
    bundle.save(tmp_path / "model.aurify", lab.catalog)
    file.unlink()
    again = Bundle.load(tmp_path / "model.aurify", lab.catalog, torch.device("cpu"))
    assert again.predict(lab.frames["text"]).equals(bundle.predict(lab.frames["text"]))
    layer = next(layer for layer in again.members[0].layers if isinstance(layer, WordTokens))
    cut = layer._cut(["房间好"], 1)
    assert [cut.words[at] for at in cut.places.values] == ["房间好"]
