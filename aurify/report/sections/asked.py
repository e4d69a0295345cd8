"""What was asked, what came of it, what the reader should do with that, and what limits the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.measure.clusters import FEW
from aurify.measure.verdict import NAMES, TRIVIAL
from aurify.report.openings import openings_known
from aurify.report.section import Block, Paragraph, Points, Record, Section, Tested
from aurify.report.values import amount
from aurify.report.words import better, interval, main_score, metric_name, model_name

MOST_CLASSES = 10
"""Classes that are named."""

FEW_ROWS = 200
"""Test rows below which an interval is so wide that only large differences show."""


class Asked(Section):
    """The report in short."""

    order = 100

    @property
    def title(self) -> Said:
        return said("In short")

    def measure(self, tested: Tested) -> dict[str, Any]:
        classes, parts = tested.store.schema.classes, tested.parts
        known = {
            "learnt": len(parts.fit) + len(parts.held),
            "clusters": None if tested.clusters is None else len(np.unique(tested.clusters)),
        }
        if tested.store.schema.image is not None and len(tested.store.schema.learnt) == 1:
            known["images"] = True  # and nothing else
        if classes is not None:
            several = {} if tested.store.schema.labels is None else {"several": True}
            return {**known, "classes": list(classes[:MOST_CLASSES]), "class_count": len(classes), **several}
        values = tested.store.target[np.concatenate([parts.fit, parts.held, tested.asked.rows])]
        return {**known, "low": float(values.min()), "high": float(values.max())}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        blocks: list[Block] = [] if measured is None else [Paragraph(_question(record, measured))]
        blocks += [Paragraph(record.summary["verdict"], strong=True), Paragraph(_score(record.summary))]
        blocks += [Paragraph(text) for text in _advice(record.summary)]
        limits = _limits(record, measured or {})
        if limits:
            blocks += [Paragraph(said("What limits this evidence:")), Points(limits)]
        return blocks


def _question(record: Record, measured: Mapping[str, Any]) -> Said:
    path = record.recipe.source.path
    target, source = record.recipe.source.target, said("the data frame that was passed") if path is None else path
    what = said("images") if measured.get("images") else said("other columns")
    question = said(
        "How well can the column {target!r} of {source} be told from its {what}?",
        target=target,
        source=source,
        what=what,
    )
    if measured.get("several"):
        question = said(
            "How well can the labels {target!r} of {source} be told from its {what}?",
            target=target,
            source=source,
            what=what,
        )
    return said("{question} {kind} {how}", question=question, kind=_kind(measured), how=_how(record, measured))


def _kind(measured: Mapping[str, Any]) -> Said:
    classes = measured.get("classes")
    if classes is None:
        return said(
            "It is a number, in these rows from {low} to {high}, and errors are in its unit.",
            low=amount(measured["low"]),
            high=amount(measured["high"]),
        )
    if measured.get("several"):
        names, count = listed([said("{name!r}", name=name) for name in classes]), measured["class_count"]
        if count > len(classes):
            return said("A row may hold several of {count:,} labels, among them {names}.", count=count, names=names)
        return said("A row may hold several of {count:,} labels: {names}.", count=count, names=names)
    if measured["class_count"] == 2:
        return said(
            "It is one of two classes, {negative!r} and {positive!r}; precision, recall and the ROC curve are about"
            " {positive!r}.",
            negative=classes[0],
            positive=classes[1],
        )
    names, count = listed([said("{name!r}", name=name) for name in classes]), measured["class_count"]
    if count > len(classes):
        return said("It is one of {count:,} classes, among them {names}.", count=count, names=names)
    return said("It is one of {count:,} classes: {names}.", count=count, names=names)


def _how(record: Record, measured: Mapping[str, Any]) -> Said:
    folds, summary = record.recipe.split.folds, record.summary
    if folds is not None:
        return said(
            "The {model} was trained {folds} times, each time on other rows, and asked about {tested:,} rows in all"
            " that it had not seen.",
            model=model_name(summary["model"]),
            folds=folds,
            tested=summary["rows"],
        )
    return said(
        "The {model} learnt from {learnt:,} rows and was asked about {tested:,} others.",
        model=model_name(summary["model"]),
        learnt=measured["learnt"],
        tested=summary["rows"],
    )


def _score(summary: Mapping[str, Any]) -> Said:
    main = summary["main_metric"]
    return said(
        "Its {metric} on the test rows is {score} with a 95 % interval ({better}); {others}.",
        metric=metric_name(main),
        score=interval(summary["scores"][main]),
        better=better(summary),
        others=listed(
            [
                said("{model} {score}", model=NAMES.get(name, name), score=interval(scores.get(main)))
                for name, scores in summary["baseline_scores"].items()
            ]
        )
        or said("no other model was measured"),
    )


def _advice(summary: Mapping[str, Any]) -> list[Said]:
    """An honest word on whether the network is needed, and on what a blend is made of."""
    members = _by_verdict(summary, summary["members"])
    idle = [*members["worse"], *members["no measurable difference"]]
    advice = _worth(_by_verdict(summary, summary["baseline_scores"]))
    if idle:
        advice.append(said("Blending gains nothing measurable over {rivals}, a smaller model.", rivals=_rivals(idle)))
    return advice


def _worth(by: Mapping[str, Sequence[str]]) -> list[Said]:
    lost, even = by["worse"], by["no measurable difference"]
    if any(name in TRIVIAL for name in (*lost, *even)):
        return [
            said(
                "Nothing that can be measured was learnt here: look at the columns and the target before another"
                " network."
            )
        ]
    if lost:
        return [said("Use {rivals} here, or train another network.", rivals=_rivals(lost))]
    if even:
        return [
            said(
                "Consider {rivals} instead, for simplicity; more test rows might tell the models apart.",
                rivals=_rivals(even),
            )
        ]
    if not by["better"]:
        return []
    return [
        said(
            "It is better than every plain model beside it; whether by enough to be worth its cost, the differences"
            " below show."
        )
    ]


def _by_verdict(summary: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, list[str]]:
    """Those the model was compared with in the main metric, by how that ended."""
    by: dict[str, list[str]] = {"better": [], "worse": [], "no measurable difference": []}
    for name in names:
        rows = summary["differences"][name]
        if main_score(rows, summary) is not None:
            by[rows[summary["main_metric"]]["verdict"]].append(name)
    return by


def _rivals(names: Sequence[str]) -> str:
    return listed([NAMES.get(name, name) for name in names], "or")


def _limits(record: Record, measured: Mapping[str, Any]) -> list[Said]:
    summary, clusters = record.summary, measured.get("clusters")
    looks, limits = openings_known(record), list[Said]()
    limits += _found(record)
    if summary["rows"] < FEW_ROWS:
        limits.append(said("There are only {rows:,} test rows: only large differences can show.", rows=summary["rows"]))
    if clusters is not None and clusters < FEW:
        limits.append(
            said(
                "The test rows lie in only {count:,} groups or stretches of time: the intervals are rough.",
                count=clusters,
            )
        )
    if looks > 1:
        limits.append(
            said(
                "The test part was opened {looks:,} times: scores chosen among several looks are better than those on"
                " new rows will be.",
                looks=looks,
            )
        )
    if record.recipe.split.folds is not None:
        limits.append(
            said(
                "The scores are those of each fold's own model; the model that is shipped averages them and is not"
                " itself measured."
            )
        )
    if record.recipe.budget.seconds is not None and not record.folder.tuned() and _cut_short(record):
        limits.append(said("The time limit ended training early: more time may give better scores."))
    return [*limits, *_repeated(summary)]


def _found(record: Record) -> list[Said]:
    """What was found in the data and nobody mended: each finding that was accepted, warnings by their number."""
    accepted = [
        said("A severe finding was accepted, so these scores may be worth nothing: {finding}.", finding=finding.text)
        for finding in record.findings.severe
    ]
    warnings = len(record.findings.warnings)
    if not warnings:
        return accepted
    told = said("There are warnings about the data: {count:,}. The next section has them.", count=warnings)
    return [*accepted, told]


def _cut_short(record: Record) -> bool:
    """Whether the clock bought fewer steps than the recipe asks for, or stopped before they were taken."""
    training, budget = record.summary["training"], record.recipe.budget
    if training["stopped"] is not None:
        return training["stopped"].startswith("time was up")
    if budget.steps is not None:
        return training["planned_steps"] < budget.steps * (record.recipe.split.folds or 1)
    return bool(record.log) and record.log[-1]["epoch"] < budget.epochs - 1


def _repeated(summary: Mapping[str, Any]) -> list[Said]:
    found = summary.get("without_overlap")
    if found is None:
        return []
    same = said("{count:,} test rows have the inputs of a row that was learnt from", count=found["same_inputs"])
    if not found["rows"]:
        return [said("{same}: no others are left to measure on.", same=same)]
    main = summary["main_metric"]
    return [
        said(
            "{same}; on the {rows:,} others the {metric} is {score}.",
            same=same,
            rows=found["rows"],
            metric=metric_name(main),
            score=interval(found["scores"][main]),
        )
    ]
