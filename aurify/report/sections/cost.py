"""What the run took: time, size, steps; on what; and which choices it made by measuring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.folder import RunFolder
from aurify.core.words import Said, said
from aurify.report.section import Block, Record, Rows, Section
from aurify.report.values import amount

THINGS = {
    "device": said("device"),
    "threads": said("threads"),
    "machine": said("processor"),
}

STEPS = {"steps": said("steps taken"), "planned_steps": said("steps planned")}

CHOICES = {
    "steps": said("steps that the time limit bought"),
    "learning_rate": said("learning rate found by trying"),
    "network_share": said("share of the network in the blend"),
    "micro_batches": said("steps from which batches were computed in pieces, and the rows of one"),
}


class Cost(Section):
    """Seconds, bytes, steps and the environment."""

    order = 850
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("What it cost")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        environment = [[THINGS.get(name, name), str(value)] for name, value in record.environment.items()]
        blocks: list[Block] = [Rows([said("what"), said("value")], _cost(record), said("Time and size"))]
        if environment:
            blocks.append(Rows([said("what"), said("value")], environment, said("Where it was computed")))
        made = _choices(record)
        if made:
            blocks.append(Rows([said("what"), said("value")], made, said("Choices made by measuring")))
        return blocks


def _cost(record: Record) -> list[list[str]]:
    summary = record.summary
    training, size = summary["training"], record.folder.bundle.stat().st_size
    rows: list[list[str]] = [
        [said("reading, preparing and training"), said("{seconds:,.1f} s", seconds=training["seconds"])]
    ]
    measuring = summary["seconds"] - (0 if record.folder.tuned() else training["seconds"])
    if measuring > 0:  # not where an earlier sitting did some of the training
        rows.append([said("baselines and scores"), said("{seconds:,.1f} s", seconds=measuring)])
    rows += [
        [said("parameters"), f"{summary['parameters']:,}"],
        [said("size of model.aurify"), said("{size:,} bytes", size=size)],
        *([what, f"{training[name]:,}"] for name, what in STEPS.items() if training.get(name) is not None),
    ]
    if record.log and record.log[-1].get("played"):
        rows.append([said("steps of each agent in its world"), f"{record.log[-1]['played']:,}"])
    elif record.log and record.recipe.split.folds is None and record.recipe.task.examples == "rows":
        rows.append([said("passes over the training rows"), amount(record.log[-1]["epoch"])])
    return rows


def _choices(record: Record) -> list[list[str]]:
    """Those of the run, or of each of its folds."""
    folds = record.recipe.split.folds
    places = {"": record.folder} if folds is None else {f" ({n})": record.folder.fold(n) for n in range(1, folds + 1)}
    return [row for mark, place in places.items() for row in _made(place, mark)]


def _made(place: RunFolder, mark: str) -> list[list[str]]:
    return [
        [said("{choice}{mark}", choice=CHOICES.get(name, name), mark=mark), _plain(value)]
        for name, value in place.choices_made().items()
    ]


def _plain(value: Any) -> str:
    return amount(value) if isinstance(value, (int, float)) else str(value)
