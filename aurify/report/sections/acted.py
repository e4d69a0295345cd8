"""Of agents: what they were to learn, what came of it, and what limits the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, listed, said
from aurify.report.openings import openings_known
from aurify.report.section import Block, Paragraph, Points, Record, Section
from aurify.report.words import interval, metric_name, model_name

FEW_EPISODES = 30
"""Test episodes below which a mean says little where episodes differ."""


class Acted(Section):
    """The report of agents in short."""

    order = 100
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("In short")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        blocks: list[Block] = [Paragraph(_question(record)), Paragraph(record.summary["verdict"], strong=True)]
        blocks.append(Paragraph(_scores(record)))
        if limits := _limits(record):
            blocks += [Paragraph(said("What limits this evidence:")), Points(limits)]
        return blocks


def _question(record: Record) -> Said:
    task = record.recipe.task.settings()
    world, method, episodes = str(record.recipe.source.path), task["method"], record.summary["episodes"]
    if record.summary["agents"] == 1:
        return said(
            "How much is returned in {world} to an agent that learnt by {method}? It did up to {steps:,} steps there"
            " and was then tested in {episodes:,} episodes that it had not played.",
            world=world,
            method=method,
            steps=task["steps"],
            episodes=episodes,
        )
    return said(
        "How much is returned in {world} to agents that learnt by {method}? {agents:,} agents, each with a seed of its"
        " own, did up to {steps:,} steps there and were then tested in {episodes:,} episodes that they had not played.",
        world=world,
        method=method,
        agents=record.summary["agents"],
        steps=task["steps"],
        episodes=episodes,
    )


def _scores(record: Record) -> Said:
    scores, beside = record.summary["scores"], record.summary["baseline_scores"]
    more = [name for name in ("return_iqm", "return_best", "return_sampled") if name in scores]
    told = [said("{name} {score}", name=metric_name(name), score=interval(scores[name])) for name in more]
    told += [
        said("{name} {score}", name=model_name(name), score=interval(each["return"])) for name, each in beside.items()
    ]
    return said(
        "The mean return of the test episodes is {score} with a 95 % interval (higher is better); {others}.",
        score=interval(scores["return"]),
        others=listed(told),
    )


def _limits(record: Record) -> list[Said]:
    summary, looks = record.summary, openings_known(record)
    limits = [
        said("A severe finding was accepted, so these scores may be worth nothing: {finding}.", finding=finding.text)
        for finding in record.findings.severe
    ]
    if summary["preliminary"]:
        limits.append(
            said(
                "There are few agents ({agents:,}): what one seed learns, another may not. Ten or more show how far"
                " they lie apart.",
                agents=summary["agents"],
            )
        )
    if summary["episodes"] < FEW_EPISODES:
        limits.append(said("There are few test episodes: {episodes:,}.", episodes=summary["episodes"]))
    if looks > 1:
        limits.append(
            said(
                "The test episodes were played {looks:,} times: scores chosen among several looks are better than those"
                " of new episodes will be.",
                looks=looks,
            )
        )
    if summary["agents"] > 1:
        limits.append(
            said(
                "The agent that is shipped was chosen, by other episodes; the means are of all agents, and say what"
                " another training may bring."
            )
        )
    return limits
