"""Texts a line each, a label before them: ``pos a fine film``, or ``__label__pos a fine film`` for fastText."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.data.archives import TABLES, Content
from aurify.data.class_folders import LABEL, TEXT
from aurify.data.csv_blocks import text_pieces
from aurify.data.csv_text import NUMBER, SAMPLE_BYTES, SEPARATORS
from aurify.data.encodings import encoding_of
from aurify.data.row_sample import Drawn, RowSample

FASTTEXT = "__label__"
LOOKED_AT = 2_000
"""Lines that say what a file is."""

LONGEST_LABEL = 60
FEWEST = 4
SORTED = 100
"""Lines from which one label alone is taken to be the first of several, in a large file that is sorted."""

MOSTLY = 0.9
LETTER = re.compile(r"[^\W\d_]")


def looks_labelled(content: Content, beginning: str, labels: Collection[str]) -> bool:
    """Whether lines are texts with a label before each; ``labels`` are those of a known model.

    They are where few first words stand before many different texts, and no cells are parted as tables part them.
    """
    if content.suffix in TABLES and FASTTEXT not in beginning[: 2 * len(FASTTEXT)]:
        return False
    lines = [line.strip() for line in beginning.split("\n") if line.strip()]
    lines = lines[:: max(1, len(lines) // LOOKED_AT)]  # many files are sorted by their labels
    if lines and all(line.startswith(FASTTEXT) for line in lines):
        return True
    pairs = [_parted(line) for line in lines]
    if labels:
        return sum(label in labels for label, _ in pairs) >= MOSTLY * max(1, len(pairs))
    return len(lines) >= FEWEST and not _is_table(lines) and _are_labels([p[0] for p in pairs], [p[1] for p in pairs])


def have_labels(content: Content, labels: Collection[str]) -> bool:
    """Whether lines of a file are texts with a label of a known model before each."""
    head = content.head(SAMPLE_BYTES)
    return bool(labels) and looks_labelled(content, head.decode(encoding_of(head, None), errors="replace"), labels)


def _is_table(lines: Sequence[str]) -> bool:
    """Whether every line has as many cells as the others, as a table has; one tab may stand after a label."""
    for separator in SEPARATORS:
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count)
        if usual > (separator == "\t") and counts.count(usual) >= MOSTLY * len(lines):
            return True
    return len({len(line.split()) for line in lines}) == 1 and len(lines[0].split()) > 2


def _are_labels(labels: Sequence[str], texts: Sequence[str]) -> bool:
    count = len(labels)
    if sum(bool(LETTER.search(text)) for text in texts) < MOSTLY * count or len(set(texts)) < count / 2:
        return False
    different = set(labels)
    if len(max(different, key=len)) > LONGEST_LABEL or (len(different) == 1 and count < SORTED):
        return False
    if all(NUMBER.fullmatch(label) for label in different):  # numbers to learn, or to count lines
        figures = [int(label) for label in labels if label.isdecimal()]
        return not (len(figures) == count and all(b > a for a, b in pairwise(figures)))
    return 3 * len(different) <= count and len(different) <= 5 + count / 20


def _parted(line: str) -> tuple[str, str]:
    """The first word of a line, to its first tab where it has one, and the rest."""
    line = line.strip()
    head, tab, rest = line.partition("\t")
    if not tab or len(head) > LONGEST_LABEL:
        head, *tail = line.split(None, 1)
        rest = tail[0] if tail else ""
    return head.strip(), rest.strip()


def read_lines(
    content: Content, encoding: str, labelled: bool, begin: Callable[[], RowSample]
) -> tuple[Drawn, list[str]]:
    """The rows, ``text`` and perhaps ``label``, and what was noticed. Blank lines are no rows.

    Raises AurifyError for a line with two labels, ``OtherEncodingError`` where the encoding turns out another.
    """
    import polars as pl

    sample, rest, at, number, empty, plain = begin(), b"", 0, 0, 0, True
    for piece in _closed(text_pieces(content, encoding)):
        *whole, rest = (rest + piece).split(b"\n")
        rows = []
        for raw in whole:
            number += 1
            line = raw.decode(errors="replace").strip()
            if not line:
                continue
            label, text = _parted(line) if labelled else ("", line)
            if label.startswith(FASTTEXT):
                plain = False
                label = label.removeprefix(FASTTEXT)
                if text.startswith(FASTTEXT):
                    raise AurifyError(
                        f"{content.name}, line {number:,} has several labels; a text has one: leave one a line"
                    )
            empty += not text
            rows.append((text, label))
        columns = {TEXT: [r[0] for r in rows], **({LABEL: [r[1] for r in rows]} if labelled else {})}
        sample.add(at, pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))
        at += 1
    notes: list[str] = [_said(content.name, labelled=labelled, plain=plain)]
    if encoding != "utf-8":
        notes.append(
            said("{name} is read as {encoding}; another with --encoding", name=content.name, encoding=encoding)
        )
    if empty:
        notes.append(said("{name}: {lines:,} lines have a label and no text", name=content.name, lines=empty))
    return sample.drawn(), notes


def _closed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, and an end of line after the last."""
    yield from pieces
    yield b"\n"


def _said(name: str, *, labelled: bool, plain: bool) -> Said:
    if not labelled:
        return said("{name}: each line is read as one text", name=name)
    if not plain:
        return said("{name}: lines are read as fastText writes them, a label and a text", name=name)
    return said(
        "{name}: lines are read as a label, the first word, and a text; if it is a table, say its --separator",
        name=name,
    )
