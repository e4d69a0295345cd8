"""What verbs print: notes while they work, and the scores at the end."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def answering() -> Iterator[None]:
    """Keep what parts and worlds of the user's own print out of the answer: it goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def console_of(quiet: bool, *, error: bool = True) -> Console:
    from rich.console import Console

    return Console(stderr=error, quiet=quiet)


def noting(console: Console) -> Callable[[str], None]:
    """Print each text that it is called with as a line of its own."""
    return lambda text: console.print(f"- {text}", highlight=False, markup=False, soft_wrap=True)


def telling_episodes(console: Console) -> Callable[[dict[str, Any]], None]:
    """Print each episode that it is called with as a line of its own."""

    def tell(episode: dict[str, Any]) -> None:
        ended = "terminated" if episode["terminated"] else "cut off"
        console.print(
            f"episode {episode['episode']}: return {episode['return']:,.6g}, {episode['length']:,} steps, {ended}"
            f" (seed {episode['seed']})",
            highlight=False,
        )

    return tell


def print_summary(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary))
        return
    from rich.console import Console

    from aurify.report import terminal

    console = Console()
    terminal.print_scores(console, summary)
    if summary["verdict"]:
        console.print(summary["verdict"], highlight=False)
    openings = summary.get("test_openings")
    opened = "" if openings is None else f" Test part opened {openings} time{'s' if openings > 1 else ''}."
    if summary.get("measured"):
        console.print(summary["measured"], highlight=False, style="dim")
    console.print(
        f"{_counted(summary)}, {summary['draws']:,} bootstrap draws: intervals {summary['intervals']}."
        f"{opened} {summary['seconds']:.1f} s.",
        highlight=False,
        style="dim",
    )
    console.print(f"Run: {summary['run']}", highlight=False, markup=False, soft_wrap=True)
    if summary.get("report"):
        console.print(f"Report: {summary['report']}", highlight=False, markup=False, soft_wrap=True)


def _counted(summary: dict[str, Any]) -> str:
    """What was measured on."""
    if "rows" in summary:
        return f"{summary['rows']:,} rows"
    agents = "1 agent" if summary["agents"] == 1 else f"{summary['agents']:,} agents"
    return f"{agents}, {summary['episodes']:,} test episodes"
