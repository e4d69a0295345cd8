"""What a terminal shows of a ledger: progress while it is measured, and its rows with their verdicts after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from aurify.core.words import listed, said, say
from aurify.report.ledger import (
    DESIGNS,
    FAILED,
    HELPS,
    HURTS,
    IDENTICAL,
    VERDICTS,
    Effect,
    Ledger,
    at_most,
    caps,
    estimand,
    gain,
    ingredient,
    ingredient_name,
    reference,
    rows_of,
    summary,
    verdict,
)
from aurify.report.terminal import REFRESH_SECONDS
from aurify.report.words import interval

Studying = Callable[[int, int, int, str], None]
"""Told how many trainings are done and how many there will be, how many rows are open, and what is being trained."""

STYLES = {HELPS: "green", HURTS: "red", FAILED: "yellow"}

WIDEST_NAME = 24

MOST_LETTERS = 100
"""Of a reason why a row could not be measured; the page has the whole."""


@contextmanager
def studying(console: Console) -> Iterator[Studying]:
    """A bar with trainings done, rows open and the time left; it goes away at the end.

    Where there is no terminal nothing is shown.
    """
    if not console.is_terminal:
        yield lambda done, total, open_rows, what: None
        return
    columns = (
        TextColumn("{task.completed:.0f} of {task.total:.0f} trainings"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[open_rows]} rows open"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("studying", total=0, open_rows=0, what="")
        shown = 0.0

        def show(done: int, total: int, open_rows: int, what: str) -> None:
            nonlocal shown
            now = time.monotonic()
            if now - shown < REFRESH_SECONDS and done < total:
                return
            shown = now
            bar.update(task, total=total, completed=done, open_rows=open_rows, what=_short(what))
            bar.refresh()

        yield show


def print_ledger(console: Console, ledger: Ledger, place: Path, *, language: str = "en") -> None:
    """Rows by design with gain, verdict and cost; what they are estimates of, and where the whole of it is."""
    for design in DESIGNS:
        if effects := rows_of(ledger, design):
            console.print(_table(design, effects, language))
    even = said('Where it says "smaller than" or "every pair the same", no difference was measurable.')
    lines: list[str] = ["", even, summary(ledger), reference(ledger), estimand(ledger), caps(ledger)]
    if simpler := _simpler(ledger):
        lines.append(simpler)
    report, file = str(place / "report.html"), str(place / "ledger.json")
    lines.append(said("Report: {report}; as data: {file}", report=report, file=file))
    for line in lines:
        console.print(_visible(say(line, language)), highlight=False, markup=False, soft_wrap=not console.is_terminal)


def _table(design: str, effects: list[Effect], language: str) -> Table:
    title = Text(f"\n{say(DESIGNS[design], language)}")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), title=title)
    table.title_justify, table.title_style = "left", "bold"
    table.add_column(Text(say(said("ingredient"), language)), max_width=WIDEST_NAME, overflow="fold")
    table.add_column(Text(say(said("gain [95 %]"), language)), no_wrap=True)
    table.add_column(Text(say(said("verdict"), language)), overflow="fold")
    table.add_column(Text(say(said("seconds"), language)), justify="right", no_wrap=True)
    for effect in effects:
        seconds = "–" if effect["seconds"] is None else f"{effect['seconds']:+,.2f}"
        table.add_row(
            Text(_name(effect)),
            Text(gain(effect)),
            Text(_visible(say(_said_of(effect), language))),
            Text(seconds),
            style=STYLES.get(effect["verdict"]),
        )
    return table


def _name(effect: Effect) -> str:
    """An ingredient, and of a sweep the value that it was tried at."""
    name = _visible(ingredient(effect))
    return name if effect["design"] != "sweep" else f"{name}={_visible(ingredient_name(str(effect['value'])))}"


def _said_of(effect: Effect) -> str:
    """A verdict in few words; those of no measurable difference are told below the tables."""
    match effect["verdict"]:
        case "failed" if effect["reason"]:
            return said("{verdict}: {reason}", verdict=verdict(effect), reason=effect["reason"][:MOST_LETTERS])
        case "no measurable difference" if effect["bound"] is None:
            return said("every pair the same")
        case "no measurable difference":
            return said("smaller than {bound}", bound=at_most(effect["bound"]))
        case "identical":
            return VERDICTS[IDENTICAL]
    return verdict(effect)


def _simpler(ledger: Ledger) -> str | None:
    """One line on the simpler recipe, by the folds it was measured on anew."""
    found = ledger["simplified"]
    if found is None or not found["removed"]:
        return None
    names = listed([ingredient_name(name) for name in found["removed"]])
    again: Any = found["remeasured"]
    if again is None or again["gain"] is None:
        return said("A simpler recipe without {names}: {file}.", names=names, file=found["file"])
    again = interval({"value": again["gain"], "low": again["low"], "high": again["high"]}, signed=True)
    return said(
        "A simpler recipe without {names}: {file}; on fresh folds it differs by {gain}.",
        names=names,
        file=found["file"],
        gain=again,
    )


def _short(what: str) -> str:
    return _visible(what)[:WIDEST_NAME]


def _visible(text: str) -> str:
    """A text on one line, in which a user's word cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
