"""How well the model ranks: ROC and precision–recall with bands, and what other thresholds would give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.measure.curves import precision_recall, roc, thresholds
from aurify.measure.intervals import draws_within_limits, row_weights
from aurify.measure.labels import one_label
from aurify.measure.predictions import Predictions
from aurify.report import charts
from aurify.report.section import Block, Figure, Folded, Paragraph, Record, Rows, Section, Tested
from aurify.report.values import share
from aurify.report.words import interval, model_name

MOST_CLASSES = len(charts.SERIES)
"""Of more than two, whose curves are drawn: one colour each."""

EVERY = 2
"""A curve is drawn at every second of its points, the last among them: no eye sees the others."""

SHOWN = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""Where on a curve its table has a line."""


class Curves(Section):
    """ROC and precision–recall of the model and of the baselines, or of the most common classes against the rest."""

    order = 520

    @property
    def title(self) -> Said:
        return said("How well it ranks")

    def measure(self, tested: Tested) -> Any:
        model, seed, clusters = tested.model, tested.recipe.seed, tested.clusters
        if model.probabilities is None or model.classes is None:
            return None
        several = model.several
        two = len(model.classes) == 2 and not several
        codes, lines = [1] if two else _most_common(model), []
        # so many lines are so much more work
        draws = draws_within_limits(1000, len(model) * len(codes), 1)
        for code in codes:
            tested.check()
            one, positive = (one_label(model, code), 1) if several else (model, code)
            shapes = {
                "roc": roc(one, positive, draws=draws, seed=seed, clusters=clusters),
                "precision_recall": precision_recall(one, positive, draws=draws, seed=seed, clusters=clusters),
            }
            lines.append({"of": model.classes[code], **shapes})
        others = {name: p for name, p in tested.sets.items() if p is not model and _ranks(p)}
        return {
            "lines": lines,
            # without a band of their own, one draw is enough
            "others": {
                n: {"roc": roc(p, 1, draws=1), "precision_recall": precision_recall(p, 1, draws=1)}
                for n, p in others.items()
            }
            if two
            else {},
            "thresholds": thresholds(model, seed=seed, clusters=clusters) if two else [],
        }

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        known = [line for line in measured["lines"] if line["roc"]["area"]["value"] is not None]
        if not known:
            return [Paragraph(said("The test rows are all of one class: there is nothing to rank."))]
        blocks: list[Block] = [_roc(record, known, measured["others"]), _precision(record, known, measured["others"])]
        return blocks + ([_thresholds(measured["thresholds"])] if measured["thresholds"] else [])


def _ranks(predictions: Predictions) -> bool:
    """Whether the rows of one model differ in probability; the curve of those that do not is the line of chance."""
    models = 1 if predictions.fold is None else np.unique(predictions.fold).size
    return predictions.probabilities is not None and np.unique(predictions.probabilities[:, 1]).size > models


def _most_common(model: Predictions) -> list[int]:
    assert model.target is not None and model.classes is not None
    if model.several:
        rows = row_weights(model) @ model.target
    else:
        rows = np.bincount(model.target, weights=row_weights(model), minlength=len(model.classes))
    common = np.argsort(-rows, kind="stable")[:MOST_CLASSES]
    return sorted(code for code in common.tolist() if rows[code] > 0)


def _named(
    record: Record, lines: Sequence[Mapping[str, Any]], others: Mapping[str, Any], shape: str
) -> dict[str, Mapping[str, Any]]:
    """Each line by what the legend calls it: the model and the baselines, or classes."""
    if len(lines) > 1 or not others:
        return {line["of"]: line[shape] for line in lines}
    model = record.say(model_name(record.summary["model"]))
    return {model: lines[0][shape]} | {record.say(model_name(name)): line[shape] for name, line in others.items()}


def _rows(named: Mapping[str, Mapping[str, Any]], banded: int) -> list[dict[str, Any]]:
    """Points to draw; the first ``banded`` lines have a band."""
    found = []
    for at, (series, line) in enumerate(named.items()):
        points = list(zip(*(line[key] for key in ("x", "y", "low", "high")), strict=True))
        for x, y, low, high in points[::-1][::EVERY][::-1]:
            if y is not None:
                band = {"low": _short(low), "high": _short(high)} if at < banded and low is not None else {}
                found.append({"series": series, "x": _short(x), "y": _short(y), **band})
    return found


def _short(value: float) -> float:
    return round(value, 4)


