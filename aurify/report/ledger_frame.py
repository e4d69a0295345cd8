"""A ledger as data frames and as plain data: a row an ingredient, a row a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

BRIEF = (
    "technique",
    "design",
    "reference",
    "gain",
    "low",
    "high",
    "simultaneous_low",
    "simultaneous_high",
    "p_adjusted",
    "verdict",
    "pairs",
    "seconds",
)

TEXTS = {"technique", "design", "reference", "verdict", "value", "variant", "stopped"}
WHOLE = {"pairs", "repeat", "fold", "steps"}

COSTS = ("latency", "parameters", "bytes")

TRAINING = ("variant", "repeat", "fold", "seed", "seconds", *COSTS, "steps", "diverged", "stopped")


def brief(effect: Mapping[str, Any]) -> dict[str, Any]:
    """A row's verdict and what it rests on, as plain data; of a sweep also the value."""
    value = {} if effect["value"] is None else {"value": effect["value"]}
    return {name: _plain(effect[name]) for name in BRIEF} | value


def effects_frame(ledger: Mapping[str, Any]) -> pl.DataFrame:
    """One row an ingredient: its gain, both intervals, adjusted p, verdict and what it costs; a sweep's ``value``."""
    names = (*BRIEF, *COSTS)
    rows = [
        {**{name: _plain(effect[name]) for name in names}, "value": None if (v := effect["value"]) is None else str(v)}
        for effect in ledger["effects"]
    ]
    return _frame(rows, (*names, "value"))


def pairs_frame(ledger: Mapping[str, Any]) -> pl.DataFrame:
    """One row a training: of which recipe, on which fold of which repeat, its cost and its score in each metric."""
    trainings = ledger["trainings"]
    metrics = list(dict.fromkeys(metric for training in trainings for metric in training["scores"]))
    rows = [
        {
            **{n: _plain(training[n]) for n in TRAINING},
            "diverged": bool(training["diverged"]),  # the file has the words of it
            **{m: training["scores"].get(m) for m in metrics},
        }
        for training in trainings
    ]
    return _frame(rows, (*TRAINING, *metrics))


def _plain(value: Any) -> Any:
    """A text of ours as a text like any other."""
    return str(value) if isinstance(value, str) else value


def _frame(rows: list[dict[str, Any]], names: tuple[str, ...]) -> pl.DataFrame:
    """Columns of the same types whatever the rows hold, for there may be none."""
    import polars as pl

    def kind(name: str) -> Any:
        if name in TEXTS:
            return pl.String
        if name in WHOLE:
            return pl.Int64
        if name == "seed":  # of 64 bits, any of them
            return pl.UInt64
        return pl.Boolean if name == "diverged" else pl.Float64

    return pl.DataFrame(rows, schema={name: kind(name) for name in names}, strict=False)
