"""What the agents return, each and all together, beside the random policy and the best that there is."""

# S agents, N episodes

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.measure.agents import aggregates, profile
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.section import Block, Figure, Folded, Paragraph, Played, Record, Rows, Section
from aurify.report.values import amount, share
from aurify.report.words import interval, metric_name, model_name

PLACES = 60
"""Returns at which a profile is measured."""

FAR = 20
"""How many times as far off as the agents' own returns a baseline is drawn, at most."""

MOST_AGENTS = 40
"""Agents that are drawn one by one; the table has all."""


class Returns(Section):
    """Agents and baselines with intervals, aggregates over agents, the performance profile."""

    order = 300
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("What the agents return")

    def measure(self, tested: Played) -> dict[str, Any]:
        seed, agents = tested.recipe.seed, _agents(tested)
        greedy = np.array([agent["greedy"]["value"] for agent in agents])
        found = {"agents": agents, "best": tested.best, "profile": _profile(greedy, seed), "seed": seed}
        return {**found, "limit": tested.world.limit}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        blocks: list[Block] = [Paragraph(_covers(record.summary)), _beside(record), _aggregates(record)]
        if measured is None:
            return blocks
        if "optimal" in record.summary["baseline_scores"] and measured.get("limit"):
            blocks.append(Paragraph(_of_who_counts(measured)))
        if len(measured["agents"]) > 1:
            chosen = record.summary["training"].get("chosen")
            blocks += [*([Paragraph(_chosen(record, measured))] if chosen else []), _each(record, measured)]
        if measured["profile"] is not None:
            blocks.append(_above(record, measured["profile"]))
        return [*blocks, Folded(said("Every agent"), [_table(measured)])]


def _agents(tested: Played) -> list[dict[str, Any]]:
    """Of each agent what it returns greedily and sampling, with intervals over episodes, and how its episodes go."""
    found, seed = list[dict[str, Any]](), tested.recipe.seed
    for agent in tested.parts.fit.tolist():
        mine: dict[str, Any] = {"agent": agent}
        for policy in ("greedy", "sampled"):
            played = tested.episodes.filter(agent=agent, policy=policy)
            if len(played):
                mine[policy] = _mean(played["return"].to_numpy(), seed)
        greedy = tested.episodes.filter(agent=agent, policy="greedy")
        mine |= {
            "lowest": float(greedy["return"].to_numpy().min()),
            "highest": float(greedy["return"].to_numpy().max()),
        }
        mine |= {"length": float(greedy["length"].to_numpy().mean())}
        found.append({**mine, "terminated": float(greedy["terminated"].to_numpy().mean())})
    return found


def _mean(values: np.ndarray, seed: int) -> dict[str, float | None]:
    """The mean of values (N,) with its interval over episodes."""
    found = aggregates(values, seed=seed)["mean"]
    ends = {"value": found.value, "low": found.low, "high": found.high}
    return {name: float(value) if np.isfinite(value) else None for name, value in ends.items()}


def _profile(values: np.ndarray, seed: int) -> dict[str, Any] | None:
    """The share of agents above each return, of their means (S,); None where they do not differ."""
    if len(values) < 2 or values.min() == values.max():
        return None
    reach = 0.05 * (values.max() - values.min())
    found = profile(values, np.linspace(values.min() - reach, values.max() + reach, PLACES), seed=seed)
    return {
        "x": found.thresholds.tolist(),
        "y": found.share.tolist(),
        "low": found.low.tolist(),
        "high": found.high.tolist(),
    }


def _covers(summary: Mapping[str, Any]) -> Said:
    return said(
        "{episodes:,} test episodes of each agent, {draws:,} bootstrap draws. The intervals {cover}.",
        episodes=summary["episodes"],
        draws=summary["draws"],
        cover=summary["intervals"],
    )


RETURNS = ("return", "return_iqm", "return_median", "return_best", "return_sampled")


def _beside(record: Record) -> Figure:
    summary = record.summary
    found = {metric_name(name): summary["scores"][name] for name in RETURNS if name in summary["scores"]}
    others = {model_name(name): each["return"] for name, each in summary["baseline_scores"].items()}
    every = found | others
    near = _near(found, others)
    rows = [{"name": record.say(name), "strong": name in found, **score} for name, score in (found | near).items()]
    caption = said(
        "The mean return of the agents and, beside it, more robust means over agents (the interquartile mean leaves out"
        " the best and the worst quarter), the agent that is shipped, actions drawn as likely as they seem best instead"
        " of the surest ones, and the baselines; with 95 % intervals."
    )
    if far := [name for name in others if name not in near]:
        caption = said("{caption} Too far off to be drawn: {names}.", caption=caption, names=listed(far))
    return Figure(
        name="returns",
        chart=charts.dots(rows, charts.number("value", record.say(said("return of an episode")))),
        caption=caption,
        described=said(
            "Returns: {returns}.",
            returns=listed([said("{name} {score}", name=name, score=interval(score)) for name, score in every.items()]),
        ),
    )


