"""Augmentation of texts does what it says, to the tokens of its own rows and to nothing else."""

import json
import sys
import types
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from small import same

from aurify.blocks import token_edits
from aurify.blocks.token_mean import TokenMean
from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.ragged import MASK, SEPARATOR, UNKNOWN, from_sequences
from aurify.core.types import Batch, Blend, Input
from aurify.data import prepare
from aurify.data.characters import SPECIAL
from aurify.data.edited import TokenEdit
from aurify.data.synonyms import near, read_groups, table_of
from aurify.data.token_kinds import TokenKinds
from aurify.data.translating import models_of, share_of
from aurify.study.trainings import Wanted
from aurify.techniques.back_translation import BackTranslation
from aurify.techniques.synonyms import RandomInsertion, SynonymReplacement
from aurify.techniques.token_edits import RandomDeletion, RandomSwap, SentenceShuffle, SpanMasking, TokenDropout
from aurify.training import fit as loop

WORDS = (*SPECIAL, ".", "!", "”", "3", *(f"w{at}" for at in range(92)))
FULL = [
    RandomDeletion(rate=0.3),
    RandomSwap(rate=0.5),
    RandomInsertion(rate=0.3),
    RandomInsertion(rate=0.3, synonyms="near", likeness=-1.0),
    SynonymReplacement(rate=0.3, likeness=-1.0),
    SentenceShuffle(rate=1.0),
    SpanMasking(rate=0.3),
    TokenDropout(rate=0.3),
]
EVERY = pytest.mark.parametrize("technique", FULL, ids=lambda t: f"{t.name()}-{getattr(t, 'synonyms', '')}")


def given(words=WORDS):
    return Input("tokens", (-1,), ("said",), (len(words),), TokenMean, words)


def run_of(words=WORDS, step=0, seed=0, model=None):
    """A run as far as ``on_batch`` looks at it."""
    made = {}

    def once(key, make):
        return made[key] if key in made else made.setdefault(key, make())

    signature = SimpleNamespace(inputs={"tokens": given(words)})
    run = SimpleNamespace(problem=SimpleNamespace(signature=signature), once=once, step=step, members=1)
    run.random = lambda stream: rng.generator(seed, stream, run.step)
    run.model = model or TokenMean(given(words))
    return run


def batch_of(ids, **more):
    rows = len(ids)
    return Batch({"tokens": ids, "numbers": torch.ones(rows, 2)}, torch.zeros(rows), torch.arange(rows), **more)


