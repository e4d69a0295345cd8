"""Tables of a ledger: its rows with everything they say, the other metrics, what was left out, the simpler recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import listed, said
from aurify.measure.verdict import number
from aurify.report.ledger import (
    DESIGNS,
    FAILED,
    Effect,
    Ledger,
    gain,
    ingredient,
    ingredient_name,
    measured,
    of_agents,
    verdict,
)
from aurify.report.section import Block, Folded, Paragraph, Points, Rows
from aurify.report.values import amount
from aurify.report.words import interval, metric_name

DASH = "–"


def effects_table(caption: str, effects: Sequence[Effect], *, agents: bool = False) -> Rows:
    """A line a row: against what, gain with both intervals, verdict, and what it costs."""
    return Rows(
        header=[
            said("ingredient"),
            said("gain [95 %]"),
            said("verdict"),
            said("[all rows together]"),
            said("adjusted p"),
            said("compared with"),
            said("pairs"),
            said("seconds"),
            said("seconds per 1,000 actions") if agents else said("seconds per 1,000 rows answered"),
            said("parameters"),
            said("bytes"),
        ],
        rows=[
            [
                ingredient(effect),
                gain(effect),
                verdict(effect),
                _span(effect),
                DASH if effect["p_adjusted"] is None else _probability(effect["p_adjusted"]),
                effect["reference"],
                DASH if effect["pairs"] is None else str(effect["pairs"]),
                *(_added(effect[name]) for name in ("seconds", "latency", "parameters", "bytes")),
            ]
            for effect in effects
        ],
        caption=said("{what}: every row, costs as what it adds", what=caption),
    )


def _span(effect: Effect) -> str:
    low, high = effect["simultaneous_low"], effect["simultaneous_high"]
    return DASH if low is None else f"[{number(low, signed=True)}, {number(high, signed=True)}]"


def _probability(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def _added(value: float | None) -> str:
    if value is None:
        return DASH
    return f"+{amount(value)}" if value > 0 else amount(value)


def other_metrics(ledger: Ledger) -> list[Block]:
    """Gains in all other metrics, which no verdict goes by."""
    known = [effect for effect in measured(ledger["effects"]) if effect["others"]]
    metrics = list(dict.fromkeys(metric for effect in known for metric in effect["others"]))
    if not metrics:
        return []
    told = said(
        "Gains with plain 95 % intervals, above 0 better in each. They are no part of the test: with so many numbers"
        " some intervals miss 0 by chance."
    )
    table = Rows(
        header=[said("ingredient"), said("measured by"), *map(metric_name, metrics)],
        rows=[
            [ingredient(e), DESIGNS[e["design"]], *(_other(e["others"].get(metric)) for metric in metrics)]
            for e in known
        ],
    )
    return [Folded(said("The same in other metrics"), [Paragraph(told), table])]


def _other(found: Mapping[str, Any] | None) -> str:
    return DASH if found is None else gain({"gain": found["gain"], "low": found["low"], "high": found["high"]})


def lost(ledger: Ledger) -> list[Block]:
    """Rows without numbers, trainings that diverged, and what was not measured at all; each with the reason."""
    blocks: list[Block] = []
    failed = [effect for effect in ledger["effects"] if effect["verdict"] == FAILED]
    if failed:
        told = [_reason(ingredient(e), e["reason"] or said("no reason is known")) for e in failed]
        blocks += [Paragraph(said("What could not be measured, and why:")), Points(told)]
    diverged = Counter(training["variant"] for training in ledger["trainings"] if training["diverged"])
    if diverged:
        told = [said("{name} ({count:,})", name=ingredient_name(n), count=c) for n, c in diverged.most_common()]
        blocks.append(
            Paragraph(
                said(
                    "Trainings that diverged: {count:,} of {all:,}. They count as acting at random. By recipe:"
                    " {names}.",
                    count=diverged.total(),
                    all=len(ledger["trainings"]),
                    names=listed(told, ","),
                )
                if of_agents(ledger)
                else said(
                    "Trainings that diverged: {count:,} of {all:,}. They count as answering the mean or the shares of"
                    " the classes. By recipe: {names}.",
                    count=diverged.total(),
                    all=len(ledger["trainings"]),
                    names=listed(told, ","),
                )
            )
        )
    if ledger["left_out"]:
        told = [_reason(ingredient_name(name), reason) for name, reason in ledger["left_out"]]
        blocks.append(Folded(said("Left out of the ledger: {count:,}", count=len(told)), [Points(told)]))
    return blocks


def _reason(name: str, reason: str) -> str:
    return said("{name}: {reason}", name=name, reason=reason)


def simplified(ledger: Ledger) -> list[Block]:
    """The recipe without what made no measurable difference: how it was picked, and what fresh folds say of it."""
    found = ledger["simplified"]
    if found is None:
        return []
    if not found["removed"]:
        return [Paragraph(said("No ingredient could be removed to make the recipe simpler without a loss."))]
    return [Paragraph(text) for text in (*_simpler(ledger), size_of_simpler(ledger))] + _path(found)


def size_of_simpler(ledger: Ledger) -> str:
    """What the simpler recipe was judged on: a small look finds little worth its place."""
    if of_agents(ledger):
        return said(
            "It was judged at {steps} steps of each agent: with more of them, what was taken out may be worth having.",
            steps=amount(ledger["steps"]),
        )
    return said(
        "It was judged on training sets of {learnt:,} rows and at most {steps:,} steps: with more of either, what was"
        " taken out may be worth having.",
        learnt=ledger["learnt"],
        steps=ledger["steps"],
    )


def _simpler(ledger: Ledger) -> list[str]:
    found = ledger["simplified"]
    again = found["remeasured"]
    texts: list[str] = [
        said(
            "A simpler recipe without {names} is in {file}. When it was picked it differed by {picked}, a number that"
            " flatters: it was picked for it.",
            names=listed([ingredient_name(name) for name in found["removed"]]),
            file=found["file"],
            picked=_other(found["picked"]),
        )
    ]
    if again is not None and again["gain"] is not None:
        texts.append(
            said(
                "Measured again with fresh seeds, in {pairs} pairs, it differs from the whole recipe by {gain} (above 0"
                " the simpler one is better).",
                pairs=again["pairs"],
                gain=_other(again),
            )
            if of_agents(ledger)
            else said(
                "Measured again on fresh folds, in {pairs} pairs, it differs from the whole recipe by {gain} (above 0"
                " the simpler one is better).",
                pairs=again["pairs"],
                gain=_other(again),
            )
        )
    return texts


def _path(found: Mapping[str, Any]) -> list[Block]:
    if not found["path"]:
        return []
    table = Rows(
        header=[said("removed"), said("mean score"), said("gain [95 %]")],
        rows=[
            [
                listed([ingredient_name(name) for name in step["removed"]], ",") or said("nothing"),
                interval({"value": step["score"], "low": None, "high": None}),
                _other(step),
            ]
            for step in found["path"]
        ],
    )
    return [Folded(said("How the simpler recipe was picked, step by step"), [table])]
