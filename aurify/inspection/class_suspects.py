"""Columns that give classes away: by naming them, by deciding them, by being missing where they are."""

# m sampled rows, K classes

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from aurify.inspection.agreement import of_others, quantile_cells, step_cells, table, wilson
from aurify.inspection.suspects import Others, Single, Suspect, balanced, said_class, share_of

if TYPE_CHECKING:
    from aurify.inspection.inspected import Inspected

BINS = 64
MOST_CLASSES = 50
"""Beyond it single classes are not looked at one by one."""

FAIR = 0.8
"""Of a class told from the rest, as the share of it found less that of the others: less is no suspicion."""

REPLACED = 0.05
"""Share of its cells that may be replaced in a copy."""

ONE_TO_ONE = 0.92
"""Of the rows of each class, in which values that stand for classes name the right one, for all that can be said."""

COPIED = 0.94
"""The same for a copy that one may be sure of: below it an honest test may be as good, a doctor's of a disease."""

KNOWN = 0.8
"""Of the rows, whose category is in the other folds too."""

FEWEST_OF_CLASS = 30

STRANGE = 0.005
"""Share of rows that may speak against a column that decides."""

FAR = 3.0
"""How many times fewer mistakes a suspect makes than all the others together, at least, with 95% confidence."""

FAR_FOR_A_WARNING = 2.0
"""The same for a column that is merely strong, which nobody is stopped for."""

FEWEST_MORE = 4
"""Mistakes more, at least."""

FEWEST_SLIPS = 2
"""Mistakes more of the others that make a warning of the only column that decides."""

FEWEST_ERRORS = 3
"""Of a near-copy, from which on it is seen where they lie."""

STRONG = 0.15
"""Share of mistakes, all classes alike, above which a column is not called strong."""

STRONGEST = 3
"""Columns whose strength is weighed by a model without them, the strongest first."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What one column alone tells of the rows ``here`` (m,) bool, learnt from the other folds.

    ``guess`` (m,) is the class, ``within`` (m, K) bool whether a row is rather of each class than of the others, only
    of more than two and not many classes. ``seen`` (m,) is the class where it was learnt from the row as well.
    """

    name: str
    here: np.ndarray
    guess: np.ndarray
    within: np.ndarray
    seen: np.ndarray

    def wrong(self, target: np.ndarray) -> np.ndarray:
        """In which of all rows (m,) bool it is wrong or silent."""
        return (self.guess != target) | ~self.here


def of_classes(seen: Inspected, singles: list[Single]) -> Iterator[Suspect]:
    """Copies first; then what decides the class where the others, without all of these, are far from it."""
    target, classes = seen.sampled.target, len(seen.classes or ())
    others = Others(seen, singles)
    named = {s.name: found for s in singles if (found := _one_to_one(s, target, classes)) is not None}
    told = [t for s in singles if s.name not in named and (t := _told(s, seen, classes)) is not None]
    deciding = [t for t in told if _decides(t, target, classes)]
    few = {s.name for s in singles if s.names_few}
    first = frozenset([*named, *(t.name for t in deciding)])
    for name, (how, right, silent) in named.items():
        rest = others.without(first)
        if _by_chance(right, silent, rest, target):
            copied = balanced(right[~silent], target[~silent])[0] >= COPIED
            check = "target_leak" if copied else "strong_column"
            yield _suspect(seen, name, check, how, right, right[~silent], rest)
        else:
            first -= {name}
    for each in deciding:
        rest, alone = others.without(first), len(deciding) == 1
        here, wrong, slips = each.here, each.wrong(target), each.seen != target
        theirs = np.ones(len(target), dtype=bool) if rest is None else said_class(rest, target) != target
        far = _far(slips, theirs, here, target, clearly=not alone)
        if far or (alone and theirs[here].sum() >= slips[here].sum() + FEWEST_SLIPS):
            sure = far and rest is not None and each.name not in few
            check = "target_leak" if sure else "strong_column"
            yield _suspect(seen, each.name, check, "decides", ~wrong, ~wrong[here], rest)
    yield from _strong(seen, [t for t in told if t not in deciding], others, first)


def _strong(seen: Inspected, told: list[Told], others: Others, hidden: frozenset[str]) -> Iterator[Suspect]:
    """Columns that alone do far better than all others, in every class or in one of several."""
    target = seen.sampled.target
    told = sorted(told, key=lambda t: balanced(t.wrong(target), target)[0])
    for each in told[:STRONGEST]:
        wrong, well_told = each.wrong(target), _well_told(each, target)
        strong = balanced(wrong, target)[2] <= STRONG
        rest = others.without(hidden | {each.name}) if strong or well_told else None
        if rest is None:
            continue
        theirs = said_class(rest, target) != target
        if strong and _far(wrong, theirs, each.here, target, clearly=True, times=FAR_FOR_A_WARNING):
            yield _suspect(seen, each.name, "strong_column", "strong", ~wrong, ~wrong[each.here], rest)
        else:
            yield from _of_one_class(seen, each, well_told, rest)


