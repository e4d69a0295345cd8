"""Methods of search side by side: how good the best so far is, after so many trials and so much work."""

# R repeats, T trials

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.words import said
from aurify.measure.paired import LEVEL
from aurify.study.cells import Cells
from aurify.study.search import COMPLETE, Search
from aurify.study.tune import Tuner, UntrainableError

PLAINEST = "random"
"""The method that others are compared with, where it is among them."""

DIFFERENCE = ("difference", "difference_low", "difference_high")


def compare(
    tuner: Tuner,
    methods: Sequence[str],
    repeats: int,
    cells_of: Callable[[str], Cells],
    fresh_of: Callable[[str], Cells],
) -> dict[str, Any]:
    """Every method ``repeats`` times with seeds and inner folds of its own, the same for all methods of one repeat.

    The winner of each is measured again on fresh folds, so that no method is paid for luck. A method that fails once
    is left out from then on: its line of the table says why, and has no numbers, for a mean over the repeats that went
    well would flatter it. Raises AurifyError where all of them fail.
    """
    runs, failed = list[dict[str, Any]](), dict[str, str]()
    for repeat in range(1, repeats + 1):
        cells, fresh = cells_of(f"compare/{repeat}"), fresh_of(f"compare/{repeat}")
        searches = list[Search]()
        for method in (name for name in methods if name not in failed):
            one = replace(tuner, method=method, seed=rng.key(tuner.seed, f"compare/{repeat}"), ensemble=False, keeps=0)
            what = said("{method}, repeat {repeat} of {repeats}", method=method, repeat=repeat, repeats=repeats)
            try:
                searches.append(one.search(cells, None, what))
                runs.append({"method": method, "repeat": repeat, **_outcome(one, searches[-1], fresh)})
            except UntrainableError as error:
                failed[method] = str(error)
            except AurifyError:  # a signal, or a place that cannot be written: no method's fault
                raise
            except Exception as error:  # of a sampler: the other methods can do without it
                tuner.trainings.leave()
                failed[method] = f"{type(error).__name__}: {error}".splitlines()[0]
        for found in searches:  # what they came to is known, and no model is shipped
            tuner.clear(found, cells)
    known = [method for method in methods if method not in failed]
    if not known:
        raise AurifyError(f"no method could be compared; {methods[0]}: {failed[methods[0]]}")
    reference = PLAINEST if PLAINEST in known else known[0]
    return {
        "methods": list(methods),
        "repeats": repeats,
        "trials": tuner.most,
        "reference": reference,
        "runs": runs,
        "table": [
            _lost(method, failed[method]) if method in failed else _row(runs, method, reference) for method in methods
        ],
    }


def _outcome(tuner: Tuner, found: Search, fresh: Cells) -> dict[str, Any]:
    """What a search came to, its winner measured again; raises UntrainableError where there is no winner."""
    if found.stopped:
        tuner.check()  # a signal; nothing else stops a search of so many trials
    best = found.best
    if best is None or best.recipe is None:
        raise UntrainableError(f"none of its trials could be trained: {_reason(found)}")
    return {**curve(found), "remeasured": tuner.remeasured(best.recipe, fresh)["value"]}


def curve(search: Search) -> dict[str, Any]:
    """The best of the finished trials and the core seconds spent, by how many trials were told of; None before one.

    What a trial came to on later rungs counts from when it was told, beside the trials that were told before it.
    """
    best: list[float | None] = []
    seconds: list[float] = []
    for trial, rung in search.rungs:
        if rung is trial.rungs[0]:
            best.append(best[-1] if best else None)
            seconds.append(seconds[-1] if seconds else 0.0)
        seconds[-1] += rung.seconds
        if rung.share >= 1 and trial.state == COMPLETE:
            known = [value for value in (best[-1], rung.score) if value is not None]
            best[-1] = max(known, key=lambda value: search.sign * value)
    return {"best": best, "seconds": [round(s, 4) for s in seconds], "picked": best[-1]}


def _row(runs: Sequence[dict[str, Any]], method: str, reference: str) -> dict[str, Any]:
    own, other = ([run for run in runs if run["method"] == name] for name in (method, reference))
    found: dict[str, Any] = {"method": method, "reason": None}
    for name in ("picked", "remeasured"):
        mean, low, high = interval([run[name] for run in own])
        prefix = "" if name == "picked" else "remeasured_"
        found |= {name: mean, f"{prefix}low": low, f"{prefix}high": high}
    found["seconds"] = float(np.mean([run["seconds"][-1] for run in own]))
    gains = [_difference(a["remeasured"], b["remeasured"]) for a, b in zip(own, other, strict=True)]
    differs = (None, None, None) if method == reference else interval(gains)
    return {**found, **dict(zip(DIFFERENCE, differs, strict=True))}


def _lost(method: str, reason: str) -> dict[str, Any]:
    """The line of a method that failed: every name that others have, and why."""
    names = ("picked", "low", "high", "remeasured", "remeasured_low", "remeasured_high", "seconds")
    return {"method": method, "reason": reason, **dict.fromkeys((*names, *DIFFERENCE))}


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def interval(values: Sequence[float | None]) -> tuple[float | None, float | None, float | None]:
    """The mean over repeats (R,) with its 95 % t-interval; None where one is unknown, no ends from a single one."""
    from scipy import stats

    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None, None, None
    mean = float(np.mean(known))
    if len(known) < 2:
        return mean, None, None
    reach = stats.t.ppf(1 - LEVEL / 2, len(known) - 1) * np.std(known, ddof=1) / np.sqrt(len(known))
    return mean, mean - float(reach), mean + float(reach)


def _reason(search: Search) -> str:
    return next((trial.reason for trial in search.trials if trial.reason is not None), "nothing was begun")
