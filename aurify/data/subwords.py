"""Pieces of words, learnt from texts: pairs that are merged again and again, or the likeliest parts of a word."""

# D different words, V pieces of the vocabulary

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.optional import imported
from aurify.core.ragged import UNKNOWN, Ragged, from_sequences
from aurify.data.characters import SPECIAL
from aurify.data.vocabulary import most_frequent

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST_PIECE = 16
MOST_WORDS = 50_000
"""Different words from which likely parts are learnt, the most frequent ones."""

SEEDS, SHRINK, ROUNDS = 4, 0.75, 2
"""Times the asked size to begin with, what is left of it each time, and rounds at the end in which nothing goes."""

STANDING = (" nothing", " unknown", " separator", " mask")
"""The special pieces in a tokenizer: no text holds them, for blanks become another sign before it is cut."""

SURROGATES = re.compile("[\ud800-\udfff]")


def learnt(texts: Sequence[str], by: str, size: int, least: int) -> str:
    """Learn ``size`` pieces and say them as JSON of the tokenizers library: ``bpe`` or ``unigram``.

    The same texts give the same pieces, whatever the process and the number of threads.
    """
    learn = _merged if by == "bpe" else _likeliest
    return learn(list(map(_plain, texts)), max(size, len(SPECIAL) + 1), least)


def vocabulary(told: str) -> tuple[str, ...]:
    """What the ids of a learnt tokenizer stand for, the special ones included."""
    known = _opened(told).get_vocab()
    return (*SPECIAL, *sorted(known, key=known.__getitem__)[len(SPECIAL) :])


def encoded(told: str, texts: Sequence[str], columns: int = 1) -> Ragged:
    """Texts, ``columns`` of them a row, as ids of the pieces; characters that no piece has are unknown."""
    return ids_of(_opened(told), map(_plain, texts), columns)


def ids_of(tokenizer: Tokenizer, texts: Iterable[str], columns: int) -> Ragged:
    """Texts, ``columns`` of them a row, as ids of a tokenizer; raises AurifyError where it fails."""
    try:
        found = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    except Exception as error:  # the library has no kind of error of its own
        raise AurifyError(f"the tokenizer fails: {' '.join(str(error).split())[:200]}") from None
    return from_sequences([each.ids for each in found], columns)


@lru_cache(maxsize=4)
def _opened(told: str) -> Tokenizer:
    return read_tokenizer(told)


def read_tokenizer(told: str) -> Tokenizer:
    """A tokenizer from its JSON; raises AurifyError for what is none."""
    try:
        return _library().Tokenizer.from_str(told)
    except AurifyError:
        raise
    except Exception as error:  # the library has no kind of error of its own
        raise AurifyError(f"the saved tokenizer cannot be read: {' '.join(str(error).split())[:200]}") from None


def _library() -> Any:
    return imported("tokenizers", "a vocabulary of pieces of words", "text")


def _plain(text: str) -> str:
    """One kind of blank between words, and nothing that the library cannot take."""
    return sound(" ".join(text.split()))


def sound(text: str) -> str:
    """A text that can be written as UTF-8: with a sign in place of each half of a character."""
    return text if text.isascii() else SURROGATES.sub("\ufffd", text)


def _parting() -> Any:
    """Words begin with a sign for the blank before them, and signs are words of their own."""
    parting = imported("tokenizers.pre_tokenizers", "tokenize", "text")
    return parting.Sequence([parting.Metaspace(), parting.Punctuation("isolated")])


def _merged(texts: list[str], size: int, least: int) -> str:
    """Byte-pair encoding (Sennrich et al. 2016): the pair that is most often side by side becomes a piece."""
    library, trainers = _library(), imported("tokenizers.trainers", "tokenize", "text")
    tokenizer = library.Tokenizer(library.models.BPE(unk_token=STANDING[UNKNOWN]))
    tokenizer.pre_tokenizer = _parting()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=least,
        limit_alphabet=max(1, size - len(SPECIAL)),
        max_token_length=LONGEST_PIECE,
        special_tokens=list(STANDING),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    return _without_added(tokenizer)


