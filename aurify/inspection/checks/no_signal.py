"""Tables whose columns tell nothing of the target, as far as plain models see."""

# m rows looked at, K classes, C columns

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import FOLDS, Inspected
from aurify.inspection.seen_images import answers_to_images
from aurify.inspection.seen_texts import answers_to_texts, text_names
from aurify.measure.baselines import Examples

FEWEST_ROWS = 20
"""With fewer, no model says anything."""

FEWEST_HELD = 5
"""Rows that each side of a comparison is to be expected to have: with fewer a normal error says little."""

MOST_LEVELS = 30
"""Values of a category that are looked at one by one."""

LOOKS = 3
"""Two models and the best single column: each may be wrong in a third of the cases that all together may."""

SHARED = 1.45
"""Models of folds share rows, so sums over folds spread more than over rows: measured on tables of noise."""

MUCH = 0.1
"""Of the spread that real columns may tell and a few rows hide: what could be there is not said to be absent."""

WIDTH = NormalDist().inv_cdf(0.975)


class NoSignal(Check):
    """Says when nothing beats the mean, or the shares of the classes, with 95% confidence."""

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        examples, fold = seen.sampled, seen.fold
        if len(examples) < FEWEST_ROWS or len(np.unique(examples.target)) < 2 or len(np.unique(fold)) < FOLDS:
            return
        if seen.images:
            yield from self._of_images(seen)
            return
        aims = _Aims.of(examples.target, seen.classes, fold)
        enough = NormalDist().inv_cdf(1 - 0.025 / LOOKS)
        boosted = seen.answers
        if aims.ties(boosted)[0] > SHARED * enough or _best_column(examples, aims.aim) > enough:
            return
        if text_names(seen):
            texts = seen.once(answers_to_texts)
            of_texts = _Aims.of(examples.target[texts.at], seen.classes, fold[texts.at])
            if of_texts.ties(texts.answers)[0] > SHARED * enough:
                return
        linear = seen.answers_of(examples, "linear")
        if aims.ties(linear)[0] > SHARED * enough:
            return
        told, low, high = aims.explained((boosted + linear) / 2)
        if low > 0:
            return
        hidden = max(aims.ties(answers)[1] for answers in (boosted, linear)) ** 2
        yield self._finding(seen, told, low, high, hidden, len(examples))

    def _of_images(self, seen: Inspected) -> Iterable[Finding]:
        """A note where a linear model of patches sees nothing, nor do trees in the columns beside: a network may."""
        found = seen.once(answers_to_images)
        aims = _Aims.of(seen.sampled.target[found.at], seen.classes, seen.fold[found.at])
        beside = seen.sampled.numbers.shape[1] + seen.sampled.codes.shape[1] > 0
        every = [found.answers, *([seen.answers[found.at]] if beside else [])]
        enough = SHARED * NormalDist().inv_cdf(1 - 0.025 / LOOKS)
        if any(aims.ties(answers)[0] > enough for answers in every):
            return
        told, low, high = aims.explained(found.answers)
        hidden = max(aims.ties(answers)[1] for answers in every) ** 2
        if low <= 0:
            yield self._finding(seen, told, low, high, hidden, len(found.at), most=NOTE)

    def _finding(
        self, seen: Inspected, told: float, low: float, high: float, hidden: float, rows: int, *, most: str = WARNING
    ) -> Finding:
        if seen.classes is None:
            text = said(
                "nothing beats the mean here: plain models explain {told:.1%} of the spread (95% interval {low:.1%} to"
                " {high:.1%}) in {rows:,} rows that they did not see; at most R2 {hidden:.2g} could be hidden",
                told=told,
                low=low,
                high=high,
                rows=rows,
                hidden=hidden,
            )
        else:
            text = said(
                "nothing beats the shares of the classes here: plain models explain {told:.1%} of the spread (95%"
                " interval {low:.1%} to {high:.1%}) in {rows:,} rows that they did not see; at most {hidden:.2g} could"
                " be hidden",
                told=told,
                low=low,
                high=high,
                rows=rows,
                hidden=hidden,
            )
        bars = {
            "names": [said("plain models")],
            "values": [told],
            "low": [low],
            "high": [high],
            "axis": said("share of the spread that is explained"),
            "reference": 0.0,
        }
        enough = hidden <= MUCH and most == WARNING
        return self.found(
            WARNING if enough else NOTE,
            text,
            fix=said("look for columns that bear on the target before training anything") if enough else "",
            weight=1 - hidden,
            evidence={"explained": told, "low": low, "high": high, "could_hide": hidden, "rows": rows},
            exhibits=[Exhibit(kind="bars", caption=said("what plain models explain out of fold"), data=bars)],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Aims:
    """Targets ``aim`` (m, K), who is of which class, or (m, 1) in units of the largest; ``fold`` (m,)."""

    aim: np.ndarray
    fold: np.ndarray
    shift: float
    scale: float

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, target: np.ndarray, classes: tuple[str, ...] | None, fold: np.ndarray) -> Self:
        if classes is not None:
            aim = (target[:, None] == np.arange(len(classes))).astype(np.float64)
            return cls(aim=aim, fold=fold, shift=0.0, scale=1.0)
        shift = float(np.median(target))
        scale = float(np.abs(target - shift).max())
        return cls(aim=((target - shift) / scale)[:, None], fold=fold, shift=shift, scale=scale)

    @np.errstate(all="ignore")
    def ties(self, answers: np.ndarray) -> tuple[float, float]:
        """How many standard errors the correlation of answers with targets is from 0, and the upper end of its 95%.

        Both are taken about the mean of their fold: a fold with a low mean is answered with the high one of the others.
        """
        said_of, is_of = self._centred(self._placed(answers)), self._centred(self.aim)
        each = (said_of * is_of).sum(1)
        error = float(np.sqrt((each**2).sum()))
        size = float(np.sqrt((said_of**2).sum() * (is_of**2).sum()))
        if not error > 0 or not size > 0:  # the same answer for everyone
            return 0.0, WIDTH / float(np.sqrt(len(each)))
        return float(each.sum()) / error, min(1.0, max(0.0, (float(each.sum()) + WIDTH * error) / size))

    @np.errstate(all="ignore")
    def explained(self, answers: np.ndarray) -> tuple[float, float, float]:
        """Share of the squared spread that answers explain more than the mean of the other folds, with its 95%."""
        mean = np.empty(self.aim.shape)
        for each in np.unique(self.fold):
            mean[self.fold == each] = self.aim[self.fold != each].mean(0)
        before = ((self.aim - mean) ** 2).sum(1)
        gained = before - ((self.aim - self._placed(answers)) ** 2).sum(1)
        told = float(gained.mean() / before.mean())
        error = float(
            np.std(gained - told * before) / before.mean() / np.sqrt(len(before))
        )  # of a ratio, to first order
        return told, told - WIDTH * error, told + WIDTH * error

    def _placed(self, answers: np.ndarray) -> np.ndarray:
        return (answers.reshape(len(self.aim), -1) - self.shift) / self.scale

    def _centred(self, values: np.ndarray) -> np.ndarray:
        centred = np.empty(values.shape)
        for each in np.unique(self.fold):
            centred[self.fold == each] = values[self.fold == each] - values[self.fold == each].mean(0)
        return centred


