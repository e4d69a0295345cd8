"""What a run begins with: data read once, every ``auto`` settled, rows parted and looked at, all of it kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aurify.catalog import Catalog
from aurify.core import recipe as recipes
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.surroundings import beside, telling
from aurify.data.findings import NOTE, Findings
from aurify.workbench.gate import not_looked_at, stop_if_severe
from aurify.workbench.subjects import subject_of
from aurify.workbench.wish import Wish, complete


def settle(
    wish: Wish,
    folder: RunFolder,
    catalog: Catalog,
    tell: Callable[[Findings], None],
    check: Callable[[], None],
    *,
    anew: bool,
    look: bool,
    start: Path | None = None,
) -> Recipe:
    """Read the data once, settle every ``auto``, part the rows, ``look`` at them, keep it; or check what is there.

    Nothing of an earlier run is touched before all of it is known to be possible. ``start`` is where the recipe lies
    that the run began with, if it is there: ``recipe.yaml`` of a search is that of its winner.
    """
    begun = folder.begun() and not anew
    known = start if start is not None and start.exists() else folder.recipe
    if wish.data is None and not begun:
        raise AurifyError(f"{folder.path} holds nothing to resume; give the data")
    if wish.data is None:
        before = catalog.read_recipe(known)
        subject_of(before.task).verified(folder)
        return before
    read = None
    if begun and not wish.readable:
        task = catalog.read_recipe(known).task
        store = subject_of(task).verified(folder)
    else:
        with beside(folder.path), telling(lambda what, done, total: check()):
            task, read = wish.read(catalog)
        store = read.store
    recipe, replaced = complete(wish, task.settled(store), store, catalog)
    if begun or read is None:
        before = catalog.read_recipe(known)
        if not wish.says("precision"):  # it is the machine that decides there, and the run may have been moved
            recipe = replace(recipe, precision=before.precision)
        _require_same(before, recipe, folder.path, known)
        if subject_of(recipe.task).verified(folder).fingerprint != store.fingerprint:
            raise AurifyError(f"the data has changed since {folder.path} began; choose --out for a new run")
        return recipe
    folds = [] if recipe.split.folds is None else recipe.task.folds(recipe, store)
    parts = recipe.task.whole(folds) if folds else recipe.task.part(recipe, store)
    notes = [*read.notes, *replaced, *parts.notes]
    subject = subject_of(recipe.task)
    found = subject.look(read, recipe, folds or [parts], notes, check) if look else not_looked_at(notes)
    tell(found)
    stop_if_severe(found, recipe.source.accept)
    folder.clear()
    subject.keep(read, folder)
    parts.write(folder.parts)
    for number, fold in enumerate(folds, 1):
        folder.fold(number).path.mkdir(parents=True, exist_ok=True)
        fold.write(folder.fold(number).parts)
    write_json(folder.findings, [finding.plain() for finding in found])
    write_bytes(folder.recipe, recipe.to_yaml().encode())
    return recipe


def lines(note: Callable[[str], None]) -> Callable[[Findings], None]:
    def tell(found: Findings) -> None:
        for finding in found:
            grave = "" if finding.severity == NOTE else f"{finding.severity}: "
            note(f"{grave}{finding.text}" + (f"; {finding.fix}" if grave and finding.fix else ""))

    return tell


def _require_same(old: Recipe, new: Recipe, run: Path, known: Path) -> None:
    """A resumed run takes the recipe it began with; say what differs."""
    before, now = (recipes.flat(r.plain()) for r in (old, new))
    changed = [k for k in {**before, **now} if before.get(k, "off") != now.get(k, "off")]
    if changed:
        first = changed[0]
        raise AurifyError(
            f"{run} began with {first} = {before.get(first, 'off')}, now it is {now.get(first, 'off')}: --resume"
            f" goes on with the same recipe, that of {known.relative_to(run)} there; choose --out for another run, or"
            " begin anew with --force"
        )
