"""The verb inspect, and the gate in fit: look at data before anything is trained."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.parts import Trait
from aurify.core.recipe import Recipe, Source
from aurify.core.surroundings import telling
from aurify.core.watch import Watch
from aurify.core.words import said
from aurify.data.findings import NOTE, READING, WARNING, Finding, Findings, join, join_mends, noted
from aurify.data.splits import Parts
from aurify.data.store import Read
from aurify.inspection.check import look_at, require_known, unsaid
from aurify.inspection.inspected import Inspected
from aurify.report import page
from aurify.report.section import Inspection
from aurify.report.sections.data import measure_columns
from aurify.report.sections.images import measure_images
from aurify.report.sections.looked import measure_looked
from aurify.report.sections.texts import measure_texts
from aurify.report.target import measure_parts
from aurify.workbench.asked import SourceWords, asked_of, takes
from aurify.workbench.reporting import require_language
from aurify.workbench.wish import complete

OWN = ("findings.json", "report.html", "recipe.yaml")
"""What an inspection's folder holds."""

NEEDED = "--fix writes a recipe, which needs the column to predict (--target) and a folder (--out)"


class SevereError(AurifyError):
    """The data would spoil the result: nothing is trained. ``findings`` are all that was found."""

    exit_code = 3

    def __init__(self, message: str, findings: Findings):
        super().__init__(message)
        self.findings = findings


@takes(SourceWords)
def inspect(
    data: Any = None,
    target: Any = None,
    *,
    out: str | Path | None = None,
    fix: bool = False,
    seed: int | None = None,
    language: str = "en",
    **words: Unpack[SourceWords],
) -> Findings:
    """Look at a table before anything is trained, as ``fit`` does, and say what would spoil the result, worst first.

    Without ``target`` only what needs none is looked at. ``test`` is a second file to compare with; it may lack the
    target. With ``out`` the folder holds ``findings.json`` and ``report.html`` and, with ``fix``, a ``recipe.yaml``
    whose techniques, split and columns fix what a recipe can.
    Targets of the test part, as ``fit`` would draw it, are not looked at. Raises AurifyError for what can be mended.
    ``words`` are:
    """
    require_language(language)
    if fix and out is None:
        raise AurifyError(NEEDED)
    asked = asked_of(data, target, words, {"seed": seed})
    wish, catalog = asked.wish(), asked.catalog
    if wish.data is None:
        raise AurifyError("give the data to inspect: a CSV path, or a recipe with source.path")
    folder = None if out is None else _folder(Path(out))
    with Watch() as watch, nullcontext() if folder is None else folder.held():
        with telling(lambda what, done, total: watch.check()):
            task, read = wish.read(catalog, labelled=False)
        settled = None
        if fix and read.store.schema.target is None:
            raise AurifyError(NEEDED)
        if read.store.schema.target is not None:
            settled, _ = complete(wish, task.settled(read.store), read.store, catalog)
        seen, found = _look(
            read, task if settled is None else settled.task, settled, watch.check, given=asked.recipe is not None
        )
        if folder is not None:
            _write(folder, found, settled, catalog, fix=fix)
            source = Source.make(wish.source) if settled is None else settled.source
            shown = Inspection(
                folder=folder, source=source, findings=found, evidence=_evidence(seen), language=language
            )
            write_bytes(folder.report, page.render(shown).encode())
    return found


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


def _look(
    read: Read, task: Any, recipe: Recipe | None, check: Callable[[], None], *, given: bool
) -> tuple[Inspected, Findings]:
    """What every check finds, parted as a fit would where rows can be; a ``given`` recipe may fix some."""
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
    return seen, Findings([*numbered, *map(noted, unsaid(notes, found))])


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


def _settled(found: Iterable[Finding], recipe: Recipe) -> list[Finding]:
    """Warnings that the recipe takes care of already are no more than good to know."""
    return [_good_to_know(each) if each.severity == WARNING and _does(recipe, each.mend) else each for each in found]


def _does(recipe: Recipe, mend: Mapping[str, Any]) -> bool:
    plain = recipe.plain()
    join(plain, mend)
    return bool(mend) and plain == recipe.plain()


def _good_to_know(finding: Finding) -> Finding:
    return replace(finding, severity=NOTE, fix=said("nothing to do: the recipe takes care of it"), mend={})


def _renumbered(finding: Finding, numbers: np.ndarray | None) -> Finding:
    """With row numbers of the source, where only some of its rows were read."""
    if numbers is None or not finding.rows:
        return finding
    return replace(finding, rows=tuple(numbers[list(finding.rows)].tolist()))


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


def _folder(path: Path) -> RunFolder:
    """Where an inspection goes: a new folder, an empty one, or that of an earlier inspection."""
    folder = RunFolder(path)
    if (path.exists() and not path.is_dir()) or any(name not in OWN for name in folder.contents()):
        raise AurifyError(f"--out {path} holds other things than an inspection; choose an empty or new folder")
    return folder


def _write(folder: RunFolder, found: Findings, recipe: Recipe | None, catalog: Catalog, *, fix: bool) -> None:
    folder.recipe.unlink(missing_ok=True)
    write_json(folder.findings, [finding.plain() for finding in found])
    if fix and recipe is not None:
        write_bytes(folder.recipe, catalog.recipe(_mended(recipe, found)).to_yaml().encode())


def _mended(recipe: Recipe, found: Findings) -> dict[str, Any]:
    """The recipe's plain data with all that fixes what was found, as techniques where there are some."""
    plain = recipe.plain()
    join(plain, join_mends(found))
    return plain
