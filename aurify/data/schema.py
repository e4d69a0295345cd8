"""The Schema: how raw values become typed ones. Plain JSON and no torch, so every place parses alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError, listing, suggest
from aurify.data.sources import MISSING_MARKS

if TYPE_CHECKING:
    import polars as pl

NUMBER, CATEGORY, DATE, LEFT_OUT = "number", "category", "date", "left out"
MISSING, UNKNOWN = -1, -2
MANY_CLASSES = 20
MOSTLY = 0.2
"""A column of texts of which fewer than this share are no numbers is a column of numbers with slips in it."""


@dataclass(frozen=True)
class Column:
    """One column: its kind, the reason when it is left out, and for categories its values in code order."""

    name: str
    kind: str
    reason: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """Typed rows: numbers (N, a) float64 with NaN for missing, codes (N, b) int32 (-1 missing, -2 unknown).

    ``dates`` (N, d) are float64 seconds since 1970 in UTC, NaN for missing.
    """

    numbers: np.ndarray
    codes: np.ndarray
    dates: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """By input name, without kinds that have no column."""
        every = {"numbers": self.numbers, "codes": self.codes, "dates": self.dates}
        return {name: values for name, values in every.items() if values.shape[1]}


@dataclass(frozen=True)
class Schema:
    """Columns in source order, the target among them; ``classes`` is the fixed class order, None for a number."""

    columns: tuple[Column, ...]
    target: str
    classes: tuple[str, ...] | None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def numbers(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.kind == NUMBER and c.name != self.target)

    @property
    def dates(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.kind == DATE and c.name != self.target)

    @property
    def categories(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.kind == CATEGORY and c.name != self.target)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.kind == LEFT_OUT and c.reason.startswith("an id"))

    @classmethod
    def infer(cls, frame: pl.DataFrame, target: str, drop: Sequence[str], kind: str) -> Schema:
        """Look at every value once and decide each column's type.

        ``kind`` is ``classify``, ``regress`` or ``auto``. Raises AurifyError for a column that does not exist or a
        target that cannot be learnt.
        """
        for name in (target, *drop):
            if name not in frame.columns:
                raise AurifyError(f"column {name!r} is not in the data{suggest(name, frame.columns)}")
        if target in drop:
            raise AurifyError(f"column {target!r} cannot be both the target and dropped")
        columns = [
            Column(name, LEFT_OUT, "dropped by you") if name in drop else _infer_column(name, frame[name])
            for name in frame.columns
            if name != target
        ]
        classes = _infer_target(target, frame[target], kind)
        columns.append(Column(target, NUMBER if classes is None else CATEGORY, values=classes or ()))
        schema = cls(tuple(columns), target, classes)
        if not schema.numbers and not schema.categories:
            why = "; ".join(f"{c.name!r} is {c.reason}" for c in columns if c.kind == LEFT_OUT)
            raise AurifyError(f"no column is left to learn {target!r} from: {why or 'there is no other column'}")
        return schema

    def parse(self, frame: pl.DataFrame, name: str = "the data") -> Parsed:
        """Turn rows into typed arrays; column order is free, extra columns are ignored and said.

        Raises AurifyError naming the columns that are missing.
        """
        absent = [c.name for c in (*self.numbers, *self.categories) if c.name not in frame.columns]
        if absent:
            raise AurifyError(f"{name} lacks {len(absent)} column(s) the model needs: {listing(absent, 10)}")
        notes: list[str] = []
        numbers = np.empty((frame.height, len(self.numbers)))
        codes = np.empty((frame.height, len(self.categories)), dtype=np.int32)
        for at, column in enumerate(self.numbers):
            numbers[:, at], unread = _as_numbers(frame[column.name])
            if unread:
                notes.append(f"column {column.name!r}: {listing(unread, 3)} are not numbers; taken as missing")
        for at, column in enumerate(self.categories):
            codes[:, at], unseen = _as_codes(frame[column.name], column.values)
            if unseen:
                notes.append(f"column {column.name!r}: {listing(unseen, 3)} unseen in training; taken as unknown")
        extra = [c for c in frame.columns if c not in {k.name for k in self.columns}]
        if extra:
            notes.append(f"{name} has {len(extra)} column(s) the model does not know, ignored: {listing(extra)}")
        return Parsed(numbers, codes, np.empty((frame.height, 0)), tuple(notes))

    def parse_target(self, frame: pl.DataFrame, name: str = "the data") -> np.ndarray:
        """Targets as class codes (int64, -1 missing) or float64 (NaN missing)."""
        if self.target not in frame.columns:
            raise AurifyError(f"{name} lacks the target column {self.target!r}{suggest(self.target, frame.columns)}")
        if self.classes is None:
            values, unread = _as_numbers(frame[self.target])
            if unread:
                raise AurifyError(f"target {self.target!r} in {name}: {listing(unread, 3)} are not numbers")
            return values
        codes, unseen = _as_codes(frame[self.target], self.classes)
        if unseen:
            raise AurifyError(
                f"target {self.target!r} in {name} has labels the model does not know: {listing(unseen, 3)};"
                f" known: {listing(self.classes)}"
            )
        return codes.astype(np.int64)

    def to_plain(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if k != "notes"}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Schema:
        """Rebuild from JSON; raises AurifyError when it is not a schema."""
        try:
            columns = tuple(
                Column(str(c["name"]), str(c["kind"]), str(c["reason"]), tuple(map(str, c["values"])))
                for c in plain["columns"]
            )
            classes = plain["classes"]
            if classes is not None and not len(set(map(str, classes))) == len(classes) >= 2:
                raise TypeError("classes")
            return cls(columns, str(plain["target"]), None if classes is None else tuple(map(str, classes)))
        except (KeyError, TypeError) as error:
            raise AurifyError(f"the schema is damaged: {error!r}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that the data had, the target last."""
        return tuple(c.name for c in self.columns)

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns that must be read as written: categories look like numbers sometimes, and keep their spelling."""
        return tuple(c.name for c in self.columns if c.kind != NUMBER)


def _infer_column(name: str, values: pl.Series) -> Column:
    import polars as pl

    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary):
        return Column(name, LEFT_OUT, f"made of {values.dtype} values")
    plain = cleaned(values)
    present = plain.drop_nulls()
    distinct = present.n_unique()
    if distinct == 0:
        return Column(name, LEFT_OUT, "empty")
    if distinct == 1 and present.len() == plain.len():
        return Column(name, LEFT_OUT, f"the same everywhere ({present[0]!r})")
    if plain.dtype.is_numeric():
        steps = present.len() == distinct and plain.dtype.is_integer() and present.len() > 50
        if steps and (present.diff().drop_nulls() == 1).all():
            return Column(name, LEFT_OUT, "an id (counts the rows)")
        return Column(name, NUMBER)
    if present.cast(pl.Float64, strict=False).null_count() < MOSTLY * present.len():
        return Column(name, NUMBER)  # what is no number is said when it is parsed
    if distinct > max(50, 0.9 * present.len()):
        return Column(name, LEFT_OUT, f"an id ({distinct:,} different values in {present.len():,} rows)")
    words = present.str.count_matches(r"\S+").mean()
    if isinstance(words, float) and words > 6 and distinct > 0.2 * present.len():
        return Column(name, LEFT_OUT, "free text (tables learn from numbers and categories)")
    return Column(name, CATEGORY, values=tuple(sorted(present.unique().to_list())))


def _infer_target(name: str, values: pl.Series, kind: str) -> tuple[str, ...] | None:
    """The class order of a target to classify, or None for a number to regress on."""
    plain = cleaned(values)
    present = plain.drop_nulls()
    distinct = present.n_unique()
    if distinct < 2:
        only = f"only {present[0]!r}" if distinct else "no value"
        raise AurifyError(f"target {name!r} holds {only}; two different values are needed to learn anything")
    numeric = plain.dtype.is_numeric()
    if kind == "regress" and not numeric:
        raise AurifyError(f"target {name!r} is not a number ({present[0]!r}); use --set task.kind=classify")
    if kind == "regress" or (kind == "auto" and numeric and distinct > MANY_CLASSES):
        return None
    if distinct > max(MANY_CLASSES, 0.5 * present.len()):
        raise AurifyError(
            f"target {name!r} has {distinct:,} different values in {present.len():,} rows: too many for classes"
        )
    return tuple(as_texts(present.unique().sort()).to_list())


def cleaned(values: pl.Series) -> pl.Series:
    """Numbers (float or integer, null for missing and infinite) where every present value is one, else texts."""
    import polars as pl

    if values.dtype.is_float():
        return values.fill_nan(None).set(values.is_infinite().fill_null(False), None)
    if values.dtype.is_numeric():
        return values
    texts = as_texts(values)
    numbers = texts.cast(pl.Float64, strict=False)
    if numbers.null_count() == texts.null_count() and texts.null_count() < texts.len():
        return cleaned(numbers)
    return texts


def as_texts(values: pl.Series) -> pl.Series:
    """One spelling per value, however it was read: stripped texts, whole floats as integers, booleans in lower case."""
    import polars as pl

    if values.dtype.is_float():
        whole = (values == values.floor()) & (values.abs() < 2.0**53)
        spelled = values.fill_nan(None).cast(pl.String)
        return pl.select(
            pl.when(whole).then(values.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(spelled)
        ).to_series()
    if values.dtype != pl.String:
        return values.cast(pl.String, strict=False)
    stripped = values.str.strip_chars()
    stripped = stripped.set(stripped.is_in(list(MISSING_MARKS)).fill_null(False), None)
    lower = stripped.str.to_lowercase()
    return lower if lower.is_in(["true", "false"]).fill_null(True).all() else stripped


def _as_numbers(values: pl.Series) -> tuple[np.ndarray, list[str]]:
    """Numbers (N,) with NaN for missing, and up to a few texts that are none."""
    import polars as pl

    plain = cleaned(values)
    if plain.dtype.is_numeric():
        return plain.cast(pl.Float64).fill_null(float("nan")).to_numpy(), []
    numbers = plain.cast(pl.Float64, strict=False)
    unread = plain.filter(numbers.is_null() & plain.is_not_null()).unique(maintain_order=True).to_list()
    return cleaned(numbers).fill_null(float("nan")).to_numpy(), unread


def _as_codes(values: pl.Series, known: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Codes (N,) int32 into ``known``, and the values that are not in it."""
    import polars as pl

    plain = as_texts(values)
    if set(known) <= {"true", "false"}:
        plain = plain.str.to_lowercase()
    keys, kind = plain, pl.String
    if all(_is_number(k) for k in known):  # 1, 1.0 and 01 are one label
        keys, kind = plain.cast(pl.Float64, strict=False), pl.Float64
    table = pl.DataFrame(
        {"value": pl.Series(known).cast(kind), "code": pl.int_range(len(known), dtype=pl.Int32, eager=True)}
    )
    joined = pl.DataFrame({"value": keys}).join(table, on="value", how="left", maintain_order="left")["code"]
    unseen_rows = joined.is_null() & plain.is_not_null()
    codes = joined.fill_null(MISSING).to_numpy().copy()
    codes[unseen_rows.to_numpy()] = UNKNOWN
    return codes, plain.filter(unseen_rows).unique(maintain_order=True).to_list()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
