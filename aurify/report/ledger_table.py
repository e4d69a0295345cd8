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

from aurify.core.words import Said, in_a_row, listed, said, say
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
    ingredient_name,
    of_agents,
    reference,
    row_name,
    rows_of,
    summary,
    verdict,
)
from aurify.report.ledger_agents import preliminary
from aurify.report.ledger_rows import size_of_simpler
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
        TextColumn("rows open: {task.fields[open_rows]}"),
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
    lines: list[str] = [
        "",
        *([few] if (few := preliminary(ledger)) else []),
        _how_to_read(len(ledger["effects"])),
        summary(ledger),
        reference(ledger),
        estimand(ledger),
        caps(ledger),
    ]
    if simpler := _simpler(ledger):
        lines.append(simpler)
        if ledger["simplified"]["removed"]:
            lines.append(size_of_simpler(ledger))
    report, file = str(place / "report.html"), str(place / "ledger.json")
    lines.append(said("Report: {report}; as data: {file}", report=report, file=file))
    for line in lines:
        console.print(_visible(say(line, language)), highlight=False, markup=False, soft_wrap=not console.is_terminal)


def _how_to_read(rows: int) -> str:
    told: list[str] = [said("Gains are what having it adds, each with its own interval.")]
    if rows > 1:
        told.append(said("Verdicts hold for all {rows:,} rows of the ledger together (Holm, 5 %).", rows=rows))
    even = said('Where it says "smaller than" or "the same in every pair", no difference was measurable.')
    return in_a_row([*told, even])


def _table(design: str, effects: list[Effect], language: str) -> Table:
    title = Text(f"\n{_visible(_title(design, effects, language))}")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0), title=title)
    table.title_justify, table.title_style = "left", "bold"
    table.add_column(Text(say(said("ingredient"), language)), max_width=WIDEST_NAME, overflow="fold")
    table.add_column(Text(say(said("gain [95 %]"), language)), no_wrap=True)
    table.add_column(Text(say(said("verdict"), language)), overflow="fold")
    table.add_column(Text(say(said("seconds"), language)), justify="right", no_wrap=True)
    for effect in effects:
        seconds = "–" if effect["seconds"] is None else f"{round(effect['seconds'], 2) + 0.0:+,.2f}"  # no -0.00
        table.add_row(
            Text(_visible(say(_name(effect), language))),
            Text(gain(effect)),
            Text(_visible(say(_said_of(effect), language))),
            Text(seconds),
            style=STYLES.get(effect["verdict"]),
        )
    return table


def _name(effect: Effect) -> str:
    """A row's name, with what is there where it is not: no column says what it was compared with."""
    told = effect["reference"]
    other = told.values.get("name", told.values.get("other")) if isinstance(told, Said) else None
    if other is None:
        return row_name(effect)
    return said("{name} instead of {other}", name=row_name(effect), other=ingredient_name(str(other)))


def _title(design: str, effects: list[Effect], language: str) -> str:
    """What a table is about; of sweeps also the values that they were compared with."""
    told = [(e["technique"], e["reference"].values.get("value")) for e in effects if isinstance(e["reference"], Said)]
    own = [f"{ingredient_name(name)}={value}" for name, value in dict.fromkeys(told) if value is not None]
    if design != "sweep" or not own:
        return say(DESIGNS[design], language)
    return say(said("{what}, compared with {own}", what=DESIGNS[design], own=listed(own, ",")), language)


def _said_of(effect: Effect) -> str:
    """A verdict in few words; those of no measurable difference are told below the tables."""
    match effect["verdict"]:
        case "failed" if effect["reason"]:
            return said("{verdict}: {reason}", verdict=verdict(effect), reason=effect["reason"][:MOST_LETTERS])
        case "no measurable difference" if effect["bound"] is None:
            return said("the same in every pair")
        case "no measurable difference":
            return said("smaller than {bound}", bound=at_most(effect["bound"]))
        case "identical":
            return VERDICTS[IDENTICAL]
    return verdict(effect)


def _simpler(ledger: Ledger) -> str | None:
    """One line on the simpler recipe, by the folds it was measured on anew."""
    found = ledger["simplified"]
    if found is None:
        return None
    if not found["removed"]:
        return said("No ingredient could be removed to make the recipe simpler without a loss.")
    names = listed([ingredient_name(name) for name in found["removed"]])
    again: Any = found["remeasured"]
    if again is None or again["gain"] is None:
        return said("A simpler recipe without {names}: {file}.", names=names, file=found["file"])
    again = interval({"value": again["gain"], "low": again["low"], "high": again["high"]}, signed=True)
    if of_agents(ledger):
        return said(
            "A simpler recipe without {names}: {file}; with fresh seeds it differs by {gain} (above 0 the simpler one"
            " is better).",
            names=names,
            file=found["file"],
            gain=again,
        )
    return said(
        "A simpler recipe without {names}: {file}; on fresh folds it differs by {gain} (above 0 the simpler one is"
        " better).",
        names=names,
        file=found["file"],
        gain=again,
    )


def _short(what: str) -> str:
    return _visible(what)[:WIDEST_NAME]


def _visible(text: str) -> str:
    """A text on one line, in which a user's word cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
