"""What every check finds in rows, in a fit or alone, and the stop at what would spoil a result."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.parts import Trait
from aurify.core.recipe import Recipe
from aurify.core.words import said
from aurify.data.findings import NOTE, READING, WARNING, Finding, Findings, join, noted
from aurify.data.splits import Parts
from aurify.data.store import Read
from aurify.inspection.check import look_at, require_known, unsaid
from aurify.inspection.inspected import Inspected
from aurify.report.sections.data import measure_columns
from aurify.report.sections.images import measure_images
from aurify.report.sections.looked import measure_looked
from aurify.report.sections.texts import measure_texts
from aurify.report.target import measure_parts


class SevereError(AurifyError):
    """The data would spoil the result: nothing is trained. ``findings`` are all that was found."""

    exit_code = 3

    def __init__(self, message: str, findings: Findings):
        super().__init__(message)
        self.findings = findings


def gate(
    read: Read, recipe: Recipe, parts: Sequence[Parts], notes: Sequence[str], check: Callable[[], None]
) -> Findings:
    """What every check finds in the data of a fit, and the notes; ``parts`` are those of the fit, one or one a fold."""
    require_known(recipe.source.accept, read.store.schema.names)
    whole = len(parts) > 1
    rows = [np.concatenate([each.fit, each.held, *([each.test] if whole else [])]) for each in parts]
    test = np.empty(0, dtype=np.int64) if whole else parts[0].test
    seen = _seen(read, np.unique(np.concatenate(rows)), test, recipe, check)
    found = look_at(seen, recipe.task.traits)
    return Findings([*_settled(found, recipe), *map(noted, unsaid(notes, found))])


def not_looked_at(notes: Sequence[str]) -> Findings:
    """The notes of a fit whose data nobody wanted inspected, and that it was not."""
    what = said("the data was not inspected (--no-inspect): leaks, copies and shifts were not looked for")
    return Findings([*map(noted, notes), Finding(check=READING, severity=WARNING, text=what)])


def stop_if_severe(found: Findings, accept: Sequence[str]) -> None:
    """Raise SevereError for the worst finding that nobody accepted; it says how to fix and how to accept it."""
    severe = [finding for finding in found.severe if not finding.accepted(accept)]
    if not severe:
        return
    worst, more = severe[0], len(severe) - 1
    others = f" (and {more} more severe finding{'s' if more > 1 else ''}, see above)" if more else ""
    raise SevereError(
        f"{worst.text}; {worst.fix}; or go on all the same with --accept {shlex.quote(worst.key)}{others}",
        found,
    )


def _settled(found: Iterable[Finding], recipe: Recipe) -> list[Finding]:
    """Warnings that the recipe takes care of already are no more than good to know."""
    return [_good_to_know(each) if each.severity == WARNING and _does(recipe, each.mend) else each for each in found]


def _does(recipe: Recipe, mend: Mapping[str, Any]) -> bool:
    plain = recipe.plain()
    join(plain, mend)
    return bool(mend) and plain == recipe.plain()


def _good_to_know(finding: Finding) -> Finding:
    return replace(finding, severity=NOTE, fix=said("nothing to do: the recipe takes care of it"), mend={})


def _seen(
    read: Read, rows: np.ndarray, test: np.ndarray, recipe: Recipe | None, check: Callable[[], None]
) -> Inspected:
    return Inspected(
        store=read.store,
        frames=read.frames,
        folders=read.folders,
        unread=read.unread,
        rows=rows,
        test=test,
        by="random" if recipe is None else recipe.split.by,
        folds=None if recipe is None else recipe.split.folds,
        seed=0 if recipe is None else recipe.seed,
        hidden=frozenset() if recipe is None else recipe.hidden,
        check=check,
        reads=None if recipe is None else _reads(recipe),
    )


def _reads(recipe: Recipe) -> int | None:
    """How many tokens of a text some part of the recipe keeps, by its setting ``length``."""
    parts = (part for part in (recipe.network, *recipe.techniques) if Trait.TEXTS in part.needs)
    lengths = [part.settings().get("length") for part in parts]
    return min((length for length in lengths if isinstance(length, int)), default=None)


def look_alone(
    read: Read, task: Any, recipe: Recipe | None, check: Callable[[], None], *, given: bool
) -> tuple[Findings, dict[str, Any]]:
    """What every check finds, and what a page shows beside it, by section.

    Rows are parted as a fit would where they can be; a ``given`` recipe may fix some of what is found.
    """
    store, notes = read.store, list(read.notes)
    own = ~np.asarray(store.test)
    if recipe is None or store.test.any():
        rows, test = np.flatnonzero(own if recipe is None else own & store.labelled), np.flatnonzero(~own)
    else:
        try:
            parts = task.part(recipe, store)
            rows, test, notes = np.sort(np.concatenate([parts.fit, parts.held])), parts.test, [*notes, *parts.notes]
        except AurifyError as error:
            rows, test = np.flatnonzero(store.labelled), np.empty(0, dtype=np.int64)
            notes.append(said("the rows cannot be parted for a fit: {reason}", reason=str(error)))
    seen = _seen(read, rows, test, recipe, check)
    found = look_at(seen, task.traits)
    numbered = [_renumbered(finding, read.numbers) for finding in found]
    numbered = numbered if recipe is None or not given else _settled(numbered, recipe)
    return Findings([*numbered, *map(noted, unsaid(notes, found))]), _evidence(seen)


def _evidence(seen: Inspected) -> dict[str, Any]:
    """What the page shows beside the findings, by section; of targets only those of rows that may be learnt from."""
    store, known = seen.store, seen.schema.target is not None and len(seen.rows) > 0
    target = measure_parts(store, {"seen": seen.rows}) if known else None
    return {
        "looked": measure_looked(store, len(seen.rows), len(seen.test)),
        "data": {**measure_columns(store, np.union1d(seen.rows, seen.test)), "target": target},
        "images": measure_images(store, seen.rows),
        "texts": measure_texts(store, seen.rows, {"seen": np.union1d(seen.rows, seen.test)}),
    }


def _renumbered(finding: Finding, numbers: np.ndarray | None) -> Finding:
    """With row numbers of the source, where only some of its rows were read."""
    if numbers is None or not finding.rows:
        return finding
    return replace(finding, rows=tuple(numbers[list(finding.rows)].tolist()))
