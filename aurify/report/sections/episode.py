"""What an agent does, seen: pictures of its best and of its worst test episode."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.report.section import Block, Code, Gallery, Paragraph, Played, Record, Section, Strip
from aurify.report.text_frames import marked, side_by_side
from aurify.report.thumbnails import picture, thumbnail
from aurify.report.values import amount

PICTURES = 12
"""Of one episode, from its first moment to its last."""

MOST_LETTERS = 2000
"""Of a moment that the world writes."""

DRAWN, WRITTEN = "rgb_array", "ansi"
"""How a world may draw itself, the first that it can."""


class Episode(Section):
    """Frame strips of episodes that the shipped agent played in the test."""

    order = 500
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("An episode, moment by moment")

    def measure(self, tested: Played) -> Any:
        way = next((way for way in (DRAWN, WRITTEN) if way in tested.ways), None)
        if way is None:
            return None
        mine = tested.episodes.filter(agent=tested.best, policy="greedy")
        returns, lengths = mine["return"].to_numpy(), mine["length"].to_numpy()
        chosen = dict.fromkeys([int(returns.argmax()), int(returns.argmin())])
        shown = list[dict[str, Any]]()
        with suppress(AurifyError):  # what it draws with may not be installed
            for episode in chosen:
                shown.append(_seen(tested, episode, int(lengths[episode]), way))
                shown[-1] |= {"return": float(returns[episode])}
        seen = [each for each in shown if each["pictures"] or each["texts"]]
        return {"agent": tested.best, "episodes": seen} if seen else None

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        episodes = measured["episodes"]
        names = [_name(found, at, len(episodes)) for at, found in enumerate(episodes)]
        told = [_told(name, found, record) for name, found in zip(names, episodes, strict=True) if found["texts"]]
        strips = [_strip(name, found) for name, found in zip(names, episodes, strict=True) if found["pictures"]]
        return [
            Paragraph(
                said(
                    "Agent {agent}, which is shipped, in test episodes, doing what it thinks best; the pictures are"
                    " evenly apart, with what was returned until then. {command} shows every step.",
                    agent=measured["agent"],
                    command=f"aurify play {record.summary['run']} --record episode.{'gif' if strips else 'txt'}",
                )
            ),
            *([Gallery(strips)] if strips else []),
            *(block for blocks in told for block in blocks),
        ]


def _seen(tested: Played, episode: int, length: int, way: str) -> dict[str, Any]:
    """Pictures, or texts, of moments that lie evenly between the first and the last one."""
    wanted = set(np.linspace(0, length, min(PICTURES, length + 1)).round().astype(int).tolist())
    pictures, texts, total = list[dict[str, Any]](), list[dict[str, Any]](), 0.0
    for step, moment in enumerate(tested.watch(tested.best, episode, way)):
        tested.check()
        total += moment.reward
        if step not in wanted and not moment.ended:
            continue
        if isinstance(moment.picture, np.ndarray):
            pictures.append({**thumbnail(moment.picture), "step": step, "so_far": total})
        elif isinstance(moment.picture, str):
            texts.append({"text": marked(moment.picture)[:MOST_LETTERS], "step": step, "so_far": total})
    return {"episode": episode, "length": length, "pictures": pictures, "texts": texts}


def _name(found: dict[str, Any], at: int, count: int) -> Said:
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
    return name


def _told(name: Said, found: dict[str, Any], record: Record) -> list[Block]:
    """Texts side by side, each with its step and what was returned until then."""
    frames = [
        (record.say(said("step {step:,}, {value}", step=each["step"], value=amount(each["so_far"]))), each["text"])
        for each in found["texts"]
    ]
    return [Paragraph(name), Code(side_by_side(frames))]


def _strip(name: Said, found: dict[str, Any]) -> Strip:
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
