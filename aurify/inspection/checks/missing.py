"""Missing cells: how many, written how, in which columns together, in which stretches of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import Said, said
from aurify.data.dates import written
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.data.texts import MARKS, NUMBER_MARKS
from aurify.inspection.cells import holds_texts, own_values, texts_of
from aurify.inspection.check import Check
from aurify.inspection.gaps import Gaps, uneven
from aurify.inspection.inspected import MOST_FITTED, Inspected

MOST = 0.5
"""Share of missing cells above which a column is told of as a trouble."""

ALONE = 3
"""More columns with gaps than this are told of together."""

MOST_DRAWN, STRETCHES = 30, 24
"""Columns and stretches of rows of the map."""

UNEVEN = 0.3
"""Cramer's V from which on gaps are said to come in stretches."""

FEWEST = 200
"""Rows without which nobody looks for stretches."""


FEWEST_GAPS = 30
"""Missing cells of a column that make a stretch."""


class Missing(Check):
    """Gaps by column, the texts that were taken as gaps, and their pattern."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        gaps = seen.once(Gaps.of)
        if not gaps.names:
            return
        rows = seen.frame.height
        marks = {name: _marks(seen, name) for name in gaps.names}
        shares = gaps.counts / rows
        order = np.argsort(-shares, kind="stable")
        most = [int(at) for at in order if shares[at] > MOST]
        some = [int(at) for at in order if shares[at] <= MOST]
        if most:
            yield self._mostly(gaps, most)
        picture = [_map(gaps, seen)] if rows >= STRETCHES else []
        if len(some) > ALONE:
            yield self._several(gaps, some, marks, picture)
        for at in some if len(some) <= ALONE else []:
            yield self._alone(gaps, at, marks[gaps.names[at]], picture)
        yield from self._pattern(gaps, seen)
        empty = np.flatnonzero(gaps.missing.all(1)) if len(gaps.names) == _learnt(seen) > 1 else np.empty(0, dtype=int)
        if len(empty):
            what = said("{rows:,} row(s) are empty but for the target or an id", rows=len(empty))
            yield self.found(NOTE, what, fix=said("delete them from the file"), rows=empty)

    def _mostly(self, gaps: Gaps, places: list[int]) -> Finding:
        names = [gaps.names[at] for at in places]
        shares = {gaps.names[at]: round(float(gaps.missing[:, at].mean()), 4) for at in places[:100]}
        fix = said("keep what new rows will have too, leave out the rest with --drop '{column}'", column=names[0])
        if len(names) == 1:
            what = said(
                "column {column!r} is missing in {share:.1%} of the rows", column=names[0], share=shares[names[0]]
            )
        else:
            what = said(
                "{count:,} columns are missing in more than half of the rows: {names}",
                count=len(names),
                names=listing(names),
            )
        rows = np.flatnonzero(gaps.missing[:, places].any(1))
        return self.found(
            WARNING, what, fix=fix, columns=names, rows=rows, weight=len(names), evidence={"missing": shares}
        )

    def _alone(self, gaps: Gaps, at: int, marks: dict[str, int], picture: list[Exhibit]) -> Finding:
        name, gone = gaps.names[at], np.flatnonzero(gaps.missing[:, at])
        what = said(
            "column {column!r}: {cells:,} missing cell(s), {share:.1%}{how}",
            column=name,
            cells=len(gone),
            share=len(gone) / len(gaps.missing),
            how=_how(marks),
        )
        evidence = {"missing": len(gone), "written": marks}
        return self.found(NOTE, what, columns=[name], rows=gone, weight=len(gone), evidence=evidence, exhibits=picture)

    def _several(
        self, gaps: Gaps, places: list[int], marks: dict[str, dict[str, int]], picture: list[Exhibit]
    ) -> Finding:
        names = [gaps.names[at] for at in places]
        counts = {gaps.names[at]: int(gaps.counts[at]) for at in places}
        total = sum((Counter(marks[name]) for name in names), Counter[str]())
        what = said(
            "{count:,} columns have missing cells, most {column!r} ({share:.1%}), then {names}{how}",
            count=len(names),
            column=names[0],
            share=counts[names[0]] / len(gaps.missing),
            names=listing(names[1:], 2),
            how=_how(dict(total.most_common())),
        )
        evidence = {"missing": dict(list(counts.items())[:100]), "written": dict(total.most_common(20))}
        rows = np.flatnonzero(gaps.missing[:, places].any(1))
        return self.found(
            NOTE, what, columns=names, rows=rows, weight=len(rows), evidence=evidence, exhibits=picture
        )  # fmt: skip

    def _pattern(self, gaps: Gaps, seen: Inspected) -> Iterable[Finding]:
        """Columns that are missing together, and gaps that come in stretches of the file or of time."""
        rows = seen.drawn(len(gaps.missing), MOST_FITTED, "inspect/missing")
        groups = gaps.groups(rows)
        for group in groups[:2]:
            names = [gaps.names[at] for at in group]
            together = np.flatnonzero(gaps.missing[:, group].all(1))
            what = said("missing in the same {rows:,} rows: {names}", rows=len(together), names=listing(names))
            more = {"groups": [[gaps.names[at] for at in each][:30] for each in groups[:10]]}
            yield self.found(NOTE, what, columns=names, rows=together, weight=len(names), evidence=more)
        if len(gaps.missing) < FEWEST:
            return
        orders = {None: np.arange(len(gaps.missing)), **_times(seen)}
        for by, order in orders.items():
            shares = gaps.shares(order, STRETCHES)
            strength = np.where(gaps.counts < FEWEST_GAPS, 0.0, uneven(shares, len(order)))
            at = int(strength.argmax())
            if strength[at] >= UNEVEN:
                names = [gaps.names[int(other)] for other in np.argsort(-strength) if strength[other] >= UNEVEN]
                yield self.found(NOTE, _stretched(by, names, shares[:, at]), columns=names, weight=float(strength[at]))
                return


def _stretched(by: str | None, names: list[str], shares: np.ndarray) -> Said:
    low, high = float(shares.min()), float(shares.max())
    if by is None:
        return said(
            "gaps come in stretches of the file: {names}, the first from {low:.0%} to {high:.0%} of a stretch",
            names=listing(names, 3),
            low=low,
            high=high,
        )
    return said(
        "gaps come in stretches of time (by {by!r}): {names}, the first from {low:.0%} to {high:.0%} of a stretch",
        by=by,
        names=listing(names, 3),
        low=low,
        high=high,
    )


def _times(seen: Inspected) -> dict[str, np.ndarray]:
    """The order of the rows by each date column that tells many of them apart."""
    orders = {}
    for column in seen.schema.dates:
        values = own_values(seen, column.name) if column.name not in seen.hidden else None
        if values is not None and np.isnan(values).mean() < 0.1 and len(np.unique(values)) > STRETCHES:
            orders[column.name] = np.argsort(values, kind="stable")
    return orders


def _marks(seen: Inspected, name: str) -> dict[str, int]:
    """How missing values were written, and in how many cells; "" is a blank. Cells that reading left empty are not."""
    if not holds_texts(seen, name):
        return {}
    held = texts_of(seen, name)
    marks = MARKS | (frozenset() if name in {c.name for c in seen.schema.categories} else NUMBER_MARKS)
    own = seen.schema.missing
    return {text: rows for text, rows in held.iter_rows() if text.lower() in marks or text in own}


def _how(marks: dict[str, int]) -> str:
    """What ends a sentence about gaps: the texts that were taken as such."""
    if not marks:
        return ""
    shown = listing([text for text in marks if text], 4)
    if "" not in marks:
        return said(", written {texts}", texts=shown)
    return said(", written as blanks and {texts}", texts=shown) if shown else said(", written as blanks")


def _learnt(seen: Inspected) -> int:
    columns = (*seen.schema.numbers, *seen.schema.dates, *seen.schema.categories)
    return sum(column.name not in seen.hidden for column in columns)


def _map(gaps: Gaps, seen: Inspected) -> Exhibit:
    """Which stretches of rows lack which columns, the columns with the most gaps."""
    chosen = np.sort(np.argsort(-gaps.counts, kind="stable")[:MOST_DRAWN])
    times = _times(seen)
    order = next(iter(times.values()), np.arange(len(gaps.missing)))
    by = next(iter(times), None)
    parts = np.array_split(order, STRETCHES)
    if by is None:
        labels = [f"{part[0]:,}" for part in parts]
        caption = said("share of missing cells in stretches of rows, by the number of the first")
    else:
        moments = own_values(seen, by)
        assert moments is not None
        labels = ["" if np.isnan(moments[part[0]]) else written(float(moments[part[0]])) for part in parts]
        caption = said("share of missing cells in stretches of time, by {by!r} of the first row", by=by)
    shares = gaps.shares(order, STRETCHES)[:, chosen]
    data = {"columns": [gaps.names[at] for at in chosen], "bins": labels, "shares": np.round(shares, 4).tolist()}
    return Exhibit(kind="map", caption=caption, data=data)
