"""Texts in another form: what is done to each by itself, so that nothing moves from one text to the next."""

# N rows, C columns of texts, T code points in all

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch

from aurify.core.optional import imported
from aurify.core.ragged import Ragged, from_texts

SURROGATES = re.compile("([\ud800-\udfff]+)")

Change = Callable[[str], str]

HIDDEN = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
"""Soft hyphens, marks of width zero, of direction and of the order of bytes; not what joins letters and emoji."""


def changed(texts: Ragged, changes: Sequence[Change]) -> Ragged:
    """Each text after every change, in turn."""
    if not changes:
        return texts
    after = texts.flat_texts()
    for change in changes:
        after = [change(text) for text in after]
    return from_texts(after, texts.columns)


def without_controls(texts: Ragged) -> Ragged:
    """Texts without control characters that are no blanks, marks that nobody sees and halves of characters."""
    gone = torch.isin(texts.values, torch.tensor(_controls(), dtype=torch.int32))
    if not bool(gone.any()):
        return texts
    kept = torch.cat([torch.zeros(1, dtype=torch.int64), (~gone).cumsum(0)])
    return replace(texts, values=texts.values[~gone], ends=kept[texts.ends])


@cache
def _controls() -> tuple[int, ...]:
    controls = (at for at in (*range(0x20), *range(0x7F, 0xA0)) if not chr(at).isspace())
    return (*controls, *map(ord, HIDDEN), *range(0xD800, 0xE000))


def composed(form: Any) -> Change:
    """To a Unicode form such as NFC or NFKC (Unicode Standard Annex 15)."""
    return lambda text: text if text.isascii() else unicodedata.normalize(form, text)


def single_blanks(text: str) -> str:
    """One blank for each run of them, none at either end."""
    return " ".join(text.split())


def simplified() -> Change:
    """From traditional Chinese characters to simplified ones, by words where a character has several (OpenCC)."""
    convert = _converter().convert

    def change(text: str) -> str:
        if text.isascii():
            return text
        pieces = SURROGATES.split(text)  # the library takes UTF-8, which has no lone surrogates
        return "".join(piece if at % 2 else convert(piece) for at, piece in enumerate(pieces))

    return change


@cache
def _converter() -> Any:
    return imported("opencc", "normalize_text.simplified", "text").OpenCC("t2s")
