"""Words in the texts that decide the label alone: somebody may have written it there."""

# m texts looked at, K classes, W words

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import listed, said
from aurify.data.findings import WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_texts import text_names, texts_exhibit, written

MOST_LOOKED, MOST_CHARACTERS = 6_000, 600
FEWEST = 20
"""Rows of a class about whose words anything is said."""

IN, ONLY = 0.9, 0.95
"""Share of a class's texts that have a word, and of texts with it that are of the class, which no honest word has."""

NAMED, NAMED_ONLY = 0.1, 0.95
"""The same for the name of the class itself, where it begins or ends a text."""

LONGEST = 4
"""Ideographs of a word."""

WORD = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W\u3400-\u9fff\uf900-\ufaff]+|[^\w\s]+")
IDEOGRAPH = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
MOST_NAMED = 3


class TellingWords(Check):
    """Words that nearly all texts of a class have and hardly any other, and classes that texts begin or end with."""

    needs = frozenset({Trait.TEXTS, Trait.CATEGORICAL})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is None or not text_names(seen):
            return
        at = seen.drawn(len(seen.rows), MOST_LOOKED, "inspect/words")
        rows, target = seen.rows[at], seen.target[at]
        texts = [_ends(text.lower()) for text in written(seen, rows)]
        seen.check()
        told = [*_deciding(texts, target, len(seen.classes)), *_named(texts, target, seen.classes)]
        best: dict[int, tuple[str, float, float]] = {}
        for code, word, within, only in told:
            best.setdefault(code, (word, within, only))
        if best:
            yield self._finding(seen, best, rows, texts)

    def _finding(
        self, seen: Inspected, best: dict[int, tuple[str, float, float]], rows: np.ndarray, texts: list[str]
    ) -> Finding:
        assert seen.classes is not None
        first = sorted(best.items(), key=lambda each: -each[1][1])[:MOST_NAMED]
        told = [
            said(
                "{word!r} is in {within:.0%} of the texts of {name!r}, and {only:.0%} of those that have it are of it",
                word=word,
                within=within,
                only=only,
                name=seen.classes[code],
            )
            for code, (word, within, only) in first
        ]
        having = [int(rows[at]) for at, text in enumerate(texts) if any(word in text for _, (word, _, _) in first)]
        return self.found(
            WARNING,
            said("words in the texts tell the label by themselves: {words}", words=listed(told)),
            fix=said("see whether the label was written into the texts; if so, take these words out of them"),
            columns=text_names(seen),
            rows=np.array(having),
            weight=max(within for _, within, _ in best.values()),
            evidence={
                seen.classes[code]: {"word": word, "within": within, "only": only}
                for code, (word, within, only) in best.items()
            },
            exhibits=[texts_exhibit(seen, said("texts that have them"), [[row] for row in having[:6]])],
        )


def _ends(text: str) -> str:
    """A text without its middle where it is long: what is written into it stands at an end."""
    half = MOST_CHARACTERS // 2
    return text if len(text) <= MOST_CHARACTERS else f"{text[:half]} {text[-half:]}"


def _words(text: str) -> Iterator[str]:
    """Words, runs of marks, and of ideographs each run of up to ``LONGEST``."""
    for found in WORD.findall(text):
        if not IDEOGRAPH.match(found):
            yield found
            continue
        for size in range(1, LONGEST + 1):
            yield from (found[at : at + size] for at in range(len(found) - size + 1))


def _deciding(texts: list[str], target: np.ndarray, classes: int) -> Iterator[tuple[int, str, float, float]]:
    """Class, word, share of the class's texts that have it and share of its texts that are of the class."""
    counts = np.bincount(target, minlength=classes)
    large = np.flatnonzero(counts >= FEWEST)
    if len(large) < 2:
        return
    numbers: dict[str, int] = {}
    held = [np.fromiter({numbers.setdefault(w, len(numbers)) for w in _words(text)}, np.int64) for text in texts]
    words = np.fromiter(chain.from_iterable(held), np.int64)
    codes = np.repeat(target, [len(each) for each in held])
    every = np.bincount(words, minlength=len(numbers))
    names = list(numbers)
    for code in large.tolist():
        of_class = np.bincount(words[codes == code], minlength=len(numbers))
        deciding = np.flatnonzero((of_class >= IN * counts[code]) & (of_class >= ONLY * every))
        for word in sorted(deciding.tolist(), key=lambda at: (-of_class[at], -len(names[at]), names[at]))[:1]:
            yield code, names[word], of_class[word] / counts[code], of_class[word] / every[word]


def _named(texts: list[str], target: np.ndarray, classes: tuple[str, ...]) -> Iterator[tuple[int, str, float, float]]:
    """Classes whose name stands at the beginning or the end of texts, nearly always of their own."""
    counts = np.bincount(target, minlength=len(classes))
    bare = [re.sub(r"[^\w]+", " ", text).strip() for text in texts]
    for code, name in enumerate(classes):
        word = re.sub(r"[^\w]+", " ", name.lower()).strip()
        if counts[code] < FEWEST or len(word) < 1 or (len(word) == 1 and not word.isdecimal()):
            continue
        own = re.compile(rf"(?:^label )?(?:^{re.escape(word)}(?!\w)|(?<!\w){re.escape(word)}$)")
        has = np.array([own.search(text) is not None for text in bare])
        within = float(has[target == code].mean())
        only = float((target[has] == code).mean()) if has.any() else 0.0
        if within >= NAMED and has.sum() >= FEWEST and only >= NAMED_ONLY:
            yield code, word, within, only
