"""Texts in another language than nearly all others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.languages import language_of
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_texts import text_names, texts_exhibit, texts_seen

MAIN = 0.8
"""Share of the texts in one language from which the others are the odd ones."""

FEWEST_CHARACTERS = 20
"""Of a text whose language can be told."""

MANY = 0.02
MOST_LOOKED = 100_000


class TextLanguages(Check):
    """Texts of another language than most, by script and common words, where one language is the main one."""

    needs = frozenset({Trait.TEXTS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not text_names(seen) or not len(seen.rows):
            return
        texts = seen.once(texts_seen)
        drawn = seen.drawn(len(texts.texts), MOST_LOOKED, "inspect/languages")
        told = np.array([language_of(texts.texts[at]) for at in drawn.tolist()])
        counts = {name: int((told == name).sum()) for name in ("zh", "en", "other", "mixed", "none")}
        main = max(counts, key=lambda name: counts[name])
        known = len(told) - counts["none"]
        if main in ("none", "mixed") or counts[main] < MAIN * known:
            return
        long = np.array([len(texts.plain[at]) >= FEWEST_CHARACTERS for at in drawn.tolist()])
        strange = ~np.isin(told, [main, "mixed", "none"]) & long
        if not strange.any():
            return
        share = float(strange.mean())
        text = said(
            "{rows:,} of {looked:,} texts ({share:.2%}) are in another language than the others, which are {main}",
            rows=int(strange.sum()),
            looked=len(told),
            share=share,
            main={"zh": said("in Chinese"), "en": said("in English"), "other": said("in a third language")}[main],
        )
        ids = texts.ids[drawn[strange]]
        warned = share >= MANY
        yield self.found(
            WARNING if warned else NOTE,
            text,
            fix=said("leave them out, or learn each language from enough texts of its own") if warned else "",
            columns=text_names(seen),
            rows=ids,
            weight=share,
            evidence=counts,
            exhibits=[texts_exhibit(seen, said("texts in another language"), [[row] for row in ids[:6].tolist()])],
        )
