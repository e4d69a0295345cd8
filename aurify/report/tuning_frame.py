"""A search's trials as a data frame, and what it found as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


def brief(tuning: Mapping[str, Any], trials: Sequence[Mapping[str, Any]], run: Path) -> dict[str, Any]:
    """What was found, as plain data: how many ``trials``, the ``best`` settings, what they scored when they were
    ``picked`` and when they were ``remeasured``, and the ``seconds`` it all took; and the rest where the search has it.
    """
    best, again, compare = tuning["best"], tuning["remeasured"], tuning["compare"]
    more = {name: tuning[name] for name in ("nested", "ensemble", "front") if tuning[name] is not None}
    if tuning.get("looked"):
        more["looked"] = tuning["looked"]
    if compare is not None:
        more["compare"] = {name: value for name, value in compare.items() if name != "runs"}
    return {
        "run": str(run),
        "trials": len(trials),
        "best": None if best is None else dict(best["settings"]),
        "picked": tuning["picked"],
        "remeasured": None if again is None else {name: again[name] for name in ("value", "low", "high")},
        "seconds": tuning["seconds"],
    } | more


def trials_frame(trials: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """One row a trial: number, state, where it came from, score, a column for each knob, core seconds, reason.

    A knob that a trial does not set is null there, and so is one that is set to nothing.
    """
    import polars as pl

    knobs = list(dict.fromkeys(knob for trial in trials for knob in trial["settings"]))
    columns = [
        _column("number", [trial["number"] for trial in trials], pl.Int64),
        _column("state", [str(trial["state"]) for trial in trials], pl.String),
        _column("origin", [str(trial["origin"]) for trial in trials], pl.String),
        _column("score", [trial["score"] for trial in trials], pl.Float64),
        *(_settings(knob, [trial["settings"].get(knob) for trial in trials]) for knob in knobs),
        _column("seconds", [trial["seconds"] for trial in trials], pl.Float64),
        _column("reason", [None if (r := trial["reason"]) is None else str(r) for trial in trials], pl.String),
    ]
    return pl.DataFrame(columns)


def _column(name: str, values: Sequence[Any], kind: Any) -> pl.Series:
    import polars as pl

    return pl.Series(name, values, dtype=kind, strict=False)


def _settings(knob: str, values: Sequence[Any]) -> pl.Series:
    """A knob's values as one type: texts where they are of several kinds."""
    import polars as pl

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return _column(knob, values, pl.Boolean)
    if kinds <= {int}:
        return _column(knob, values, pl.Int64)
    if kinds <= {int, float}:
        return _column(knob, values, pl.Float64)
    return _column(knob, [None if value is None else str(value) for value in values], pl.String)
