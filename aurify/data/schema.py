"""The Schema: how raw values become typed ones. Plain JSON and no torch, so every place parses alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError, listing, suggest
from aurify.data import noticed
from aurify.data.cells import Cells
from aurify.data.class_folders import FILE
from aurify.data.codes import MISSING as MISSING  # what codes mean is told with the schema
from aurify.data.codes import UNKNOWN as UNKNOWN
from aurify.data.codes import Codebook
from aurify.data.columns import CATEGORY, DATE, IMAGE, LEFT_OUT, NUMBER, TEXT, Column
from aurify.data.image_form import Form
from aurify.data.images import decoded
from aurify.data.inferring import Inferring
from aurify.data.label_sets import LabelSets, read_labels
from aurify.data.packed import Packed
from aurify.data.parsed import Parsed
from aurify.data.wanted import wanted_types

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Schema:
    """Columns in source order, the target among them; ``classes`` is the fixed class order, None for a number.

    With ``labels`` a row may hold several of the ``classes``, or none; they say how. Where each has a column of its
    own, ``target`` names them together, and they are left out of what is learnt from. ``target`` is None where nothing
    is to be predicted: of data that is only looked at. ``missing`` are the user's own marks of missing values,
    ``weight`` is the column that says how much each row counts.
    """

    columns: tuple[Column, ...]
    target: str | None
    classes: tuple[str, ...] | None
    missing: tuple[str, ...] = ()
    weight: str | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)
    labels: LabelSets | None = None

    @property
    def aims(self) -> tuple[str, ...]:
        """The columns that say what is to be predicted."""
        if self.labels is not None and self.labels.columns:
            return self.labels.columns
        return () if self.target is None else (self.target,)

    @cached_property
    def numbers(self) -> tuple[Column, ...]:
        return self._learnt(NUMBER)

    @cached_property
    def dates(self) -> tuple[Column, ...]:
        return self._learnt(DATE)

    @cached_property
    def categories(self) -> tuple[Column, ...]:
        return self._learnt(CATEGORY)

    @cached_property
    def texts(self) -> tuple[Column, ...]:
        return self._learnt(TEXT)

    @cached_property
    def image(self) -> Column | None:
        """The column of images."""
        return next(iter(self._learnt(IMAGE)), None)

    @property
    def learnt(self) -> tuple[Column, ...]:
        """Every column that is learnt from, kind after kind."""
        return (*self.numbers, *self.dates, *self.categories, *self.texts, *self._learnt(IMAGE))

    def _learnt(self, kind: str) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.kind == kind and c.name != self.target)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.kind == LEFT_OUT and c.reason.startswith("an id"))

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that the data had, the target last."""
        return tuple(c.name for c in self.columns)

    @cached_property
    def as_written(self) -> tuple[str, ...]:
        """Columns that must be read as written: what looks like a number may be a category, or mean another number."""
        return tuple(c.name for c in self.columns if c.kind != NUMBER or c.format)

    @cached_property
    def _books(self) -> dict[str, Codebook]:
        return {c.name: Codebook(c.values, self.missing) for c in self.columns if c.kind == CATEGORY}

    @cached_property
    def _known(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    @cached_property
    def _cells(self) -> Cells:
        return Cells(self.missing)

    @classmethod
    def infer(
        cls,
        frame: pl.DataFrame,
        target: str | None,
        drop: Sequence[str],
        kind: str,
        *,
        types: Sequence[str] = (),
        missing: Sequence[str] = (),
        positive: str | None = None,
        weight: str | None = None,
        beyond: Collection[str] = (),
        separator: str | None = None,
        size: int | None = None,
        aspect: str = "auto",
        folder: str | None = None,
    ) -> Schema:
        """Look at every value once and decide each column's type.

        ``kind`` is ``classify``, ``regress``, ``multi_label`` or ``auto``, ``types`` are as ``column=category``;
        of columns of texts and of images, which tables leave out, those kinds that are in ``beyond`` are learnt from;
        ``separator`` parts the labels of a target's cells, ``size`` and ``aspect`` are those of images, whose paths are
        looked for in ``folder`` first. Raises AurifyError for a column that does not exist, one that is not what it is
        said to be, or a target that cannot be learnt.
        """
        asked = Inferring(
            target=target,
            drop=drop,
            kind=kind,
            wanted=wanted_types(types),
            missing=missing,
            positive=positive,
            weight=weight,
            beyond=beyond,
            separator=separator,
            size=size,
            aspect=aspect,
            folder=folder,
        )
        found = asked.look(frame)
        schema = cls(
            found.columns, found.target, found.classes, tuple(missing), weight, found.notes, labels=found.labels
        )
        if not schema.learnt:
            why = "; ".join(f"{c.name!r} is {c.reason}" for c in found.columns if c.kind == LEFT_OUT)
            aim = "look at" if target is None else f"learn {target!r} from"
            raise AurifyError(f"no column is left to {aim}: {why or 'there is no other column'}")
        return schema

    def parse(self, frame: pl.DataFrame, name: str = noticed.THE_DATA, folder: str | None = None) -> Parsed:
        """Turn rows into typed arrays; column order is free, extra columns are ignored and said.

        Images are looked for in ``folder`` first; those that cannot be read are for the caller to say.
        Raises AurifyError naming the columns that are missing.
        """
        here = frame.columns
        absent = [c.name for c in self.learnt if c.name not in here]
        if absent:
            what = f"{name} lacks {len(absent)} column(s)"
            if self.target is None:  # data that is only looked at has no model
                raise AurifyError(f"{what} of the data: {listing(absent, 10)}; leave them out with --drop")
            raise AurifyError(f"{what} the model needs: {listing(absent, 10)}")
        notes: list[str] = []
        numbers = np.empty((frame.height, len(self.numbers)))
        moments = np.empty((frame.height, len(self.dates)))
        codes = np.empty((frame.height, len(self.categories)), dtype=np.int32)
        for at, column in enumerate(self.numbers):
            numbers[:, at], unread, infinite = self._cells.numbers(frame[column.name], column.format)
            if infinite:
                notes.append(noticed.infinite(column.name, infinite))
            if unread:
                notes.append(noticed.no_numbers(column.name, unread))
        for at, column in enumerate(self.dates):
            moments[:, at], unread = self._cells.dates(frame[column.name], column.format)
            if unread:
                notes.append(noticed.no_dates(column.name, column.format, unread))
        for at, column in enumerate(self.categories):
            codes[:, at], unseen = self._books[column.name].read(frame[column.name])
            if unseen:
                notes.append(noticed.unseen(column.name, unseen))
        ours = (FILE,) if self.image is not None else ()  # files of images have it, tables of paths need not
        extra = [c for c in here if c not in self._known and c not in ours]
        if extra:
            notes.append(noticed.unknown_columns(name, extra))
        texts = Packed.of([self._cells.prose(frame[column.name]) for column in self.texts])
        images, unread = None, {}
        if self.image is not None:
            found = decoded(frame[self.image.name], Form.of(self.image.format), folder)
            images, unread = found.images, found.unread
        return Parsed(numbers, codes, moments, texts, tuple(notes), images, unread)

    def parse_target(self, frame: pl.DataFrame, name: str = noticed.THE_DATA) -> np.ndarray:
        """Targets as class codes (int64, -1 missing), float64 (NaN missing) or, of several labels, (N, K) int8.

        1 where a row holds the label, and -1 in all of a row that is missing.
        """
        if self.target is None:
            return self.unknown_targets(frame.height)
        for aim in self.aims:
            if aim not in frame.columns:
                raise AurifyError(f"{name} lacks the target column {aim!r}{suggest(aim, frame.columns)}")
        if self.labels is not None:
            return read_labels(frame, self.target, self.labels, self.classes or (), self.missing, name)
        if self.classes is None:
            values, unread, _ = self._cells.numbers(frame[self.target], self._known[self.target].format)
            if unread:
                raise AurifyError(f"target {self.target!r} in {name}: {listing(unread, 3)} are not numbers")
            return values
        codes, unseen = self._books[self.target].read(frame[self.target])
        if unseen:
            raise AurifyError(
                f"target {self.target!r} in {name} has labels the model does not know: {listing(unseen, 3)};"
                f" known: {listing(self.classes)}"
            )
        return codes.astype(np.int64)

    def unknown_targets(self, rows: int) -> np.ndarray:
        """Targets of rows whose target nobody told."""
        if self.labels is not None:
            return np.full((rows, len(self.classes or ())), MISSING, dtype=np.int8)
        return np.full(rows, np.nan) if self.classes is None else np.full(rows, MISSING, dtype=np.int64)

    def parse_weight(self, frame: pl.DataFrame, name: str = noticed.THE_DATA) -> np.ndarray | None:
        """How many rows each row stands for, float64 (NaN missing); None when no column says so, here or at all."""
        if self.weight is None or self.weight not in frame.columns:
            return None
        weights, unread, _ = self._cells.numbers(frame[self.weight], self._known[self.weight].format)
        if unread:
            raise AurifyError(f"weight column {self.weight!r} in {name}: {listing(unread, 3)} are not numbers")
        if (weights < 0).any():
            low = np.nanmin(weights)
            raise AurifyError(f"weight column {self.weight!r} in {name} holds {low:g}; a weight is 0 or more")
        if not (weights > 0).any():
            raise AurifyError(f"weight column {self.weight!r} in {name} has no weight above 0")
        return weights

    def to_plain(self) -> dict[str, Any]:
        plain = {k: v for k, v in asdict(self).items() if k not in ("notes", "labels")}
        return plain if self.labels is None else {**plain, "labels": self.labels.to_plain()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Schema:
        """Rebuild from JSON; raises AurifyError when it is not a schema."""
        try:
            columns = tuple(
                Column(str(c["name"]), str(c["kind"]), str(c["reason"]), tuple(map(str, c["values"])), str(c["format"]))
                for c in plain["columns"]
            )
            classes, weight = plain["classes"], plain["weight"]
            if classes is not None and not len(set(map(str, classes))) == len(classes) >= 2:
                raise TypeError("classes")
            return cls(
                columns,
                str(plain["target"]),
                None if classes is None else tuple(map(str, classes)),
                tuple(map(str, plain["missing"])),
                None if weight is None else str(weight),
                labels=LabelSets.from_plain(plain["labels"]) if "labels" in plain else None,
            )
        except (KeyError, TypeError) as error:
            raise AurifyError(f"the schema is damaged: {error!r}") from None
