"""Categories that are one, spelt in several ways."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.words import Said, said
from aurify.data.columns import CATEGORY
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.cells import holds_texts, rows_with, texts_of, watched, without_missing
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.spelt import mistyped, spelt_twice

MOST_VALUES = 20_000
"""Categories beyond which a column is no list of names."""

SHOWN = 3


class Spellings(Check):
    """Categories of a column that differ only in case, blanks, width or marks; those of few rows that differ in one
    letter are noted."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for column in watched(seen):
            if column.kind != CATEGORY or len(column.values) > MOST_VALUES or not holds_texts(seen, column.name):
                continue
            seen.check()
            held = without_missing(seen, texts_of(seen, column.name), numbers=False)
            learnt = set(column.values)
            rows = {text: count for text, count in held.iter_rows() if text in learnt}
            groups = spelt_twice(rows)
            known = {text for group in groups for text in group}
            slips = mistyped({text: count for text, count in rows.items() if text not in known})
            if groups:
                what = said(
                    "column {column!r} spells {count:,} of its categories in several ways: {texts}",
                    column=column.name,
                    count=len(groups),
                    texts=_shown(groups, rows),
                )
                yield self._tell(seen, WARNING, what, column.name, groups)
            if slips:
                what = said(
                    "column {column!r}: {count:,} categories are but for one letter like another, which is far more"
                    " frequent: {texts}",
                    column=column.name,
                    count=sum(len(group) - 1 for group in slips),
                    texts=_shown(slips, rows),
                )
                yield self._tell(seen, NOTE, what, column.name, slips)

    def _tell(self, seen: Inspected, severity: str, what: Said, name: str, groups: list[list[str]]) -> Finding:
        ids = rows_with(seen, name, [text for group in groups for text in group[1:]])
        fix = said("write each in one way in the file, if they are the same")
        told = {group[0]: group[1:10] for group in groups[:50]}
        return self.found(
            severity, what, fix=fix, columns=[name], rows=np.asarray(ids), weight=len(ids), evidence={"spellings": told}
        )


def _shown(groups: list[list[str]], rows: dict[str, int]) -> str:
    """The first groups, those of most rows first; sorts them."""
    groups.sort(key=lambda group: -sum(rows[text] for text in group[1:]))
    shown = "; ".join(", ".join(f"{text!r} ({rows[text]:,})" for text in group[:4]) for group in groups[:SHOWN])
    return shown + ("; ..." if len(groups) > SHOWN else "")
