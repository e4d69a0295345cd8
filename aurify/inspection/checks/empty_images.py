"""Images that show nothing: of one colour, or a picture that stands where one is missing."""

# n images

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.data.small_gray import spread
from aurify.inspection.check import Check
from aurify.inspection.image_exhibits import file_of, images_exhibit
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_images import facts_seen, images_seen, of_images

FEW = 0.01

FLAT = 2.0
"""Standard deviation of gray below which an image is of one colour."""

PLAIN = 0.5
"""Share of one tone from which an image may be a sign rather than a photograph."""

RARELY = 0.05
"""Of the images, that have a palette, for a palette to be a sign of another origin."""

OFTEN = 5
"""Times that the same picture stands there, from which it is no accident."""

NAMES = re.compile(r"(not|no)[ _.-]?(found|image|img|photo|pic|avail)|unavail|placeholder|image[ _.-]?missing", re.I)


class EmptyImages(Check):
    """Blank images, and placeholders such as "this image could not be found", which carry a class all the same.

    A placeholder has mostly one tone and another sign: a palette among photographs, its name, or that it stands there
    again and again. A picture that stands there often and in several classes is one whatever it looks like.
    """

    needs = frozenset({Trait.IMAGES})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.schema.image is None or not seen.images:
            return
        images, rows = seen.once(images_seen), seen.once(of_images)
        blank = spread(images.gray[rows]) < FLAT
        if blank.any():
            text = said(
                "{rows:,} images ({share:.2%}) are of one colour",
                rows=int(blank.sum()),
                share=float(blank.mean()),
            )
            yield self._told(seen, text, rows[blank], len(rows), said("images of one colour"))
        signs = _placeholders(seen, rows[~blank])
        if len(signs):
            text = said(
                "{rows:,} images ({share:.2%}) look like a picture that stands where one is missing, such as {file}",
                rows=len(signs),
                share=len(signs) / len(rows),
                file=file_of(seen, int(signs[0])),
            )
            yield self._told(seen, text, signs, len(rows), said("pictures that stand for missing ones"))

    def _told(self, seen: Inspected, text: str, odd: np.ndarray, count: int, caption: str) -> Finding:
        assert seen.schema.image is not None
        share = len(odd) / count
        return self.found(
            WARNING if share >= FEW else NOTE,
            text,
            fix=said("take them out: they have a class and show nothing of it"),
            columns=[seen.schema.image.name],
            rows=odd,
            weight=share,
            evidence={"share": share, "looked_at": count},
            exhibits=[images_exhibit(seen, caption, [odd.tolist()])],
        )


def _placeholders(seen: Inspected, rows: np.ndarray) -> np.ndarray:
    """Ids (p,) of rows whose image stands for a missing one."""
    images, facts = seen.once(images_seen), seen.once(facts_seen)
    plain = rows[images.tone(rows) >= PLAIN]
    drawn = np.isin(facts.modes, ["P", "1"])
    drawn &= drawn[rows].mean() <= RARELY if len(rows) else False
    firsts, counts = np.unique(images.first[rows], return_counts=True)
    often = np.isin(images.first, firsts[counts >= OFTEN])
    named = [row for row in plain.tolist() if NAMES.search(file_of(seen, row))]
    found = np.union1d(plain[drawn[plain] | often[plain]], np.array(named, dtype=np.int64))
    return np.union1d(found, _of_many_classes(seen, rows[often[rows]]))


def _of_many_classes(seen: Inspected, rows: np.ndarray) -> np.ndarray:
    """Of rows with a picture that stands there often, those where it stands in several classes."""
    if seen.classes is None or seen.schema.labels is not None:
        return rows[:0]
    known = np.intersect1d(rows, seen.rows)
    first, target = seen.once(images_seen).first, np.asarray(seen.store.target)
    pairs = np.unique(np.stack([first[known], target[known]], 1)[target[known] >= 0], axis=0)
    several, counts = np.unique(pairs[:, 0], return_counts=True)
    return rows[np.isin(first[rows], several[counts > 1])]
