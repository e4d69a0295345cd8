"""What the page and the terminal say of a search in a world, whose trials are agents that act there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.names import metric_name
from aurify.measure.verdict import number

Tuning = Mapping[str, Any]


def in_world(tuning: Tuning) -> bool:
    """Whether trials are agents that act."""
    return tuning.get("examples") == "episodes"


def scored(tuning: Tuning) -> Said:
    """What the score of a trial is, and what acting at random comes to."""
    return said(
        "Each is {agents} agents, scored in {episodes:,} episodes that nothing else goes by, the same seeds and"
        " episodes for all trials, by {metric}; a random policy returns {random}.",
        agents=tuning["learnt"],
        episodes=tuning["tested"],
        metric=metric_name(tuning["metric"]),
        random=number(tuning["random"]),
    )


def remeasured(tuning: Tuning) -> Said:
    """What measuring the winner again corrects for."""
    return said(
        "Re-measuring takes that out: {agents} agents of other seeds learnt and played in other episodes. The interval"
        " is about their mean (bootstrap over agents and episodes); the one agent that is shipped is not itself"
        " measured before the run is evaluated.",
        agents=len(tuning["remeasured"]["folds"]),
    )


def shipped(tuning: Tuning) -> Said:
    """Which agent acts."""
    return said(
        "The model holds the {agents} agents of that trial; the one acts that was best in its validation episodes.",
        agents=tuning["learnt"],
    )


def compared(tuning: Tuning, wall: str) -> Said:
    """What all of the searches took."""
    return said(
        "Each trial was {agents} agents, scored in {episodes:,} episodes; all searches together took {wall} s with"
        " {workers} trainings at a time.",
        agents=tuning["learnt"],
        episodes=tuning["tested"],
        wall=wall,
        workers=tuning["workers"],
    )
