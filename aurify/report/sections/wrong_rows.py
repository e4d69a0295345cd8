"""The test rows that are answered worst, and what pushed their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.data.image_rows import rows_of_input
from aurify.measure.contributions import contributions
from aurify.measure.pace import affordable
from aurify.measure.places import every_place
from aurify.measure.verdict import number
from aurify.report import charts
from aurify.report.numbered import placed, row_name
from aurify.report.section import Block, Figure, Folded, Paragraph, Record, Rows, Section, Tested
from aurify.report.values import share
from aurify.report.words import value_name
from aurify.report.wrong_texts import wrong_texts, wrong_texts_told

MOST_BACKGROUND = 1000
"""Training rows that an ordinary answer is drawn from."""

MOST_ASKED, SECONDS = 3000, 4.0
"""Rows of texts or images that a model is asked about, fewer where it would take longer."""

MOST_OPEN = 3
"""Explanations that are not folded away."""


class WrongRows(Section):
    """The most wrong rows, each with the values that pushed its answer."""

    order = 700

    @property
    def title(self) -> Said:
        return said("Its most wrong rows")

    def measure(self, tested: Tested) -> Any:
        if tested.model.several:  # told with the labels
            return None
        if Trait.COLUMNS not in tested.recipe.task.traits or (
            tested.model.classes and tested.model.probabilities is None
        ):
            return None
        store, rows = tested.store, tested.parts.fit
        columns = every_place(store.schema)
        if not columns or (len(columns) == 1 and store.schema.image is not None):  # images have a section of their own
            return None
        if len(columns) == 1 and store.schema.texts:  # what moved the answer is that text, whose words are told apart
            return {"texts": [placed(store, each) for each in wrong_texts(tested.model, tested.inputs, columns[0])]}
        dear = bool(store.schema.texts or store.schema.image)
        if len(rows) > MOST_BACKGROUND:
            rows = np.sort(np.random.default_rng(tested.recipe.seed).choice(rows, MOST_BACKGROUND, replace=False))
        found = contributions(
            tested.model,
            tested.respond,
            tested.inputs,
            columns,
            {name: rows_of_input(values, rows) for name, values in store.inputs.items()},
            background_weight=store.roles["weight"][rows] if "weight" in store.roles else None,
            seed=tested.recipe.seed,
            check=tested.check,
            **({"asks": affordable(tested.respond, tested.inputs, MOST_ASKED, SECONDS)} if dear else {}),
        )
        return (
            {**found, "rows": [placed(store, each, tested.names) for each in found["rows"]]}
            if "rows" in found
            else found
        )

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        if "texts" in measured:
            return wrong_texts_told(measured["texts"])
        if "why_not" in measured:
            return [Paragraph(_too_many(measured))]
        wrong = [each for each in measured["rows"] if each["target"] != each["prediction"]]
        if not wrong:
            return [Paragraph(said("No test row was answered wrongly."))]
        told = [_figure(record, at, each) for at, each in enumerate(wrong, 1)]
        more = [Folded(said("More of the most wrong rows"), told[MOST_OPEN:])] if told[MOST_OPEN:] else []
        return [Paragraph(_about()), Paragraph(_how(measured["permutations"])), *told[:MOST_OPEN], *more]


def _too_many(measured: Mapping[str, Any]) -> Said:
    return said(
        "With {given} columns, explaining single rows would take too long; it is done for up to {most}.",
        given=f"{measured['given']:,}",
        most=f"{measured['most']:,}",
    )


def _about() -> Said:
    return said(
        "The test rows that cost the model most. Some of them may be errors in the data, such as a wrong label: they"
        " are worth a look. Rows are counted from 0, without a header."
    )


def _how(permutations: int) -> Said:
    return said(
        "Bars show how the values of the row moved the answer away from that for ordinary training rows, column by"
        " column, averaged over {count} random orders (sampled Shapley values); the thin lines are two standard errors"
        " to each side. They explain the model, not the world.",
        count=permutations,
    )


def _happened(found: Mapping[str, Any]) -> Said:
    if found["prediction_probability"] is None:
        return said(
            "{row}: true is {target}, predicted was {prediction}.",
            row=row_name(found),
            target=number(found["target"]),
            prediction=number(found["prediction"]),
        )
    return said(
        "{row}: true is {target}, predicted was {prediction} with a probability of {chance}; {target} was given"
        " {given}.",
        row=row_name(found),
        target=found["target"],
        prediction=found["prediction"],
        chance=share(found["prediction_probability"]),
        given=share(found["target_probability"]),
    )


def _figure(record: Record, at: int, found: Mapping[str, Any]) -> Figure:
    pushed = [
        {
            "name": f"{c['column']} = {record.say(value_name(c['value']))}",
            "strong": c["contribution"] > 0,
            "value": c["contribution"],
            "low": c["contribution"] - 2 * c["error"],
            "high": c["contribution"] + 2 * c["error"],
        }
        for c in found["columns"]
        if c["contribution"]
    ]
    rest = {"name": record.say(said("all other columns")), "strong": found["rest"] > 0, "value": found["rest"]}
    most = found["columns"][0]
    return Figure(
        name=f"wrong_row_{at}",
        chart=charts.bars(
            [*pushed, rest] if found["rest"] or not pushed else pushed, charts.number("value", record.say(_axis(found)))
        ),
        caption=said(
            "{happened} Bars begin at the mean for ordinary rows, {base}.",
            happened=_happened(found),
            base=number(found["base"]),
        ),
        described=said(
            "{happened} What moved the answer most is that {column} is {value}: {contribution}.",
            happened=_happened(found),
            column=most["column"],
            value=value_name(most["value"]),
            contribution=number(most["contribution"], signed=True),
        ),
        table=_table(found),
    )


def _table(found: Mapping[str, Any]) -> Rows:
    rows = [
        [c["column"], value_name(c["value"]), number(c["contribution"], signed=True), number(c["error"])]
        for c in found["columns"]
    ]
    rest = [said("all other columns"), "", number(found["rest"], signed=True), ""]
    header = [said("column"), said("value"), said("moved the answer by"), said("standard error")]
    return Rows(header=header, rows=[*rows, rest])


def _axis(found: Mapping[str, Any]) -> Said:
    if found["prediction_probability"] is None:
        return said("moved the prediction by")
    return said("moved the probability of {name} by", name=found["prediction"])
