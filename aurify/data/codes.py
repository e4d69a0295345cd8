"""Category values to codes: each value's place in a fixed order, found however the value is spelled or typed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from aurify.data.texts import TRUTHS, as_texts, is_missing

if TYPE_CHECKING:
    import polars as pl

MISSING, UNKNOWN = -1, -2


class Codebook:
    """The codes of one column's ``values``; built once, then used for every table that is parsed."""

    def __init__(self, values: Sequence[str], missing: Sequence[str]):
        self.values, self.missing = tuple(values), missing

    @cached_property
    def _enum(self) -> pl.Enum:
        import polars as pl

        return pl.Enum(self.values)

    @cached_property
    def _exact(self) -> dict[str, int]:
        return {value: code for code, value in enumerate(self.values)}

    @cached_property
    def _numeric(self) -> dict[float, int]:
        """By value, where every label is a number and no two are the same: 1, 1.0 and 01 are one label."""
        numbers = [_number(value) for value in self.values]
        codes = {number: code for code, number in enumerate(numbers) if number is not None}
        return codes if len(codes) == len(self.values) else {}

    @cached_property
    def _truth(self) -> dict[str, int]:
        """By any word for true and false, where the labels are such words."""
        lower = [value.lower() for value in self.values]
        pair = next((pair for pair in TRUTHS if set(lower) <= set(pair)), None)
        if pair is None or len(set(lower)) < len(lower):
            return {}
        codes = dict(zip(lower, range(len(lower)), strict=True))
        return {word: codes[pair[side]] for words in TRUTHS for side, word in enumerate(words) if pair[side] in codes}

    def code(self, text: str) -> int:
        """The code of one stripped text."""
        if text in self._exact:
            return self._exact[text]
        number = _number(text) if self._numeric else None
        if number in self._numeric:
            return self._numeric[number]
        if text.lower() in self._truth:
            return self._truth[text.lower()]
        return MISSING if is_missing(text, self.missing) else UNKNOWN

    def read(self, values: pl.Series) -> tuple[np.ndarray, list[str]]:
        """Codes (N,) int32 (-1 missing, -2 unknown), and the values that are unknown."""
        import polars as pl

        texts = values if values.dtype == pl.String else as_texts(values)
        found = texts.cast(self._enum, strict=False).to_physical()
        codes = np.full(len(texts), MISSING, dtype=np.int32)
        unseen: list[str] = []
        if found.null_count() == 0:
            codes[:] = found.to_numpy()
        else:
            here = found.is_not_null().to_numpy()
            codes[here] = found.drop_nulls().to_numpy()
        if found.null_count() > texts.null_count():  # what is spelled otherwise is looked up value by value
            left = found.is_null() & texts.is_not_null()
            odd = texts.filter(left)
            spellings = odd.unique(maintain_order=True).to_list()
            known = [self.code(text.strip()) for text in spellings]
            codes[left.to_numpy()] = odd.replace_strict(spellings, known, return_dtype=pl.Int32).to_numpy()
            unseen = [t.strip() for t, code in zip(spellings, known, strict=True) if code == UNKNOWN]
        return codes, list(dict.fromkeys(unseen))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
