"""Figures of a ledger: forests of gains, the waterfall from bare to the recipe, gain against cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import listed, said
from aurify.measure.verdict import number
from aurify.report import charts, verdict_charts
from aurify.report.ledger import DESIGNS, HELPS, HURTS, VERDICTS, Effect, gain, ingredient
from aurify.report.section import Figure, Inspection
from aurify.report.words import metric_name


def forest(record: Inspection, design: str, effects: Sequence[Effect]) -> Figure:
    """The gains of rows side by side; every row has numbers."""
    ledger, rows, x = _ledger(record), _rows(record, effects), gain_axis(record)
    end = verdict_charts.even_up_to(rows)
    if end is not None:
        x = verdict_charts.stretched(x, rows, end)
    caption = said(
        "{what}: gain in {metric}, right of 0 is better with it. Thick is the 95 % interval of one row, thin the"
        " one that holds for all {rows} rows of the ledger together. Full marks are sure by Holm's test, which"
        " finds a little more than thin intervals do; hollow ones are not.",
        what=DESIGNS[design],
        metric=metric_name(ledger["metric"]),
        rows=len(ledger["effects"]),
    )
    if end is not None:
        caption = said(
            "{caption} The scale is even up to {end} on either side and logarithmic beyond, for gains of very different"
            " size.",
            caption=caption,
            end=f"{end:g}",
        )
    return Figure(
        name=f"ledger_{design}",
        chart=verdict_charts.forest(rows, x, verdict_words(record)),
        caption=caption,
        described=said("{what}: {gains}.", what=DESIGNS[design], gains=_each_gain(effects)),
    )


def waterfall(record: Inspection, effects: Sequence[Effect]) -> list[Figure]:
    """What each step from bare to the recipe changed; nothing where the score it begins at is not known."""
    ledger = _ledger(record)
    metric, up = metric_name(ledger["metric"]), 1 if ledger["greater_is_better"] else -1
    before = next((name for name, sign in effects[0]["terms"].items() if sign < 0), "bare")
    score = begin = ledger["variants"].get(before, {}).get("score")
    if score is None:
        return []
    rows = []
    for row in _rows(record, effects):
        ends = ("low", "high", "wide_low", "wide_high")
        placed = {end: None if row[end] is None else score + up * row[end] for end in ends}
        after = score + up * row["value"]
        rows.append({**row, **placed, "before": score, "value": after})
        score = after
    bare = {"name": record.say(said("bare: nothing switched on")), "value": begin}
    better = said("higher is better") if up == 1 else said("lower is better")
    x = charts.number("value", record.say(said("{metric} ({better})", metric=metric, better=better)))
    return [
        Figure(
            name="ledger_cumulative",
            chart=verdict_charts.waterfall(rows, x, verdict_words(record), bare),
            caption=said(
                "From a bare recipe to this one, an ingredient after another: each bar is what {metric} changed by when"
                " it was added to those above it, with the intervals of that step alone. In another order the shares"
                " would be others.",
                metric=metric,
            ),
            described=said(
                "{metric} from {first} to {last}: {gains}.",
                metric=metric,
                first=number(begin),
                last=number(score),
                gains=_each_gain(effects),
            ),
        )
    ]


def cost(record: Inspection, effects: Sequence[Effect]) -> list[Figure]:
    """What rows gain against the seconds they add; nothing where there are no two whose cost is known."""
    known = [effect for effect in effects if effect["seconds"] is not None]
    if len(known) < 2:
        return []
    rows = [{**row, "cost": effect["seconds"]} for row, effect in zip(_rows(record, known), known, strict=True)]
    x = charts.number("cost", record.say(said("seconds added to one training")))
    told = [
        said(
            "{name} {gain} for {seconds} s", name=ingredient(e), gain=_signed(e["gain"]), seconds=_signed(e["seconds"])
        )
        for e in known
    ]
    return [
        Figure(
            name="ledger_cost",
            chart=verdict_charts.scatter(rows, x, {**gain_axis(record), "axis": {}}, verdict_words(record)),
            caption=said(
                "What each ingredient gains against the seconds it adds to one training. What lies to the right and not"
                " above 0 costs time for nothing measurable. A name that found no room is in the table."
            ),
            described=said("Gain against added seconds: {points}.", points=listed(told, ",")),
        )
    ]


def values_forest(record: Inspection, effects: Sequence[Effect], names: Sequence[str]) -> charts.Chart:
    """A forest of one setting's values, which have these names."""
    rows = [{**row, "name": name} for row, name in zip(_rows(record, effects), names, strict=True)]
    return verdict_charts.forest(rows, gain_axis(record), verdict_words(record))


def verdict_of(record: Inspection, effect: Effect) -> Mapping[str, Any]:
    """A row's verdict as charts take it."""
    return {"verdict": record.say(VERDICTS[effect["verdict"]]), "sure": effect["verdict"] in (HELPS, HURTS)}


def verdict_words(record: Inspection) -> list[str]:
    """The verdicts as a legend tells them."""
    return [record.say(word) for word in VERDICTS.values()]


def gain_axis(record: Inspection) -> charts.Chart:
    """Along which more is better."""
    metric = metric_name(_ledger(record)["metric"])
    return charts.number(
        "value",
        record.say(said("gain in {metric}", metric=metric)),
        zero=True,
        labelOverlap="greedy",
        labelSeparation=6,
    )


def _ledger(record: Inspection) -> Mapping[str, Any]:
    assert record.ledger is not None
    return record.ledger


def _rows(record: Inspection, effects: Sequence[Effect]) -> list[dict[str, Any]]:
    """Effects as charts of verdicts take them, each under a name that no other has."""
    names = [" ".join(record.say(ingredient(effect)).split()) for effect in effects]
    return [
        {
            "name": name if names.count(name) == 1 else f"{name} ({names[: at + 1].count(name)})",
            "value": effect["gain"],
            "low": effect["low"],
            "high": effect["high"],
            "wide_low": effect["simultaneous_low"],
            "wide_high": effect["simultaneous_high"],
            **verdict_of(record, effect),
        }
        for at, (name, effect) in enumerate(zip(names, effects, strict=True))
    ]


def _each_gain(effects: Sequence[Effect]) -> str:
    """Every row's gain in one text, for those who do not see the chart."""
    return listed([said("{name} {gain}", name=ingredient(effect), gain=gain(effect)) for effect in effects], ",")


def _signed(value: float) -> str:
    return number(value, signed=True)
