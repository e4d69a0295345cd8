"""Images that are there more than once, saved anew, resized, cropped or mirrored, and labels that contradict."""

# n rows to learn from, P pairs

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.image_copies import KINDS, kinds_of
from aurify.data.store import COPIES
from aurify.inspection.check import Check
from aurify.inspection.image_exhibits import images_exhibit
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_images import SeenImages, images_seen, of_images

FEW = 0.01
"""A share of images that costs no score that could be measured."""

FEW_TORN = 0.005

MOST_SHOWN = 8
MOST_OF_FAMILY = 4


class ImageCopies(Check):
    """Near copies among images that may be learnt from: perceptual hashes (Zauner 2010), proved by their pixels.

    A fit keeps them on one side of its split. Copies with another label contradict one another: one of them is wrong.
    """

    needs = frozenset({Trait.IMAGES})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if not seen.images or COPIES not in seen.store.roles:
            return
        images = seen.once(images_seen)
        rows = np.intersect1d(seen.rows, seen.once(of_images))
        if len(rows) < 2:
            return
        families, which = np.unique(images.family[rows], return_inverse=True)
        firsts = np.full(len(families), len(seen.store))
        np.minimum.at(firsts, which, rows)
        head = firsts[which]
        near = np.flatnonzero((head != rows) & (images.first[rows] != images.first[head]))
        if len(near):
            yield self._copies(seen, images, rows, head, near)
        if seen.classes is not None and seen.schema.labels is None:
            yield from self._torn(seen, images, rows)

    def _copies(
        self, seen: Inspected, images: SeenImages, rows: np.ndarray, head: np.ndarray, near: np.ndarray
    ) -> Finding:
        seen.check()
        kinds = np.bincount(kinds_of(images.gray, np.stack([head[near], rows[near]], 1)), minlength=len(KINDS))
        counts = dict(zip(KINDS, kinds.tolist(), strict=True))
        equal = int(((head != rows) & (images.first[rows] == images.first[head])).sum())
        share = len(near) / len(rows)
        text = said(
            "{near:,} images ({share:.2%}) are near copies of another one: {anew:,} saved anew, resized or of another"
            " brightness, {cropped:,} cropped, {mirrored:,} mirrored, {joined:,} by way of others; {equal:,} more are"
            " exactly the same",
            near=len(near),
            share=share,
            anew=counts["saved anew"],
            cropped=counts["cropped"],
            mirrored=counts["mirrored"],
            joined=counts["joined"],
            equal=equal,
        )
        fix = said("keep one of each; a random split keeps them on one side, yet they count as often as they are there")
        return self.found(
            WARNING if share >= FEW else NOTE,
            text,
            fix=fix if share >= FEW else "",
            columns=_column(seen),
            rows=rows[near],
            weight=share,
            evidence={"near": len(near), "equal": equal, **counts, "looked_at": len(rows)},
            exhibits=[images_exhibit(seen, said("images, and near copies of them"), _largest(rows, head, near))],
        )

    def _torn(self, seen: Inspected, images: SeenImages, rows: np.ndarray) -> Iterable[Finding]:
        """Copies with another label, beside equal images: another check tells of these. Mirror images may differ."""
        pairs = _torn_pairs(seen, images, rows)
        kinds = kinds_of(images.gray, pairs)
        pairs = pairs[np.isin(kinds, [KINDS.index("saved anew"), KINDS.index("cropped")])]
        if not len(pairs):
            return
        torn = np.unique(pairs)
        share = len(torn) / len(rows)
        text = said(
            "{rows:,} images ({share:.2%}) are labelled otherwise than a near copy of theirs",
            rows=len(torn),
            share=share,
        )
        warned = share >= FEW_TORN
        yield self.found(
            WARNING if warned else NOTE,
            text,
            fix=said("find out which labels are right; --with clean_labels leaves out the surest errors")
            if warned
            else "",
            columns=_column(seen),
            rows=torn,
            weight=share,
            evidence={"share": share, "pairs": len(pairs)},
            exhibits=[images_exhibit(seen, said("near copies with another label"), pairs[:MOST_SHOWN].tolist())],
        )


def _column(seen: Inspected) -> list[str]:
    return [column.name for column in [seen.schema.image] if column is not None]


def _largest(rows: np.ndarray, head: np.ndarray, near: np.ndarray) -> list[list[int]]:
    """The largest families with a near copy, the first images of each."""
    heads, counts = np.unique(head[near], return_counts=True)
    chosen = heads[np.argsort(-counts, kind="stable")][:MOST_SHOWN]
    return [[int(at), *rows[near][head[near] == at][: MOST_OF_FAMILY - 1].tolist()] for at in chosen]


def _torn_pairs(seen: Inspected, images: SeenImages, rows: np.ndarray) -> np.ndarray:
    """Pairs (P, 2) of rows of one family and of two classes, each row that is not of its family's commonest class once.

    Each is compared with the image of another class in its family that it is most alike.
    """
    target = np.asarray(seen.store.target)
    rows = rows[target[rows] >= 0]
    order = rows[np.argsort(images.family[rows], kind="stable")]
    cuts = np.flatnonzero(np.diff(images.family[order])) + 1
    pairs = []
    for family in np.split(order, cuts):
        classes = target[family]
        if len(family) < 2 or (classes == classes[0]).all():
            continue
        common = np.bincount(classes).argmax()
        small = images.gray[family].reshape(len(family), -1).astype(np.float32)
        for at in np.flatnonzero(classes != common):
            others = np.flatnonzero((classes != classes[at]) & (images.first[family] != images.first[family[at]]))
            if len(others):
                far = np.abs(small[others] - small[at]).mean(1)
                pairs.append([int(family[others[far.argmin()]]), int(family[at])])
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