def rows_of(lengths, separators=True, width=None):
    """Rows of some lengths, of words drawn with a fixed seed, with a separator in the middle of the long ones."""
    random = torch.Generator().manual_seed(5)
    rows = [torch.randint(4, len(WORDS), (n,), generator=random) for n in lengths]
    for row in rows if separators else ():
        if len(row) > 2:
            row[len(row) // 2] = SEPARATOR
    return from_sequences([row.tolist() for row in rows]).padded(width)


def after(technique, ids, **changes):
    return technique.on_batch(batch_of(ids), run_of(**changes)).inputs["tokens"]


def lengths(ids):
    return (ids != 0).sum(1)


@EVERY
def test_padding_separators_other_inputs_and_partners_are_left_alone(technique):
    ids = rows_of([1, 2, 3, 9, 17, 24, 24])
    partner = Blend({"tokens": ids.flip(0), "numbers": torch.zeros(7, 2)}, torch.full((7,), 0.5))
    before = batch_of(ids.clone(), blend=partner)
    run = run_of()
    for run.step in range(20):
        batch = technique.on_batch(before, run)
        changed = batch.inputs["tokens"]
        assert torch.equal(before.inputs["tokens"], ids), "changed in place"
        assert batch.blend is partner
        assert torch.equal(partner.inputs["tokens"], ids.flip(0))
        assert torch.equal(batch.inputs["numbers"], before.inputs["numbers"])
        assert changed.dtype == torch.int64
        assert changed.shape == ids.shape
        assert ((changed == SEPARATOR).sum(1) == (ids == SEPARATOR).sum(1)).all()
        inside = torch.arange(24) < lengths(changed)[:, None]
        assert torch.equal(inside, changed != 0), "a hole in a row"
        assert ((changed != SEPARATOR) & inside).any(1).all(), "a row without a word"
        assert 0 <= int(changed.min()) <= int(changed.max()) < len(WORDS)


@EVERY
def test_something_changes_and_the_draw_depends_on_seed_and_step_alone(technique):
    ids = rows_of([24] * 6 + [17] * 6)
    model = TokenMean(given())
    assert not torch.equal(after(technique, ids, model=model), ids)
    assert torch.equal(after(technique, ids, model=model), after(technique, ids, model=model))
    assert not torch.equal(after(technique, ids, model=model), after(technique, ids, step=1, model=model))
    assert not torch.equal(after(technique, ids, model=model), after(technique, ids, seed=1, model=model))


@EVERY
def test_off_is_the_very_same_batch(technique):
    batch = batch_of(rows_of([5, 9]))
    assert replace(technique, rate=0.0).on_batch(batch, run_of()) is batch


@EVERY
def test_where_there_are_no_tokens_it_says_so(technique):
    run = run_of()
    run.problem.signature.inputs = {"numbers": Input("numbers", (2,), ("a", "b"))}
    with pytest.raises(AurifyError, match=f"leave it out with --without {technique.name()}"):
        technique.on_batch(batch_of(rows_of([5])), run)


@EVERY
def test_rows_of_one_token_keep_it_or_its_place(technique):
    ids = rows_of([1] * 5, separators=False)
    hard = replace(technique, rate=0.95)
    for step in range(10):
        changed = after(hard, ids, step=step)
        assert (lengths(changed) >= 1).all()
        if technique.name() in ("random_deletion", "random_swap", "sentence_shuffle", "span_masking", "token_dropout"):
            assert torch.equal(changed, ids)


@EVERY
def test_a_row_that_is_all_padding_or_separators_stays(technique):
    ids = torch.tensor([[0] * 8, [SEPARATOR, SEPARATOR] + [0] * 6, [5, 6, 7, 8, 9, 10, 11, 12]])
    for step in range(5):
        assert torch.equal(after(technique, ids, step=step)[:2], ids[:2])


@EVERY
def test_training_in_micro_batches_sees_the_same_draws(lab, technique):
    plain = {technique.name(): technique.settings()}
    recipe = lab.recipe("text", plain)
    problem = lab.problem(recipe)
    run = loop.begin(recipe, problem, torch.device("cpu"), 12)
    whole = run.techniques[0].on_batch(problem.feed.next(run), run)
    parts = [whole.part(start, start + 5) for start in range(0, len(whole), 5)]
    assert same(torch.cat([part.inputs["tokens"] for part in parts]), whole.inputs["tokens"])


def test_deletion_leaves_out_about_the_share_and_keeps_the_order():
    ids = rows_of([200] * 40, separators=False)
    changed = after(RandomDeletion(rate=0.2), ids)
    assert float(lengths(changed).float().mean() / 200) == pytest.approx(0.8, abs=0.02)
    for old, new in zip(ids.tolist(), changed.tolist(), strict=True):
        rest = iter(old)
        assert all(word in rest for word in new if word), "another order"


def test_deletion_never_takes_all_even_of_two_words():
    ids = rows_of([2] * 500, separators=False)
    left = lengths(after(RandomDeletion(rate=0.9), ids))
    assert set(left.tolist()) == {1, 2}


def test_swap_is_a_permutation_of_each_row_that_moves_about_the_share():
    ids = torch.arange(4, 104).repeat(50, 1)
    changed = token_edits.swapped(ids, torch.ones_like(ids, dtype=torch.bool), 0.3, torch.Generator().manual_seed(1))
    assert torch.equal(changed.sort(1).values, ids)
    assert float((changed != ids).float().mean()) == pytest.approx(0.3, abs=0.03)
    moved = changed != ids
    back = changed.gather(1, (changed - 4))  # exchanged twice, everything is at home
    assert torch.equal(back[moved], ids[moved])


def test_insertion_adds_about_the_share_of_the_rows_own_words_and_keeps_the_old_ones_in_order():
    ids = rows_of([100] * 50, separators=False, width=192)
    changed = after(RandomInsertion(rate=0.2), ids)
    assert float(lengths(changed).float().mean()) == pytest.approx(120, abs=2)
    for old, new in zip(ids.tolist(), changed.tolist(), strict=True):
        assert set(new) <= set(old)
        rest = iter(new)
        assert all(word in rest for word in old if word)


def test_insertion_fills_the_room_that_a_row_has_and_no_more():
    ids = rows_of([24, 22], separators=False)
    changed = after(RandomInsertion(rate=1.0), ids)
    assert torch.equal(changed[0], ids[0])
    assert lengths(changed).tolist() == [24, 24]


def test_inserted_words_are_anywhere_in_a_row_whose_room_is_small():
    ids = torch.full((2000, 12), 5)
    ids[:, 11:] = 0
    new = torch.full_like(ids, 9)
    changed = token_edits.inserted(ids, new, ids != 0, torch.Generator().manual_seed(0))
    at = (changed == 9).long().argmax(1)
    assert torch.bincount(at, minlength=12)[1:].min() > 100


def sentences(row):
    text = " ".join(WORDS[at] for at in row if at)
    return [piece.strip() for piece in text.split(".") if piece.strip()]


def test_shuffle_keeps_sentences_whole_and_each_in_its_column():
    dot = WORDS.index(".")
    one = [10, 11, dot, 12, 13, 14, dot, 15, dot]
    ids = from_sequences([[*one, SEPARATOR, 30, 31, dot, 32, dot]] * 200).padded()
    changed = after(SentenceShuffle(rate=1.0), ids)
    assert torch.equal(changed[:, len(one)], torch.full((200,), SEPARATOR))
    orders = set()
    for row in changed.tolist():
        assert sorted(sentences(row[: len(one)])) == sorted(sentences(one))
        assert sorted(sentences(row[len(one) + 1 :])) == sorted(sentences([30, 31, dot, 32, dot]))
        orders.add(tuple(row))
    assert len(orders) == 12, "six orders of three sentences times two of two"


def test_shuffle_changes_about_the_share_of_the_rows():
    dot = WORDS.index(".")
    ids = from_sequences([[at for word in range(10, 40) for at in (word, dot)]] * 1000).padded()
    changed = after(SentenceShuffle(rate=0.3), ids)
    assert float((changed != ids).any(1).float().mean()) == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("w1 . w2", ["w1 .", "w2"]),
        ("w1 . . ! w2 !", ["w1 . . !", "w2 !"]),
        ("w1 ! ” w2", ["w1 ! ”", "w2"]),
        ("3 . 3 w1", ["3 . 3 w1"]),
        ("w1 ” w2", ["w1 ” w2"]),
    ],
)
def test_sentences_end_as_they_are_written(text, pieces):
    ids = torch.tensor([[WORDS.index(word) for word in text.split()]])
    ends = TokenKinds.of(given(), torch.device("cpu")).sentence_ends(ids)[0].tolist()
    found, piece = [], []
    for word, end in zip(text.split(), ends, strict=True):
        piece.append(word)
        if end:
            found, piece = [*found, " ".join(piece)], []
    assert found + ([" ".join(piece)] if piece else []) == pieces


