"""Scores of several sets of predictions as plain data: what scores.json holds and the terminal prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from aurify.data.copies import Overlap
from aurify.data.store import Asked
from aurify.measure.clusters import clusters_of
from aurify.measure.intervals import Table, score_table
from aurify.measure.predictions import Predictions
from aurify.measure.verdict import main_metric, sentence
from aurify.ship.bundle import MEMBERS


def summarise(
    sets: Mapping[str, Predictions], asked: Asked, known: Overlap | None, seed: int, check: Callable[[], None]
) -> dict[str, Any]:
    """The scores of the first set, the model's, and of its members and the baselines beside it.

    Rows of one group, or of one stretch of time, are resampled together. Where some of the rows are ``known`` from
    training, ``without_overlap`` has the scores on the others.
    """
    clusters = clusters_of(asked.roles, asked.rows)
    model = next(iter(sets))
    table = score_table(sets, reference=model, seed=seed, clusters=clusters.codes, check=check)
    summary = {
        "model": model,
        **_scores(table),
        "differences": {
            name: {k: {**_finite(d), "verdict": d.verdict} for k, d in rows.items()}
            for name, rows in table.differences.items()
        },
        "greater_is_better": {k: v.greater_is_better for k, v in table.scores[model].items()},
        "main_metric": main_metric(table),
        "verdict": sentence(table),
        "rows": table.rows,
        "draws": table.draws,
        "intervals": clusters.say(),
    }
    if known is None or not known.inputs.any():
        return summary
    kept = ~known.inputs
    counts = {"same_inputs": int(known.inputs.sum()), "same_target_too": int(known.both.sum())}
    summary["without_overlap"] = {**counts, "rows": int(kept.sum())}
    if kept.any():
        others = {name: predictions.take(kept) for name, predictions in sets.items()}
        codes = None if clusters.codes is None else clusters.codes[kept]
        rest = score_table(others, reference=model, seed=seed, clusters=codes, check=check)
        summary["without_overlap"] |= _scores(rest)
    return summary


def _scores(table: Table) -> dict[str, Any]:
    plain = {name: {k: _finite(v) for k, v in scores.items()} for name, scores in table.scores.items()}
    members = {name: plain[name] for name in MEMBERS if name in plain and name != table.reference}
    beside = {name: scores for name, scores in plain.items() if name not in (table.reference, *members)}
    return {
        "scores": plain[table.reference],
        "members": members,
        "baselines": {n: {k: v["value"] for k, v in scores.items()} for n, scores in beside.items()},
        "baseline_scores": beside,
    }


def _finite(score: Any) -> Mapping[str, float | None]:
    """A score as JSON knows it: what is undefined is null."""
    numbers = {k: float(v) for k, v in asdict(score).items() if k in ("value", "low", "high")}
    return {k: v if np.isfinite(v) else None for k, v in numbers.items()}
