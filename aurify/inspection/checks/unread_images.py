"""Images that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.image_exhibits import file_of
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_images import unread

FEW = 0.01
"""A share of images that is no great loss."""

SHOWN = 24


class UnreadImages(Check):
    """Images that are damaged, empty, too large or not of a form that is read: their rows are not learnt from."""

    needs = frozenset({Trait.IMAGES})
    instead = ("{name}: {count:,} images cannot be read and are left out, first row {row:,}: {why}",)

    def look(self, seen: Inspected) -> Iterable[Finding]:
        image = seen.schema.image
        if image is None or not seen.images:
            return
        found = seen.once(unread)
        if not found:
            return
        share = len(found) / len(seen.store)
        first = next(iter(found))
        text = said(
            "{rows:,} images ({share:.2%}) cannot be read and are left out; the first is {file}: {why}",
            rows=len(found),
            share=share,
            file=file_of(seen, first),
            why=found[first],
        )
        shown = [[str(row), file_of(seen, row), why] for row, why in list(found.items())[:SHOWN]]
        data = {"header": [said("row"), said("file"), said("why")], "rows": shown, "marks": []}
        warned = share >= FEW
        yield self.found(
            WARNING if warned else NOTE,
            text,
            fix=said("fetch these files again, or take them out") if warned else "",
            columns=[image.name],
            rows=np.array(list(found), dtype=np.int64),
            weight=share,
            evidence={"share": share},
            exhibits=[Exhibit(kind="rows", caption=said("images that cannot be read"), data=data)],
        )
