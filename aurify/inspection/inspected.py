"""What checks see of the data: rows as they were written and as they were typed, never the targets of the test part."""

# n rows that may be learnt from, K classes

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from aurify.core import rng
from aurify.data.columns import Column
from aurify.data.copies import row_keys
from aurify.data.image_rows import rows_of_input
from aurify.data.schema import MISSING, Schema
from aurify.data.store import COPIES, Asked, Store, blanked, has_value
from aurify.inspection.class_suspects import of_classes
from aurify.inspection.number_suspects import of_numbers
from aurify.inspection.suspects import Suspect, singles_of
from aurify.measure.baselines import Examples
from aurify.measure.examples import examples_of
from aurify.measure.out_of_fold import folds_of, out_of_fold

if TYPE_CHECKING:
    import polars as pl

Made = TypeVar("Made")

MOST_LABELS = 8
FOLDS = 3
"""Parts that plain models are fitted around."""

FEWEST_FITTED, MOST_CELLS = 1000, 400_000
MOST_FITTED = 20_000
"""Rows that models and pairs of columns are looked at with: a share of 1 in 1,000 is still 20 rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspected:
    """One source, perhaps with a test file, as a fit would part it.

    ``store`` and ``frames`` hold all rows (row ids are positions in both; the test file's frame is the second one).
    ``rows`` (n,) are the ids that may be learnt from, ascending: checks look at targets of these alone. ``test`` are
    the ids of the test part, empty where there is none. ``by`` is the recipe's split, ``folds`` its folds, ``hidden``
    the columns that the recipe excludes: they are not looked at. ``check`` is called before what takes long and may
    raise. ``reads`` is how many tokens of a text are read at most, where the recipe says so. ``folders`` are where
    paths of images begin, by frame, ``unread`` why images cannot be read, by row id.
    """

    store: Store
    frames: tuple[pl.DataFrame, ...]
    rows: np.ndarray
    test: np.ndarray
    by: str
    folds: int | None
    seed: int
    hidden: frozenset[str]
    check: Callable[[], None]
    reads: int | None = None
    folders: tuple[str | None, ...] = ()
    unread: Mapping[int, str] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        return self.store.schema

    @property
    def classes(self) -> tuple[str, ...] | None:
        return self.schema.classes

    @property
    def frame(self) -> pl.DataFrame:
        """The source's own rows as they were written, those without a target too."""
        return self.frames[0]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column beside the target that the recipe does not exclude."""
        return tuple(c for c in self.schema.columns if c.name not in self.schema.aims and c.name not in self.hidden)

    @property
    def images(self) -> bool:
        """Whether there are images to look at."""
        return self.schema.image is not None and self.schema.image.name not in self.hidden

    @cached_property
    def of_rows(self) -> frozenset[int]:
        """The ids that may be learnt from, to be asked one by one."""
        return frozenset(self.rows.tolist())

    @cached_property
    def written(self) -> dict[str, pl.DataFrame]:
        """Different texts of columns by name, as ``cells.texts_of`` keeps them."""
        return {}

    @cached_property
    def _made(self) -> dict[Callable[..., Any], Any]:
        return {}

    def once(self, make: Callable[[Inspected], Made]) -> Made:
        """What ``make`` says of this, made for the first check that asks and kept for the others."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    @cached_property
    def target(self) -> np.ndarray:
        """Targets (n,) of ``rows``: class codes or float64; of several labels (n, K)."""
        return np.asarray(self.store.target[self.rows])

    @cached_property
    def common_labels(self) -> list[int]:
        """Of several labels a row, those looked at one by one: the ``MOST_LABELS`` that split the rows best."""
        held = (self.target > 0).mean(0) if len(self.rows) else np.zeros(0)
        order = np.argsort(-held * (1 - held), kind="stable")[:MOST_LABELS]
        return sorted(at for at in order.tolist() if 0 < held[at] < 1)

    def of_label(self, at: int) -> Inspected:
        """The same rows where only whether they hold the label at position ``at`` is to be predicted: no or yes."""
        return self.once(_by_label)[at]

    @cached_property
    def sample(self) -> np.ndarray:
        """Positions in ``rows`` (m,) of at most ``MOST_FITTED`` rows, ascending, drawn by the seed."""
        return self.drawn(len(self.rows), MOST_FITTED, "inspect/sample")

    @cached_property
    def sampled(self) -> Examples:
        """The sampled rows as plain models see them, m rows."""
        return self.examples(self.rows[self.sample])

    @cached_property
    def keys(self) -> np.ndarray:
        """A hash of what each sampled row (m,) holds beside its target: equal rows, near copies, have equal keys."""
        if self.images:
            return self.store.roles[COPIES][self.sampled.row]
        inputs = {k: rows_of_input(v, self.sampled.row) for k, v in self.store.inputs.items()}
        return row_keys(blanked(inputs, self.schema, self.hidden).values())

    @cached_property
    def fold(self) -> np.ndarray:
        """Which of ``FOLDS`` folds each sampled row (m,) is in; rows with equal inputs share one."""
        return folds_of(self.keys, self.sampled.target, FOLDS, self.seed, "inspect/folds")

    @cached_property
    def answers(self) -> np.ndarray:
        """What boosted trees that see every column say of the sampled rows out of fold: (m,) or (m, K)."""
        return self.answers_of(self.sampled)

    @cached_property
    def suspects(self) -> tuple[Suspect, ...]:
        """Columns that agree with the target suspiciously well, each once, whichever check tells of it."""
        singles = singles_of(self)
        with np.errstate(all="ignore"):
            return tuple((of_numbers if self.classes is None else of_classes)(self, singles)) if singles else ()

    def answers_of(self, examples: Examples, model: str = "boosting") -> np.ndarray:
        """Out-of-fold answers (m,) or (m, K) for the sampled rows, with other columns of them for instance."""
        classes = None if self.classes is None else len(self.classes)
        return out_of_fold(model, examples, self.fold, classes, self.seed, self.check)

    def examples(self, rows: np.ndarray) -> Examples:
        """Rows by id, without the columns that are excluded. Their targets must be known."""
        return examples_of(
            Asked(self.store.inputs, self.store.target, rows, self.store.roles), self.schema, self.hidden
        )

    def typed(self, name: str) -> np.ndarray | None:
        """One column (N,) of the store, all rows: float64 (NaN missing), or int32 codes below 0; None if left out."""
        for kind, columns in (
            ("numbers", self.schema.numbers),
            ("dates", self.schema.dates),
            ("codes", self.schema.categories),
        ):
            for at, column in enumerate(columns):
                if column.name == name:
                    return self.store.inputs[kind][:, at]
        return None

    def affordable(self, most: int) -> int:
        """At most ``most`` rows to fit trees to, fewer of many columns: they cost by the cell."""
        return min(most, max(FEWEST_FITTED, MOST_CELLS // max(1, len(self.columns))))

    def drawn(self, count: int, most: int, stream: str) -> np.ndarray:
        """At most ``most`` of ``count`` positions, ascending; all of them where they are not more."""
        if count <= most:
            return np.arange(count)
        random = np.random.Generator(np.random.PCG64(rng.key(self.seed, stream)))
        return np.sort(random.choice(count, most, replace=False))


def _by_label(seen: Inspected) -> dict[int, Inspected]:
    """For each of the common labels what a check sees of it."""
    return {at: _of_label(seen, at) for at in seen.common_labels}


def _of_label(seen: Inspected, at: int) -> Inspected:
    schema, label = seen.schema, (seen.classes or ())[at]
    columns = tuple(c for c in schema.columns if c.name not in schema.aims)
    taken = {c.name for c in columns}
    name = label if label not in taken else f"{schema.target}: {label}"
    assert name not in taken, "a column called as a label of the target is"
    alone = replace(schema, columns=columns, target=name, classes=("no", "yes"), labels=None)
    target = np.where(has_value(seen.store.target), seen.store.target[:, at], MISSING).astype(np.int64)
    return replace(seen, store=replace(seen.store, schema=alone, target=target))
