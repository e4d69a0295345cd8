"""A target of numbers that is taken as classes, or of codes that are taken as numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

LEAST_CLASSES, MOST_CLASSES = 4, 20
LEAST_MISTAKES = 30
SURELY = 4.0
"""Standard errors that mistakes must be nearer than by chance."""

MOST_CODES, LEAST_EACH, EVEN = 500, 10, 3.0
"""What codes of classes are like: no more different ones, so many rows each, none this much as frequent as another."""


class TargetKind(Check):
    """Numbers whose order means something learnt as classes, and the reverse."""

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        name = str(seen.schema.target)
        if seen.classes is None:
            if _codes(seen.target):
                count = len(np.unique(seen.target))
                text = said(
                    "target {target!r} holds {count:,} whole numbers in a row, about as often each: taken as a number",
                    target=name,
                    count=count,
                )
                fix = said("if they are codes of classes, say --set task.kind=classify")
                yield self.found(NOTE, text, fix=fix, columns=[name], evidence={"values": count})
        elif _ordered(seen):
            text = said(
                "target {target!r} holds {count} numbers, taken as classes, of which neighbours are hard to tell apart",
                target=name,
                count=len(seen.classes),
            )
            fix = said("if a miss by 1 is better than a miss by 2, say --set task.kind=regress")
            yield self.found(NOTE, text, fix=fix, columns=[name], evidence={"values": len(seen.classes)})


def _codes(target: np.ndarray) -> bool:
    """Whether the numbers (n,) are 0 or 1 and all that follow up to a last one, each about as frequent."""
    if not len(target) or target.min() not in (0.0, 1.0) or target.max() > MOST_CODES or (target % 1).any():
        return False
    counts = np.bincount(target.astype(np.int64))[int(target.min()) :]
    return bool(len(counts) > 2 and counts.min() >= LEAST_EACH and counts.max() <= EVEN * counts.min())


def _ordered(seen: Inspected) -> bool:
    """Whether classes are numbers that are mistaken for near ones more often than for far ones."""
    classes = seen.classes or ()
    if not LEAST_CLASSES <= len(classes) <= MOST_CLASSES or not all(map(_number, classes)):
        return False
    target, call = seen.sampled.target, seen.answers.argmax(1)
    missed = call != target
    if missed.sum() < LEAST_MISTAKES:
        return False
    shares = np.bincount(target, minlength=len(classes)) / len(target)
    away = np.abs(np.subtract.outer(np.arange(len(classes)), np.arange(len(classes))))
    others = np.where(away > 0, shares, 0.0)
    mean = (away * others).sum(1) / others.sum(1).clip(1e-12)
    spread = (away**2 * others).sum(1) / others.sum(1).clip(1e-12) - mean**2
    gap = (np.abs(call - target) - mean[call])[missed].sum()
    return bool(gap < -SURELY * np.sqrt(spread[call][missed].sum()))


def _number(text: str) -> bool:
    try:
        return np.isfinite(float(text)).item()
    except ValueError:
        return False
