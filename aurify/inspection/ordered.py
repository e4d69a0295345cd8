"""What the order of rows in time does to a random split: stretches, neighbours, and learning from the past alone."""

# m sampled rows in the order of time, K columns of targets

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from aurify.core import rng
from aurify.data.columns import CATEGORY, NUMBER
from aurify.data.copies import row_keys
from aurify.data.store import Asked
from aurify.inspection.clock import YEAR_DAYS, Clock
from aurify.inspection.inspected import FOLDS, Inspected
from aurify.measure.bands import equal_mass
from aurify.measure.baselines import Examples, plain_answers
from aurify.measure.clusters import time_blocks
from aurify.measure.examples import examples_of
from aurify.measure.out_of_fold import folds_of, out_of_fold
from aurify.measure.series import Resemblance, along, between, normal_scores, resemblance

MOST_ORDERED = 8000
"""Rows that are fitted in the order of time."""

STRETCHES, LATE = 10, 0.2
ENTITIES = 5
"""Category columns that may say whose series a row belongs to."""


@dataclass(frozen=True)
class Harm:
    """By what share the loss on the latest rows is higher when learnt from earlier ones alone: 95% and 99% ends."""

    value: float
    low: float
    high: float
    surely: float


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows of a clock's times, in order; rows of one time in an order that is drawn."""

    seen: Inspected
    clock: Clock

    @cached_property
    def rows(self) -> np.ndarray:
        """Row ids (m,)."""
        seen = self.seen
        known = seen.rows[~np.isnan(self.clock.times[seen.rows])]
        known = known[seen.drawn(len(known), seen.affordable(MOST_ORDERED), "inspect/time/rows")]
        random = np.random.Generator(np.random.PCG64(rng.key(seen.seed, "inspect/time/ties")))
        known = random.permutation(known)
        return known[np.argsort(self.clock.times[known], kind="stable")]

    @cached_property
    def times(self) -> np.ndarray:
        return self.clock.times[self.rows]

    @cached_property
    def target(self) -> np.ndarray:
        """Targets (m, K): each class as 0 and 1, or the normal scores of numbers."""
        values = np.asarray(self.seen.store.target[self.rows])
        if self.seen.classes is None:
            return normal_scores(values)[:, None]
        return (values[:, None] == np.unique(values)).astype(np.float64)

    @cached_property
    def stretch(self) -> np.ndarray:
        """The stretch (m,) of each row: whole years where there are three, else about ten of equally many rows."""
        if self.clock.years < 3:
            return equal_mass(self.times, np.ones(len(self.times)), STRETCHES)
        years = ((self.times - self.times[0]) / YEAR_DAYS).astype(np.int64)
        whole = np.minimum(years, max(int(self.clock.years) - 1, 0))
        return whole // max(1, -(-int(self.clock.years) // (2 * STRETCHES)))

    @cached_property
    def trend(self) -> tuple[float, float]:
        """The share of the target's variance between stretches, or in an even trend over them, and its chance.

        The surer of both, its chance corrected for being one of two.
        """
        share, chance = min((look(self.target, self.stretch) for look in (between, along)), key=lambda each: each[1])
        return share, min(1.0, 2 * chance)

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Row ids of the first and of the last fifth; of whole years where there are two, so that seasons cancel."""
        known = self.seen.rows[~np.isnan(self.clock.times[self.seen.rows])]
        times = self.clock.times[known]
        if self.clock.years >= 2:
            length = max(1, round(self.clock.years / 5)) * YEAR_DAYS
            first, last = times.min() + length, times.max() - length
        else:
            first, last = np.quantile(times, LATE), np.quantile(times, 1 - LATE)
        return known[times < max(first, np.nextafter(times.min(), np.inf))], known[
            times > min(last, times.max() - 1e-9)
        ]

    @cached_property
    def examples(self) -> Examples:
        """The rows without what tells only their time, but with the season, the weekday and the hour."""
        seen, gone = self.seen, self.clock.parts
        targets = np.asarray(seen.store.target)
        made = examples_of(Asked(seen.store.inputs, targets, self.rows), seen.schema, {*seen.hidden, *gone})
        days = self.times
        seasons = np.stack([days % YEAR_DAYS, np.floor(days) % 7, days % 1], 1) if self.clock.dated else None
        if seasons is not None:
            made = replace(made, numbers=np.concatenate([made.numbers, seasons], axis=1))
        return made if seen.classes is not None else replace(made, target=self.target[:, 0])

    @property
    def _classes(self) -> int | None:
        return None if self.seen.classes is None else len(self.seen.classes)

    @cached_property
    def answers(self) -> np.ndarray:
        """What boosted trees say out of random folds."""
        examples = self.examples
        keys = row_keys([examples.numbers, examples.codes])
        folds = folds_of(keys, examples.target, FOLDS, self.seen.seed, "inspect/time")
        return out_of_fold("boosting", examples, folds, self._classes, self.seen.seed, self.seen.check)

    @cached_property
    def harm(self) -> Harm | None:
        """What a random split hides, on the latest fifth; equally many rows are learnt from. None for too few."""
        examples, seen = self.examples, self.seen
        late = self.times > np.quantile(self.times, 1 - LATE, method="lower")
        early = np.flatnonzero(~late)
        if late.sum() < 20 or len(early) < 40 or (self._classes and len(np.unique(examples.target[early])) < 2):
            return None
        learnt = early[seen.drawn(len(early), len(examples) * (FOLDS - 1) // FOLDS, "inspect/time/early")]
        seen.check()
        forward = plain_answers("boosting", examples.take(learnt), examples.take(late), self._classes, seen.seed)
        target = examples.target[late]
        random, past = (_losses(each, target) for each in (self.answers[late], forward))
        blocks = np.unique(time_blocks(self.times[late])[0], return_inverse=True)[1]
        if blocks.max() < 4 or not random.mean():
            return None
        sums = np.stack([np.bincount(blocks, weights=each) for each in (past - random, random)])
        draws = np.random.Generator(np.random.PCG64(rng.key(seen.seed, "inspect/time/draws")))
        drawn = draws.multinomial(blocks.max() + 1, np.full(blocks.max() + 1, 1 / (blocks.max() + 1)), 2000) @ sums.T
        surely, low, high = np.percentile(drawn[:, 0] / np.maximum(drawn[:, 1], 1e-12), (0.25, 2.5, 97.5))
        return Harm(float(sums[0].sum() / sums[1].sum()), float(low), float(high), float(surely))

    @cached_property
    def neighbours(self) -> tuple[Resemblance, str | None]:
        """How alike errors of rows next to one another in time are, over all or within a column's values.

        The surest of these, its chance corrected for how many were looked at.
        """
        target = self.examples.target
        answers = self.answers[:, None] if self._classes is None else self.answers[:, np.unique(target)]
        errors = self.target - answers
        found: list[tuple[Resemblance, str | None]] = [(resemblance(errors), None)]
        for column in self.seen.columns:
            if column.kind == CATEGORY and column.name not in self.clock.parts and len(found) <= ENTITIES:
                values = self.seen.typed(column.name)
                assert values is not None, "a category is typed"
                found.append((resemblance(errors, np.asarray(values[self.rows])), column.name))
        best, name = min(found, key=lambda each: each[0].chance)
        return replace(best, chance=min(1.0, best.chance * len(found))), name

    @cached_property
    def inputs(self) -> tuple[str, Resemblance] | None:
        """The number column whose neighbours in time are most surely alike, its chance corrected for their number."""
        found: list[tuple[str, Resemblance]] = []
        for column in self.seen.columns:
            if column.kind == NUMBER and column.name not in self.clock.parts:
                values = self.seen.typed(column.name)
                assert values is not None, "a number is typed"
                scores = normal_scores(np.asarray(values[self.rows], dtype=np.float64))
                found.append((column.name, resemblance(scores[:, None])))
        if not found:
            return None
        name, best = max(found, key=lambda each: each[1].low)
        return name, replace(best, chance=min(1.0, best.chance * len(found)))


def _losses(answers: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Squared errors (k,), or log losses of the true class with chances of at least 1 in 1,000."""
    if answers.ndim == 1:
        return (answers - target) ** 2
    return -np.log(np.clip(answers[np.arange(len(target)), target], 1e-3, 1.0))