def test_masking_hides_about_the_share_in_spans_also_at_both_ends_of_a_row():
    ids = torch.full((3000, 60), 9)
    hidden = after(SpanMasking(rate=0.2, length=5.0), ids) == MASK
    assert float(hidden.float().mean()) == pytest.approx(0.2, abs=0.01)
    by_place = hidden.float().mean(0)
    assert float(by_place.min()) > 0.16
    starts = hidden & ~torch.cat([torch.zeros(3000, 1, dtype=torch.bool), hidden[:, :-1]], 1)
    mean = float(hidden.sum() / starts.sum())
    assert 3.5 < mean < 6.0, mean
    single = after(SpanMasking(rate=0.2, length=1.0), ids) == MASK
    starts = single & ~torch.cat([torch.zeros(3000, 1, dtype=torch.bool), single[:, :-1]], 1)
    assert float(single.sum() / starts.sum()) == pytest.approx(1.25, abs=0.03), "alone but for chance neighbours"


def test_dropout_makes_tokens_unknown_where_they_stand():
    ids = torch.full((300, 60), 9)
    changed = after(TokenDropout(rate=0.25), ids)
    assert set(changed.unique().tolist()) == {UNKNOWN, 9}
    assert float((changed == UNKNOWN).float().mean()) == pytest.approx(0.25, abs=0.02)


