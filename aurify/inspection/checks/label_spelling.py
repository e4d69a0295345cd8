"""Classes that are one class spelt in several ways, in the data or in a test file."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import listed, said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.labels import match_labels
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.spelt import mistyped, spelt_twice

SHOWN = 5


class LabelSpelling(Check):
    """Spellings of one class that would be learnt as classes of their own."""

    needs = frozenset({Trait.CATEGORICAL})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is None:
            return
        target = str(seen.schema.target)
        counts = np.bincount(seen.target, minlength=len(seen.classes)).tolist()
        rows = dict(zip(seen.classes, counts, strict=True))
        groups = spelt_twice(rows)
        known = {text for group in groups for text in group}
        slips = mistyped({text: count for text, count in rows.items() if text not in known})
        for severity, found in ((WARNING, groups), (NOTE, slips)):
            if found:
                yield self._told(seen, seen.classes, severity, found, rows)
        if len(seen.frames) > 1 and target in seen.frames[1].columns:
            how = match_labels(seen.frames[1][target], seen.classes)[1]
            if how:
                text = said("target {target!r} in {name}: {how}", target=target, name=said("the test file"), how=how)
                yield self.found(NOTE, text, columns=[target])

    def _told(
        self, seen: Inspected, classes: tuple[str, ...], severity: str, groups: list[list[str]], rows: dict[str, int]
    ) -> Finding:
        pairs = [(other, group[0]) for group in groups for other in group[1:]]
        few = said(
            "{count:,} of {all:,} classes are but for one letter like another, which is far more frequent: {pairs}",
            count=len(pairs),
            all=len(classes),
            pairs=_shown(pairs),
        )
        text = said(
            "{count:,} of {all:,} classes are other spellings of a class and would be learnt as classes of their"
            " own: {pairs}",
            count=len(pairs),
            all=len(classes),
            pairs=_shown(pairs),
        )
        ids = seen.rows[np.isin(seen.target, [classes.index(other) for other, _ in pairs])]
        return self.found(
            severity,
            text if severity == WARNING else few,
            fix=said("write each class in one way at the source: {pairs}", pairs=_shown(pairs)),
            columns=[str(seen.schema.target)],
            rows=ids,
            weight=len(ids) / max(1, len(seen.rows)),
            evidence={"spellings": [{"class": g[0], "others": {o: rows[o] for o in g[1:]}} for g in groups]},
        )


def _shown(pairs: list[tuple[str, str]]) -> str:
    texts = [said("{label!r} as {meant!r}", label=other, meant=meant) for other, meant in pairs[:SHOWN]]
    if len(pairs) <= SHOWN:
        return listed(texts, ",")
    return said("{names} and {count:,} more", names=listed(texts, ","), count=len(pairs) - SHOWN)
