"""Texts whose bytes were read in another encoding than they were written in, and characters that were lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.characters import HIGH, INVISIBLE, LATIN, LOST, mended
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_texts import SeenTexts, short, text_names, texts_exhibit, texts_seen

FEW = 0.001
"""A share of texts that is no accident of a few writers."""

GONE = re.compile(f"{LOST}|\u951f\u65a4\u62f7|(?:\u70eb){{4}}|(?:\u5c6f){{4}}")
"""What is left of a lost character, what U+FFFD is in GBK, and what memory that nobody filled is."""

UNSEEN, LATIN_RUN, HIGH_RUN = re.compile(INVISIBLE), re.compile(LATIN), re.compile(HIGH)

FROM_UTF8 = re.compile("[\u951b\u9286\u9225\u9428\u9366\u6d93\u93c4\u7ef1]")
"""Rare characters that common ones in UTF-8 are in GBK: a comma, a full stop, quotes, de, zai, yi, shi, wo."""

SURELY = 3
"""Of them, from which a text was read in the wrong encoding."""

MARKUP = re.compile(
    r"</?(?:br|p|div|span|a|b|i|strong|em|img|li|ul|table|td|tr)\b[^<>]{0,200}>|&(?:nbsp|quot|amp|lt|gt);"
)


class GarbledTexts(Check):
    """Mojibake, characters lost in a conversion, invisible ones, and markup in texts."""

    needs = frozenset({Trait.TEXTS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not text_names(seen) or not len(seen.rows):
            return
        texts = seen.once(texts_seen)
        seen.check()
        garbled = _where(texts, _is_garbled)
        if garbled.any():
            example = texts.texts[int(np.argmax(garbled))]
            whole = mended(example)
            meant = said("; {text!r} may be meant", text=short(whole)) if whole else ""
            what = said(
                "{rows:,} texts ({share:.2%}) were read in another encoding than they were written in: {text!r}{meant}",
                rows=int(garbled.sum()),
                share=float(garbled.mean()),
                text=short(example)[:60],
                meant=meant,
            )
            fix = said("save the file anew as UTF-8 from its source, or name its encoding with --encoding")
            yield self._tell(seen, texts, garbled, what, fix, warns=True)
        yield from self._lost(seen, texts, _where(texts, GONE.search) & ~garbled)
        yield from self._beside(seen, texts)

    def _lost(self, seen: Inspected, texts: SeenTexts, lost: np.ndarray) -> Iterable[Finding]:
        if lost.any():
            what = said(
                "{rows:,} texts ({share:.2%}) have characters that were lost in an earlier conversion: {text!r}",
                rows=int(lost.sum()),
                share=float(lost.mean()),
                text=_around(texts.texts[int(np.argmax(lost))], GONE),
            )
            yield self._tell(seen, texts, lost, what, said("make the file anew from its source"), warns=True)

    def _beside(self, seen: Inspected, texts: SeenTexts) -> Iterable[Finding]:
        """What is no error of reading: invisible characters, and markup."""
        unseen = _where(texts, UNSEEN.search)
        if unseen.any():
            what = said(
                "{rows:,} texts ({share:.2%}) hold invisible characters",
                rows=int(unseen.sum()),
                share=float(unseen.mean()),
            )
            yield self._tell(seen, texts, unseen, what, "", warns=False)
        markup = _where(texts, MARKUP.search)
        if markup.any():
            what = said(
                "{rows:,} texts ({share:.2%}) hold markup of HTML, such as {text!r}",
                rows=int(markup.sum()),
                share=float(markup.mean()),
                text=_around(texts.texts[int(np.argmax(markup))], MARKUP),
            )
            yield self._tell(seen, texts, markup, what, "", warns=False)

    def _tell(
        self, seen: Inspected, texts: SeenTexts, chosen: np.ndarray, what: str, fix: str, *, warns: bool
    ) -> Finding:
        warned = warns and float(chosen.mean()) >= FEW
        ids = texts.ids[chosen]
        return self.found(
            WARNING if warned else NOTE,
            what,
            fix=fix if warned else "",
            columns=text_names(seen),
            rows=ids,
            weight=float(chosen.mean()),
            evidence=_counted(chosen),
            exhibits=[texts_exhibit(seen, said("such texts"), [[row] for row in ids[:4].tolist()])],
        )


def _counted(chosen: np.ndarray) -> dict[str, float]:
    return {"rows": int(chosen.sum()), "share": float(chosen.mean())}


def _where(texts: SeenTexts, test: Callable[[str], object]) -> np.ndarray:
    return np.fromiter((bool(test(text)) for text in texts.texts), bool, len(texts.texts))


def _is_garbled(text: str) -> bool:
    """Whether letters are runs of bytes in the wrong encoding, or characters that nobody writes side by side."""
    if text.isascii():
        return False
    if len(FROM_UTF8.findall(text)) >= SURELY:
        return True
    if LATIN_RUN.search(text) or HIGH_RUN.search(text):
        return mended(text) is not None
    return False


def _around(text: str, pattern: re.Pattern[str]) -> str:
    """Where a pattern is in a text, with a few characters beside it."""
    found = pattern.search(text)
    start = found.start() if found else 0
    return short(text[max(0, start - 15) : start + 25])