def test_special_ids_of_an_encoder_are_recognised_beside_ours():
    words = (*SPECIAL, "good", "[CLS]", "</s>", "bad", "##ly", "[", "<3")
    known = TokenKinds.of(given(words), torch.device("cpu"))
    assert torch.nonzero(known.special)[:, 0].tolist() == [0, SEPARATOR, MASK, 5, 6]
    ids = torch.tensor([[5, 4, 7, 4, 7, 6, 0, 0]] * 50)
    changed = after(SpanMasking(rate=0.5), ids, words=words)
    assert (changed[:, 0] == 5).all()
    assert (changed[:, 5] == 6).all()
    assert set(changed[:, 1:5].unique().tolist()) == {4, MASK, 7}


# synonyms


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_file_of_synonyms_may_be_written_in_many_ways(tmp_path, encoding):
    text = "高兴 快乐，愉快\n\n好\t不错\nalone\n大,巨大;庞大\n房间、屋子、房屋的意思差不多\n"
    (tmp_path / "s.txt").write_bytes(text.encode(encoding))
    assert read_groups(tmp_path / "s.txt") == [
        ["高兴", "快乐", "愉快"],
        ["好", "不错"],
        ["大", "巨大", "庞大"],
        ["房间", "屋子", "房屋的意思差不多"],
    ]


def test_words_of_a_file_are_replaced_by_words_of_their_line_and_no_others(tmp_path):
    (tmp_path / "s.txt").write_text("w1 w2 w3 elsewhere\nw10 w11\n", encoding="utf-8")
    technique = SynonymReplacement(rate=1.0, synonyms=str(tmp_path / "s.txt"))
    at = {word: n for n, word in enumerate(WORDS)}
    ids = torch.tensor([[at["w1"], at["w10"], at["w50"], SEPARATOR, UNKNOWN, at["."], 0, 0]] * 200)
    changed = after(technique, ids)
    assert set(changed[:, 0].tolist()) == {at["w2"], at["w3"]}
    assert set(changed[:, 1].tolist()) == {at["w11"]}
    assert torch.equal(changed[:, 2:], ids[:, 2:])
    half = after(replace(technique, rate=0.4), ids)
    assert float((half[:, 1] != ids[:, 1]).float().mean()) == pytest.approx(0.4, abs=0.1)
    more = after(RandomInsertion(rate=0.5, synonyms=str(tmp_path / "s.txt")), ids)
    assert set(more.unique().tolist()) - set(ids.unique().tolist()) == {at["w2"], at["w3"], at["w11"]}


