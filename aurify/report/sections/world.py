"""The world that agents acted in: what they see and do there, and which episodes are for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, listed, said
from aurify.report.openings import openings_known
from aurify.report.section import Block, Paragraph, Played, Record, Rows, Section
from aurify.report.values import amount
from aurify.worlds.episodes import ENDLESS, WATCHED


class World(Section):
    """Observations, actions, time limit, settings; episodes for training, choosing and testing."""

    order = 200
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("The world")

    def measure(self, tested: Played) -> dict[str, Any]:
        world, schema = tested.world, tested.world.schema
        return {
            "source": world.source,
            "settings": {name: str(value) for name, value in world.settings.items()},
            "numbers": len(schema.numbers),
            "states": [len(column.values) for column in schema.categories],
            "image": list(world.observed.shape) if schema.image is not None else None,
            "actions": world.actions.count,
            "action_numbers": list(world.actions.shape),
            "limit": world.limit,
            "held": len(tested.parts.held),
            "watched": min(tested.recipe.task.settings()["watched"], len(tested.parts.held)),
            "tested": len(tested.parts.test),
        }

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        facts = [
            [said("environment"), measured["source"]],
            *([name, value] for name, value in measured["settings"].items()),
            [said("what is seen"), _seen(measured)],
            [said("what is done"), _done(measured)],
            [said("an episode is cut off after"), _limit(measured)],
        ]
        return [
            Rows([said("what"), said("value")], facts, numbers=False),
            Paragraph(_parted(measured)),
            Paragraph(_looks(record)),
        ]


def _seen(measured: Mapping[str, Any]) -> str:
    if measured["image"] is not None:
        return said("an image, {size} pixels", size=" × ".join(map(str, measured["image"])))
    if measured["states"]:
        return said("one of {count:,} states", count=measured["states"][0])
    return said("{count:,} numbers", count=measured["numbers"])


def _done(measured: Mapping[str, Any]) -> str:
    if measured["actions"] is not None:
        return said("one of {count:,} actions", count=measured["actions"])
    shape = measured["action_numbers"]
    return said("numbers ({shape})", shape=" × ".join(map(str, shape)) or "1")


def _limit(measured: Mapping[str, Any]) -> str:
    if measured["limit"] is None:
        return said(
            "no number of steps; in validations after {watched:,}, in the test after {endless:,}",
            watched=WATCHED,
            endless=ENDLESS,
        )
    return said("{steps} steps", steps=amount(measured["limit"]))


def _parted(measured: Mapping[str, Any]) -> Said:
    return said(
        "Agents learn in environments with seeds of their own. {held:,} other episodes choose the agent that is"
        " shipped, the first {watched:,} of them are played in each validation; {tested:,} more test, with seeds that"
        " no choice was made by. Each is a first episode: none is counted more often for being short.",
        held=measured["held"],
        watched=measured["watched"],
        tested=measured["tested"],
    )


def _looks(record: Record) -> Said:
    if (known := openings_known(record)) == 1:
        return said("The test episodes were played once, after training had ended.")
    looks = listed([each["at"].replace("T", " ") for each in record.openings], ",")
    return said(
        "The test episodes were played {known:,} times in all, by this run and those beside it: {looks}.",
        known=known,
        looks=looks,
    )
