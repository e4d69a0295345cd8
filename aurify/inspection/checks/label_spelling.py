"""Classes that are one class spelt in several ways, in the data or in a test file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import listed, said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.labels import match_labels
from aurify.data.spelling import same_but_for_spelling, shown_pairs
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

SHOWN = 5
LETTER = 1
"""Characters of a class that may be another one in capitals: letters are told apart where letters are read."""

UNEVEN = 0.5
"""Rows of one letter by those of the other, capital one, up to which one of them is another spelling."""


class LabelSpelling(Check):
    """Spellings of one class that would be learnt as classes of their own."""

    needs = frozenset({Trait.CATEGORICAL})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is None:
            return
        target = str(seen.schema.target)
        counts = np.bincount(seen.target, minlength=len(seen.classes)).tolist()
        rows = dict(zip(seen.classes, counts, strict=True))
        groups = [group for group in same_but_for_spelling(rows) if not _two_letters(group, rows)]
        pairs = shown_pairs(groups)
        if pairs:
            others = [other for other, _ in pairs]
            codes = np.array([seen.classes.index(other) for other in others])
            text = said(
                "{count:,} of {all:,} classes are other spellings of a class and would be learnt as classes of their"
                " own: {pairs}",
                count=len(pairs),
                all=len(seen.classes),
                pairs=_shown(pairs),
            )
            ids = seen.rows[np.isin(seen.target, codes)]
            yield self.found(
                WARNING,
                text,
                fix=said("write each class in one way at the source: {pairs}", pairs=_shown(pairs)),
                columns=[target],
                rows=ids,
                weight=len(ids) / max(1, len(seen.rows)),
                evidence={"spellings": [{"class": g[0], "others": {o: rows[o] for o in g[1:]}} for g in groups]},
            )
        if len(seen.frames) > 1 and target in seen.frames[1].columns:
            how = match_labels(seen.frames[1][target], seen.classes)[1]
            if how:
                text = said("target {target!r} in {name}: {how}", target=target, name=said("the test file"), how=how)
                yield self.found(NOTE, text, columns=[target])


def _two_letters(group: list[str], rows: dict[str, int]) -> bool:
    """Whether these are single letters, about as frequent small as capital."""
    sizes = sorted(rows[text] for text in group)
    return all(len(text) == LETTER for text in group) and sizes[0] > UNEVEN * sizes[-1]


def _shown(pairs: list[tuple[str, str]]) -> str:
    texts = [said("{label!r} as {meant!r}", label=other, meant=meant) for other, meant in pairs[:SHOWN]]
    if len(pairs) <= SHOWN:
        return listed(texts, ",")
    return said("{names} and {count:,} more", names=listed(texts, ","), count=len(pairs) - SHOWN)