def _likeliest(texts: list[str], size: int, least: int) -> str:
    """Unigram pieces (Kudo 2018), learnt from the best way to cut each word (Viterbi training) and not from all ways.

    The library's own training adds up in another order in every process, so that its pieces would be others each time.
    """
    parting = _parting()
    counted = Counter(chain.from_iterable([w for w, _ in parting.pre_tokenize_str(text)] for text in texts))
    chosen = most_frequent(counted.items(), 1, MOST_WORDS)
    words = [word[: 8 * LONGEST_PIECE] for word in chosen]
    weight = np.array([counted[word] for word in chosen], dtype=np.int64)
    letters = Counter[str]()
    for word, count in zip(words, weight.tolist(), strict=True):
        letters.update(dict.fromkeys(word, 0))
        for letter in word:
            letters[letter] += count
    standing = most_frequent(letters.items(), least, size - len(SPECIAL))
    longer = _substrings(words, weight.tolist(), least)
    room = size - len(SPECIAL) - len(standing)
    asked = sorted(longer, key=lambda piece: (-longer[piece] * len(piece), piece))[: SEEDS * room]
    used = Counter({piece: longer[piece] for piece in asked}) + Counter(
        {letter: letters[letter] for letter in standing}
    )
    while len(asked) > room:
        used = _used(words, weight, [*standing, *asked], used)
        left = max(room, int(SHRINK * len(asked)))
        asked = sorted(asked, key=lambda piece: (-used[piece] * len(piece), piece))[:left]
    for _ in range(ROUNDS):
        used = _used(words, weight, [*standing, *asked], used)
    tokenizer = _unigram([*standing, *asked], used)
    tokenizer.pre_tokenizer = parting
    return _without_added(tokenizer)


def _substrings(words: Sequence[str], weight: Sequence[int], least: int) -> dict[str, int]:
    """How often each run of two letters or more is in the words, of those that are there ``least`` times and twice.

    A run is only as frequent as the shorter one it begins with: what is rare is not made longer.
    """
    found: dict[str, int] = {}
    begun: set[str] | None = None
    for length in range(2, LONGEST_PIECE + 1):
        counts = Counter[str]()
        for word, count in zip(words, weight, strict=True):
            for at in range(len(word) - length + 1):
                if begun is None or word[at : at + length - 1] in begun:
                    counts[word[at : at + length]] += count
        begun = {piece for piece, count in counts.items() if count >= max(2, least)}
        found |= {piece: counts[piece] for piece in begun}
        if not begun:
            break
    return found


def _used(words: Sequence[str], weight: np.ndarray, pieces: list[str], counts: Counter[str]) -> Counter[str]:
    """How often each piece is used when every word is cut in its likeliest way."""
    cut = [each.ids for each in _unigram(pieces, counts).encode_batch_fast(list(words), add_special_tokens=False)]
    ids = np.fromiter(chain.from_iterable(cut), dtype=np.int64)
    every = np.repeat(weight, [len(each) for each in cut])
    used = np.bincount(ids, weights=every, minlength=len(pieces) + len(SPECIAL))[len(SPECIAL) :]
    return Counter(dict(zip(pieces, map(int, used.tolist()), strict=True)))


def _unigram(pieces: Sequence[str], counts: Counter[str]) -> Tokenizer:
    """A tokenizer in which a piece is as likely as it was used; one that was never used counts as half a use."""
    library = _library()
    total = math.log(max(1, sum(counts.values())))
    likely = [(piece, math.log(max(0.5, counts[piece])) - total) for piece in pieces]
    return library.Tokenizer(library.models.Unigram([*((name, 0.0) for name in STANDING), *likely], UNKNOWN, False))


def _without_added(tokenizer: Tokenizer) -> str:
    """As JSON, without the words that would be looked for in a text before anything else."""
    return json.dumps({**json.loads(tokenizer.to_str()), "added_tokens": []}, ensure_ascii=False)
