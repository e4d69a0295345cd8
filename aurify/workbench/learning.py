"""The verb learn: a model of all rows of a table in memory, with no test part and nothing on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.core.watch import Watch
from aurify.data.splits import held_share, learnt_rows
from aurify.data.tables import say_left_out
from aurify.ship.bundle import Bundle
from aurify.ship.make import make
from aurify.training import device as devices
from aurify.training.checkpoint import Keeper
from aurify.workbench.passed import Passed, catalog_with
from aurify.workbench.wish import complete, wish_of, words_of

if TYPE_CHECKING:
    import polars as pl


def learn(
    frame: pl.DataFrame,
    target: str,
    *,
    kind: str,
    weight: str | None = None,
    network: Passed = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    using: Sequence[str] = (),
    without: Sequence[str] = (),
    parts: Sequence[str | Path] = (),
    blend: str | None = None,
    seconds: float | None = None,
    seed: int = 0,
    device: str = "auto",
) -> tuple[Bundle, list[str]]:
    """Learn from every row of a frame, for whoever measures elsewhere; returns the Bundle and what was noticed.

    ``kind`` is ``classify`` or ``regress``, ``weight`` a column; the other words mean what they mean to ``fit``. A
    share of the rows judges when to stop, as in ``fit``. Raises AurifyError for anything the user can mend.
    """
    words = words_of(settings, {"task.kind": kind, "seed": seed, "budget.seconds": seconds, "blend.model": blend})
    catalog, passed = catalog_with(parts, network)
    wish = wish_of(frame, {"target": target, "weight": weight}, None, words, using, without, passed)
    if wish.split.folds is not None or wish.source.get("test") is not None:
        raise AurifyError("split.folds and source.test are about measuring, which this model leaves to you")
    watch = Watch()
    task, read = wish.read(catalog)
    store, notes = read.store, [*say_left_out(read.store.schema), *read.notes]
    recipe, replaced = complete(wish, task.settled(store), store, catalog)
    held = held_share(recipe.split.held, int(store.labelled.sum()))
    rows = learnt_rows(store.hiding(recipe.hidden), held, recipe.seed, recipe.split.by)
    watch.limit_seconds = recipe.budget.seconds
    with devices.prepared(device) as chosen:
        devices.set_threads(None, devices.worth(recipe.network))
        bundle, _ = make(recipe, store, rows, chosen, Keeper(None), watch, lambda run: None)
    return bundle, [*notes, *replaced, *rows.notes]
