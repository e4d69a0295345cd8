"""Texts cut into words, and which of those words become ids of a vocabulary."""

# N rows, C columns of texts, W words in all, D different ones, V words of the vocabulary

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core.ragged import UNKNOWN, Ragged
from aurify.data.characters import SPECIAL


@dataclass(frozen=True, eq=False)
class Cut:
    """Texts as words: ``places`` says for each word (W,) where it is among ``words`` (D,), which may hold others."""

    places: Ragged
    words: Sequence[str]

    def ids(self, known: dict[str, int]) -> Ragged:
        """The same as ids of a vocabulary; what it lacks is unknown."""
        used, place = torch.unique(self.places.values, return_inverse=True)
        at: list[int] = used.tolist()
        table = torch.tensor([known.get(self.words[k], UNKNOWN) for k in at], dtype=torch.int32)
        return replace(self.places, values=table[place])

    def frequent(self, least: int, size: int) -> list[str]:
        """The ``size`` most frequent words of those that are there ``least`` times, the most frequent first."""
        used, counts = torch.unique(self.places.values, return_counts=True)
        at: list[int] = used.tolist()
        return most_frequent(zip(map(self.words.__getitem__, at), counts.tolist(), strict=True), least, size)


def most_frequent(counted: Iterable[tuple[str, int]], least: int, size: int) -> list[str]:
    """The ``size`` most frequent of counted words, of equally frequent ones the first in the order of their letters."""
    kept = sorted((-count, word) for word, count in counted if count >= least)
    return [word for _, word in kept[:size]]


def cut_by(rows: Iterable[Iterable[str]], columns: int) -> Cut:
    """Number the words of texts in the order in which they come."""
    known: dict[str, int] = {}
    places, ends = array("i"), array("q", [0])
    for row in rows:
        places.extend([known.setdefault(word, len(known)) for word in row])
        ends.append(len(places))
    return Cut(packed(places, ends, columns), list(known))


def packed(places: Any, ends: Any, columns: int) -> Ragged:
    """Whole numbers (W,) and where each text ends (1 + N * C,), anything that shows its bytes, as tensors."""
    values = np.frombuffer(places, dtype=np.int32) if len(places) else np.empty(0, np.int32)
    return Ragged(
        torch.from_numpy(values.copy()), torch.from_numpy(np.frombuffer(ends, dtype=np.int64).copy()), columns
    )


def numbered(words: Iterable[str]) -> dict[str, int]:
    """The id of each word, after the special ones."""
    return {word: at for at, word in enumerate(words, len(SPECIAL))}


def kept(plain: Any) -> Tensor:
    """Plain data as bytes (n,) uint8: a vocabulary is a tensor of a layer and not one of its settings.

    What a model's file says in JSON has a limit, which the vocabularies of many members would reach.
    """
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return torch.frombuffer(bytearray(text.encode("utf-8", errors="surrogatepass")), dtype=torch.uint8)


def recalled(data: Tensor) -> Any:
    """What ``kept`` made bytes of."""
    return json.loads(data.cpu().numpy().tobytes().decode("utf-8", errors="surrogatepass"))
