"""Categories that are one, spelt in several ways."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.words import said
from aurify.data.columns import CATEGORY
from aurify.data.findings import WARNING, Finding
from aurify.inspection.cells import holds_texts, rows_with, texts_of, watched, without_missing
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.spelt import mistyped, spelt_twice

MOST_VALUES = 20_000
"""Categories beyond which a column is no list of names."""

SHOWN = 3


class Spellings(Check):
    """Categories of a column that differ only in case, blanks, width or marks, or in one letter of few rows."""

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
            groups += mistyped({text: count for text, count in rows.items() if text not in known})
            if groups:
                yield self._tell(seen, column.name, groups, rows)

    def _tell(self, seen: Inspected, name: str, groups: list[list[str]], rows: dict[str, int]) -> Finding:
        groups.sort(key=lambda group: -sum(rows[text] for text in group[1:]))
        shown = "; ".join(", ".join(f"{text!r} ({rows[text]:,})" for text in group[:4]) for group in groups[:SHOWN])
        odd = [text for group in groups for text in group[1:]]
        ids = rows_with(seen, name, odd)
        what = said(
            "column {column!r} spells {count:,} of its categories in several ways: {texts}",
            column=name,
            count=len(groups),
            texts=shown + ("; ..." if len(groups) > SHOWN else ""),
        )
        fix = said("write each in one way in the file, if they are the same")
        told = {group[0]: group[1:10] for group in groups[:50]}
        return self.found(
            WARNING, what, fix=fix, columns=[name], rows=np.asarray(ids), weight=len(ids), evidence={"spellings": told}
        )
