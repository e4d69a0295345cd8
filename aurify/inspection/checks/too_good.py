"""Answers that are too good to be true, though no single column or pair of them is the reason."""

# m rows looked at, K classes, C columns

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import listed, said
from aurify.data.findings import WARNING, Exhibit, Finding
from aurify.inspection import class_pairs, number_pairs
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.places import half_of, only, places_of
from aurify.measure.baselines import plain_answers

MOST_PROVED = 6_000
"""Rows that single columns and pairs are judged by."""

DRAWS = 200
"""Resamples of an interval."""

MOST_MISSED = 0.001
"""What answers that are out of the ordinary leave, by the upper end of its 95% interval."""

TRY_LINEAR = 0.1
"""Where trees miss more, nothing is out of the ordinary."""

EXPLAINED = 0.05
"""A column that leaves no more than this is the reason, and other checks tell of it."""

MOST_NAMED = 3
"""Columns that are named."""

MOST_CELLS = 20_000_000
"""Numbers of all copies of the rows in which one column after another is shuffled."""


class TooGood(Check):
    """Plain models that are nearly always right out of fold: somebody may have told them."""

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        target = seen.sampled.target
        plain = seen.sampled.numbers.shape[1] + seen.sampled.codes.shape[1]
        if not plain or len(np.unique(target)) < 2 or len(np.unique(seen.fold)) < 2:
            return
        model, missed = "boosting", _missed(seen.answers, target)
        if missed > TRY_LINEAR:
            return
        if seen.classes is None:  # a few rounds of trees are never this near to a number
            model, missed = "linear", _missed(seen.answers_of(seen.sampled, "linear"), target)
        answers = seen.answers if model == "boosting" else seen.answers_of(seen.sampled, "linear")
        highest = _highest(answers, target)
        if highest > MOST_MISSED or highest > EXPLAINED * _guessed(target, seen.classes) or _explained(seen):
            return
        yield self._finding(seen, model, missed, highest)

    def _finding(self, seen: Inspected, model: str, missed: float, highest: float) -> Finding:
        ranked = _ranked(seen, model)
        names = [name for name, _ in ranked[:MOST_NAMED]]
        bars = {
            "names": names,
            "values": [lost for _, lost in ranked[:MOST_NAMED]],
            "low": None,
            "high": None,
            "axis": said("what is lost when the column is shuffled"),
            "reference": None,
        }
        return self.found(
            WARNING,
            said(
                "this is too good to be true: plain models tell {told:.2%} of {target!r} out of fold"
                " (at least {low:.2%}, 95%) on {rows:,} rows, most of it from {names}",
                told=1 - missed,
                low=1 - highest,
                target=seen.schema.target,
                rows=len(seen.sampled),
                names=listed([repr(name) for name in names]),
            ),
            fix=said("ask of each of them whether it is known when the model is asked; if not: --drop COLUMN"),
            columns=names,
            weight=1 - missed,
            evidence={"told": 1 - missed, "low": 1 - highest, "rows": len(seen.sampled), "model": model},
            exhibits=[Exhibit(kind="bars", caption=said("the columns that matter most"), data=bars)],
        )


@np.errstate(all="ignore")
def _missed(answers: np.ndarray, target: np.ndarray) -> float:
    """Share of wrong answers (m, K), or of the squared spread that answers (m,) leave."""
    if answers.ndim == 2:
        return float(np.mean(answers.argmax(1) != target))
    usual = np.abs(target - target.mean()).max()
    return float((((target - answers) / usual) ** 2).mean() / (((target - target.mean()) / usual) ** 2).mean())


def _highest(answers: np.ndarray, target: np.ndarray) -> float:
    """Upper end of the 95% interval of what is missed: exact for a share (Clopper & Pearson 1934), else resampled."""
    from scipy.stats import binomtest

    if answers.ndim == 2:
        wrong = int((answers.argmax(1) != target).sum())
        return float(binomtest(wrong, len(target)).proportion_ci(method="exact").high)
    random = np.random.Generator(np.random.PCG64(len(target)))
    drawn = (random.integers(0, len(target), len(target)) for _ in range(DRAWS))
    left = [_missed(answers[rows], target[rows]) for rows in drawn if np.ptp(target[rows]) > 0]
    return float(np.quantile(left, 0.975)) if left else 1.0


def _guessed(target: np.ndarray, classes: tuple[str, ...] | None) -> float:
    """What the mean or the commonest class misses."""
    return 1.0 if classes is None else float(1 - np.bincount(target).max() / len(target))


def _explained(seen: Inspected) -> bool:
    """Whether one column, or a pair, is the whole reason."""
    few = seen.sampled.take(seen.drawn(len(seen.sampled), MOST_PROVED, "inspect/pairs"))
    find = half_of(few.target, seen.seed)
    shown = only(few, places_of(seen, few))
    if seen.classes is None:
        alone = number_pairs.left_alone(shown.numbers, few.target, find)
        pairs = number_pairs.number_suspects(shown.numbers, few.target, find)
    else:
        alone = np.array(list(class_pairs.left_alone(shown.numbers, shown.codes, few.target, find).values()))
        pairs = class_pairs.class_suspects(shown.numbers, shown.codes, few.target, find)
    return bool(pairs) or bool((alone <= EXPLAINED).any())


def _ranked(seen: Inspected, model: str) -> list[tuple[str, float]]:
    """Columns and what a model of the other folds misses more of one fold's rows when their cells are shuffled."""
    examples, first = seen.sampled, seen.fold == seen.fold.min()
    places = places_of(seen, examples)
    rows = np.flatnonzero(first)[: max(50, MOST_CELLS // len(places) ** 2)][:1000]
    asked = examples.take(rows)
    shuffle = np.random.Generator(np.random.PCG64(len(rows))).permutation(len(rows))
    copies = [asked]
    for place in places:
        values = (asked.numbers if place.number else asked.codes).copy()
        values[:, place.at] = values[shuffle, place.at]
        copies.append(replace(asked, **{"numbers" if place.number else "codes": values}))
    whole = replace(
        asked,
        numbers=np.concatenate([copy.numbers for copy in copies]),
        codes=np.concatenate([copy.codes for copy in copies]),
        target=np.tile(asked.target, len(copies)),
        row=np.tile(asked.row, len(copies)),
        weight=None,
    )
    classes = None if seen.classes is None else len(seen.classes)
    answers = plain_answers(model, examples.take(~first), whole, classes, seen.seed)
    lost = [_missed(each, asked.target) for each in np.split(answers, len(copies))]
    named = [(place.name, more - lost[0]) for place, more in zip(places, lost[1:], strict=True)]
    return sorted(named, key=lambda each: -each[1])