def _well_told(told: Told, target: np.ndarray) -> list[int]:
    """Classes of several that a column nearly tells from the rest."""
    found = []
    for at in range(told.within.shape[1]):
        within = (target == at).astype(np.int64)
        enough = FEWEST_OF_CLASS <= within.sum() <= len(within) - FEWEST_OF_CLASS
        if enough and balanced(told.within[:, at] != within, within)[2] <= STRONG / 2:
            found.append(at)
    return found


def _of_one_class(seen: Inspected, told: Told, well_told: list[int], rest: np.ndarray) -> Iterator[Suspect]:
    every = np.ones(len(rest), dtype=bool)
    for at in well_told:
        within = (seen.sampled.target == at).astype(np.int64)
        wrong = told.within[:, at] != within
        theirs = said_class(_of_class(rest, at), within) != within
        if _far(wrong, theirs, every, within, clearly=bool(wrong.mean() > STRANGE)):
            label = (seen.classes or ())[at]
            yield _suspect(seen, told.name, "strong_column", "class", ~wrong, ~wrong, rest, label)
            return


def _of_class(answers: np.ndarray, at: int) -> np.ndarray:
    """Probabilities (m, 2) of the other classes and of one."""
    return np.column_stack([1 - answers[:, at], answers[:, at]])


def _suspect(
    seen: Inspected,
    name: str,
    check: str,
    how: str,
    right: np.ndarray,
    hits: np.ndarray,
    rest: np.ndarray | None,
    label: str = "",
) -> Suspect:
    """With balanced accuracies of the column, of a model of all and of one of the others; of one class with a label."""
    target, classes = seen.sampled.target, seen.classes or ()
    answers = {"all": seen.answers} | ({} if rest is None else {"rest": rest})
    if label:
        at = classes.index(label)
        target = (target == at).astype(np.int64)
        answers = {key: _of_class(each, at) for key, each in answers.items()}
    scores = {key: balanced(said_class(each, target) == target, target) for key, each in answers.items()}
    scores = {"alone": balanced(right, target), **scores}
    return Suspect(name=name, check=check, how=how, share=share_of(hits), rows=len(target), label=label, scores=scores)


def _one_to_one(single: Single, target: np.ndarray, classes: int) -> tuple[str, np.ndarray, np.ndarray] | None:
    """How, in which rows (m,) bool it is right and in which it is silent, where its values stand for the classes."""
    silent = np.isnan(single.values)
    ways = [("same", single.values, silent)] if _covers(~silent, target) else []
    if classes == 2 and silent.any():
        ways.append(("missing", silent.astype(float), np.zeros(len(target), dtype=bool)))
    for how, values, unsaid in ways:
        levels, counts = np.unique(values[~unsaid], return_counts=True)
        if len(levels) < classes:
            continue
        levels = np.sort(levels[np.argsort(-counts, kind="stable")[:classes]])
        place = np.searchsorted(levels, values).clip(max=classes - 1)
        within = (levels[place] == values) & ~unsaid
        if within.sum() < 0.93 * (~unsaid).sum():
            continue
        shares = table(place[within], target[within], classes)
        stands = shares.argmax(axis=1)
        right = within & (stands[place] == target)
        if len(np.unique(stands)) == classes and _names_each(right[~unsaid], target[~unsaid]):
            return how, right, unsaid
    return None


def _names_each(right: np.ndarray, target: np.ndarray) -> bool:
    """Whether the rows of no class are right (n,) bool less often than replaced cells explain."""
    rows, hits = np.bincount(target), np.bincount(target, weights=right)
    likely = all(wilson(hit, of)[1] >= ONE_TO_ONE for hit, of in zip(hits, rows, strict=True) if of)
    return likely and wilson(hits.sum(), rows.sum())[1] >= 1 - REPLACED and balanced(right, target)[0] >= 0.9


def _covers(here: np.ndarray, target: np.ndarray) -> bool:
    """Whether half of the rows of each class are there."""
    rows = np.bincount(target)
    return bool((np.bincount(target[here], minlength=len(rows)) >= 0.5 * rows).all())


