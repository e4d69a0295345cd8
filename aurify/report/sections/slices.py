"""Where the model errs most: parts of the table with a higher loss than the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.parts import Trait
from aurify.core.words import Said, listed, said
from aurify.measure.places import lengths_of, places
from aurify.measure.slices import worst_slices
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section, Tested
from aurify.report.words import interval, value_name

SCORES = {"wrong": said("share of wrong answers"), "mae": said("mean absolute error")}


class Slices(Section):
    """The worst slices, found on one half of the test rows and measured on the other."""

    order = 600

    @property
    def title(self) -> Said:
        return said("Where it errs most")

    def measure(self, tested: Tested) -> Any:
        if Trait.COLUMNS not in tested.recipe.task.traits or (
            tested.model.classes and tested.model.probabilities is None
        ):
            return None
        schema = tested.store.schema
        columns = [*places(schema), *lengths_of(schema)]
        if not columns:  # images alone have no parts that could be named
            return None
        return worst_slices(tested.model, tested.inputs, columns, seed=tested.recipe.seed, clusters=tested.clusters)

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        if measured["overall"]["value"] is None:
            return [Paragraph(said("The test rows are too few to look for parts where the model errs more."))]
        if not measured["slices"]:
            return [Paragraph(_nothing(measured))]
        return [Paragraph(_how(measured)), _figure(record, measured)]


def _nothing(measured: Mapping[str, Any]) -> Said:
    if not measured["looked_at"]:
        return said(
            "No part of the table stands out: on one half of the test rows, no value of a column and no pair of values"
            " that at least {fewest} of these rows have went with a clearly higher loss.",
            fewest=measured["fewest"],
        )
    return said(
        "No part of the table stands out: {count} were suspected on one half of the test rows, and none had a"
        " measurably higher loss on the {rows} rows of the other half.",
        count=measured["looked_at"],
        rows=f"{measured['rows']:,}",
    )


def _how(measured: Mapping[str, Any]) -> Said:
    return said(
        "Suspected on one half of the test rows and measured on the {rows} rows of the other half, so that the search"
        " does not flatter them. Shown are the {shown} of {count} suspects whose loss is measurably higher than that of"
        " the other rows; by chance alone, about one suspect in forty would be shown.",
        rows=f"{measured['rows']:,}",
        shown=len(measured["slices"]),
        count=measured["looked_at"],
    )


def _condition(found: Mapping[str, Any]) -> Said:
    column, low, high = found["column"], found["low"], found["high"]
    if found.get("length"):  # of texts; runs of before know none
        column = said("characters of {column}", column=column)
    if found["value"] is not None:
        return said("{column} is {value}", column=column, value=value_name(found["value"]))
    if low is None:
        return said("{column} ≤ {high}", column=column, high=high)
    if high is None:
        return said("{column} > {low}", column=column, low=low)
    return said("{low} < {column} ≤ {high}", column=column, low=low, high=high)


def _words(found: Mapping[str, Any]) -> str:
    return listed([_condition(condition) for condition in found["conditions"]])


def _figure(record: Record, measured: Mapping[str, Any]) -> Figure:
    score, found, overall = SCORES[measured["score_name"]], measured["slices"], measured["overall"]
    shown = [{"name": record.say(_words(each)), "strong": True, **each["score"]} for each in found]
    worst = found[0]
    return Figure(
        name="slices",
        chart=charts.dots(shown, charts.number("value", record.say(score)), rule=overall["value"], above=True),
        caption=said(
            "The {score} in each part with its 95 % interval; the dashed line is all rows: {overall}. Parts overlap,"
            " and one of them may be the cause of another.",
            score=score,
            overall=interval(overall),
        ),
        described=said(
            "Worst where {where}: {score} {value} on {rows} rows, against {overall} on all.",
            where=_words(worst),
            score=score,
            value=interval(worst["score"]),
            rows=f"{worst['rows']:,}",
            overall=interval(overall),
        ),
        table=Rows(
            header=[said("part"), said("rows"), score, said("loss"), said("loss elsewhere"), said("difference")],
            rows=[
                [
                    _words(each),
                    f"{each['rows']:,}",
                    *(interval(each[name]) for name in ("score", "loss", "outside")),
                    interval(each["difference"], signed=True),
                ]
                for each in found
            ],
        ),
    )
