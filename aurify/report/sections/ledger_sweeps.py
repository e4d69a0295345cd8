"""What other values of each setting gain over the recipe's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, listed, said
from aurify.report import charts, verdict_charts
from aurify.report.ledger import Effect, gain, ingredient, ingredient_name, measured, rows_of
from aurify.report.ledger_figures import gain_axis, values_forest, verdict_of, verdict_words
from aurify.report.section import Block, DataSection, Figure, Inspection, Paragraph
from aurify.report.words import metric_name

DECADES = 30
"""How many times the smallest value the largest must be for the axis to be one of powers."""


class Sweeps(DataSection):
    """A figure for each setting that was tried at other values."""

    order = 352
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("How much of each ingredient")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        ledger = record.ledger
        settings = {} if ledger is None else _by_setting(rows_of(ledger, "sweep"))
        if ledger is None or not settings:
            return []
        told = said(
            "What other values of a setting gain over the recipe's own in {metric}, all else equal. The best of several"
            " values looks better than it is; only a full mark is sure.",
            metric=metric_name(ledger["metric"]),
        )
        figures = [_figure(record, at, effects) for at, effects in enumerate(settings.values(), 1)]
        return [Paragraph(told), *figures]


def _by_setting(effects: Sequence[Effect]) -> dict[str, list[Effect]]:
    found: dict[str, list[Effect]] = {}
    for effect in measured(effects):
        found.setdefault(effect["technique"], []).append(effect)
    return found


def _figure(record: Inspection, at: int, effects: Sequence[Effect]) -> Figure:
    values = [effect["value"] for effect in effects]
    by_number = len(set(map(str, values))) > 1 and all(_is_number(value) for value in values)
    names = [ingredient_name(str(value)) for value in values]
    setting = ingredient(effects[0])
    told = [said("{name} {gain}", name=name, gain=gain(effect)) for name, effect in zip(names, effects, strict=True)]
    return Figure(
        name=f"ledger_sweep_{at}",
        chart=_by_number(record, effects) if by_number else values_forest(record, effects, names),
        caption=said(
            "{setting}: gain at each value; compared with {reference}.", setting=setting, reference=_own(effects)
        ),
        described=said("{setting}: {gains}.", setting=setting, gains=listed(told, ",")),
    )


def _own(effects: Sequence[Effect]) -> str:
    return effects[0]["reference"]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _own_value(effects: Sequence[Effect]) -> float | None:
    """The recipe's own value, where the words that name it hold a number."""
    reference = effects[0]["reference"]
    value = reference.values.get("value") if isinstance(reference, Said) else None
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except ValueError:
        return None


def _by_number(record: Inspection, effects: Sequence[Effect]) -> charts.Chart:
    """A line through the gains with its band, and through 0 at the recipe's own value."""
    ordered = sorted(effects, key=lambda effect: effect["value"])
    rows: list[dict[str, Any]] = [
        {
            "x": effect["value"],
            "value": effect["gain"],
            "low": effect["low"],
            "high": effect["high"],
            "wide_low": effect["simultaneous_low"],
            "wide_high": effect["simultaneous_high"],
            **verdict_of(record, effect),
        }
        for effect in ordered
    ]
    x = charts.number("x", ingredient(effects[0]), format=".10~g")
    own = _own_value(effects)
    every = [row["x"] for row in rows] + ([] if own is None else [own])
    if min(every) > 0 and max(every) >= DECADES * min(every):
        ticks = {"values": sorted(set(every)), "labelOverlap": True, "format": ".10~g"}
        x = {**x, "scale": {"type": "log", "nice": False}, "axis": ticks}
    begin = None if own is None else {"x": own, "value": 0, "name": record.say(said("the recipe's own value"))}
    return verdict_charts.sweep(rows, x, {**gain_axis(record), "axis": {}}, verdict_words(record), begin)
