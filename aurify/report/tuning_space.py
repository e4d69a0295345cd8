"""Figures of which settings mattered: importance, parallel coordinates, and the score along each knob."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aurify.core.words import Said, listed, said
from aurify.measure.names import metric_name
from aurify.measure.verdict import number
from aurify.report import charts, tuning_charts
from aurify.report.section import Figure, Inspection, Rows
from aurify.report.tuning import Trial, Tuning, cut, finished, knob_name, ranked, settings_text, value_text
from aurify.report.tuning_figures import MOST_DRAWN, focus, hidden, score_axis, trial_name, with_hidden
from aurify.report.values import share

MOST_KNOBS = 8
"""Knobs with an axis or a figure of their own: the most important ones."""

CLASSES = 4
"""Of trials, by how good they are."""

LONGEST = 24
"""Letters of a choice beside its line."""


@dataclass(frozen=True)
class Knob:
    """A knob that trials were tried along: a scale from low to high, or choices."""

    name: str
    low: float
    high: float
    log: bool
    choices: Sequence[Any] | None
    default: Any
    whole: bool = False

    def place(self, value: Any) -> float:
        """Where along its axis a value is, from 0 to 1; of choices the middle of the piece that each has."""
        if self.choices is not None:
            at = next((n for n, choice in enumerate(self.choices) if value_text(choice) == value_text(value)), 0)
            return (at + 0.5) / len(self.choices)
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return 0.5 if high <= low else (at - low) / (high - low)

    def ticks(self) -> list[tuple[float, str, str]]:
        """Places along the axis, what is there, and on which side of the place it is written."""
        if self.choices is not None:
            return [(self.place(choice), cut(value_text(choice), LONGEST), "center") for choice in self.choices]
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        middle = round(middle) if self.whole else middle
        places = ((0.0, self.low, "left"), (self.place(middle), middle, "center"), (1.0, self.high, "right"))
        return [(at, _short(value), side) for at, value, side in places if side != "center" or 0 < at < 1]


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def knobs(tuning: Tuning, trials: Sequence[Trial]) -> list[Knob]:
    """The most important knobs of the space that finished trials were tried along, at most as many as are drawn."""
    order = [each["knob"] for each in tuning["importance"]]
    names = sorted(tuning["space"], key=lambda name: order.index(name) if name in order else len(order))
    found = [_knob(name, tuning["space"][name], _values(name, trials)) for name in names]
    return [knob for knob in found if knob is not None][:MOST_KNOBS]


def _values(name: str, trials: Sequence[Trial]) -> list[Any]:
    return [trial["settings"][name] for trial in finished(trials) if name in trial["settings"]]


def _knob(name: str, how: Mapping[str, Any], values: Sequence[Any]) -> Knob | None:
    """A knob with an axis that holds all that was tried, also beyond the range; None where all were the same."""
    if len({value_text(value) for value in values}) < 2:
        return None
    log = bool(how["log"]) and all(_is_number(value) and value > 0 for value in values)
    if how["choices"] is not None or not all(map(_is_number, values)):
        texts = {value_text(value): value for value in [*(how["choices"] or ()), *values]}
        return Knob(name, 0.0, 1.0, False, list(texts.values()), how["default"])
    ends = [v for v in (how["low"], how["high"]) if v is not None and (v > 0 or not log)]
    return Knob(
        name,
        min([*ends, *values]),
        max([*ends, *values]),
        log,
        None,
        how["default"],
        all(float(v).is_integer() for v in [*ends, *values]),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def importance(record: Inspection, tuning: Tuning) -> list[Figure]:
    """The share of the variance of the score that each knob explains alone; nothing where trials were too few."""
    found = tuning["importance"]
    if not found:
        return []
    rows = [
        {
            "name": knob_name(each["knob"]),
            "strong": True,
            "value": each["share"],
            "low": each["low"],
            "high": each["high"],
        }
        for each in found[: 2 * MOST_KNOBS]
    ]
    x = charts.number("value", record.say(said("share of the variance of the score")), zero=True, format=".0%")
    return [
        Figure(
            name="tuning_importance",
            chart=charts.bars(rows, x),
            caption=said(
                "What each setting explains of the score alone, over the whole space (functional ANOVA, Hutter and"
                " others 2014), with 95 % intervals over resamples of the trials. What is missing to 100 % is what"
                " settings do only together, and chance."
            ),
            described=said(
                "Share of the variance of the score: {shares}.",
                shares=listed(
                    [said("{name} {share}", name=row["name"], share=share(row["value"])) for row in rows], ","
                ),
            ),
            table=Rows(
                header=[said("setting"), said("share of the variance"), said("low"), said("high")],
                rows=[[knob_name(e["knob"]), share(e["share"]), share(e["low"]), share(e["high"])] for e in found],
            ),
        )
    ]


def parallel(record: Inspection, tuning: Tuning, trials: Sequence[Trial]) -> list[Figure]:
    """Lines of trials through the axes of the knobs and that of the score; nothing where there are too few."""
    axes, best = knobs(tuning, trials), ranked(tuning, trials)[:MOST_DRAWN]
    if len(axes) < 2 or len(best) < 2:
        return []
    span = focus(tuning, [trial["score"] for trial in best])
    classes = [said("best quarter of the trials"), said("second quarter"), said("third quarter"), said("last quarter")]
    words = [record.say(word) for word in classes]
    lines = [
        row
        for at, trial in enumerate(best)
        for row in _line(record, tuning, axes, trial, span, words[CLASSES * at // len(best)])
    ]
    metric = record.say(metric_name(tuning["metric"]))
    named = [{"at": at, "name": knob_name(axis.name)} for at, axis in enumerate(axes)] + [
        {"at": len(axes), "name": metric}
    ]
    told = said(
        "Each line is a trial, from axis to axis through its settings to its score, strong where that is good and thick"
        " where it was picked. Axes of powers are logarithmic. A line at the very left of an axis has no such setting."
    )
    return [
        Figure(
            name="tuning_parallel",
            chart=tuning_charts.parallel(lines[::-1], named, _ticks(axes, span), [w for w in words if _used(w, lines)]),
            caption=with_hidden(told, hidden([trial["score"] for trial in best], span)),
            described=said(
                "{count:,} trials through {names}. The best: {settings}.",
                count=len(best),
                names=listed([axis["name"] for axis in named]),
                settings=settings_text(best[0]["settings"], tuning["space"]),
            ),
        )
    ]


def _used(word: str, lines: Sequence[Mapping[str, Any]]) -> bool:
    return any(row["class"] == word for row in lines)


def _line(
    record: Inspection, tuning: Tuning, axes: Sequence[Knob], trial: Trial, span: tuple[float, float], word: str
) -> list[dict[str, Any]]:
    """A trial's place on each axis and on that of the score, which is of good scores to the right."""
    along = [
        axis.place(trial["settings"][axis.name]) if axis.name in trial["settings"] else tuning_charts.ABSENT
        for axis in axes
    ]
    along.append(min(1.0, max(0.0, (trial["score"] - span[0]) / (span[1] - span[0]))))
    name = said("{trial}: {score}", trial=trial_name(trial["number"]), score=number(trial["score"]))
    chosen = tuning["best"] is not None and tuning["best"]["number"] == trial["number"]
    told = {"trial": trial["number"], "name": record.say(name), "class": word, "picked": chosen}
    return [{"at": at, "x": float(f"{x:.4g}"), **told} for at, x in enumerate(along)]


