"""Texts of the rows that are looked at: as they were written, in one spelling, and which are near copies."""

# n rows looked at, those that may be learnt from first; m sampled rows, K classes

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aurify.core import rng
from aurify.core.words import said
from aurify.data.findings import Exhibit
from aurify.data.packed import Packed
from aurify.data.store import blanked
from aurify.data.text_copies import NearPairs, near_pairs, plainly
from aurify.inspection.inspected import Inspected
from aurify.measure.pieces import shortened
from aurify.measure.text_counts import counts_of, text_answers

TELLING = 16
"""Characters, blanks left out, from which two people do not write the same by chance."""

MOST_CHARACTERS = 20_000_000
"""Of all texts together among which near copies are looked for; of more texts a drawn part."""

MOST_ANSWERS = 60_000
"""Rows times classes for which a plain model of texts is asked."""

SHOWN, LONGEST = 12, 120


@dataclass(frozen=True, eq=False)
class SeenTexts:
    """What each row says in all of its columns of texts, ``plain`` as it is compared.

    ``ids`` (n,) are row ids; the first ``own`` may be learnt from.
    """

    ids: np.ndarray
    own: int
    texts: list[str]
    plain: list[str]
    seed: int

    @cached_property
    def same(self) -> np.ndarray:
        """The first row (n,) with the same plain text."""
        first: dict[str, int] = {}
        return np.fromiter((first.setdefault(t, at) for at, t in enumerate(self.plain)), np.int64, len(self.plain))

    @cached_property
    def exact(self) -> np.ndarray:
        """The first row (n,) with the same text, letter for letter."""
        first: dict[str, int] = {}
        return np.fromiter((first.setdefault(t, at) for at, t in enumerate(self.texts)), np.int64, len(self.texts))

    @cached_property
    def telling(self) -> np.ndarray:
        """Which texts (n,) are so long that a second one is a copy."""
        return np.fromiter(map(len, self.plain), np.int64, len(self.plain)) >= TELLING

    @cached_property
    def compared(self) -> np.ndarray:
        """Rows (c,), the first of each plain text, among which near copies were looked for."""
        firsts = np.flatnonzero(self.same == np.arange(len(self.same)))
        sizes = np.fromiter((len(self.plain[at]) for at in firsts), np.int64, len(firsts))
        if sizes.sum() <= MOST_CHARACTERS:
            return firsts
        random = np.random.Generator(np.random.PCG64(rng.key(self.seed, "inspect/texts")))
        shuffled = random.permutation(len(firsts))
        return np.sort(firsts[shuffled[np.cumsum(sizes[shuffled]) <= MOST_CHARACTERS]])

    @cached_property
    def near(self) -> NearPairs:
        """Pairs of ``compared``, by their places in it."""
        return near_pairs([self.plain[at] for at in self.compared], self.seed)

    @cached_property
    def family(self) -> np.ndarray:
        """Which family (n,) of copies and near copies each row is in: the number of a row in it."""
        groups = self.near.groups(len(self.compared))
        first = np.full(int(groups.max(initial=-1)) + 1, len(self.same))
        np.minimum.at(first, groups, self.compared)
        family = np.arange(len(self.same))
        family[self.compared] = first[groups]
        return family[self.same]


def texts_seen(seen: Inspected) -> SeenTexts:
    """The texts of the rows that may be learnt from, and after them those of the test part; for ``Inspected.once``."""
    ids = np.concatenate([seen.rows, seen.test])
    texts = written(seen, ids)
    plain = []
    for at, text in enumerate(texts):
        if at % 10_000 == 0:
            seen.check()
        plain.append(plainly(text))
    return SeenTexts(ids, len(seen.rows), texts, plain, seen.seed)


def written(seen: Inspected, rows: np.ndarray) -> list[str]:
    """What rows by id say in all of their columns of texts, without those that are excluded; a line a column."""
    inputs = blanked({"texts": seen.store.inputs["texts"][rows]}, seen.schema, seen.hidden)
    texts: Packed = inputs["texts"]
    return ["\n".join(row) for row in zip(*(texts.column(at) for at in range(texts.columns)), strict=True)]


def text_names(seen: Inspected) -> list[str]:
    """The columns of texts that are looked at."""
    return [column.name for column in seen.schema.texts if column.name not in seen.hidden]


@dataclass(frozen=True, eq=False)
class TextAnswers:
    """Out-of-fold answers of a linear model on the texts alone: for ``at``, places among the sampled rows."""

    at: np.ndarray
    answers: np.ndarray


def answers_to_texts(seen: Inspected) -> TextAnswers:
    """For ``Inspected.once``: answers (m',) or probabilities (m', K) for as many sampled rows as time allows."""
    classes = None if seen.classes is None else len(seen.classes)
    at = seen.drawn(len(seen.sampled), max(1_000, MOST_ANSWERS // max(2, classes or 1)), "inspect/text answers")
    counts = counts_of(written(seen, seen.sampled.row[at]))
    weight = None if seen.sampled.weight is None else seen.sampled.weight[at]
    answers = text_answers(counts, seen.sampled.target[at], seen.fold[at], classes, seen.check, weight)
    return TextAnswers(at, answers)


def texts_exhibit(seen: Inspected, caption: str, groups: Sequence[Sequence[int]]) -> Exhibit:
    """Rows by id, group after group, with the beginning of their texts and the targets of those that may be learnt."""
    known = set(seen.rows.tolist())
    header = ["#", said("text"), *([seen.schema.target] if seen.schema.target is not None else [])]
    shown = [row for group in groups for row in group][:SHOWN]
    cells = [
        [str(row), short(text), *([_target(seen, row) if row in known else ""] if seen.schema.target else [])]
        for row, text in zip(shown, written(seen, np.array(shown, dtype=np.int64)) if shown else [], strict=True)
    ]
    return Exhibit(kind="rows", caption=caption, data={"header": header, "rows": cells, "marks": []})


def _target(seen: Inspected, row: int) -> str:
    value = seen.store.target[row]
    if seen.classes is None:
        return f"{value:.6g}"
    return seen.classes[int(value)] if value >= 0 else ""


def short(text: str) -> str:
    """A text as a table shows it: one line, its beginning."""
    return shortened(text, LONGEST)
