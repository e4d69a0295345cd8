"""What each column of a table is: learnt from, left out and why, or the one that is to be predicted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aurify.core.errors import AurifyError, suggest
from aurify.core.words import said
from aurify.data import noticed
from aurify.data.columns import CATEGORY, IMAGE, LEFT_OUT, NUMBER, TEXT, Column, infer_column
from aurify.data.images import form_of
from aurify.data.label_finding import Found, find_labels
from aurify.data.label_sets import LabelSets, named_columns
from aurify.data.targets import infer_target
from aurify.data.wanted import refuse_two_roles

if TYPE_CHECKING:
    import polars as pl

WEIGHT = said("the rows' weight")
LABEL = said("a label to predict")
BEYOND = {
    TEXT: said("free text (tables learn from numbers and categories)"),
    IMAGE: said("images (tables learn from numbers and categories)"),
}
"""Why a kind of column is left out by who does not learn from it."""
ANOTHER_IMAGE = said("images (the first such column is learnt from)")


@dataclass(frozen=True)
class Inferred:
    """Columns in source order, the target last; what they predict, as a ``Schema`` says it, and what was noticed."""

    columns: tuple[Column, ...]
    target: str | None
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]
    labels: LabelSets | None


@dataclass(frozen=True, kw_only=True)
class Inferring:
    """What is asked of a table, as ``Schema.infer`` is; ``wanted`` are types of columns by name."""

    target: str | None
    drop: Sequence[str]
    kind: str
    wanted: Mapping[str, str]
    missing: Sequence[str]
    positive: str | None
    weight: str | None
    beyond: Collection[str]
    separator: str | None
    size: int | None
    aspect: str
    folder: str | None

    def look(self, frame: pl.DataFrame) -> Inferred:
        """Look at every value once. Raises AurifyError as ``Schema.infer`` says."""
        aims = self._aims(frame)
        several = None if self.target is None else find_labels(frame, aims, self.kind, self.separator, self.missing)
        learnt = self._target_column(frame, aims, several)
        columns, notes = [], [*(several.notes if several else ())]
        for name in frame.columns:
            if learnt is not None and name == learnt.name:
                continue
            column, more = self._column(frame[name], name in aims)
            column, more = self._reached(column, more, frame[name], columns)
            columns.append(column)
            notes += more
        classes = several.labels if several else None if learnt is None else learnt.values or None
        whole = (*columns, *([learnt] if learnt is not None else []))
        sets = None if several is None else several.sets
        return Inferred(whole, learnt.name if learnt else self.target, classes, tuple(notes), sets)

    def _aims(self, frame: pl.DataFrame) -> tuple[str, ...]:
        """The columns that are to be predicted; refuses names that are not there, or that have two roles."""
        aims: tuple[str, ...] = () if self.target is None else named_columns(self.target, frame.columns)
        for name in (*self.drop, *self.wanted, self.weight):
            if name is not None and name not in frame.columns:
                raise AurifyError(f"column {name!r} is not in the data{suggest(name, frame.columns)}")
        for aim in aims or (None,):
            refuse_two_roles(aim, self.drop, self.wanted, self.weight)
        return aims

    def _column(self, values: pl.Series, aimed_at: bool) -> tuple[Column, Sequence[str]]:
        """What one column is, and what was noticed of it."""
        name = values.name
        if aimed_at:
            return Column(name, LEFT_OUT, LABEL), []
        if name in self.drop:
            return Column(name, LEFT_OUT, said("dropped by you")), []
        if name == self.weight:
            found, more = infer_column(name, values, self.missing, NUMBER)
            return replace(found, kind=LEFT_OUT, reason=WEIGHT), more
        return infer_column(name, values, self.missing, self.wanted.get(name))

    def _reached(
        self, column: Column, more: Sequence[str], values: pl.Series, before: Sequence[Column]
    ) -> tuple[Column, Sequence[str]]:
        """The column, left out where its kind is not learnt from; of images the first, with its form."""
        if column.kind in BEYOND and column.kind not in self.beyond:
            return replace(column, kind=LEFT_OUT, reason=BEYOND[column.kind]), more
        if column.kind != IMAGE:
            return column, more
        if any(c.kind == IMAGE for c in before):
            return replace(column, kind=LEFT_OUT, reason=ANOTHER_IMAGE), more
        form = form_of(values, self.size, self.aspect, self.folder)
        return replace(column, format=str(form)), [noticed.image_form(form)]

    def _target_column(self, frame: pl.DataFrame, aims: tuple[str, ...], several: Found | None) -> Column | None:
        """The one column that is predicted; None where there is none, and where labels have columns of their own."""
        if several is not None and self.positive is not None:
            raise AurifyError(
                f"--positive {self.positive!r} is for targets of two classes, and a row here may hold several labels"
            )
        if several is None:
            first = aims[0] if aims else None
            return infer_target(first, frame[first], self.kind, self.missing, self.positive) if first else None
        return None if several.sets.columns else Column(aims[0], CATEGORY, values=several.labels)
