"""The verb inspect: look at data before anything is trained."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, Unpack

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe, Source
from aurify.core.surroundings import telling
from aurify.core.watch import Watch
from aurify.data.findings import Findings, join, join_mends
from aurify.report import page
from aurify.report.section import Inspection
from aurify.workbench.asked import SourceWords, asked_of, takes
from aurify.workbench.gate import SevereError as SevereError  # the verb raises it
from aurify.workbench.reporting import require_language
from aurify.workbench.subjects import subject_of
from aurify.workbench.wish import complete

OWN = ("findings.json", "report.html", "recipe.yaml")
"""What an inspection's folder holds."""

NEEDED = "--fix writes a recipe, which needs the column to predict (--target) and a folder (--out)"


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
        kind = task if settled is None else settled.task
        found, evidence = subject_of(kind).look_alone(read, kind, settled, watch.check, given=asked.recipe is not None)
        if folder is not None:
            _write(folder, found, settled, catalog, fix=fix)
            source = Source.make(wish.source) if settled is None else settled.source
            shown = Inspection(folder=folder, source=source, findings=found, evidence=evidence, language=language)
            write_bytes(folder.report, page.render(shown).encode())
    return found


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
