"""Columns that name whose rows they are, where a random split parts the rows of one."""

# n rows, K classes, g entities

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aurify.core import rng
from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.columns import CATEGORY, DATE, NUMBER, Column
from aurify.data.findings import WARNING, Finding
from aurify.data.texts import known_texts
from aurify.inspection.alike import side_by_side
from aurify.inspection.check import Check
from aurify.inspection.inspected import FOLDS, Inspected
from aurify.measure.out_of_fold import folds_of, out_of_fold

NAMES_ENTITIES = re.compile(
    r"(?:^|[\W_])(?i:patients?|subjects?|persons?|people|customers?|clients?|users?|members?|accounts?|households?|famil(?:y|ies)"
    r"|companies|company|firms?|vendors?|sellers?|merchants?|drivers?|players?|students?|pupils?|employees?|workers?|donors?"
    r"|participants?|respondents?|devices?|machines?|sensors?|vehicles?|cars?|wells?|boreholes?|plots?|animals?|author"
    r"|session|visitor|id|uuid|guid|key|group)(?:$|[\W_])|(?:patient|customer|client|user|subject|person|member|account)s?(?i:id|no|nr)?$"
    r"|[a-z](?:ID|Id|Key|UUID)$"
)
"""Column names that say whose rows they are, such as patient, customer_id, userId."""

FEWEST_NAMED, FEWEST_UNNAMED = 20, 50
"""Different values that make entities, where the column's name says so and where it does not."""

MOST_EACH = 50
"""Rows of one entity, in the mean, where the column's name does not say that it is one."""

FEWEST_EACH = 1.5
MOST_COLUMNS = 3
"""Columns that are judged, each by a model: the ones named first, then those of most values."""

MOST_JUDGED = 6_000
"""Rows that a column is judged by, of whole entities."""

LEAST_NAMED, LEAST_UNNAMED = 0.02, 0.1
"""Shares of what other columns leave unsaid, in which rows of one entity agree, by the interval's lower end."""

DRAWS = 200
SURELY = 5.0


@dataclass(frozen=True, eq=False)
class _Entities:
    """A column's values (n,) as numbers from 0, -1 missing, of the rows that may be learnt from."""

    column: Column
    named: bool
    which: np.ndarray

    @property
    def count(self) -> int:
        return int(self.which.max(initial=-1)) + 1


