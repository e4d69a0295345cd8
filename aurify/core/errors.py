"""Errors meant for the user: one line that names the value, the rule and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from aurify.core.words import said


class AurifyError(Exception):
    """Something the user can mend; shown as one line, never as a traceback."""

    exit_code = 2


class DivergedError(AurifyError):
    """The loss or the weights stopped being finite."""


class Interrupted(AurifyError):
    """A signal asked the work to stop; what was done is saved."""

    def __init__(self, message: str, signal_number: int):
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number


class Apart(AurifyError):
    """Models that cannot be trained side by side as one stacked program; one line says why."""


def suggest(name: str, known: Iterable[str]) -> str:
    """End an error message: the nearest known name, or all of them when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or [n for n in names if n.lower() == name.lower()]
    if near:
        return f"; did you mean {near[0]!r}?"
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"; known: {shown}" if names else ""


def listing(names: Iterable[object], limit: int = 5) -> str:
    """Name the first few of many: ``'a', 'b', 'c' and 7 more``."""
    every = list(names)
    shown = ", ".join(repr(n) for n in every[:limit])
    return shown if len(every) <= limit else said("{names} and {count:,} more", names=shown, count=len(every) - limit)
