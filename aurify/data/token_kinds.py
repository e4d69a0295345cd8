"""What the ids of a vocabulary stand for: special ones, ends of sentences, the words that pieces spell."""

# V words

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.ragged import UNKNOWN
from aurify.core.types import Input

STARTS = ("\u2581", "\u0120")
"""What pieces that begin a word begin with, in vocabularies of sentencepiece and of GPT-2."""

ENDS = frozenset("\u3002\uff01\uff1f\uff1b\u2026.!?;\n")
CLOSERS = frozenset("\u201d\u2019\u300d\u300f\uff09)\"' \u3000")
MARKED = re.compile(r"<[^<>\s]+>|\[[A-Z]+\]")
"""How vocabularies of others write their special ids: ``[CLS]``, ``</s>``."""


@dataclass(frozen=True, eq=False)
class TokenKinds:
    """Tables (V,) bool of what the ids of an input mean, on one device.

    ``special`` ids stay as and where they are, which the unknown one need not; ``ends`` end a sentence, ``closers``
    behind one belong to it still.
    """

    words: tuple[str, ...]
    special: Tensor
    ends: Tensor
    closers: Tensor
    digits: Tensor

    @classmethod
    def of(cls, given: Input, device: torch.device) -> TokenKinds:
        """Look at the words of an input of tokens."""
        words = given.vocabulary
        assert len(words) == given.cardinalities[0], "a word for each id"
        spelt = [bare(word) for word in words]
        special = [at == 0 or (at != UNKNOWN and MARKED.fullmatch(word) is not None) for at, word in enumerate(words)]

        def table(flags: Sequence[bool]) -> Tensor:
            return torch.tensor(flags, dtype=torch.bool, device=device)

        return cls(
            words=words,
            special=table(special),
            ends=table([word[-1:] in ENDS and bool(word) for word in spelt]),
            closers=table([word in CLOSERS for word in spelt]),
            digits=table([word.isdigit() for word in spelt]),
        )

    def sentence_ends(self, ids_BL: Tensor) -> Tensor:
        """The last id of each sentence (B, L) bool: what ends it, repeated perhaps, and quotes or blanks behind that.

        A full stop between digits ends nothing.
        """
        digit_BL = self.digits[ids_BL]
        run_BL = end_BL = self.ends[ids_BL] & ~(_before(digit_BL) & _after(digit_BL))
        for _ in range(2):
            run_BL = end_BL | (self.closers[ids_BL] & _before(run_BL))
        return run_BL & ~_after(run_BL)


def bare(word: str) -> str:
    """What a piece spells, without the mark that it begins or ends a word."""
    return word.removeprefix(STARTS[0]).removeprefix(STARTS[1]).removesuffix("</w>")


def spelled(words: Sequence[str]) -> dict[tuple[str, bool], int]:
    """Ids by what they spell, and whether with a mark that a word begins; special ids and inner pieces are left out.

    A word in capitals is found in small letters too, where nothing else is spelled so.
    """
    found: dict[tuple[str, bool], int] = {}
    known = [
        (at, bare(word), word.startswith(STARTS))
        for at, word in enumerate(words)
        if at >= 2 and not word.startswith("##") and not MARKED.fullmatch(word)
    ]
    for at, word, begins in (*known, *((at, word.lower(), begins) for at, word, begins in known)):
        if word:
            found.setdefault((word, begins), at)
    return found


def _before(flags_BL: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(flags_BL[:, :1]), flags_BL[:, :-1]], 1)


def _after(flags_BL: Tensor) -> Tensor:
    return torch.cat([flags_BL[:, 1:], torch.zeros_like(flags_BL[:, :1])], 1)