def test_pieces_that_begin_a_word_are_replaced_by_such(tmp_path):
    words = (*SPECIAL, "▁good", "good", "▁fine", "fine", "▁Nice")
    table = table_of(words, [["good", "fine", "nice"]], each=True)
    assert set(table[4].tolist()) - {0} == {6, 8}
    assert set(table[5].tolist()) - {0} == {7}
    assert not table[:4].any()


def test_the_file_is_read_once_a_run(tmp_path):
    path = tmp_path / "s.txt"
    path.write_text("w1 w2\n", encoding="utf-8")
    technique, run = SynonymReplacement(synonyms=str(path)), run_of()
    before = technique.on_batch(batch_of(rows_of([9])), run)
    path.unlink()
    after = technique.on_batch(batch_of(rows_of([9])), run)
    assert torch.equal(before.inputs["tokens"], after.inputs["tokens"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "no line has two words"),
        (b"alone\n", "no line has two words"),
        (b"\xff\xfe\x00", "are no text"),
        (b"what ever\n", "none of its words has a synonym among"),
    ],
)
def test_a_file_of_no_use_is_one_line(tmp_path, content, words):
    path = tmp_path / "s.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AurifyError) as error:
        after(SynonymReplacement(synonyms=str(path)), rows_of([9]))
    assert words in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_wordnet_says_what_is_lacking_and_gives_its_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "nltk", None)
    with pytest.raises(AurifyError, match="pip install nltk"):
        after(SynonymReplacement(synonyms="wordnet"), rows_of([9]))
    words = (*SPECIAL, "big", "large", "huge", "房间")
    meanings = {"big": [["large", "Big", "very_big"]], "large": [["big"]]}
    corpus = types.ModuleType("nltk.corpus")
    corpus.wordnet = SimpleNamespace(
        ensure_loaded=lambda: None,
        synsets=lambda word: [SimpleNamespace(lemma_names=lambda m=m: m) for m in meanings.get(word, [])],
    )
    monkeypatch.setitem(sys.modules, "nltk", types.ModuleType("nltk"))
    monkeypatch.setitem(sys.modules, "nltk.corpus", corpus)
    ids = torch.tensor([[4, 5, 6, 7]] * 20)
    changed = after(SynonymReplacement(rate=1.0, synonyms="wordnet"), ids, words=words)
    assert changed[0].tolist() == [5, 4, 6, 7]


def test_near_words_are_those_with_the_nearest_vectors_and_never_special():
    angles = torch.tensor([0.0, 0.01, 0.02, 0.03, 0.1, 0.2, 1.5, 1.6])
    vectors = torch.stack([angles.cos(), angles.sin()], 1)
    pool = torch.tensor([7, 6, 5, 4])
    assert near(vectors, torch.tensor([4, 6, 3]), pool, 0.5).tolist() == [5, 7, 4]
    assert near(vectors, torch.tensor([4, 6]), pool[2:], 0.5).tolist() == [5, 0]
    assert near(vectors, torch.tensor([], dtype=torch.int64), pool, 0.5).shape == (0,)
    assert near(vectors, torch.tensor([4]), pool[:0], 0.5).tolist() == [0]
    model = TokenMean(given())
    for step in range(20):
        changed = after(SynonymReplacement(rate=1.0, likeness=-1.0), rows_of([24] * 4), model=model, step=step)
        assert not (set(changed.unique().tolist()) & {0, UNKNOWN, MASK}), "drawn from special ids"


def test_the_word_that_is_drawn_is_near_in_rank_on_average():
    angles = torch.arange(100) * 0.01
    model = TokenMean(given((*SPECIAL, *(f"w{at}" for at in range(96)))), 2)
    model.vectors.weight.data = torch.stack([angles.cos(), angles.sin()], 1)
    words, ids = (*SPECIAL, *(f"w{at}" for at in range(96))), torch.full((1, 8), 99)
    technique = SynonymReplacement(rate=1.0, neighbours=4, likeness=0.0)
    ranks = [99 - int(after(technique, ids, words=words, model=model, step=step)[0, 0]) for step in range(400)]
    assert sum(ranks) / len(ranks) == pytest.approx(4, abs=0.6)