@np.errstate(all="ignore")
def _best_column(examples: Examples, aim: np.ndarray) -> float:
    """Standard errors that the best column is from telling nothing, after Bonferroni's correction for all of them."""
    rows = len(examples)
    if aim.shape[1] == 1:
        aim = _ranks(aim)
    elif aim.shape[1] == 2:
        aim = aim[:, :1]
    marks = [_ranks(examples.numbers)]
    for column in examples.codes.T:
        values, counts = np.unique(column, return_counts=True)
        common = values[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
        marks.append((column[:, None] == common).astype(np.float64))
    columns = np.concatenate(marks, axis=1)
    centred, aims = columns - columns.mean(0), aim - aim.mean(0)
    size = np.sqrt((centred**2).sum(0)[:, None] * (aims**2).sum(0))
    fewest = np.minimum.outer(_held(columns), _held(aim)) >= FEWEST_HELD
    fewest &= (np.outer(_held(columns), _held(aim)) >= FEWEST_HELD * rows) & (size > 0)
    if not fewest.any():
        return 0.0
    strongest = float((np.abs(centred.T @ aims)[fewest] / size[fewest]).max()) * np.sqrt(rows - 1)
    chance = 2 * NormalDist().cdf(-strongest) * int(fewest.sum())
    return 0.0 if chance >= 0.5 else NormalDist().inv_cdf(1 - max(chance, 1e-15))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks (m, C), of missing cells the middle one."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0, nan_policy="omit")
    return np.nan_to_num(np.where(np.isfinite(ranks), ranks, np.nan), nan=(len(values) + 1) / 2)


def _held(columns: np.ndarray) -> np.ndarray:
    """Rows (C,) of the rarer side of columns of 0 and 1; of others, all but the commonest value."""
    return np.array([len(column) - np.unique(column, return_counts=True)[1].max() for column in columns.T])
