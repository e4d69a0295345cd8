"""How agents learnt: what they return, validation by validation, each and all together."""

# V validations, S agents

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from aurify.core.words import Said, said
from aurify.measure.agents import aggregates
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section

FEW = 80
DRAWS = 500
MOST_LINES = 20
"""Agents that have a line of their own."""

FAR = 20
"""How many times as far off as what is returned in the end a return is drawn at most: beginners may lose a lot."""


class AgentsLearning(Section):
    """The learning curve with its band over agents, and why training ended."""

    order = 400
    examples: ClassVar[frozenset[str]] = frozenset({"episodes"})

    @property
    def title(self) -> Said:
        return said("How the agents learnt")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        log = [entry for entry in record.log if entry.get("returns")]
        if not log:
            return []
        stopped = record.summary["training"]["stopped"]
        blocks: list[Block] = [_figure(record, log)] if len(log) > 1 else []
        if stopped is not None:
            blocks.insert(0, Paragraph(said("Training stopped early: {reason}.", reason=stopped)))
        return blocks


def _figure(record: Record, log: Sequence[Mapping[str, Any]]) -> Figure:
    acted, counted = any(entry.get("train_return") is not None for entry in log), bool(log[-1].get("played"))
    places = [entry["played"] if counted else entry["step"] for entry in log]
    across = said("steps of each agent in its world") if counted else said("updates")
    up = said("return of an episode")
    several = len(log[0]["returns"]) > 1
    held = record.say(said("mean of the agents") if several else said("the agent"))
    seen = record.say(said("while learning"))
    mean = _means([entry["returns"] for entry in log], record.recipe.seed)
    shown = [{"x": x, "value": y["value"], "series": held, **y} for x, y in zip(places, mean, strict=True)]
    shown += [
        {"x": x, "value": entry["train_return"], "series": seen}
        for x, entry in zip(places, log, strict=True)
        if entry.get("train_return") is not None
    ]
    order = [held, seen] if acted else [held]
    level = {name: each["return"]["value"] for name, each in record.summary["baseline_scores"].items()}
    drawn = [*level.values(), *(value for entry in log for value in entry["returns"])]
    drawn += [entry["train_return"] for entry in log if entry.get("train_return") is not None]
    floor = _floor(drawn, mean[-1]["value"])
    axes = (
        charts.number("x", record.say(across), zero=True, format="~s"),
        charts.number(
            "value", record.say(up), domain=None if floor is None else (floor, max(drawn) + 0.03 * (max(drawn) - floor))
        ),
    )
    caption = _caption(level, several=several, acted=acted)
    if floor is not None:
        caption = said("{caption} What is below {floor} is not drawn.", caption=caption, floor=number(floor))
    return Figure(
        name="agents_learning",
        chart=_chart(shown, axes, order, [*_lines(log, places, axes), *_levels(level, places, axes)]),
        caption=caption,
        described=said(
            "The return of the validation episodes over {steps:,} steps, from {first} to {last}.",
            steps=places[-1],
            first=number(mean[0]["value"]),
            last=number(mean[-1]["value"]),
        ),
        table=_table(log, places, mean, across),
    )


def _means(returns: Sequence[Sequence[float]], seed: int) -> list[dict[str, float | None]]:
    """The mean (V,) of returns (V, S), with its interval over agents where there are several."""
    found = [aggregates(np.array(row), draws=DRAWS, seed=seed)["mean"] for row in returns]
    return [
        {"value": each.value, **({"low": each.low, "high": each.high} if np.isfinite(each.low) else {})}
        for each in found
    ]


def _floor(drawn: Sequence[float], last: float | None) -> float | None:
    """Below which return nothing is drawn, since the rest could not be told apart; None where all of it can."""
    if last is None:
        return None
    floor = last - FAR * max(abs(last), max(drawn) - last)
    return floor if min(drawn) < floor else None


def _chart(
    shown: Sequence[charts.Row],
    axes: tuple[charts.Chart, charts.Chart],
    order: Sequence[str],
    under: Sequence[charts.Chart],
) -> charts.Chart:
    """Lines, and points where they are few: a line through one validation would not be seen."""
    chart = charts.lines(shown, *axes, order, band=True, under=under)
    for layer in chart["layer"]:
        layer["mark"]["clip"] = True
    if len(shown) > FEW:
        return chart
    place = {"x": axes[0], "y": axes[1], "color": charts.series(order)}
    return {
        **chart,
        "layer": [*chart["layer"], charts.mark("point", place, filled=True, size=24, opacity=1, clip=True)],
    }


def _lines(
    log: Sequence[Mapping[str, Any]], places: Sequence[int], axes: tuple[charts.Chart, charts.Chart]
) -> list[charts.Chart]:
    """A thin line for each agent, of several."""
    count = len(log[0]["returns"])
    if count == 1:
        return []
    rows = [
        {"x": x, "value": entry["returns"][agent], "agent": agent}
        for agent in range(min(count, MOST_LINES))
        for x, entry in zip(places, log, strict=True)
    ]
    place = {"x": axes[0], "y": axes[1], "detail": {"field": "agent", "type": "nominal"}}
    thin = charts.mark("line", place, style="model", strokeWidth=1, opacity=0.3)
    return [thin | {"data": {"values": rows}}]


def _levels(
    level: Mapping[str, float], places: Sequence[int], axes: tuple[charts.Chart, charts.Chart]
) -> list[charts.Chart]:
    """A dashed line at what each baseline returns."""
    return [charts.guide([(0, value), (places[-1], value)], *axes) for value in level.values()]


def _caption(level: Mapping[str, float], *, several: bool, acted: bool) -> Said:
    what = (
        said(
            "The return of the validation episodes, each agent doing what it thinks best: the mean of the agents with"
            " its 95 % interval over agents, and a thin line for each agent."
        )
        if several
        else said("The return of the validation episodes, the agent doing what it thinks best.")
    )
    how = (
        said(" While learning: of the last episodes of training, in which other actions are tried too.")
        if acted
        else said(" Nothing is tried: the model of the world tells what each action leads to.")
    )
    lines = (
        said(
            " Dashed: a random policy ({random}) and the optimum ({optimal}).",
            random=number(level["random"]),
            optimal=number(level["optimal"]),
        )
        if "optimal" in level
        else said(" Dashed: a random policy ({random}).", random=number(level["random"]))
    )
    return said("{what}{how}{lines}", what=what, how=how, lines=lines)


def _table(
    log: Sequence[Mapping[str, Any]],
    places: Sequence[int],
    mean: Sequence[Mapping[str, float | None]],
    across: Said,
) -> Rows:
    tries = any("epsilon" in entry for entry in log)
    return Rows(
        header=[
            across,
            said("mean return"),
            said("low"),
            said("high"),
            said("lowest agent"),
            said("highest agent"),
            said("while learning"),
            said("steps of an episode"),
            *([said("share of actions at random (epsilon)")] if tries else []),
        ],
        rows=[
            [
                f"{x:,}",
                number(each["value"]),
                *("–" if each.get(end) is None else number(each[end]) for end in ("low", "high")),
                number(min(entry["returns"])),
                number(max(entry["returns"])),
                "–" if entry.get("train_return") is None else number(entry["train_return"]),
                number(entry["length"]),
                *([f"{entry['epsilon']:.2f}"] if tries and entry.get("epsilon") is not None else ["–"] * tries),
            ]
            for x, entry, each in zip(places, log, mean, strict=True)
        ],
    )
