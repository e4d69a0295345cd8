"""Images of the test part that are copies of one to learn from, or nearly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, SEVERE, WARNING, Finding
from aurify.data.store import COPIES
from aurify.inspection.check import Check
from aurify.inspection.image_exhibits import images_exhibit
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_images import images_seen, of_images

FEW, MANY = 0.02, 0.1
"""Shares of the test part that move a score by more than chance does, and that spoil it."""

FEWEST = 10
"""Images below which nothing is stopped."""

MOST_SHOWN = 8


class ImageOverlap(Check):
    """Test images that a training image copies: the same, saved anew, resized, cropped or mirrored.

    Scores on them say what was learnt by heart (Barz & Denzler 2020, ciFAIR: 3 % of CIFAR-10's). Targets of the test
    part are not looked at.
    """

    needs = frozenset({Trait.IMAGES})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not seen.images or COPIES not in seen.store.roles or not len(seen.test):
            return
        images, readable = seen.once(images_seen), seen.once(of_images)
        known, tested = (np.intersect1d(rows, readable) for rows in (seen.rows, seen.test))
        copied = tested[np.isin(images.family[tested], images.family[known])]
        if not len(copied):
            return
        exact = np.isin(images.first[copied], images.first[known])
        share, near = len(copied) / len(seen.test), int((~exact).sum())
        text = said(
            "{rows:,} images of the test part ({share:.2%}) are in the training rows: {exact:,} exactly, {near:,} saved"
            " anew, resized, cropped or mirrored",
            rows=len(copied),
            share=share,
            exact=len(copied) - near,
            near=near,
        )
        severity = SEVERE if share > MANY and len(copied) >= FEWEST else WARNING if near >= FEW * len(tested) else NOTE
        pairs = []
        for row in copied[~exact][:MOST_SHOWN].tolist():
            pairs.append([int(known[np.argmax(images.family[known] == images.family[row])]), row])
        exhibit = images_exhibit(seen, said("a training image, and one of the test part"), pairs)
        yield self.found(
            severity,
            text,
            fix="" if severity == NOTE else said("leave these rows out of the training data, or test on others"),
            columns=[column.name for column in [seen.schema.image] if column is not None],
            rows=copied,
            weight=share,
            evidence={"share": share, "exact": len(copied) - near, "near": near},
            exhibits=[exhibit] if pairs else [],
        )
