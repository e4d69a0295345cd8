"""Texts that say nothing, and texts of which a network sees the beginning only."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_texts import SeenTexts, text_names, texts_exhibit, texts_seen

MANY = 0.01
"""A share of texts that costs quality when they say nothing."""

MANY_CUT = 0.05
"""A share of texts whose ends no network sees."""

OUTSTANDING, LONG = 20, 5_000
"""Times the median, and characters, from which a text is more likely several that were not parted."""

IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
SAYS = re.compile(r"[^\W_]|[\U0001f000-\U0001faff\u2600-\u27bf]")
"""A letter, a digit or a picture."""


class TextLengths(Check):
    """Texts that are empty or hold marks only, and those that are far longer than the others or than what is read."""

    needs = frozenset({Trait.TEXTS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not text_names(seen) or not len(seen.rows):
            return
        texts = seen.once(texts_seen)
        yield from self._empty(seen, texts)
        yield from self._long(seen, texts)

    def _empty(self, seen: Inspected, texts: SeenTexts) -> Iterable[Finding]:
        silent = np.array([SAYS.search(text) is None for text in texts.plain])
        if not silent.any():
            return
        blank = int(sum(not texts.plain[at] for at in np.flatnonzero(silent)))
        own = silent[: texts.own]
        text = said(
            "{rows:,} texts say nothing ({share:.2%}): {blank:,} are empty, the others hold marks only",
            rows=int(silent.sum()),
            share=float(silent.mean()),
            blank=blank,
        )
        alone = len(seen.schema.learnt) == len(seen.schema.texts)
        warned = alone and float(own.mean()) >= MANY
        fix = said("leave these rows out, or find out where their texts went") if warned else ""
        yield self.found(
            WARNING if warned else NOTE,
            text,
            fix=fix,
            columns=text_names(seen),
            rows=texts.ids[silent],
            weight=float(silent.mean()),
            evidence={"empty": blank, "marks": int(silent.sum()) - blank, "texts": len(silent)},
        )

    def _long(self, seen: Inspected, texts: SeenTexts) -> Iterable[Finding]:
        lengths = np.fromiter(map(len, texts.texts), np.int64, len(texts.texts))
        evidence = {
            "median": int(np.median(lengths)),
            "of 100 the longest": int(np.quantile(lengths, 0.99)),
            "longest": int(lengths.max()),
        }
        most = seen.reads
        cut = np.array([_words(text) for text in texts.texts]) > (most or np.inf)
        if most is not None and cut.any():
            text = said(
                "{rows:,} texts ({share:.2%}) have more words than the {most:,} tokens that are read of each:"
                " their ends are not seen",
                rows=int(cut.sum()),
                share=float(cut.mean()),
                most=most,
            )
            warned = float(cut.mean()) >= MANY_CUT
            fix = said("raise how many tokens are read: the setting length") if warned else ""
            yield self._found(seen, texts, cut, WARNING if warned else NOTE, text, fix, evidence)
        odd = lengths > max(LONG, OUTSTANDING * float(np.median(lengths)))
        if odd.any() and float(odd.mean()) < MANY:
            text = said(
                "{rows:,} texts are far longer than the others: up to {longest:,} characters, where half have no more"
                " than {median:,}",
                rows=int(odd.sum()),
                longest=int(lengths.max()),
                median=int(np.median(lengths)),
            )
            yield self._found(seen, texts, odd, NOTE, text, said("see whether these are several in one"), evidence)

    def _found(
        self,
        seen: Inspected,
        texts: SeenTexts,
        chosen: np.ndarray,
        severity: str,
        text: str,
        fix: str,
        evidence: dict[str, int],
    ) -> Finding:
        lengths = [len(each) for each in texts.texts]
        longest = sorted(np.flatnonzero(chosen).tolist(), key=lambda at: -lengths[at])[:4]
        exhibit = texts_exhibit(
            seen, said("the longest texts, their beginnings"), [[int(texts.ids[at])] for at in longest]
        )
        return self.found(
            severity,
            text,
            fix=fix,
            columns=text_names(seen),
            rows=texts.ids[chosen],
            weight=float(chosen.mean()),
            evidence=evidence,
            exhibits=[exhibit],
        )


def _words(text: str) -> float:
    """About how many words a text has: two ideographs make one."""
    if text.isascii():
        return len(text.split())
    return len(IDEOGRAPHS.sub(" ", text).split()) + len(text) / 2 - len(IDEOGRAPHS.sub("", text)) / 2
