"""What an agent does, seen: pictures of its best and of its worst test episode."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.report.section import Block, Gallery, Paragraph, Played, Record, Section, Strip
from aurify.report.thumbnails import picture, thumbnail
from aurify.report.values import amount

PICTURES = 12
"""Of one episode, from its first moment to its last."""

DRAWN = "rgb_array"


class Episode(Section):
    """Frame strips of episodes that the shipped agent played in the test."""

    order = 500
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("An episode, moment by moment")

    def measure(self, tested: Played) -> Any:
        if DRAWN not in tested.ways:
            return None
        mine = tested.episodes.filter(agent=tested.best, policy="greedy")
        returns, lengths = mine["return"].to_numpy(), mine["length"].to_numpy()
        chosen = dict.fromkeys([int(returns.argmax()), int(returns.argmin())])
        shown = list[dict[str, Any]]()
        with suppress(AurifyError):  # what it draws with may not be installed
            for episode in chosen:
                shown.append(_seen(tested, episode, int(lengths[episode])))
                shown[-1] |= {"return": float(returns[episode])}
        return {"agent": tested.best, "episodes": shown} if shown else None

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        strips = [_strip(found, at, len(measured["episodes"])) for at, found in enumerate(measured["episodes"])]
        return [
            Paragraph(
                said(
                    "Agent {agent}, which is shipped, in test episodes, doing what it thinks best; the pictures are"
                    " evenly apart, with what was returned until then. {command} shows every step.",
                    agent=measured["agent"],
                    command=f"aurify play {record.summary['run']} --record episode.gif",
                )
            ),
            Gallery(strips),
        ]


def _seen(tested: Played, episode: int, length: int) -> dict[str, Any]:
    """Pictures of moments that lie evenly between the first and the last one."""
    wanted = set(np.linspace(0, length, min(PICTURES, length + 1)).round().astype(int).tolist())
    shown, total = list[dict[str, Any]](), 0.0
    for step, moment in enumerate(tested.watch(tested.best, episode, DRAWN)):
        tested.check()
        total += moment.reward
        if (step in wanted or moment.ended) and isinstance(moment.picture, np.ndarray):
            shown.append({**thumbnail(moment.picture), "step": step, "so_far": total})
    return {"episode": episode, "length": length, "pictures": shown}


def _strip(found: dict[str, Any], at: int, count: int) -> Strip:
    number, value, steps = found["episode"], amount(found["return"]), found["length"]
    name = said("Test episode {number}: returns {value} in {steps:,} steps", number=number, value=value, steps=steps)
    if count > 1 and at == 0:
        name = said(
            "The best, test episode {number}: returns {value} in {steps:,} steps",
            number=number,
            value=value,
            steps=steps,
        )
    elif count > 1:
        name = said(
            "The worst, test episode {number}: returns {value} in {steps:,} steps",
            number=number,
            value=value,
            steps=steps,
        )
    return Strip(
        name,
        [
            picture(
                each,
                said("the world after {step:,} steps", step=each["step"]),
                said("step {step:,}, {value}", step=each["step"], value=amount(each["so_far"])),
                large=True,
            )
            for each in found["pictures"]
        ],
    )
