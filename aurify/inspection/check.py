"""Checks: each looks for one thing that would spoil a result, and says what it found with evidence and fix."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from aurify.core.errors import AurifyError, suggest
from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.data.findings import MOST_ROWS, WARNING, Exhibit, Finding
from aurify.inspection.inspected import Inspected


class Check:
    """One idea of what may be wrong. A new one is a new file in ``inspection/checks``.

    ``needs`` are the traits of the tasks that it is for; one ``of_target`` is left out where nothing is to be
    predicted, and where rows may hold several labels, unless it is right ``of_labels``: then it looks at the common
    labels one by one. It looks at targets of ``seen.rows`` alone: the test part stays sealed. ``instead`` are templates
    of what reading notes of a column and what a finding of this check about that column says better.
    """

    needs: ClassVar[frozenset[Trait]] = frozenset()
    of_target: ClassVar[bool] = False
    of_labels: ClassVar[bool] = False
    instead: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def name(cls) -> str:
        """What findings and ``--accept`` call it: the name of its file."""
        return cls.__module__.rpartition(".")[2]

    def look(self, seen: Inspected) -> Iterable[Finding]:
        """Say what was found, nothing where all is well. Texts are made with ``core.words.said``."""
        raise NotImplementedError

    def found(
        self,
        severity: str,
        text: str,
        *,
        fix: str = "",
        columns: Iterable[str] = (),
        rows: np.ndarray | None = None,
        count: int | None = None,
        weight: float = 0.0,
        evidence: Mapping[str, Any] | None = None,
        mend: Mapping[str, Any] | None = None,
        exhibits: Iterable[Exhibit] = (),
    ) -> Finding:
        """A finding of this check; ``rows`` are row ids, of which the first are kept and all are counted."""
        ids = np.empty(0, dtype=np.int64) if rows is None else rows
        return Finding(
            check=self.name(),
            severity=severity,
            text=text,
            fix=fix,
            columns=tuple(columns),
            rows=tuple(ids[:MOST_ROWS].tolist()),
            count=len(ids) if count is None else count,
            weight=float(weight),
            evidence=dict(evidence or {}),
            mend=dict(mend or {}),
            exhibits=tuple(exhibits),
        )


@cache
def checks() -> tuple[Check, ...]:
    """Every check, in the order of their names."""
    from aurify.inspection import checks as room

    found = []
    for module in pkgutil.iter_modules(room.__path__):
        known = vars(importlib.import_module(f"{room.__name__}.{module.name}")).values()
        found += [c() for c in known if inspect.isclass(c) and issubclass(c, Check) and c is not Check]
    return tuple(sorted(found, key=lambda check: check.name()))


def look_at(seen: Inspected, traits: frozenset[Trait]) -> list[Finding]:
    """What every check that is for such a task finds. A check that fails is said, and the others go on."""
    found: list[Finding] = []
    for check in checks():
        if not check.needs <= traits or (check.of_target and seen.schema.target is None):
            continue
        seen.check()
        try:
            for each in _looked_at(check, seen):
                found += check.look(each)
        except AurifyError:
            raise
        except Exception as error:
            what = said(
                "the check {name} failed ({reason}): please report it",
                name=check.name(),
                reason=f"{type(error).__name__}: {error}".splitlines()[0],
            )
            found.append(Finding(check=check.name(), severity=WARNING, text=what))
    return found


def _looked_at(check: Check, seen: Inspected) -> Iterable[Inspected]:
    """What a check looks at: all, or each label of several by itself; nothing where that would mean nothing."""
    if not check.of_target or seen.schema.labels is None:
        return [seen]
    return [seen.of_label(at) for at in seen.common_labels] if check.of_labels else []


def unsaid(notes: Iterable[str], found: Iterable[Finding]) -> list[str]:
    """The notes of the reading without those that a finding says better."""
    better = {check.name(): check.instead for check in checks()}
    # a note that names no column is of all data
    said_better = {(c, template) for f in found for c in (None, *f.columns) for template in better.get(f.check, ())}
    return [note for note in notes if (_column(note), _template(note)) not in said_better]


def _column(note: str) -> str | None:
    return note.values.get("column") if isinstance(note, Said) else None


def _template(note: str) -> str | None:
    """What a note is made of; of one that only names a column first, what follows the name."""
    while isinstance(note, Said):
        inner = note.values.get("what")
        if not isinstance(inner, Said):
            return note.template
        note = inner
    return None


def require_known(accept: Iterable[str], columns: Iterable[str]) -> None:
    """Raise AurifyError for a word of ``--accept`` that names no check, or a column that there is not."""
    names = [check.name() for check in checks()]
    for word in accept:
        check, colon, column = word.partition(":")
        if check not in names:
            raise AurifyError(f"--accept {word}: no check is called {check!r}{suggest(check, names)}")
        if colon and column not in columns:
            raise AurifyError(f"--accept {word}: column {column!r} is not in the data{suggest(column, columns)}")