def _near(found: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The ``others`` that are not so far off that the agents' own scores could not be told apart beside them."""
    values = [score["value"] for score in found.values()]
    reach = FAR * max(max(values) - min(values), *map(abs, values))
    return {name: score for name, score in others.items() if abs(score["value"] - values[0]) <= reach or not reach}


def _aggregates(record: Record) -> Rows:
    summary = record.summary
    beside = summary["baseline_scores"]
    differences = {name: rows.get("return") for name, rows in summary["differences"].items()}
    rows = [
        [metric_name(metric), interval(score), *(interval(beside[name].get(metric)) for name in beside)]
        for metric, score in summary["scores"].items()
    ]
    rows.append(
        [said("the agents' return minus theirs"), "–", *(interval(differences[name], signed=True) for name in beside)]
    )
    if exact := summary["differences"].get("optimal", {}).get("return_exact"):
        apart = [interval(exact, signed=True) if name == "optimal" else "–" for name in beside]
        rows.append([said("the same by the model of the world"), "–", *apart])
    return Rows(
        header=[said("metric"), said("agents"), *map(model_name, beside)],
        rows=rows,
        caption=said("Every metric, with its 95 % interval"),
    )


def _of_who_counts(measured: Mapping[str, Any]) -> Said:
    """Why an agent that does what is best may stay below the optimum."""
    return said(
        "The optimum is what is returned on average to whom knows how many of the {limit:,} steps are left. An agent"
        " sees the state alone, and may only come near to it. What agents return in test episodes may be above it by"
        " luck; the return by the model of the world has no luck in it.",
        limit=measured["limit"],
    )


def _each(record: Record, measured: Mapping[str, Any]) -> Figure:
    agents = sorted(measured["agents"], key=lambda agent: -agent["greedy"]["value"])[:MOST_AGENTS]
    rows = [
        {
            "name": record.say(said("agent {number}", number=agent["agent"])),
            "strong": agent["agent"] == measured["best"],
            **agent["greedy"],
        }
        for agent in agents
    ]
    best, worst = agents[0], agents[-1]
    return Figure(
        name="agents",
        chart=charts.dots(rows, charts.number("value", record.say(said("return of an episode")))),
        caption=said(
            "Each agent's mean return with its 95 % interval over episodes, the best first; the blue one is shipped. It"
            " was chosen by other episodes than these."
        ),
        described=said(
            "From {best} of agent {first} to {worst} of agent {last}.",
            best=number(best["greedy"]["value"]),
            first=best["agent"],
            worst=number(worst["greedy"]["value"]),
            last=worst["agent"],
        ),
    )


def _chosen(record: Record, measured: Mapping[str, Any]) -> Said:
    """How the agent that is shipped was chosen, and what it returns where nothing was chosen."""
    found = record.summary["training"]["chosen"]
    alike = sum(mean == max(found["means"]) for mean in found["means"])
    value = interval(_mean(np.array(found["returns"]), measured["seed"]))
    mean, tested = number(float(np.mean(found["means"]))), interval(record.summary["scores"]["return_best"])
    if alike > 1:
        return said(
            "Agent {agent} is shipped: with its final weights it returned {value} in the {episodes:,} episodes that"
            " choose, as {alike:,} of {agents:,} agents did, of which it is the first; their mean there is {mean}. In"
            " the test episodes, which chose nothing, it returns {tested}.",
            agent=found["best"],
            value=value,
            episodes=len(found["returns"]),
            alike=alike,
            agents=len(found["means"]),
            mean=mean,
            tested=tested,
        )
    return said(
        "Agent {agent} is shipped: with its final weights it returned {value} in the {episodes:,} episodes that choose,"
        " the most of {agents:,} agents, whose mean there is {mean}. Who was picked for a return looks better by it"
        " than it is; in the test episodes, which chose nothing, it returns {tested}.",
        agent=found["best"],
        value=value,
        episodes=len(found["returns"]),
        agents=len(found["means"]),
        mean=mean,
        tested=tested,
    )


def _above(record: Record, found: Mapping[str, Any]) -> Figure:
    series = record.say(said("agents"))
    ends = zip(found["x"], found["y"], found["low"], found["high"], strict=True)
    every = [{"x": x, "value": y, "low": low, "high": high, "series": series} for x, y, low, high in ends]
    across, up = said("return of an episode"), said("share of agents that return more")
    axes = (
        charts.number("x", record.say(across)),
        charts.number("value", record.say(up), domain=(0, 1), format=".0%"),
    )
    chart = charts.lines(every, *axes, [series], band=True, interpolate="step-before")
    half = next((row["x"] for row in every if row["value"] <= 0.5), every[-1]["x"])
    return Figure(
        name="profile",
        chart=chart,
        caption=said(
            "Performance profile: how many of the agents return more than what is below (Agarwal et al. 2021). The"
            " further a curve reaches to the upper right, the better; a long slope means that luck decides. The band is"
            " a pointwise 95 % interval over agents."
        ),
        described=said("Half of the agents return more than about {half}.", half=amount(half)),
        table=Rows(
            header=[across, up, said("low"), said("high")],
            rows=[[number(row["x"]), share(row["value"]), share(row["low"]), share(row["high"])] for row in every[::4]],
        ),
    )


def _table(measured: Mapping[str, Any]) -> Rows:
    sampled = any("sampled" in agent for agent in measured["agents"])
    return Rows(
        header=[
            said("agent"),
            said("return"),
            *([said("return, actions sampled")] if sampled else []),
            said("lowest"),
            said("highest"),
            said("steps of an episode"),
            said("episodes that end by themselves"),
        ],
        rows=[
            [
                str(agent["agent"]),
                interval(agent["greedy"]),
                *([interval(agent.get("sampled"))] if sampled else []),
                number(agent["lowest"]),
                number(agent["highest"]),
                amount(agent["length"]),
                share(agent["terminated"]),
            ]
            for agent in measured["agents"]
        ],
    )