def test_near_needs_a_table_of_vectors():
    with pytest.raises(AurifyError, match="no table of a vector for each token"):
        after(SynonymReplacement(), rows_of([9]), model=torch.nn.Linear(2, 2))


FILES = {
    "synonyms": lambda path: {"techniques": {"synonym_replacement": {"synonyms": path}}},
    "dictionary": lambda path: {"techniques": {"tokenize": {"by": "jieba", "dictionary": path}}},
    "vectors": lambda path: {"network": {"name": "bag", "vectors": path}},
    "translations": lambda path: {"techniques": {"back_translation": {"cache": path}}},
    "translator": lambda path: {"techniques": {"back_translation": {"function": f"{path}:translate"}}},
}


@pytest.mark.parametrize("what", FILES)
def test_studies_measure_anew_when_a_file_changed(lab, tmp_path, what):
    path = tmp_path / "s.py"
    plain = FILES[what](str(path))
    recipe = lab.recipe("text", plain.pop("techniques", {}), **plain)
    cell = SimpleNamespace(path="cell-0", seed=1)
    keys = {Wanted(recipe, cell).key}
    for content in ("a b", "a c"):
        path.write_text(content, encoding="utf-8")
        keys.add(Wanted(recipe, cell).key)
    assert len(keys) == 3


# back-translation

