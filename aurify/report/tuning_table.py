"""What a terminal shows of a search: progress while it goes on, the best trials and what they are worth after it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from aurify.core.folder import RunFolder
from aurify.core.words import listed, said, say
from aurify.measure.names import metric_name
from aurify.measure.verdict import number
from aurify.report.terminal import REFRESH_SECONDS
from aurify.report.tuning import (
    DASH,
    Trial,
    Tuning,
    corrected,
    described,
    effort,
    knob_name,
    method_name,
    only_compared,
    picked,
    ranked,
    sealed,
    seconds_text,
    shipped,
)
from aurify.report.tuning_compare import explained, lost, took
from aurify.report.values import share
from aurify.report.words import interval

Searching = Callable[[int, int | None, float | None, Sequence[int], float | None, str], None]
"""Told how many trials are done and how many there will be, the best score so far, the numbers of the trials that are
trained now, the seconds that are left, and what is being done; None for what is not known."""

MOST_ROWS = 5
"""Trials, and knobs, that a terminal shows."""

MOST_RUNNING = 4
"""Trials in training that are named; the others are counted."""

WIDEST = 24


@contextmanager
def searching(console: Console) -> Iterator[Searching]:
    """A bar with trials done, the best so far, the time left and trials in training; it goes away at the end.

    Where there is no terminal nothing is shown.
    """
    if not console.is_terminal:
        yield lambda told, total, best, running, left_seconds, what: None
        return
    columns = (
        TextColumn("{task.fields[count]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[told]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("searching", total=None, count="", told="")
        shown = 0.0

        def show(
            told: int,
            total: int | None,
            best: float | None,
            running: Sequence[int],
            left_seconds: float | None,
            what: str,
        ) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown < REFRESH_SECONDS and told != total:
                return
            shown = now
            count = f"{told} trials" if total is None else f"{told} of {total} trials"
            line = _line(best, running, left_seconds, what)
            bar.update(task, total=total, completed=told, count=count, told=line)
            bar.refresh()

        yield show


def _line(best: float | None, running: Sequence[int], left_seconds: float | None, what: str) -> str:
    """``best 0.861 · 1:20 left · open 17, 18 · tpe``"""
    more = len(running) - MOST_RUNNING
    named = ", ".join(map(str, running[:MOST_RUNNING])) + (f" and {more} more" if more > 0 else "")
    told = [
        "" if best is None else f"best {number(best)}",
        "" if left_seconds is None else f"{_clock(left_seconds)} left",
        f"open {named}" if running else "",
        _visible(what)[:WIDEST],
    ]
    return " · ".join(each for each in told if each)


def _clock(seconds: float) -> str:
    """``0:05``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def print_tuning(
    console: Console, tuning: Tuning, trials: Sequence[Trial], place: Path, *, language: str = "en"
) -> None:
    """The best trials, what the picked one is worth, which settings mattered, and how to go on."""
    if best := ranked(tuning, trials)[:MOST_ROWS]:
        console.print(_best(tuning, best, language))
    if tuning["compare"] is not None:
        console.print(_compare(tuning, language))
    report, file = str(place / "report.html"), str(place / ("tuning" if only_compared(tuning) else "trials")) + ".json"
    lines = [
        "",
        *(_compared(tuning) if only_compared(tuning) else _searched(tuning, trials)),
        sealed(RunFolder(place), tuning),
    ]
    lines.append(said("Report: {report}; as data: {file}", report=report, file=file))
    if tuning["best"] is not None:
        lines.append(said("Next: {command}", command=f"aurify evaluate {shlex.quote(str(place))}"))
    for at, line in enumerate(lines):
        if line or not at:
            bold = at == 1 and not only_compared(tuning)
            text = Text(_visible(say(line, language)), style="bold" if bold else "")
            console.print(text, soft_wrap=not console.is_terminal)


def _searched(tuning: Tuning, trials: Sequence[Trial]) -> list[str]:
    told = [picked(tuning), corrected(tuning), effort(tuning, trials), _mattered(tuning), shipped(tuning)]
    return told + (_compared(tuning) if tuning["compare"] is not None else [])


def _compared(tuning: Tuning) -> list[str]:
    return [*lost(tuning), explained(tuning), took(tuning)]


def _mattered(tuning: Tuning) -> str:
    """The most important knobs in one line; nothing where trials were too few to tell."""
    found = tuning["importance"][:MOST_ROWS]
    if not found:
        return ""
    told = [
        said(
            "{name} {share} [{low}, {high}]",
            name=knob_name(each["knob"]),
            share=share(each["share"]),
            low=share(each["low"]),
            high=share(each["high"]),
        )
        for each in found
    ]
    return said("Share of the variance of the score that settings explain alone: {names}.", names=listed(told, ","))


def _best(tuning: Tuning, best: Sequence[Trial], language: str) -> Table:
    title = said("The best trials")
    table = _table(title, language)
    table.add_column(_told(said("trial"), language), justify="right", no_wrap=True)
    table.add_column(_told(metric_name(tuning["metric"]), language), justify="right", no_wrap=True)
    table.add_column(_told(said("core seconds"), language), justify="right", no_wrap=True)
    table.add_column(_told(said("settings that differ from the default"), language), overflow="fold")
    chosen = None if tuning["best"] is None else tuning["best"]["number"]
    for trial in best:
        table.add_row(
            str(trial["number"]),
            number(trial["score"]),
            seconds_text(trial["seconds"]),
            _told(described(trial, tuning), language),
            style="green" if trial["number"] == chosen else None,
        )
    return table


def _compare(tuning: Tuning, language: str) -> Table:
    """A method a line, in 80 columns: what was picked is on the page, with its interval."""
    title = said("What each method found, in {metric}", metric=metric_name(tuning["metric"]))
    table = _table(title, language)
    table.add_column(_told(said("method"), language), max_width=20, overflow="fold")
    table.add_column(_told(said("re-measured [95 %]"), language), no_wrap=True)
    table.add_column(_told(said("difference [95 %]"), language), no_wrap=True)
    table.add_column(_told(said("seconds"), language), justify="right", no_wrap=True)
    for row in tuning["compare"]["table"]:
        again = {"value": row["remeasured"], "low": row["remeasured_low"], "high": row["remeasured_high"]}
        difference = {"value": row["difference"], "low": row["difference_low"], "high": row["difference_high"]}
        table.add_row(
            _told(method_name(row["method"]), language),
            _told(said("failed"), language) if row.get("reason") else interval(again),
            interval(difference, signed=True),
            DASH if row["seconds"] is None else seconds_text(row["seconds"]),
        )
    return table


def _table(title: str, language: str) -> Table:
    heading = Text(f"\n{_visible(say(title, language))}")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), title=heading)
    table.title_justify, table.title_style = "left", "bold"
    return table


def _told(text: str, language: str) -> Text:
    return Text(_visible(say(text, language)))


def _visible(text: str) -> str:
    """A text on one line, in which a user's word cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