def _chart(
    named: Mapping[str, Mapping[str, Any]],
    banded: int,
    axes: tuple[charts.Chart, charts.Chart],
    interpolate: str,
    level: Sequence[tuple[float, float]],
) -> charts.Chart:
    return charts.lines(
        _rows(named, banded),
        *axes,
        list(named),
        band=True,
        interpolate=interpolate,
        under=[charts.guide(level, *axes)] if level else [],
        height=charts.TALL,
    )


def _axis(record: Record, field: str, title: Said) -> charts.Chart:
    return charts.number(field, record.say(title), domain=(0, 1))


def _areas(named: Mapping[str, Mapping[str, Any]], banded: int) -> str:
    areas = [line["area"] if at < banded else _bare(line["area"]) for at, line in enumerate(named.values())]
    return listed(
        [said("{name} {area}", name=name, area=interval(area)) for name, area in zip(named, areas, strict=True)]
    )


def _bare(score: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": score["value"], "low": None, "high": None}


def _table(named: Mapping[str, Mapping[str, Any]], banded: int, x: Said, y: Said) -> Rows:
    """The curves at a few places."""
    found = []
    for order, (name, line) in enumerate(named.items()):
        grid = np.array(line["x"])
        for place in SHOWN:
            at = int(np.abs(grid - place).argmin())
            value = {end: line[key][at] for end, key in (("value", "y"), ("low", "low"), ("high", "high"))}
            found.append([name, f"{grid[at]:.2f}", interval(value if order < banded else _bare(value))])
    return Rows(header=[said("curve"), x, y], rows=found)


def _roc(record: Record, lines: Sequence[Mapping[str, Any]], others: Mapping[str, Any]) -> Figure:
    false, true = said("false positive rate"), said("true positive rate")
    axes, named = (_axis(record, "x", false), _axis(record, "y", true)), _named(record, lines, others, "roc")
    one = said(
        "ROC curve for {name}: the share of its rows that are found (up) against the share of other rows that are"
        " flagged with them (right), threshold by threshold. The dashed line is chance. The band is a pointwise 95 %"
        " interval.",
        name=lines[0]["of"],
    )
    many = said(
        "ROC curves of the most common classes, each against the rest: the share of its rows that are found (up)"
        " against the share of other rows that are flagged with them (right). The dashed line is chance. Bands are"
        " pointwise 95 % intervals."
    )
    return Figure(
        name="roc",
        chart=_chart(named, len(lines), axes, "linear", [(0, 0), (1, 1)]),
        caption=one if len(lines) == 1 else many,
        described=said("Area under the ROC curve: {areas}.", areas=_areas(named, len(lines))),
        table=_table(named, len(lines), false, true),
    )


def _precision(record: Record, lines: Sequence[Mapping[str, Any]], others: Mapping[str, Any]) -> Figure:
    recall, precision = said("recall"), said("precision")
    axes = _axis(record, "x", recall), _axis(record, "y", precision)
    named = _named(record, lines, others, "precision_recall")
    base = lines[0]["precision_recall"]["base"]
    one = said(
        "Precision against recall for {name}: of the rows flagged, how many are (up); of the rows that are, how many"
        " are flagged (right). The dashed line is chance: {base} of the test rows are {name}.",
        name=lines[0]["of"],
        base=share(base),
    )
    many = said(
        "Precision against recall of the most common classes, each against the rest. Chance is the share of the class:"
        " {bases}.",
        bases=listed([f"{line['of']} {share(line['precision_recall']['base'])}" for line in lines]),
    )
    return Figure(
        name="precision_recall",
        chart=_chart(named, len(lines), axes, "step-before", [(0, base), (1, base)] if len(lines) == 1 else []),
        caption=one if len(lines) == 1 else many,
        described=said("Average precision: {areas}.", areas=_areas(named, len(lines))),
        table=_table(named, len(lines), recall, precision),
    )


def _thresholds(found: Sequence[Mapping[str, Any]]) -> Folded:
    columns = (said("precision"), said("recall"), said("share of rows flagged"))
    table = Rows(
        header=[said("threshold"), *columns],
        rows=[[f"{t['threshold']:.2f}", *(interval(t[k]) for k in ("precision", "recall", "flagged"))] for t in found],
    )
    caution = said("A threshold that was chosen on these test rows would look better here than it is on new rows.")
    return Folded(said("What other thresholds would give"), [Paragraph(caution), table])
