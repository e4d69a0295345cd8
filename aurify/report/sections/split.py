"""How the rows were parted, and how often the sealed ones were looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, said
from aurify.data.columns import DATE
from aurify.data.dates import written
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.report.openings import openings_known, own_openings
from aurify.report.section import Block, Paragraph, Record, Rows, Section, Tested
from aurify.report.values import amount, share


class Split(Section):
    """Learnt from, held out, tested; and the openings of the test part."""

    order = 250

    @property
    def title(self) -> Said:
        return said("How the rows were parted")

    def measure(self, tested: Tested) -> dict[str, Any]:
        """What each part holds; of folds the recipe and their own files tell."""
        store, parts = tested.store, tested.parts
        if tested.recipe.split.folds is not None:
            return {"parts": None}
        every = {"learnt": parts.fit, "held": parts.held, "tested": parts.test}
        return {
            "parts": {name: {"rows": len(rows), **_holds(store, rows)} for name, rows in every.items()},
            "dates": _dated(store, tested.recipe.split.by),
        }

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        blocks: list[Block] = [Paragraph(_manner(record))]
        if record.recipe.split.folds is not None:
            blocks.append(_folds(record, record.recipe.split.folds))
        elif measured is not None:
            parts = _together(measured["parts"]) if record.folder.tuned() else measured["parts"]
            blocks += [_parts(parts, dates=measured["dates"]), Paragraph(_uses(record))]
        return [*blocks, *_openings(record)]


def _holds(store: Store, rows: np.ndarray) -> dict[str, Any]:
    """The groups or the stretch of time that rows (N,) are of."""
    if "group" in store.roles:
        groups = np.asarray(store.roles["group"][rows])
        return {"groups": len(np.unique(groups[groups >= 0])) + int((groups < 0).sum())}
    if "time" in store.roles and not np.isnan(store.roles["time"][rows]).all():
        times = np.asarray(store.roles["time"][rows])
        return {"first": float(np.nanmin(times)), "last": float(np.nanmax(times))}
    return {}


def _dated(store: Store, by: str) -> bool:
    """Whether the times of a split are dates rather than numbers."""
    return any(column.kind == DATE for column in store.schema.columns if column.name == by.partition(":")[2])


def _manner(record: Record) -> Said:
    split, source = record.recipe.split, record.recipe.source
    kind, _, column = split.by.partition(":")
    if source.test is not None:
        return said(
            "The test rows are those of the file {file}. Of the other rows some were held out: {how}.",
            file=source.test,
            how=_how(kind, column),
        )
    if split.folds is not None and kind == "time":
        return said(
            "The times in {column!r} were cut into {folds} stretches to test on, each by what came before it.",
            column=column,
            folds=split.folds,
        )
    if split.folds is not None:
        return said(
            "The rows were dealt into {folds} folds, {how}. Each fold is tested by a model of the others.",
            folds=split.folds,
            how=_how(kind, column),
        )
    if kind == "time":
        return said("The rows were parted once, before anything was fitted, {how}.", how=_how(kind, column))
    return said(
        "The rows were parted once, before anything was fitted, {how}; the seed of the recipe decides which row is in"
        " which part.",
        how=_how(kind, column),
    )


def _how(kind: str, column: str) -> Said:
    if kind == "group":
        return said("all rows with the same value in {column!r} in one part", column=column)
    if kind == "time":
        return said("the latest by {column!r} apart from the earlier ones", column=column)
    return said("at random and alike in the target, rows with the same inputs together")


PARTS = {"learnt": said("learnt from"), "held": said("held out"), "tested": said("tested")}


def _together(parts: Mapping[str, Any]) -> dict[str, Any]:
    """With those held out among those learnt from, as folds of a search take them."""
    both = [part for part in (parts["learnt"], parts["held"]) if part["rows"]]
    ways = {"rows": sum, "groups": sum, "first": min, "last": max}
    learnt = {name: way(p[name] for p in both) for name, way in ways.items() if all(name in p for p in both)}
    return {"learnt": learnt, "tested": parts["tested"]}


def _parts(parts: Mapping[str, Any], *, dates: bool) -> Rows:
    total = sum(part["rows"] for part in parts.values())
    say = written if dates else amount
    more: dict[str, list[str]] = {}
    if all("groups" in part for part in parts.values()):
        more = {said("groups"): [f"{part['groups']:,}" for part in parts.values()]}
    elif all("first" in part for part in parts.values()):
        more = {said("from"): [say(part["first"]) for part in parts.values()]}
        more |= {said("to"): [say(part["last"]) for part in parts.values()]}
    return Rows(
        header=[said("part of the rows"), said("rows"), said("share"), *more],
        rows=[
            [PARTS[name], f"{part['rows']:,}", share(part["rows"] / total), *(cells[at] for cells in more.values())]
            for at, (name, part) in enumerate(parts.items())
        ],
    )


def _uses(record: Record) -> Said:
    if record.folder.tuned():
        return said(
            "A search chose the settings: the rows learnt from were dealt into folds, and each candidate was trained on"
            " all but one of them and scored on that one. The model averages such models. The test rows were sealed"
            " until the search had ended; every score is of these."
        )
    return said(
        "Weights and preparing steps are fitted on the rows learnt from alone. The rows held out decide when training"
        " stops, and calibrate the answers. The test rows were sealed until the model was finished; every score is of"
        " these."
    )


def _folds(record: Record, folds: int) -> Rows:
    every = [Parts.open(record.folder.fold(number).parts) for number in range(1, folds + 1)]
    return Rows(
        header=[said("fold"), said("learnt from"), said("held out"), said("tested")],
        rows=[
            [str(number), f"{len(parts.fit):,}", f"{len(parts.held):,}", f"{len(parts.test):,}"]
            for number, parts in enumerate(every, 1)
        ],
    )


def _openings(record: Record) -> list[Block]:
    own, known = own_openings(record), openings_known(record)
    if known == 1:
        return [Paragraph(said("These test rows were looked at once, after training had ended."))]
    return [
        Paragraph(
            said(
                "These test rows were looked at {known:,} times in all, by this run and those beside it. Each look that"
                " helps to choose a model makes its scores better than they will be on new rows; for a fair last word,"
                " evaluate on rows that were never looked at.",
                known=known,
            )
        ),
        Rows(
            header=[said("when"), said("by")],
            rows=[[opening["at"].replace("T", " "), f"aurify {opening['verb']}"] for opening in own],
            caption=said("Looks at the test rows by this run"),
            numbers=False,
        ),
    ]
