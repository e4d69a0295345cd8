"""Texts that repeat another one but for case, blanks and full-width forms, or with small changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.copies import row_keys
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.text_copies import ALIKE
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_texts import SeenTexts, text_names, texts_exhibit, texts_seen

FEW = 0.01
"""A share of texts that costs no score that could be measured."""

SURE = 0.7
"""Shared shingles from which two texts say the same: of fewer one may quote the other."""

MOST_SHOWN = 4


class TextCopies(Check):
    """Copies and near copies (MinHash, Broder 1997) among texts that may be learnt from, and labels that contradict."""

    needs = frozenset({Trait.TEXTS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not text_names(seen) or len(seen.rows) < 2:
            return
        texts = seen.once(texts_seen)
        seen.check()
        own = np.arange(len(texts.ids)) < texts.own
        place = np.arange(len(texts.ids))
        repeats = own & texts.telling & (texts.family != place)
        word_for_word = repeats & (texts.exact != place)
        alike = repeats & ~word_for_word & (texts.same != place)
        near = repeats & ~word_for_word & ~alike
        if alike.any() or near.any():
            yield self._copies(seen, texts, word_for_word, alike, near)
        if seen.classes is not None:
            yield from self._torn(seen, texts)

    def _copies(
        self, seen: Inspected, texts: SeenTexts, same: np.ndarray, alike: np.ndarray, near: np.ndarray
    ) -> Finding:
        share = float((alike | near)[: texts.own].mean())
        severity = WARNING if share >= FEW else NOTE
        text = said(
            "{near:,} texts ({share:.2%}) are near copies of an earlier one, and {alike:,} are copies but for case,"
            " blanks and full-width forms; {same:,} more are word for word the same",
            near=int(near.sum()),
            alike=int(alike.sum()),
            same=int(same.sum()),
            share=float(near[: texts.own].mean()),
        )
        chosen = np.flatnonzero(near | alike)
        pairs = [[int(texts.ids[texts.family[at]]), int(texts.ids[at])] for at in chosen[:MOST_SHOWN]]
        mend = {"techniques": {"drop_duplicates": {"texts": "plain"}}} if alike.any() and severity == WARNING else {}
        fix = said("keep one of each, or split by what they share with --split group:COLUMN; see the rows")
        return self.found(
            severity,
            text,
            fix=fix if severity == WARNING else "",
            columns=text_names(seen),
            rows=texts.ids[chosen],
            weight=share,
            evidence={
                "near": int(near.sum()),
                "alike": int(alike.sum()),
                "same": int(same.sum()),
                "compared": len(texts.compared),
                "shared_shingles": ALIKE,
            },
            mend=mend,
            exhibits=[texts_exhibit(seen, said("texts, and near copies of them"), pairs)],
        )

    def _torn(self, seen: Inspected, texts: SeenTexts) -> Iterable[Finding]:
        """Copies with another label, beside those that are the same letter for letter: another check tells of these."""
        pairs = _alike_pairs(texts)
        one, other = pairs.T
        target = seen.target if seen.schema.labels is None else row_keys([seen.target])
        torn = pairs[(target[one] != target[other]) & (texts.exact[one] != texts.exact[other])]
        if not len(torn):
            return
        rows = np.unique(torn)
        share = len(rows) / texts.own
        text = said(
            "{rows:,} texts ({share:.2%}) are labelled otherwise than a near copy of theirs",
            rows=len(rows),
            share=share,
        )
        fix = said("find out which labels are right; --with clean_labels leaves out the surest errors")
        yield self.found(
            WARNING if share >= FEW else NOTE,
            text,
            fix=fix if share >= FEW else "",
            columns=text_names(seen),
            rows=texts.ids[rows],
            weight=share,
            evidence={"share": share, "pairs": len(torn)},
            exhibits=[
                texts_exhibit(seen, said("near copies with another label"), texts.ids[torn[:MOST_SHOWN]].tolist())
            ],
        )


def _alike_pairs(texts: SeenTexts) -> np.ndarray:
    """Pairs (P, 2) of rows to learn from whose texts are copies in plain spelling, or surely near copies."""
    own = np.arange(texts.own)
    repeated = own[texts.telling[own] & (texts.same[own] != own)]
    near = texts.compared[texts.near.pairs[texts.near.shared >= SURE]].reshape(-1, 2)
    return np.concatenate([np.stack([texts.same[repeated], repeated], 1), near[(near < texts.own).all(1)]])