def _by_chance(right: np.ndarray, silent: np.ndarray, rest: np.ndarray | None, target: np.ndarray) -> bool:
    """Whether mistakes lie anywhere, as replaced cells do; those of honest columns lie where others doubt too.

    In each class rows are ranked by how little the others believe in it (Mann and Whitney 1947).
    """
    wrong = ~right & ~silent
    if rest is None:
        return bool(right[~silent].mean() >= 1 - STRANGE)
    if wrong.sum() < FEWEST_ERRORS:
        return True
    doubt = np.zeros(len(target))
    for k in np.unique(target):
        rows = np.flatnonzero(target == k)
        doubt[rows] = (np.argsort(np.argsort(-rest[rows, k], kind="stable")) + 0.5) / len(rows)
    mean = float(doubt[wrong].mean())
    return mean < 0.65 or (mean - 0.5) / np.sqrt(1 / 12 / wrong.sum()) < 2.33


def _told(single: Single, seen: Inspected, classes: int) -> Told | None:
    """What a column tells, with missing cells as a value of their own or left out, whichever is better."""
    target, fold, values = seen.sampled.target, seen.fold, single.values
    silent = np.isnan(values)
    found: list[Told] = []
    if single.repeats:
        each = np.unique(np.where(silent, -np.inf, values), return_inverse=True)[1]
        found.append(_learnt(single.name, lambda _: each, target, fold, classes))
    if (
        not single.coded
        and classes <= min(MOST_CLASSES, len(target) / 10)
        and _tells(table(quantile_cells(values, BINS), target, classes), target) >= FAIR
    ):
        leaves = int(np.clip(2 * classes, 8, BINS))
        found.append(
            _learnt(single.name, lambda train: step_cells(values, target, train, leaves), target, fold, classes)
        )
    if silent.any():
        found += [replace(each, here=each.here & ~silent) for each in found]
    found = [each for each in found if each.here.sum() >= KNOWN * (~silent).sum()]
    found = [each for each in found if _covers(each.here, target) and _is_fair(each, target)]
    return min(found, key=lambda t: balanced(t.wrong(target)[t.here], target[t.here])[0], default=None)


def _learnt(
    name: str, cells_of: Callable[[np.ndarray], np.ndarray], target: np.ndarray, fold: np.ndarray, classes: int
) -> Told:
    several = 2 < classes <= MOST_CLASSES
    here, guess = np.zeros(len(target), dtype=bool), np.zeros(len(target), dtype=np.int64)
    within = np.zeros((len(target), classes if several else 0), dtype=bool)
    for at in np.unique(fold):
        train = fold != at
        cells = cells_of(train)
        shares = table(cells[train], target[train], classes)
        known = np.flatnonzero((fold == at) & (cells < len(shares)))
        here[known] = (shares.max(axis=1) > 0)[cells[known]]
        guess[known] = shares.argmax(axis=1)[cells[known]]
        if several:
            within[known] = np.greater(shares, of_others(shares, target[train]))[cells[known]]
    cells = cells_of(np.ones(len(target), dtype=bool))
    fitted = table(cells, target, classes).argmax(axis=1)[cells]
    return Told(name=name, here=here, guess=guess, within=within, seen=fitted)


def _tells(shares: np.ndarray, target: np.ndarray) -> float:
    """How well cells (L, K) tell the best told class from the rest: the share of it found less that of the others."""
    return float(np.maximum(shares - of_others(shares, target), 0).sum(axis=0).max())


def _is_fair(told: Told, target: np.ndarray) -> bool:
    """Whether all classes are told well, or one of several."""
    here = told.here
    if balanced(told.wrong(target)[here], target[here])[0] <= (1 - FAIR) / 2:
        return True
    for says, own in ((told.within[:, at], target == at) for at in range(told.within.shape[1])):
        if own.sum() >= FEWEST_OF_CLASS and says[own].mean() - says[~own].mean() >= FAIR:
            return True
    return False


def _decides(told: Told, target: np.ndarray, classes: int) -> bool:
    """Whether next to no row speaks against it: none it saw, and of others those at the edges of its steps."""
    here = told.here
    allowed = STRANGE * here.sum()
    against = told.seen[here] != target[here]
    return bool(against.sum() <= allowed and told.wrong(target)[here].sum() <= allowed + 3 * (classes - 1))


def _far(
    wrong: np.ndarray,
    theirs: np.ndarray,
    here: np.ndarray,
    target: np.ndarray,
    *,
    clearly: bool,
    times: float = FAR,
) -> bool:
    """Whether the others are wrong (m,) bool far more often than a column, where it speaks, with 95% confidence.

    ``clearly`` asks them to be wrong in a twentieth too: of several columns that decide, each is one of the others.
    """
    wrong, theirs, target = wrong[here], theirs[here], target[here]
    if clearly and balanced(theirs, target)[1] < 0.05:
        return False
    return balanced(theirs - times * wrong, target)[1] > 0 and int(theirs.sum()) - int(wrong.sum()) >= FEWEST_MORE
