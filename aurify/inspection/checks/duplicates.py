"""Rows that are there more than once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.copies import first_alike, row_keys
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.alike import MOST_SHOWN, groups_of, inputs_of, repeats_among, side_by_side
from aurify.inspection.chance import MOST_JUDGED
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

FEW = 0.005
"""A share of rows that spoils nothing, wherever it comes from."""


class Duplicates(Check):
    """Rows that repeat another one in every column and in the target, against how many chance would give."""

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        tables = inputs_of(seen, seen.rows)
        if not tables or not len(seen.rows):
            return
        if seen.schema.target is not None:
            tables.append(seen.target.reshape(len(seen.rows), -1))
        keys = row_keys(tables)
        repeated = np.flatnonzero(first_alike(keys) != np.arange(len(keys)))
        if not len(repeated):
            return
        judged = seen.drawn(len(keys), MOST_JUDGED, "inspect/duplicates")
        found = repeats_among(seen, tables, repeated, judged)
        share = len(repeated) / len(keys)
        if found.beyond and share >= FEW:
            severity, fix = WARNING, said("find out why; drop_duplicates, on by default, learns from each of them once")
            text = said(
                "{rows:,} training rows ({share:.2%}) repeat an earlier one in every column;"
                " chance gives about {chance:,}",
                rows=found.count,
                share=share,
                chance=round(found.by_chance),
            )
        else:
            severity, fix = NOTE, ""
            text = said(
                "{rows:,} training rows ({share:.2%}) repeat an earlier one in every column",
                rows=found.count,
                share=share,
            )
        yield self.found(
            severity,
            text,
            fix=fix,
            rows=seen.rows[repeated],
            weight=share,
            evidence={"share": share, "by_chance": found.by_chance, "beyond_chance": found.beyond},
            mend={"techniques": {"drop_duplicates": {}}} if severity == WARNING else {},
            exhibits=[side_by_side(seen, _largest(seen, keys), said("the same rows, as they were written"))],
        )


def _largest(seen: Inspected, keys: np.ndarray) -> list[list[int]]:
    """The first row ids of the largest groups of equal keys (n,)."""
    which, sizes = groups_of(keys)
    largest = np.argsort(-sizes, kind="stable")[:MOST_SHOWN]
    return [seen.rows[np.flatnonzero(which == at)[:MOST_SHOWN]].tolist() for at in largest if sizes[at] > 1]