def _ticks(axes: Sequence[Knob], span: tuple[float, float]) -> list[dict[str, Any]]:
    ticks = [axis.ticks() for axis in axes]
    low, high = span
    ticks.append([(0.0, number(low), "left"), (0.5, number((low + high) / 2), "center"), (1.0, number(high), "right")])
    return [
        {"at": at, "x": x, "label": label, "side": side, "of": len(each)}
        for at, each in enumerate(ticks)
        for x, label, side in each
    ]


def slices(record: Inspection, tuning: Tuning, trials: Sequence[Trial]) -> list[Figure]:
    """The score along each of the most important knobs."""
    done = finished(trials)
    if len(done) < 2:
        return []
    span = focus(tuning, [trial["score"] for trial in done])
    return [_slice(record, tuning, at, knob, done, span) for at, knob in enumerate(knobs(tuning, trials), 1)]


def _slice(
    record: Inspection, tuning: Tuning, at: int, knob: Knob, done: Sequence[Trial], span: tuple[float, float]
) -> Figure:
    known = [trial for trial in done if knob.name in trial["settings"]]
    chosen = None if tuning["best"] is None else tuning["best"]["number"]
    rows = [
        {
            "value": trial["score"],
            "trial": record.say(trial_name(trial["number"])),
            "picked": trial["number"] == chosen,
            **({"x": v} if knob.choices is None else {"name": cut(value_text(v), LONGEST)}),
        }
        for trial in known
        for v in (trial["settings"][knob.name],)
    ]
    name = knob_name(knob.name)
    caption = said("{metric} along {setting}.", metric=metric_name(tuning["metric"]), setting=name)
    default = knob.default if _is_number(knob.default) and knob.choices is None else None
    if default is not None:
        caption = said("{caption} Dashed: the default.", caption=caption)
    best = max(known, key=lambda t: t["score"]) if tuning["greater_is_better"] else min(known, key=lambda t: t["score"])
    return Figure(
        name=f"tuning_slice_{at}",
        chart=_along(record, tuning, knob, rows, span, default),
        caption=with_hidden(caption, hidden([row["value"] for row in rows], span)),
        described=said(
            "{setting}: {count:,} trials, the best at {value} with {score}.",
            setting=name,
            count=len(known),
            value=value_text(best["settings"][knob.name]),
            score=number(best["score"]),
        ),
    )


def _along(
    record: Inspection,
    tuning: Tuning,
    knob: Knob,
    rows: Sequence[charts.Row],
    span: tuple[float, float],
    default: float | None,
) -> charts.Chart:
    score = score_axis(record, tuning, "value", span)
    if knob.choices is not None:
        names = [cut(value_text(choice), LONGEST) for choice in knob.choices]
        return tuning_charts.along_names(rows, score, list(dict.fromkeys(names)))
    tried = [row["x"] for row in rows]
    low, high = min([*tried, knob.low]), max([*tried, knob.high])
    margin = 0.03 * (math.log(high / low) if knob.log else high - low)
    ends = (low / math.exp(margin), high * math.exp(margin)) if knob.log else (low - margin, high + margin)
    x = charts.number("x", knob_name(knob.name), domain=ends, format=".10~g")
    if knob.log:
        x = {**x, "scale": {**x["scale"], "type": "log"}, "axis": {"format": ".3~g", "labelOverlap": True}}
    if default is not None and not ends[0] <= default <= ends[1]:
        default = None
    return tuning_charts.along_numbers(rows, x, score, default)


def picked_word() -> Said:
    """What the diamond in pictures of trials is."""
    return said("The diamond is the trial that was picked.")
