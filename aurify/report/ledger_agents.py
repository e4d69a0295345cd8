"""What the page and the terminal say of a ledger of agents, whose pairs are seeds in episodes of a world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.core.words import Said, in_a_row, said
from aurify.measure.verdict import number
from aurify.report.values import amount
from aurify.report.words import metric_name

ENOUGH = 10
"""Seeds below which a ledger is preliminary."""


def preliminary(ledger: Mapping[str, Any]) -> Said | None:
    """What is to be said first of a ledger of few seeds."""
    if not ledger.get("preliminary"):
        return None
    return said(
        "Preliminary: {pairs} seeds hardly tell how far agents of one recipe lie apart; {enough} or more do.",
        pairs=ledger["pilot"],
        enough=ENOUGH,
    )


def estimand(ledger: Mapping[str, Any]) -> str:
    told = said(
        "A gain is the mean difference in {metric} between two recipes, over seeds, at {steps} steps of each agent;"
        " above 0 is better.",
        metric=metric_name(ledger["metric"]),
        steps=amount(ledger["steps"]),
    )
    return in_a_row([told, said("Seeds share nothing, and count as independent.")])


def reference(ledger: Mapping[str, Any]) -> Said:
    found = ledger["reference"]
    return said(
        "The recipe itself scores {score} in {metric} on average, a random policy returns {random}; an agent that is"
        " trained alone takes {seconds} s.",
        score=number(found["score"]),
        metric=metric_name(ledger["metric"]),
        random=number(ledger["random"]),
        seconds="–" if found["seconds"] is None else f"{found['seconds']:,.1f}",
    )


def caps(ledger: Mapping[str, Any]) -> str:
    """How long was trained, and in which episodes agents are scored."""
    sentences: list[str] = [
        said(
            "Each agent took {steps} steps in its world and is scored in {tested:,} episodes that nothing else goes by,"
            " the same ones for both agents of a pair.",
            steps=amount(ledger["steps"]),
            tested=ledger["tested"],
        )
    ]
    if not ledger["full"] and ledger["steps"] < ledger["planned"]:
        sentences.append(
            said(
                "The recipe itself takes {planned} steps: what pays only later is not seen here; --steps takes others,"
                " --full the recipe's own.",
                planned=amount(ledger["planned"]),
            )
        )
    return in_a_row([*sentences, *_beside(ledger), said("The test episodes were not played.")])


def _beside(ledger: Mapping[str, Any]) -> list[str]:
    """How many learnt as one program, and that costs are of others."""
    if (most := most_beside(ledger)) == 1:
        return []
    told = said(
        "Up to {most} agents of one recipe learnt side by side, as one program; seconds are of those that were trained"
        " alone.",
        most=most,
    )
    return [told, *pace_told(ledger)]


def most_beside(ledger: Mapping[str, Any]) -> int:
    """How many trainings were one program at most."""
    return max((training.get("beside", 1) for training in ledger["trainings"]), default=1)


def pace_told(ledger: Mapping[str, Any]) -> list[str]:
    """How much faster one program was, by what was measured before it was chosen."""
    ratios = [found["alone"] / found["together"] for found in ledger.get("paces", ()) if "together" in found]
    if not ratios:
        return []
    least, most = f"{min(ratios):.1f}", f"{max(ratios):.1f}"
    return [
        said("One program was {times} times as fast as one after another, by a quick measurement.", times=least)
        if least == most
        else said(
            "One program was {least} to {most} times as fast as one after another, by quick measurements; where it was"
            " not faster, it was not chosen.",
            least=least,
            most=most,
        )
    ]