FUNCTION = """
calls = []

def marked(texts):
    calls.append(list(texts))
    return [text + " zz" for text in texts]

def failing(texts):
    raise RuntimeError("no network\\nat all")

def short(texts):
    return texts[1:]

def silent(texts):
    return None
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a file of functions in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.py").write_text(FUNCTION, encoding="utf-8")
    return tmp_path


def view_of(lab):
    recipe, store = lab.recipe("text"), lab.store("text")
    return prepare.view_of(store, lab.task("text").part(recipe, store).fit, 3)


def calls():
    return [text for some in sys.modules["aurify_functions.words"].calls for text in some]


def test_a_share_of_the_training_texts_is_translated_once_and_kept(lab, own):
    view = view_of(lab)
    technique = BackTranslation(function="words.py:marked", share=0.5)
    layer = technique.layer(view)
    texts, others = view.values["texts"].flat_texts(), layer.other["texts"].flat_texts()
    wanted = {text for text in texts if text.strip() and share_of(text) < 0.5}
    assert 0.3 < len(wanted) / len(set(texts)) < 0.7
    assert others == [text + " zz" if text in wanted else text for text in texts]
    assert sorted(calls()) == sorted(wanted)
    kept = [json.loads(line) for line in (own / "translations.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["text"]: line["translation"] for line in kept} == {text: text + " zz" for text in wanted}
    assert all(set(line) == {"hash", "text", "translation"} for line in kept)
    again = technique.layer(replace(view, seed=99))
    assert calls() == [], "the file was loaded anew, and nothing asked of it"
    assert again.other["texts"].flat_texts() == others
    alone = BackTranslation(cache="translations.jsonl").layer(view)
    assert alone.other["texts"].flat_texts() == others


def test_translations_are_seen_in_some_steps_by_the_rows_they_are_of(lab, own):
    recipe = lab.recipe("text", {"back_translation": {"function": "words.py:marked", "share": 1.0, "rate": 0.4}})
    problem = lab.problem(recipe)
    run = loop.begin(recipe, problem, torch.device("cpu"), 12)
    seen = []
    for _ in range(20):
        batch = problem.feed.next(run)
        changed = run.techniques[0].on_batch(batch, run)
        own_lengths, other = lengths(batch.inputs["tokens"]), lengths(batch.other["tokens"])
        longer = lengths(changed.inputs["tokens"]) - own_lengths
        said = batch.inputs["tokens"][:, 0] != UNKNOWN
        assert torch.equal(other[said] - own_lengths[said], torch.full_like(other[said], 3))
        assert set(longer[said].tolist()) <= {0, 3}
        assert torch.equal(changed.inputs["numbers"], batch.inputs["numbers"])
        seen.append((longer[said] > 0).float())
        run.step += 1
    assert float(torch.cat(seen).mean()) == pytest.approx(0.4, abs=0.06)


def test_nothing_is_fitted_on_translations_and_the_model_needs_no_function(lab, own):
    off = lab.problem(lab.recipe("text"))
    recipe = lab.recipe("text", {"back_translation": {"function": "words.py:marked", "share": 1.0}})
    fitted = lab.fit(recipe)
    assert fitted.problem.signature.inputs["tokens"].vocabulary == off.signature.inputs["tokens"].vocabulary
    assert all(layer.own is None and layer.other is None for layer in fitted.problem.layers)
    lab.bundle(fitted).save(own / "model.aurify", lab.catalog)
    for name in ("words.py", "translations.jsonl"):
        (own / name).unlink()
    loaded = type(lab.bundle(fitted)).load(own / "model.aurify", lab.catalog, torch.device("cpu"))
    rows = lab.frames["text"].head(20)
    assert loaded.predict(rows).equals(lab.bundle(fitted).predict(rows))
    assert b" zz" not in (own / "model.aurify").read_bytes()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("words.py:failing", "words.py:failing failed: RuntimeError: no network at all"),
        ("words.py:short", "for 64; needed is one for each"),
        ("words.py:silent", "returned no list of texts"),
        ("words.py:absent", "there is no function 'absent' in words.py"),
        ("nowhere.py:marked", "there is no file nowhere.py"),
        ("no_such_module:marked", "ModuleNotFoundError"),
        ("marked", "write module:function or file.py:function"),
    ],
)
def test_a_function_that_fails_is_one_line_and_the_cache_stays(lab, own, function, words):
    before = json.dumps({"text": "kept", "translation": "as it was"})
    (own / "translations.jsonl").write_text(before, encoding="utf-8")
    with pytest.raises(AurifyError) as error:
        BackTranslation(function=function, share=1.0).layer(view_of(lab))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert (own / "translations.jsonl").read_text(encoding="utf-8") == before


def test_what_was_done_before_a_failure_is_kept_and_not_asked_again(lab, own):
    breaking = "\n\ndef breaking(texts):\n    assert len(calls) < 1\n    return marked(texts)\n"
    (own / "words.py").write_text(FUNCTION + breaking, encoding="utf-8")
    with pytest.raises(AurifyError, match="64 translations are kept in"):
        BackTranslation(function="words.py:breaking", share=1.0).layer(view_of(lab))
    first = calls()
    with (own / "translations.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"hash": "cut sho')
    BackTranslation(function="words:marked", share=1.0).layer(view_of(lab))  # a module beside, by its name
    assert len(first) == 64
    assert not set(first) & set(calls())
    before = (own / "translations.jsonl").read_bytes()
    BackTranslation(function="words.py:failing", share=1.0).layer(view_of(lab))  # all is known: it is not asked
    assert (own / "translations.jsonl").read_bytes() == before


@pytest.mark.slow
def test_two_models_translate_there_and_back_the_same_each_time(own):
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = ["<pad>", "</s>", "<unk>", "good", "bad", "room"]
    plain = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>")
    )
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=plain, **names).save_pretrained(own / "tiny")
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": len(words)}
    config = transformers.T5Config(**sizes, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
    with rng.seeded(0, "tiny"):
        transformers.T5ForConditionalGeneration(config).save_pretrained(own / "tiny")
    translate = models_of(("tiny", "tiny"))
    texts = ["good room", "bad", "room room good"] * 4
    made = translate(texts)
    assert len(made) == 12
    assert made == translate(texts)
    assert made[:3] == made[3:6]
    with pytest.raises(AurifyError, match="translation model 'nowhere/at-all' cannot be loaded"):
        models_of(("nowhere/at-all", "tiny"))


def test_settings_that_cannot_be_are_one_line(lab, own):
    view = view_of(lab)
    with pytest.raises(AurifyError, match="there is no such file"):
        BackTranslation(cache="elsewhere.jsonl").layer(view)
    assert "nothing to translate with: name one" in BackTranslation().idle
    assert not BackTranslation(function="words.py:marked").idle
    assert not BackTranslation(share=0.0).idle
    with pytest.raises(AurifyError, match="name one of the two"):
        BackTranslation(function="words.py:marked", models=("a", "b")).layer(view)
    with pytest.raises(AurifyError, match="name two"):
        BackTranslation(models=("a",)).layer(view)
    (own / "translations.jsonl").write_text('{"text": 3}\n', encoding="utf-8")
    with pytest.raises(AurifyError, match="line 1: text and translation are not there"):
        BackTranslation().layer(view)
    assert BackTranslation(cache="absent.jsonl", share=0.0).layer(view) is None


def test_other_words_are_of_the_rows_that_are_left_after_rows_were_chosen(lab, own):
    """Copies that were dropped shift positions: each row keeps the translation of its own text."""
    plain = {"back_translation": {"function": "words.py:marked", "share": 1.0}, "drop_duplicates": {}}
    problem = lab.problem(lab.recipe("text", plain))
    run = SimpleNamespace()
    for _ in range(problem.feed.steps_per_epoch):
        batch = problem.feed.next(run)
        own_ids, other = batch.inputs["tokens"], batch.other["tokens"]
        said = own_ids[:, 0] != UNKNOWN
        width = min(own_ids.shape[1], other.shape[1])
        inside = (own_ids != 0)[:, :width] & said[:, None]
        assert torch.equal(own_ids[:, :width][inside], other[:, :width][inside])


# all together


def test_mixup_of_texts_blends_what_they_became(lab):
    recipe = lab.recipe("text", {"mixup": {"alpha": 1.0}, "random_deletion": {"rate": 0.3}})
    problem = lab.problem(recipe)
    run = loop.begin(recipe, problem, torch.device("cpu"), 12)
    batch = problem.feed.next(run)
    for technique in run.techniques:
        batch = technique.on_batch(batch, run)
    enter, share = run.model.enter, batch.blend.share[:, None]
    blended = share * enter(batch.inputs) + (1 - share) * enter(batch.blend.inputs)
    torch.testing.assert_close(enter(batch.inputs, batch.blend), blended)
    assert torch.allclose(batch.target.sum(1), torch.ones(len(batch)))


@pytest.mark.parametrize("name", sorted({technique.name() for technique in FULL}))
def test_a_network_learns_from_changed_texts(lab, name):
    """It gets clearly below the shares of the classes; whether it gains is for the ledger to say."""
    steps = {"budget": {"steps": 200, "validate_every": 40}, "network": {"name": "mlp", "width": 16, "depth": 1}}
    settings = {name: {}, "encode_categories": {}, "fill_missing": {}, "scale_numbers": {}}
    fitted = lab.fit(lab.recipe("text", settings, **steps))
    assert min(entry["log_loss"] for entry in fitted.run.log) < 0.95 * 1.0986


def test_an_edit_of_one_input_of_tokens_leaves_the_generator_to_it_alone():
    ids = rows_of([9, 9])
    seen = []

    class One(TokenEdit):
        def edit(self, tokens):
            seen.append(token_edits.draws((2,), tokens.random, ids.device).tolist())
            return tokens.ids

    class Two(One):
        pass

    for technique in (One, One, Two):
        technique(rate=1.0).on_batch(batch_of(ids), run_of())
    assert seen[0] == seen[1] != seen[2]
