"""Texts that were read in the wrong encoding, and characters that nobody sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from aurify.core.errors import listing
from aurify.core.words import Said, said
from aurify.data.columns import CATEGORY, LEFT_OUT
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.cells import holds_texts, rows_with, texts_of, watched
from aurify.inspection.characters import BLANKS, ENTITY, INVISIBLE, LOST, SUSPECT, WIDE, escaped, mended
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

if TYPE_CHECKING:
    import polars as pl

MOST_TRIED = 20_000
"""Different suspicious texts of a column that are looked at one by one."""

GARBLED, GONE, UNSEEN, BLANK, FULL, HTML = "garbled", "lost", "invisible", "blanks", "full-width", "entities"


@dataclass
class _Odd:
    """Columns with one kind of odd characters, their names or their cells, with an example."""

    columns: list[str] = field(default_factory=list)
    texts: list[tuple[str, list[str]]] = field(default_factory=list)
    cells: int = 0
    names: int = 0
    example: str = ""
    used: bool = False


class OddCharacters(Check):
    """Mojibake, U+FFFD, invisible characters, odd blanks, full-width letters and HTML entities, in cells and names."""

    warns: ClassVar[tuple[str, ...]] = (GARBLED, GONE, UNSEEN)

    def look(self, seen: Inspected) -> Iterable[Finding]:
        import polars as pl

        odd: dict[str, _Odd] = {}
        for column in watched(seen):
            named = pl.DataFrame({"text": [column.name], "rows": [0]})
            for kind, texts in _kinds(named).items():
                found = odd.setdefault(kind, _Odd())
                found.columns.append(column.name)
                found.names, found.example, found.used = found.names + 1, found.example or texts["text"][0], True
            if column.kind not in (CATEGORY, LEFT_OUT) or not holds_texts(seen, column.name):
                continue
            seen.check()
            for kind, texts in _kinds(texts_of(seen, column.name)).items():
                found = odd.setdefault(kind, _Odd())
                found.columns += [] if column.name in found.columns else [column.name]
                found.cells += int(texts["rows"].sum())
                found.texts.append((column.name, texts["text"].to_list()))
                found.example = found.example or texts.sort("rows", "text")["text"][-1]
                found.used = found.used or column.kind == CATEGORY
        for kind, found in odd.items():
            yield self._tell(seen, kind, found)

    def _tell(self, seen: Inspected, kind: str, odd: _Odd) -> Finding:
        import numpy as np

        rows = [rows_with(seen, name, texts) for name, texts in odd.texts]
        example = odd.example if len(odd.example) <= 40 else odd.example[:40] + "..."
        shown = escaped(example) if kind in (UNSEEN, BLANK) else example
        where = said("{cells:,} cell(s) of {names}", cells=odd.cells, names=listing(odd.columns, 3))
        if not odd.cells:
            where = said("the name(s) of {names}", names=listing([escaped(n) for n in odd.columns], 3))
        what, fix = _words(kind, where, shown, mended(example) or example)
        examples = [text for _, texts in odd.texts for text in texts[:3]][:6] or [odd.example]
        exhibit = Exhibit(
            kind="rows",
            caption=said("texts as they look, and spelt out"),
            data={
                "header": [said("text"), said("spelt out")],
                "rows": [[t, escaped(t)] for t in examples],
                "marks": [],
            },
        )
        return self.found(
            WARNING if kind in self.warns and odd.used else NOTE,
            what,
            fix=fix,
            columns=odd.columns,
            rows=np.unique(np.concatenate(rows)) if rows else None,
            weight=odd.cells,
            evidence={"cells": odd.cells, "example": odd.example, "spelt out": escaped(odd.example)},
            exhibits=[exhibit],
        )


def _kinds(held: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The different texts with odd characters, by kind."""
    text = held["text"]
    suspect = held.filter(text.str.contains(SUSPECT)).head(MOST_TRIED)
    garbled = suspect.filter([mended(each) is not None for each in suspect["text"]]) if suspect.height else suspect
    found = {GARBLED: garbled}
    for kind, pattern in ((GONE, LOST), (UNSEEN, INVISIBLE), (BLANK, BLANKS), (FULL, WIDE), (HTML, ENTITY)):
        odd = held.filter(text.str.contains(pattern))
        found[kind] = odd.filter(~odd["text"].is_in(garbled["text"].to_list())) if garbled.height else odd
    return {kind: texts for kind, texts in found.items() if texts.height}


def _words(kind: str, where: str, example: str, meant: str) -> tuple[Said, Said]:
    """What is said of one kind, and what to do."""
    match kind:
        case "garbled":
            what = said(
                "letters read in the wrong encoding in {where}: {text!r}, meant is {meant!r}",
                where=where,
                text=example,
                meant=meant,
            )
            return what, said("save the file anew as UTF-8 from its source, or name its encoding with --encoding")
        case "lost":
            what = said(
                "characters lost in an earlier conversion (U+FFFD) in {where}: {text!r}", where=where, text=example
            )
            return what, said("they cannot be recovered here: make the file anew from its source")
        case "invisible":
            what = said("invisible characters in {where}: '{text}'", where=where, text=example)
            return what, said("remove them: texts that look alike are taken as different ones")
        case "blanks":
            what = said("blanks other than the plain one in {where}: '{text}'", where=where, text=example)
            return what, said("make them plain blanks, if the same texts are written with these elsewhere")
        case "full-width":
            what = said("full-width letters or digits in {where}: {text!r}", where=where, text=example)
            return what, said("make them plain, if the same texts are written so elsewhere")
        case _:
            what = said("entities of HTML in {where}: {text!r}", where=where, text=example)
            return what, said("write the characters themselves, if the same texts are written so elsewhere")
