"""Texts of the test part that are copies of one to learn from, but for small changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_texts import text_names, texts_exhibit, texts_seen

FEW = 0.02
"""A share of the test part that moves no score by as much as chance does."""

MOST_SHOWN = 4


class TextOverlap(Check):
    """Test texts that a training text copies: letter for letter, in plain spelling or nearly (MinHash, Broder 1997).

    Scores on them say what was learnt by heart. Targets of the test part are not looked at.
    """

    needs = frozenset({Trait.TEXTS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not text_names(seen) or not len(seen.test) or not len(seen.rows):
            return
        texts = seen.once(texts_seen)
        seen.check()
        tested = np.arange(texts.own, len(texts.ids))
        tested = tested[texts.telling[tested]]
        exact, same, family = ((key[tested] < texts.own) for key in (texts.exact, texts.same, texts.family))
        if not family.any():
            return
        share = float(family.sum() / len(seen.test))
        alone = len(seen.schema.learnt) == len(seen.schema.texts)  # then the check test_overlap tells of equal ones
        more = int((family & ~(exact & alone)).sum())
        text = said(
            "{rows:,} texts of the test part ({share:.2%}) are in the training rows: {exact:,} letter for letter,"
            " {alike:,} but for case, blanks and full-width forms, {near:,} with small changes",
            rows=int(family.sum()),
            share=share,
            exact=int(exact.sum()),
            alike=int((same & ~exact).sum()),
            near=int((family & ~same).sum()),
        )
        warned = more >= FEW * len(seen.test)
        shown = tested[family & ~exact][:MOST_SHOWN]
        pairs = [[int(texts.ids[texts.family[at]]), int(texts.ids[at])] for at in shown]
        yield self.found(
            WARNING if warned else NOTE,
            text,
            fix=said("leave these rows out of the training data, or test on others") if warned else "",
            columns=text_names(seen),
            rows=texts.ids[tested[family]],
            weight=share,
            evidence={"share": share, "exact": int(exact.sum()), "beside": more, "compared": len(texts.compared)},
            exhibits=[texts_exhibit(seen, said("a training text, and one of the test part"), pairs)] if pairs else [],
        )
