"""Tables of a search: the best trials, what the ensemble is made of, what failed and why."""

from __future__ import annotations

from collections.abc import Sequence

from aurify.core.words import listed, said
from aurify.measure.names import metric_name
from aurify.measure.verdict import number
from aurify.report.section import Block, Folded, Paragraph, Rows
from aurify.report.tuning import (
    COSTS,
    DASH,
    FAILED,
    LONGEST_REASON,
    ORIGINS,
    Trial,
    Tuning,
    cut,
    described,
    objective_name,
    ranked,
    seconds_text,
)
from aurify.report.values import amount, share

MOST_ROWS = 10
"""Trials in the table of the best."""

MOST_FAILED = 20
"""Reasons why trials failed that are shown; the others are counted."""

MOST_NAMED = 8
"""Trials that one reason names; the others are counted."""


def best_trials(tuning: Tuning, trials: Sequence[Trial]) -> list[Block]:
    """A line for each of the best trials: its scores, what it took, and its settings that differ from the default."""
    best = ranked(tuning, trials)[:MOST_ROWS]
    if not best:
        return []
    others = [name for name in tuning["objectives"] if name != tuning["metric"]]
    table = Rows(
        header=[
            said("trial: settings that differ from the default"),
            metric_name(tuning["metric"]),
            *(objective_name(name) for name in others),
            said("core seconds"),
            said("proposed by"),
        ],
        rows=[
            [
                _settings(tuning, trial),
                number(trial["score"]),
                *(_value(trial["values"].get(name), name) for name in others),
                seconds_text(trial["seconds"]),
                ORIGINS.get(trial["origin"]) or str(trial["origin"]),
            ]
            for trial in best
        ],
        caption=said("The best of the finished trials, by the scores that they were picked by"),
    )
    return [table]


def _value(value: float | None, name: str) -> str:
    if value is None:
        return DASH
    return amount(value) if name in COSTS else number(value)


def members(tuning: Tuning, trials: Sequence[Trial]) -> list[Block]:
    """Whose models the ensemble weighs how; nothing where there is none."""
    together = tuning["ensemble"]
    if together is None:
        return []
    by_number = {trial["number"]: trial for trial in trials}
    rows: list[list[str]] = []
    for each in sorted(together["members"], key=lambda each: -each["weight"]):
        trial = by_number[each["number"]]
        score = DASH if trial["score"] is None else number(trial["score"])
        rows.append([_settings(tuning, trial), share(each["weight"]), score])
    header = [
        said("trial: settings that differ from the default"),
        said("weight"),
        metric_name(tuning["metric"]),
    ]
    return [Rows(header, rows, said("What the ensemble is made of"))]


def _settings(tuning: Tuning, trial: Trial) -> str:
    return said("{number}: {settings}", number=trial["number"], settings=described(trial, tuning))


def failures(trials: Sequence[Trial]) -> list[Block]:
    """Failed trials by reason; nothing where none failed."""
    by_reason: dict[str, list[int]] = {}
    for trial in trials:
        if trial["state"] == FAILED:
            by_reason.setdefault(trial["reason"] or said("no reason is known"), []).append(trial["number"])
    if not by_reason:
        return []
    count = sum(map(len, by_reason.values()))
    shown = list(by_reason.items())[:MOST_FAILED]
    table = Rows(
        header=[said("trials"), said("reason")],
        rows=[[_numbers(numbers), _reason(why)] for why, numbers in shown],
        numbers=False,
    )
    more = len(by_reason) - len(shown)
    blocks: list[Block] = [table, *([Paragraph(said("Not shown here: {count:,} more.", count=more))] if more else [])]
    return [Folded(said("Trials that failed: {count:,}; the search went on", count=count), blocks)]


def _numbers(numbers: Sequence[int]) -> str:
    told = listed([str(each) for each in numbers[:MOST_NAMED]], ",")
    more = len(numbers) - MOST_NAMED
    return said("{names} and {count:,} more", names=told, count=more) if more > 0 else told


def _reason(why: str) -> str:
    return why if len(why) <= LONGEST_REASON else cut(str(why), LONGEST_REASON)
