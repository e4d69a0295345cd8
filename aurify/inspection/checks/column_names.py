"""Names of columns that are easily taken for one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from aurify.core.errors import listing
from aurify.core.words import said
from aurify.data.findings import NOTE, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.spelt import folded

LONG = 100
"""Characters beyond which a name is a sentence, or a line of data."""


class ColumnNames(Check):
    """Names that differ only in case, blanks, width or marks, and names as long as a sentence."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        names = [name for name in seen.schema.names if name not in seen.hidden]
        alike: dict[str, list[str]] = defaultdict(list)
        for name in names:
            alike[folded(name)].append(name)
        for group in alike.values():
            if len(group) > 1:
                what = said("names of columns differ only in case, blanks or marks: {names}", names=listing(group))
                yield self.found(NOTE, what, fix=said("rename one"), columns=group)
        long = [name for name in names if len(name) > LONG]
        if long:
            what = said(
                "{count:,} column name(s) of more than {most} characters, such as {name!r}",
                count=len(long),
                most=LONG,
                name=f"{long[0][:40]}...",
            )
            fix = said("shorten them; if the first line is data, say --header no")
            yield self.found(NOTE, what, fix=fix, columns=long)
