"""Words that mean the same: from a file of the user's, from WordNet, or those whose vectors are nearest."""

# V words of a vocabulary, K synonyms at most, U ids in question, P ids to choose from, D numbers of a vector

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aurify.core.errors import AurifyError
from aurify.core.ragged import PAD
from aurify.data.encodings import encoding_of
from aurify.data.token_kinds import spelled

MOST = 32
"""Synonyms of a word that are drawn from."""

AT_ONCE = 256
"""Words compared with the whole vocabulary together."""


def read_groups(path: Path) -> list[list[str]]:
    """Lines of words that mean the same, with blanks, commas or the like between them, in any encoding.

    Raises AurifyError for a file that is not there, no text, or without such a line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AurifyError(f"synonyms in {path} cannot be read ({error.strerror}); name a file of words") from None
    encoding = encoding_of(data, None)
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise AurifyError(f"synonyms in {path} are no text: {error}; save the file as UTF-8") from None
    lines = ([word for word in re.split(r"[\s,;|\uff0c\u3001\uff1b]+", line) if word] for line in text.splitlines())
    groups = [line for line in lines if len(line) > 1]
    if not groups:
        raise AurifyError(f"synonyms in {path}: no line has two words; write words that mean the same in one line")
    return groups


def wordnet_groups(words: Iterable[str]) -> Iterator[list[str]]:
    """Each word with those that WordNet (Miller 1995) puts beside it in a set of synonyms.

    Raises AurifyError where nltk or its WordNet is not installed.
    """
    try:
        from nltk.corpus import wordnet  # pyright: ignore[reportMissingImports]

        wordnet.ensure_loaded()
    except ImportError:
        raise AurifyError("synonyms from WordNet need nltk: pip install nltk, or name a file of synonyms") from None
    except LookupError:
        raise AurifyError("nltk has no WordNet here: python -m nltk.downloader wordnet") from None
    corpus: Any = wordnet
    for word in words:
        if word.isascii() and word.isalpha():
            near = (name for meaning in corpus.synsets(word.lower()) for name in meaning.lemma_names())
            yield [word, *dict.fromkeys(name for name in near if name.lower() != word.lower())]


def table_of(words: Sequence[str], groups: Iterable[Sequence[str]], *, each: bool) -> Tensor:
    """For each id those of its synonyms (V, K) int64, ``PAD`` where there are fewer.

    A group holds for ``each`` of its words, or for its first one alone.
    """
    ids = spelled(words)
    found: dict[int, dict[int, None]] = {}
    for group in groups:
        for begins in (False, True):
            places = [ids.get((w, begins), ids.get((w.lower(), begins), PAD)) for w in group]
            for own in dict.fromkeys(places if each else places[:1]):
                if own != PAD:
                    found.setdefault(own, {}).update((p, None) for p in places if p not in (PAD, own))
    width = min(MOST, max(map(len, found.values()), default=0))
    table = torch.full((len(words), max(1, width)), PAD, dtype=torch.int64)
    for own, others in found.items():
        kept = list(others)[:width]
        table[own, : len(kept)] = torch.tensor(kept, dtype=torch.int64)
    return table


def near(vectors: Tensor, ids: Tensor, pool: Tensor, least: float) -> Tensor:
    """Of the ids in a ``pool`` (P,) the nearest to each of ``ids`` (U,) by the cosine of their ``vectors`` (V, D).

    Returns (U,), ``PAD`` where none but itself has a cosine of ``least``. Where the pool is a share 1/n of all, drawn
    at random, the answer is the nearest of all with a chance of 1/n, the next with (1 - 1/n)/n, and so on.
    """
    if not len(pool):
        return torch.full_like(ids, PAD)
    unit, found = torch.nn.functional.normalize(vectors.detach()[pool].float(), dim=1), []
    column = torch.full((len(vectors),), len(pool), device=ids.device).scatter(0, pool, torch.arange(len(pool)).to(ids))
    for some in ids.split(AT_ONCE):
        cosine = torch.nn.functional.normalize(vectors.detach()[some].float(), dim=1) @ unit.T
        itself = torch.nonzero(column[some] < len(pool))[:, 0]
        cosine[itself, column[some[itself]]] = -2.0
        best = cosine.max(1)
        found.append(pool[best.indices].masked_fill(best.values < least, PAD))
    return torch.cat(found)


def picked(table: Tensor, draw: Tensor) -> Tensor:
    """One of the synonyms of each row of a ``table`` (U, K), by ``draw`` (U,) in [0, 1): (U,), ``PAD`` for none."""
    counts = (table != PAD).sum(1)
    at = (draw * counts).long().clamp(max=table.shape[1] - 1)
    return table.gather(1, at[:, None])[:, 0]
