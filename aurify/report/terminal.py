"""What a terminal shows: progress while training, scores beside the baselines after it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from aurify.core import surroundings
from aurify.core.run import Run
from aurify.core.words import said, say
from aurify.data.findings import NOTE, SEVERE, WARNING, Findings
from aurify.measure.names import metric_name
from aurify.measure.verdict import SAME_AS_ANOTHER, number
from aurify.report.severities import WORDS, counted
from aurify.training.fit import Show

REFRESH_SECONDS = 0.2


@contextmanager
def progress(console: Console) -> Iterator[Show]:
    """A bar with the score, the best so far and the time left; it goes away when training ends.

    Of agents also how many steps they take in their world in a second, and how often at random. Where there is no
    terminal nothing is shown.
    """
    if not console.is_terminal:
        yield lambda run: None
        return
    columns = (
        TextColumn("training"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[score]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True, auto_refresh=False)
    task = bar.add_task("training", score="")
    shown = 0.0
    began: tuple[float, int] | None = None

    def show(run: Run) -> None:
        nonlocal shown, began
        now = time.monotonic()
        if now - shown < REFRESH_SECONDS and run.step < run.steps:
            return
        shown = now
        began = began or (now, run.step)
        pace = (run.step - began[1]) / max(now - began[0], 1e-9)
        bar.start()  # not before: reading has a bar of its own
        bar.update(task, total=run.steps, completed=run.step, score=_score(run, pace))
        bar.refresh()

    try:
        yield show
    finally:
        bar.stop()


@contextmanager
def reading(console: Console) -> Iterator[None]:
    """A bar of how much is read, while that takes long; nothing where there is no terminal."""
    if not console.is_terminal or console.quiet:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(), TimeRemainingColumn())
    bar: Progress | None = None
    began = shown = time.monotonic()

    def told(what: str, done: int, total: int) -> None:
        nonlocal bar, began, shown
        now = time.monotonic()
        if bar is None and done < total and now - began > REFRESH_SECONDS:
            bar = Progress(*columns, console=console, transient=True, auto_refresh=False)
            bar.add_task(what, total=total)
            bar.start()
        if bar is not None and done >= total:
            bar.stop()
            bar = None
        elif bar is not None and now - shown > REFRESH_SECONDS:
            shown = now
            bar.update(bar.task_ids[0], completed=done, total=total)
            bar.refresh()

    with surroundings.telling(told):
        try:
            yield
        finally:
            if bar is not None:
                bar.stop()


def _score(run: Run, pace: float) -> str:
    """The last score and the best one, and of agents how they are getting on at ``pace`` updates a second."""
    told: list[str] = []
    if run.log and run.best is not None:
        name, sign = run.problem.score_name, 1 if run.problem.greater_is_better else -1
        told = [f"held-out {name} {run.log[-1][name]:.4g}", f"best {sign * run.best:.4g}"]
    if pace > 0 and run.recipe.task.examples == "episodes":
        settings = run.recipe.task.settings()
        told.append(f"{pace * settings['steps'] * settings['agents'] / run.steps:,.0f} steps/s")
    if run.log and "epsilon" in run.log[-1]:
        told.append(f"epsilon {run.log[-1]['epsilon']:.2f}")
    return ", ".join(told)


STYLES = {SEVERE: "bold red", WARNING: "yellow", NOTE: "dim"}

MOST_TOLD = 6
"""Notes that a fit prints; the others are counted."""

MOST_NOTES = 12
"""Notes that an inspection prints."""


def telling(console: Console) -> Callable[[Findings], None]:
    """Print what a fit found in its data: a line each, and what to do about it."""

    def tell(found: Findings) -> None:
        more = _print_each(console, found, MOST_TOLD, "en")
        if more:
            _line(console, "", "dim", _unshown(more))

    return tell


def print_findings(
    console: Console, found: Findings, place: Path, *, fixed: bool, notes: bool, language: str = "en"
) -> None:
    """The findings, worst first, a line each and what to do; where the whole of it is, and what to run next."""
    more = _print_each(console, found, MOST_NOTES if notes else 0, language)
    counts = counted(found) or said("Nothing was found that would spoil a result.")
    report, file = str(place / "report.html"), str(place / "findings.json")
    lines: list[str] = [_unshown(more)] if more and notes else []
    lines += [counts, said("Report: {report}; as data: {file}", report=report, file=file)]
    if fixed:
        lines.append(said("Next: {command}", command=f"aurify fit {shlex.quote(str(place / 'recipe.yaml'))}"))
    elif mended := sum(bool(finding.mend) for finding in found):
        lines.append(said("Add --fix to write a recipe that fixes {count:,} of them.", count=mended))
    for line in lines:
        console.print(_visible(say(line, language)), highlight=False, markup=False, soft_wrap=True)


def _unshown(count: int) -> str:
    if count == 1:
        return said("and 1 more note in findings.json")
    return said("and {count:,} more notes in findings.json", count=count)


def _print_each(console: Console, found: Findings, most_notes: int, language: str) -> int:
    """Print findings with no more notes than that, and return how many notes are left."""
    notes = found.where(severity=NOTE)
    for finding in found[: len(found) - len(notes) + most_notes]:
        word = say(WORDS[finding.severity], language)
        _line(console, word, STYLES[finding.severity], say(finding.text, language))
        if finding.fix:
            _line(console, "", "dim", f"-> {say(finding.fix, language)}")
    return max(0, len(notes) - most_notes)


def _line(console: Console, label: str, style: str, text: str) -> None:
    """A text beside its label; in a terminal its further lines begin below it, elsewhere it stays one line."""
    if not console.is_terminal:
        console.print(f"{label:8} {_visible(text)}", highlight=False, markup=False, soft_wrap=True)
        return
    table = Table.grid(padding=(0, 1))
    table.add_column(width=8, style=style)
    table.add_column(overflow="fold", style="" if label else style)
    table.add_row(label, Text(_visible(text)))
    console.print(table)


def _visible(text: str) -> str:
    """A text on one line, in which a user's word cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def print_scores(console: Console, summary: Mapping[str, Any]) -> None:
    """Scores with 95 % intervals beside the baselines, and the paired difference to the strongest of them.

    On a narrow screen the differences come in a table of their own, as what a blend is made of always does.
    """
    _print_beside_baselines(console, summary)
    if summary["members"]:
        console.print(_parts_of(summary))
    repeated = summary.get("without_overlap")
    if repeated is None:
        return
    told = f"{repeated['same_inputs']:,} rows have the inputs of a training row"
    if repeated["rows"]:
        metric = summary["main_metric"]
        beside = ", ".join(f"{n} {number(v.get(metric))}" for n, v in repeated["baselines"].items())
        score = _interval(repeated["scores"][metric]).replace("\\", "")
        told += f"; on the {repeated['rows']:,} others {metric_name(metric)} is {score}"
        told += f" ({beside})" if beside else ""
    console.print(f"{told}.", highlight=False, markup=False)


