"""Figures of how a search went: the best so far against trials and seconds, the rungs, two goals, methods compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from aurify.core.words import Said, listed, said
from aurify.measure.names import metric_name
from aurify.measure.verdict import number
from aurify.report import charts, tuning_charts
from aurify.report.section import Figure, Inspection, Rows
from aurify.report.tuning import (
    COMPLETE,
    DASH,
    FAILED,
    PRUNED,
    STATES,
    Trial,
    Tuning,
    best_so_far,
    finished,
    last_score,
    objective_name,
    seconds_text,
)
from aurify.report.values import amount, share

MOST_DRAWN = 300
"""Trials with a line of their own: the best ones."""

FAR = 4.0
"""How far below the median the axis of scores reaches, in distances from there to the best."""


def score_axis(record: Inspection, tuning: Tuning, field: str, domain: Sequence[float] | None = None) -> charts.Chart:
    """Along which trials are scored, and which way is better."""
    better = said("higher is better") if tuning["greater_is_better"] else said("lower is better")
    title = said("{metric} ({better})", metric=metric_name(tuning["metric"]), better=better)
    return charts.number(field, record.say(title), domain=domain)


def focus(tuning: Tuning, scores: Sequence[float]) -> tuple[float, float]:
    """The stretch of scores that is shown: all, but for those so far behind that the others would be one line."""
    sign = 1 if tuning["greater_is_better"] else -1
    ordered = sorted(sign * score for score in scores)
    best, middle = ordered[-1], ordered[len(ordered) // 2]
    worst = max(ordered[0], middle - FAR * (best - middle)) if best > middle else ordered[0]
    margin = 0.06 * (best - worst) or 0.01 * abs(best) or 0.01
    low, high = sorted((sign * (worst - margin), sign * (best + margin)))
    return low, high


def hidden(scores: Sequence[float], span: tuple[float, float]) -> int:
    """How many scores lie outside of what is shown."""
    return sum(not span[0] <= score <= span[1] for score in scores)


def with_hidden(caption: Said, count: int) -> Said:
    """A caption that says how much is not seen."""
    if not count:
        return caption
    return said("{caption} Far worse, and outside of the picture: {count:,}.", caption=caption, count=count)


def trial_name(number: int) -> Said:
    return said("trial {number}", number=number)


def progress(record: Inspection, tuning: Tuning, trials: Sequence[Trial]) -> list[Figure]:
    """The best so far against trials, and against the core seconds that they took."""
    if not finished(trials):
        return []
    counts = [float(trial["number"] + 1) for trial in trials]
    seconds = list(accumulate(trial["seconds"] for trial in trials))
    best = best_so_far(tuning, trials)
    ways = (
        ("tuning_trials", said("trials"), counts, said("Score of each trial, and the best so far as a stepped line.")),
        (
            "tuning_seconds",
            said("core seconds of training so far"),
            seconds,
            said("The same against the seconds of all cores that training took until the trial was done."),
        ),
    )
    table = _progress_table(trials, best, seconds)
    return [
        _progress(record, tuning, trials, name, record.say(title), along, caption, table if at == 0 else None)
        for at, (name, title, along, caption) in enumerate(ways)
    ]


def _progress(
    record: Inspection,
    tuning: Tuning,
    trials: Sequence[Trial],
    name: str,
    title: str,
    along: Sequence[float],
    caption: Said,
    table: Rows | None,
) -> Figure:
    best = best_so_far(tuning, trials)
    known = [score for trial in trials if (score := last_score(trial)) is not None]
    span = focus(tuning, known)
    inside = 0.03 * (span[1] - span[0])
    floor = span[0] + inside if tuning["greater_is_better"] else span[1] - inside
    rows = [
        {
            "x": x,
            "value": floor if (score := last_score(trial)) is None else score,
            "series": record.say(STATES[trial["state"]]),
            "name": record.say(trial_name(trial["number"])),
        }
        for trial, x in zip(trials, along, strict=True)
    ]
    line = [{"x": x, "value": value} for x, value in zip(along, best, strict=True) if value is not None]
    x = charts.number("x", title, domain=(0, 1.02 * along[-1]))
    y = score_axis(record, tuning, "value", span)
    if any(trial["state"] == PRUNED for trial in trials):
        caption = said("{caption} Those stopped early are at what they scored there.", caption=caption)
    if any(trial["state"] == FAILED for trial in trials):
        caption = said("{caption} Failed trials have no score and lie at the edge.", caption=caption)
    return Figure(
        name=name,
        chart=tuning_charts.climb(rows, line, x, y, [record.say(word) for word in STATES.values()]),
        caption=with_hidden(caption, hidden(known, span)),
        described=said(
            "{title}: the best so far goes from {first} at {start} to {last} at {end}.",
            title=title,
            first=number(line[0]["value"]),
            start=seconds_text(line[0]["x"]),
            last=number(line[-1]["value"]),
            end=seconds_text(line[-1]["x"]),
        ),
        table=table,
    )


def _progress_table(trials: Sequence[Trial], best: Sequence[float | None], seconds: Sequence[float]) -> Rows:
    return Rows(
        header=[said("trial"), said("state"), said("score"), said("best so far"), said("core seconds so far")],
        rows=[
            [
                str(trial["number"]),
                STATES[trial["state"]],
                DASH if (score := last_score(trial)) is None else number(score),
                DASH if top is None else number(top),
                seconds_text(spent),
            ]
            for trial, top, spent in zip(trials, best, seconds, strict=True)
        ],
    )


def rungs(record: Inspection, tuning: Tuning, trials: Sequence[Trial]) -> list[Figure]:
    """What trials scored on each rung; nothing where there is one rung only."""
    climbed = [trial for trial in trials if trial["rungs"]]
    if len(tuning["rungs"]) < 2 or not climbed:
        return []
    words = [record.say(word) for word in (said("reached the last rung"), said("was picked"), said("stopped before"))]
    chosen = _chosen(tuning)
    kept = sorted(climbed, key=lambda trial: (trial["number"] == chosen, len(trial["rungs"])))[-MOST_DRAWN:]
    rows = []
    for trial in kept:
        word = words[1 if trial["number"] == chosen else 0 if trial["state"] == COMPLETE else 2]
        told = {"series": word, "trial": trial["number"], "name": record.say(trial_name(trial["number"]))}
        # a training that failed has a rung and no score
        known = [rung for rung in trial["rungs"] if rung["score"] is not None]
        rows += [{"x": rung["share"], "value": rung["score"], **told} for rung in known]
    if not rows:
        return []
    span = focus(tuning, [row["value"] for row in rows])
    ticks = {"values": list(tuning["rungs"]), "format": ".0%", "labelOverlap": True}
    ends = [0.9 * min(tuning["rungs"]), 1.1 * max(tuning["rungs"])]
    x = charts.number("x", record.say(said("share of the steps of a whole training")), domain=ends, **ticks)
    x["scale"] = {"type": "log", "domain": ends, "nice": False}
    caption = with_hidden(
        said(
            "Score of trials on each rung. Those that were best on one went on to the next, from where they were; the"
            " others stopped."
        ),
        hidden([row["value"] for row in rows], span),
    )
    return [
        Figure(
            name="tuning_rungs",
            chart=tuning_charts.ladders(rows, x, score_axis(record, tuning, "value", span), words),
            caption=caption,
            described=said("Trials by rung: {rungs}.", rungs=listed(_reached(tuning, climbed), ",")),
            table=_rungs_table(tuning, climbed),
        )
    ]


def _chosen(tuning: Tuning) -> int | None:
    return None if tuning["best"] is None else tuning["best"]["number"]


def _at(trial: Trial, rung: float) -> float | None:
    return next((each["score"] for each in trial["rungs"] if abs(each["share"] - rung) < 1e-6), None)


def _reached(tuning: Tuning, trials: Sequence[Trial]) -> list[str]:
    return [
        said(
            "{count:,} at {share}",
            count=sum(_at(trial, rung) is not None for trial in trials),
            share=share(rung),
        )
        for rung in tuning["rungs"]
    ]


def _rungs_table(tuning: Tuning, trials: Sequence[Trial]) -> Rows:
    def cell(trial: Trial, rung: float) -> str:
        score = _at(trial, rung)
        return DASH if score is None else number(score)

    return Rows(
        header=[said("trial"), *(share(rung) for rung in tuning["rungs"]), said("state")],
        rows=[
            [str(trial["number"]), *(cell(trial, rung) for rung in tuning["rungs"]), STATES[trial["state"]]]
            for trial in trials
        ],
    )


def front(record: Inspection, tuning: Tuning, trials: Sequence[Trial]) -> list[Figure]:
    """Finished trials by both goals; nothing where there are no two of them or fewer than two trials have both."""
    if tuning["front"] is None or len(tuning["objectives"]) < 2:
        return []
    first, second = tuning["objectives"][:2]
    both = [t for t in finished(trials) if None not in (t["values"].get(first), t["values"].get(second))]
    if len(both) < 2:
        return []
    rows = [
        {
            "name": record.say(trial_name(trial["number"])),
            "value": trial["values"][first],
            "cost": trial["values"][second],
            "front": trial["number"] in tuning["front"],
        }
        for trial in both
    ]
    x, y = (charts.number(f, record.say(objective_name(n))) for f, n in (("cost", second), ("value", first)))
    best = [row for row in rows if row["front"]]
    return [
        Figure(
            name="tuning_front",
            chart=tuning_charts.front(rows, x, y),
            caption=said(
                "Finished trials by {first} and {second}. Joined are those of the Pareto front: no other is better in"
                " one without being worse in the other. A name that found no room is in the table.",
                first=objective_name(first),
                second=objective_name(second),
            ),
            described=said(
                "The front has {count:,} of {all:,} trials: {points}.",
                count=len(best),
                all=len(rows),
                points=listed([_point(row) for row in best], ","),
            ),
            table=Rows(
                header=[said("trial"), objective_name(first), objective_name(second)],
                rows=[[row["name"], number(row["value"]), amount(row["cost"])] for row in best],
            ),
        )
    ]


def _point(row: Mapping[str, Any]) -> Said:
    return said("{name} ({first}, {second})", name=row["name"], first=number(row["value"]), second=amount(row["cost"]))
