"""Columns that agree with the target suspiciously well, weighed against what the other columns can say."""

# m sampled rows, K classes

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.words import Said, said
from aurify.data.findings import Exhibit
from aurify.data.schema import Schema
from aurify.inspection.agreement import wilson
from aurify.measure.baselines import Examples

if TYPE_CHECKING:
    from aurify.inspection.inspected import Inspected

MOST_LINEAR = 3_000
"""Rows up to which a linear model of classes is fitted too: few rows are where it beats trees."""

FEWEST = 20
"""Rows below which any two columns may agree."""

ROWS_OF_A_NAME = 20
"""Rows of a category, on average, below which it names what the rows are of."""
ROWS_OF_A_NUMBER = 20

Score = tuple[float, float, float]
"""A value with the ends of its 95% interval."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Single:
    """One column in the sampled rows (m,): float64, NaN for missing; categories as their codes."""

    name: str
    values: np.ndarray
    coded: bool

    @property
    def names_few(self) -> bool:
        """Whether each category names a few rows: a model, a firm, a patient may honestly decide what they share."""
        return self.coded and len(np.unique(self.values)) > len(self.values) / ROWS_OF_A_NAME

    @property
    def repeats(self) -> bool:
        """Whether values come often enough to be looked at one by one: fewer rows with one number may be one entity."""
        here = self.values[np.isfinite(self.values)]
        return self.coded or len(np.unique(here)) <= len(here) / ROWS_OF_A_NUMBER


@dataclass(frozen=True, kw_only=True, eq=False)
class Suspect:
    """A column, the check that names it and how it agrees.

    ``how`` is ``same`` (but for names or scale), ``missing`` (where the target is a class), ``order``, ``curve`` (a
    function of the target), ``near``, ``decides``, ``strong`` or ``class`` (says which rows are of class ``label``).
    ``share`` is of rows; ``scores`` are of this column alone, of every column and of the others without suspects.
    """

    name: str
    check: str
    how: str
    share: Score
    rows: int
    label: str = ""
    scores: Mapping[str, Score] = field(default_factory=dict)


def singles_of(seen: Inspected) -> list[Single]:
    """The columns that are learnt from, as the sampled rows have them; none where there is nothing to compare."""
    examples, shown = seen.sampled, {column.name for column in seen.columns}
    if len(examples) < FEWEST or np.ptp(examples.target) == 0:
        return []
    numbers = [column.name for column in (*seen.schema.numbers, *seen.schema.dates)]
    found = [Single(name=n, values=_finite(v), coded=False) for n, v in zip(numbers, examples.numbers.T, strict=True)]
    for column, codes in zip(seen.schema.categories, examples.codes.T, strict=True):
        found.append(Single(name=column.name, values=np.where(codes >= 0, codes, np.nan), coded=True))
    return [each for each in found if each.name in shown]


class Others:
    """What the other columns say of the sampled rows out of fold; each set of columns is asked once."""

    def __init__(self, seen: Inspected, singles: Iterable[Single]):
        self.seen = seen
        self.names = frozenset(single.name for single in singles)
        self.without = cache(self._without)

    def _without(self, hidden: frozenset[str]) -> np.ndarray | None:
        """Answers (m,) or (m, K) without some columns by the better of two models; None where no column is left."""
        if not self.names - hidden:
            return None
        seen = self.seen
        examples = _hide(seen.sampled, seen.schema, hidden)
        answers = [seen.answers_of(examples)]
        if seen.classes is None or len(examples) <= MOST_LINEAR:
            answers.append(seen.answers_of(examples, "linear"))
        return min(answers, key=lambda each: _miss(each, examples.target))


def _miss(answers: np.ndarray, target: np.ndarray) -> float:
    """What is wrong with answers on average: distance in the middle, or the share of wrong classes, all alike."""
    if answers.ndim == 1:
        return float(np.median(np.abs(answers - target)))
    return balanced(said_class(answers, target) != target, target)[0]


def said_class(answers: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The class (m,) that probabilities (m, K) speak for, whether it is rare or not."""
    return (answers / np.maximum(np.bincount(target, minlength=answers.shape[1]), 1)).argmax(axis=1)


def balanced(values: np.ndarray, target: np.ndarray) -> Score:
    """The mean over classes of the mean of ``values`` (m,) in them, with a normal 95% interval."""
    rows = np.bincount(target)
    here = rows > 0
    mean = np.bincount(target, weights=values)[here] / rows[here]
    variance = np.bincount(target, weights=values * values.astype(float))[here] / rows[here] - mean**2
    half = 1.96 * float(np.sqrt((np.maximum(variance, 0) / rows[here]).sum())) / len(mean)
    middle = float(mean.mean())
    return middle, middle - half, middle + half


def share_of(hits: np.ndarray) -> Score:
    """The share of rows (m,) bool that are hits, with its 95% interval."""
    return (float(hits.mean()), *wilson(float(hits.sum()), len(hits)))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _hide(examples: Examples, schema: Schema, hidden: frozenset[str]) -> Examples:
    """The same rows without some columns."""
    kept = [column.name not in hidden for column in (*schema.numbers, *schema.dates)]
    coded = [column.name not in hidden for column in schema.categories]
    return replace(examples, numbers=examples.numbers[:, kept], codes=examples.codes[:, coded])


def left_out(name: str) -> Said:
    """What to do about a column that must not be learnt from."""
    return said("leave it out with --drop {option}", option=shlex.quote(name))


def without(name: str) -> dict[str, Any]:
    """The same as plain data of a recipe."""
    return {"techniques": {"exclude_columns": {"columns": [name]}}}


def evidence(suspect: Suspect) -> dict[str, Any]:
    """Plain numbers: how many rows were compared, the share that agrees and each score, with their 95% intervals."""
    told: dict[str, Any] = {"how": suspect.how, "rows compared": suspect.rows, "share": list(suspect.share)}
    told |= {"share": suspect.share[0]} if suspect.how == "order" else {}
    told |= {"class": suspect.label} if suspect.label else {}
    return told | {name: list(score) for name, score in suspect.scores.items()}


def score_bars(suspect: Suspect, classes: bool) -> Exhibit:
    """The scores beside one another."""
    names = {"alone": said("this column alone"), "all": said("all columns"), "rest": said("all others without it")}
    value, low, high = (list(each) for each in zip(*suspect.scores.values(), strict=True))
    data = {"names": [names[key] for key in suspect.scores], "values": value, "low": low, "high": high}
    data |= {"axis": said("balanced accuracy") if classes else said("R2"), "reference": None}
    caption = said("How well the target is told out of fold; bars: 95% intervals")
    return Exhibit(kind="bars", caption=caption, data=data)