def _print_beside_baselines(console: Console, summary: Mapping[str, Any]) -> None:
    rival = _strongest(summary)
    wide = _scores(summary, rival)
    if rival is None or Measurement.get(console, console.options.update(max_width=500), wide).maximum <= console.width:
        console.print(wide)
        return
    console.print(_scores(summary, None))
    table = _empty(f"{summary['model']} - {rival} [95%]")
    for metric in _shown(summary):
        if apart := summary["differences"][rival].get(metric):
            _add(table, summary, metric, [_interval(apart, signed=True)])
    console.print(table)


def _scores(summary: Mapping[str, Any], rival: str | None) -> Table:
    baselines: Mapping[str, Mapping[str, float | None]] = summary["baselines"]
    table = _empty(f"{summary['model']} [95%]", *baselines, *([f"{summary['model']} - {rival} [95%]"] if rival else []))
    for metric in _shown(summary):
        row = [_interval(summary["scores"][metric]), *(number(baselines[n].get(metric)) for n in baselines)]
        if rival:
            row.append(_interval(summary["differences"][rival].get(metric), signed=True))
        _add(table, summary, metric, row)
    return table


def _parts_of(summary: Mapping[str, Any]) -> Table:
    """Each member of a blend alone, and what the blend has before its network."""
    members: Mapping[str, Any] = summary["members"]
    table = _empty(*(f"{name} [95%]" for name in members), f"{summary['model']} - network [95%]")
    for metric in _shown(summary):
        alone = [_interval(scores.get(metric)) for scores in members.values()]
        _add(table, summary, metric, [*alone, _interval(summary["differences"]["network"].get(metric), signed=True)])
    return table


def _empty(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("metric", no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", overflow="fold")
    return table


def _shown(summary: Mapping[str, Any]) -> list[str]:
    same = SAME_AS_ANOTHER if "accuracy" in summary["scores"] else ()  # of labels, recall is not told otherwise
    return [metric for metric in summary["scores"] if metric not in same]


def _add(table: Table, summary: Mapping[str, Any], metric: str, row: list[str]) -> None:
    table.add_row(metric.replace("_", " "), *row, style="bold" if metric == summary["main_metric"] else None)


def _strongest(summary: Mapping[str, Any]) -> str | None:
    """The baseline that the model beats least in the main metric."""
    metric, found = summary["main_metric"], None
    lower = not summary["greater_is_better"][metric]
    for name in summary["baselines"]:
        differences = summary["differences"][name]
        value = differences.get(metric, {}).get("value")
        if value is not None and (found is None or (-value if lower else value) < found[0]):
            found = (-value if lower else value, name)
    return found[1] if found else None


def _interval(score: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    if score is None or score["value"] is None:
        return "-"
    if score["low"] is None:
        return number(score["value"], signed=signed)
    low, high = number(score["low"], signed=signed), number(score["high"], signed=signed)
    return f"{number(score['value'], signed=signed)} \\[{low}, {high}]"