class Entities(Check):
    """Rows of one patient, customer or machine that lie on both sides of a random split and tell of each other.

    What plain models that have not met an entity get wrong is compared within entities: where the rows of one are
    wrong alike (the intraclass correlation, Fisher 1925, with its bootstrap interval over entities), a model that met
    some of them knows more of the others than it will know of new entities.
    """

    needs = frozenset({Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.by != "random" or seen.store.test.any():
            return
        candidates = [each for each in (_entities(seen, c) for c in seen.columns) if each is not None]
        candidates.sort(key=lambda each: (not each.named, -each.count))
        for each in candidates[:MOST_COLUMNS]:
            seen.check()
            alike = _alike(seen, each)
            if alike is not None:
                yield self._finding(seen, each, *alike)

    def _finding(self, seen: Inspected, found: _Entities, alike: float, low: float, high: float) -> Finding:
        name, known = found.column.name, found.which[found.which >= 0]
        sizes = np.bincount(known)
        text = said(
            "a random split parts the rows of one {column!r} ({count:,} values, {each:.1f} rows each), which tell of"
            " each other: {alike:.2f} [{low:.2f}, {high:.2f}] of what other columns leave unsaid is common to them",
            column=name,
            count=found.count,
            each=len(known) / found.count,
            alike=alike,
            low=low,
            high=high,
        )
        groups = [seen.rows[np.flatnonzero(found.which == at)].tolist() for at in np.argsort(-sizes, kind="stable")[:2]]
        return self.found(
            WARNING,
            text,
            fix=said("keep the rows of each on one side with --split {by!r}", by=f"group:{name}"),
            columns=[name],
            count=int((sizes[found.which[found.which >= 0]] > 1).sum()),
            weight=alike,
            evidence={"entities": found.count, "intraclass_correlation": alike, "low": low, "high": high},
            mend={"split": {"by": f"group:{name}"}},
            exhibits=[side_by_side(seen, groups, said("rows of one {column!r}", column=name))],
        )


def _entities(seen: Inspected, column: Column) -> _Entities | None:
    """The column as entities, where its name or its values may mean some."""
    few = column.kind == CATEGORY and len(column.values) < FEWEST_NAMED
    if few or column.kind == DATE or column.name not in seen.frame.columns:
        return None
    values = seen.frame[column.name]
    if values.dtype.is_nested() or values.dtype.is_temporal() or values.dtype.is_float():
        return None
    named = NAMES_ENTITIES.search(column.name) is not None
    if not named and column.kind == NUMBER:
        return None  # a price is on both sides too, and its neighbours say as much as itself
    try:
        texts = known_texts(values)
    except Exception:  # bytes and objects have no texts
        return None
    which = texts.rank("dense").fill_null(0).to_numpy().astype(np.int64)[seen.rows] - 1
    known = which >= 0
    which[known] = np.unique(which[known], return_inverse=True)[1]
    found = _Entities(column, named, which)
    each = known.sum() / max(1, found.count)
    enough = found.count >= (FEWEST_NAMED if named else FEWEST_UNNAMED)
    return found if enough and each >= FEWEST_EACH and (named or each <= MOST_EACH) else None


def _alike(seen: Inspected, found: _Entities) -> tuple[float, float, float] | None:
    """How far rows of one entity are wrong alike, with its 95 % interval; None where that may be chance."""
    random = np.random.Generator(np.random.PCG64(rng.key(seen.seed, f"inspect/entities/{found.column.name}")))
    sizes = np.bincount(found.which[found.which >= 0], minlength=found.count)
    drawn = random.permutation(found.count)
    kept = np.zeros(found.count, dtype=bool)
    kept[drawn[: max(FEWEST_NAMED, int(np.searchsorted(np.cumsum(sizes[drawn]), MOST_JUDGED)))]] = True
    at = np.flatnonzero((found.which >= 0) & kept[found.which])
    at = at[np.sort(random.permutation(len(at))[: 3 * MOST_JUDGED])]  # a few entities may hold most rows
    which = np.unique(found.which[at], return_inverse=True)[1]
    wrong = _wrong(seen, at, which)
    if wrong is None:
        return None
    together, apart = _agreement(wrong, which)
    if (apart > 0).sum() < FEWEST_NAMED / 2:
        return None
    alike = together.sum() / apart.sum()
    chance = [_agreement(wrong, random.permutation(which)) for _ in range(DRAWS // 4)]
    usual = np.array([one.sum() / other.sum() for one, other in chance])
    draws = random.integers(0, len(together), (DRAWS, len(together)))
    low, high = np.quantile(together[draws].sum(1) / np.maximum(apart[draws].sum(1), 1e-9), (0.025, 0.975))
    least = LEAST_NAMED if found.named else LEAST_UNNAMED
    if not alike - usual.mean() > SURELY * usual.std() or low < least:
        return None
    return min(float(alike), 1.0), float(low), min(float(high), 1.0)


def _wrong(seen: Inspected, at: np.ndarray, which: np.ndarray) -> np.ndarray | None:
    """What models that met no row of its entity get wrong of each row (m, K), centred and scaled; None of nothing."""
    examples = seen.examples(seen.rows[at])
    classes = None if seen.classes is None else len(seen.classes)
    fold = folds_of(which.astype(np.uint64), examples.target, FOLDS, seen.seed, "inspect/entities")
    answers = out_of_fold("boosting", examples, fold, classes, seen.seed, seen.check)
    if classes is None:
        wrong = (examples.target - answers)[:, None]
        wrong = np.clip(wrong, *np.quantile(wrong, (0.01, 0.99)))
    else:
        wrong = np.eye(classes)[examples.target] - answers
    wrong -= wrong.mean(0)
    scale = np.sqrt((wrong**2).sum(1).mean())
    return wrong / scale if np.isfinite(scale) and scale > 0 else None


def _agreement(wrong: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each entity (g,), the products of its pairs of rows and how many pairs there are, weighed by 1 / rows."""
    sizes = np.bincount(which).astype(np.float64)
    sums = np.stack([np.bincount(which, column) for column in wrong.T], axis=1)
    squares = np.bincount(which, (wrong**2).sum(1))
    return ((sums**2).sum(1) - squares) / sizes, sizes - 1
