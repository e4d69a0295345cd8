"""What the words of a text are: characters, words, or pieces of words, and which of them a network knows."""

# N rows, V words of the vocabulary

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.ragged import SEPARATOR, UNKNOWN, Ragged, side_by_side
from aurify.core.types import Input, Layer, View
from aurify.data import subwords
from aurify.data.characters import LONGEST, SPECIAL, Characters, with_tokens
from aurify.data.segmenting import Entries, read_dictionary, segmenter
from aurify.data.text_forms import changed
from aurify.data.vocabulary import Cut, cut_by, kept, numbered, recalled
from aurify.data.word_pattern import LONGEST_WORD, compiled, words

UNPARTED = 0.2
"""Share of Chinese, Japanese or Thai characters among the letters above which blanks are not what parts the words."""


@dataclass(kw_only=True)
class Tokenize(Technique):
    """Cut texts into words, and give the most frequent ones of the training rows a number each.

    ``words`` are letters and digits between blanks, and each sign, which tells feelings; ``jieba`` finds Chinese words
    by a dictionary (Sun 2012), to which a file of yours may add; ``characters`` takes each alone; ``bpe`` (Sennrich et
    al. 2016) and ``unigram`` (Kudo 2018) learn pieces from the training rows, so that few words are wholly unknown.
    ``auto`` looks at the letters of the training rows: jieba (characters where it is not installed) for Chinese,
    characters for other scripts without blanks, else words. Helps: words carry more than letters to a network that
    does not read in order. Hurts: few texts, where each word is seen once; misspellings, of which pieces keep more.
    Bare: characters.
    """

    family = "tokens"
    by: str = knob("auto", "what a token is", choices=("auto", "characters", "words", "jieba", "bpe", "unigram"))
    size: int = knob(
        30_000,
        "words in the vocabulary, four that stand for none included",
        low=1_000,
        high=100_000,
        log=True,
        legal=(1, 200_000),
    )
    least: int = knob(2, "times a word must be there in training", low=1, high=5, legal=(1, 1_000_000))
    length: int = knob(LONGEST, "tokens of a row that are kept", low=64, high=LONGEST, log=True, legal=(1, 100_000))
    lower: bool = knob(False, "small letters instead of capitals")
    hmm: bool = knob(True, "jieba: find words that the dictionary lacks")
    pattern: str = knob("", "words: what one word is, in place of the built-in pattern", signs="a regular expression")
    dictionary: str = knob("", "jieba: further words, a line each, perhaps with a count after a blank", file=True)
    needs = frozenset({Trait.TEXTS})
    neutral = {"by": "characters", "size": 200_000, "least": 1}
    vivid = {"by": "words", "least": 1}
    stage = Stage.ENCODE
    slot = "tokens"
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "texts" not in view.inputs:
            return None
        texts = view.values["texts"]
        by = suited(texts.values) if self.by == "auto" else self.by
        if by == "characters":
            return self._characters(view)
        texts = shortened(texts, self.length, self.lower)
        if by in ("bpe", "unigram"):
            told = subwords.learnt(texts.flat_texts(), by, self.size, self.least)
            return PieceTokens(learnt=kept(told), length=self.length, lower=self.lower)
        entries = read_dictionary(self.dictionary) if self.dictionary and by == "jieba" else ()
        compiled(self.pattern)
        settings = {"by": by, "pattern": self.pattern, "hmm": self.hmm, "lower": self.lower, "length": self.length}
        known = cutter(by, self.pattern, entries, self.hmm)(texts.flat_texts(), texts.columns)
        found = known.frequent(self.least, self._room)
        return WordTokens(words=kept(found), entries=kept(entries), **settings)

    @property
    def _room(self) -> int:
        """Words that have a place beside the special ones."""
        return max(1, self.size - len(SPECIAL))

    def _characters(self, view: View) -> Layer:
        texts = lowered(view.values["texts"]) if self.lower else view.values["texts"]
        seen = replace(view, values={**view.values, "texts": texts})
        known = Characters.fit(seen, self.least, self._room, self.length)
        return LowerCharacters(**known.config, **known.tensors()) if self.lower else known


def suited(points: Tensor) -> str:
    """What a token had better be in texts of these characters (T,), by the scripts they are in."""

    def count(*ranges: tuple[int, int]) -> int:
        return sum(int(((points >= first) & (points <= last)).sum()) for first, last in ranges)

    han = count((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
    other = count((0x3041, 0x30FF), (0x0E01, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
    letters = han + other + count((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x0DFF), (0x10A0, 0x10FF), (0xAC00, 0xD7A3))
    if han + other <= UNPARTED * letters:
        return "words"
    return "jieba" if han > 4 * other and find_spec("jieba") else "characters"


def lowered(texts: Ragged) -> Ragged:
    """Texts in small letters."""
    return changed(texts, [str.lower])


def shortened(texts: Ragged, length: int, lower: bool) -> Ragged:
    """Texts as they are cut: of a whole book the beginning, for no more than ``length`` of its words are kept."""
    texts = texts.first(length * LONGEST_WORD)
    return lowered(texts) if lower else texts


Cutter = Callable[[Sequence[str], int], Cut]
"""Cuts texts, so many of them a row."""


def cutter(by: str, pattern: str, entries: Entries, hmm: bool) -> Cutter:
    """What cuts texts into ``words`` or into those of ``jieba``."""
    if by == "jieba":
        return segmenter(entries, hmm)
    return lambda texts, columns: cut_by(words(texts, pattern), columns)


def as_tokens(values: Mapping[str, Any], ids: Ragged, length: int) -> dict[str, Any]:
    """The values with the ids (N rows of C texts) as one sequence a row in place of the texts."""
    tokens = side_by_side(ids, SEPARATOR, UNKNOWN).first(length)
    return {**{k: v for k, v in values.items() if k != "texts"}, "tokens": tokens}


class LowerCharacters(Characters):
    """Each character is a token, in small letters."""

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return super().forward({**values, "texts": lowered(values["texts"])})


class WordTokens(Layer):
    """Words by a pattern or by jieba, with the vocabulary and the user's own dictionary as bytes (n,) uint8 of JSON."""

    words: Tensor
    entries: Tensor
    by: str
    pattern: str
    hmm: bool
    lower: bool
    length: int

    @cached_property
    def _vocabulary(self) -> list[str]:
        return recalled(self.words)

    @cached_property
    def _known(self) -> dict[str, int]:
        return numbered(self._vocabulary)

    @cached_property
    def _cut(self) -> Cutter:
        entries = tuple((word, count) for word, count in recalled(self.entries))
        return cutter(self.by, self.pattern, entries, self.hmm)

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        texts = shortened(values["texts"], self.length, self.lower)
        return as_tokens(values, self._cut(texts.flat_texts(), texts.columns).ids(self._known), self.length)

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        return with_tokens(before, (*SPECIAL, *self._vocabulary))


class PieceTokens(Layer):
    """Pieces of words, by a tokenizer as JSON of the tokenizers library, kept as bytes (n,) uint8."""

    learnt: Tensor
    lower: bool
    length: int

    @cached_property
    def _told(self) -> str:
        return recalled(self.learnt)

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        texts = shortened(values["texts"], self.length, self.lower)
        return as_tokens(values, subwords.encoded(self._told, texts.flat_texts(), texts.columns), self.length)

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        return with_tokens(before, subwords.vocabulary(self._told))
