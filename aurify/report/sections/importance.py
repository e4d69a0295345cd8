"""Which columns the model goes by, and how its answers change with the most important ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.parts import Trait
from aurify.core.words import Said, listed, said
from aurify.data.columns import CATEGORY, DATE, IMAGE, NUMBER, TEXT
from aurify.measure.explain import DEPENDENCE_ROWS, dependence, importance
from aurify.measure.pace import affordable
from aurify.measure.places import every_place, places
from aurify.report import charts
from aurify.report.section import Block, Figure, Paragraph, Record, Rows, Section, Tested
from aurify.report.values import share
from aurify.report.words import interval, metric_name, value_name

MOST_DRAWN = 20
"""Columns in the chart; the others are in its table."""

KINDS = {
    NUMBER: said("number"),
    CATEGORY: said("category"),
    DATE: said("date"),
    TEXT: said("text"),
    IMAGE: said("image"),
}

MOST_ASKED, SECONDS = 6000, 4.0
"""Rows of texts or images that a model is asked about, fewer where it would take longer: they are dear."""


class Importance(Section):
    """Permutation importance of every column, partial dependence on the first of them."""

    order = 650

    @property
    def title(self) -> Said:
        return said("Which columns it goes by")

    def measure(self, tested: Tested) -> Any:
        if Trait.COLUMNS not in tested.recipe.task.traits:
            return None
        metric, inputs = tested.summary["main_metric"], tested.inputs
        if tested.summary["scores"][metric]["value"] is None:
            metric = "log_loss"
        columns, alone = every_place(tested.store.schema), {p.name: p for p in places(tested.store.schema)}
        if not alone and len(columns) <= 1:  # one text, or images, are all that it has
            return None
        shared = {"seed": tested.recipe.seed, "clusters": tested.clusters}
        asks = affordable(tested.respond, inputs, MOST_ASKED, SECONDS) if len(alone) < len(columns) else None
        found = importance(
            tested.model, tested.respond, inputs, columns, metric, **shared, asks=asks, check=tested.check
        )
        used = [
            alone[each["column"]]
            for each in found.get("columns", [])
            if (each["value"] or 0) > 0 and each["column"] in alone
        ]
        tested.check()
        most = DEPENDENCE_ROWS if asks is None else max(20, DEPENDENCE_ROWS * asks // (4 * MOST_ASKED))
        return {**found, "dependence": dependence(tested.model, tested.respond, inputs, used, **shared, most=most)}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        if "why_not" in measured:
            return [Paragraph(_too_many(measured))]
        known = [each for each in measured["columns"] if each["value"] is not None]
        if not known:
            return [Paragraph(said("The test rows are too few, or too much alike, to tell which columns matter."))]
        blocks: list[Block] = [_importance(record, measured, known)]
        if measured["dependence"]:
            blocks.append(Paragraph(_how()))
        return blocks + [_dependence(record, at, each) for at, each in enumerate(measured["dependence"], 1)]


def _too_many(measured: Mapping[str, Any]) -> Said:
    return said(
        "With {given} columns, shuffling one after another would take too long; it is done for up to {most}.",
        given=f"{measured['given']:,}",
        most=f"{measured['most']:,}",
    )


def _importance(record: Record, measured: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> Figure:
    metric = metric_name(measured["metric"])
    drawn = known[:MOST_DRAWN]
    shown = [
        {"name": c["column"], "strong": (c["low"] or 0) > 0, **{k: c[k] for k in ("value", "low", "high")}}
        for c in drawn
    ]
    sure = sum((c["low"] or 0) > 0 for c in known)
    return Figure(
        name="importance",
        chart=charts.dots(
            shown, charts.number("value", record.say(said("{metric}: how much worse", metric=metric))), rule=0
        ),
        caption=said(
            "How much worse {metric} gets when the values of one column are shuffled among {rows} test rows (shuffles:"
            " {shuffles}), with 95 % intervals. Of columns that say nearly the same, each seems unimportant: the model"
            " can go by the other. Important to the model is not the cause in the world.",
            metric=metric,
            rows=f"{measured['rows']:,}",
            shuffles=measured["shuffles"],
        ),
        described=said(
            "The most important of {count} columns is {column}: shuffled, {metric} gets worse by {value}. Columns that"
            " measurably help: {sure}.",
            count=len(known),
            column=known[0]["column"],
            value=interval(known[0]),
            metric=metric,
            sure=sure,
        ),
        table=Rows(
            header=[said("column"), said("kind"), said("{metric}: how much worse", metric=metric)],
            rows=[[c["column"], KINDS[c["kind"]], interval(c, signed=True)] for c in measured["columns"]],
        ),
    )


def _how() -> Said:
    return said(
        "How the mean answer changes when every one of up to 200 test rows is given the same value of one column and"
        " keeps all others (partial dependence), with 95 % intervals. Such rows need not exist: where columns go"
        " together, parts of a line are the model's guess. The larger a point, the more test rows are near it."
    )


def _answer(of: str | None) -> Said:
    return said("mean prediction") if of is None else said("probability of {name}", name=of)


def _dependence(record: Record, at: int, found: Mapping[str, Any]) -> Figure:
    order = [answer["of"] or "" for answer in found["answers"]]
    title = record.say(_answer(order[0] or None) if len(order) == 1 else said("probability"))
    by_name = all(place is None for place in found["at"])
    chart = _by_name(record, found, title, order) if by_name else _by_number(record, found, title, order)
    first = found["answers"][0]
    lowest, highest = (choose(range(len(first["y"])), key=first["y"].__getitem__) for choose in (min, max))
    return Figure(
        name=f"dependence_{at}",
        chart=chart,
        caption=_caption(found, by_name=by_name),
        described=said(
            "{column}: {answer} from {low} (at {low_at}) to {high} (at {high_at}).",
            answer=_answer(first["of"]),
            column=found["column"],
            low=interval(_at(first, lowest)),
            low_at=value_name(found["words"][lowest]),
            high=interval(_at(first, highest)),
            high_at=value_name(found["words"][highest]),
        ),
        table=Rows(
            header=[found["column"], said("share of rows"), *(_answer(a["of"]) for a in found["answers"])],
            rows=[
                [value_name(word), share(near), *(interval(_at(answer, i)) for answer in found["answers"])]
                for i, (word, near) in enumerate(zip(found["words"], found["share"], strict=True))
            ],
        ),
    )


def _caption(found: Mapping[str, Any], *, by_name: bool) -> Said:
    answer = _answer(found["answers"][0]["of"]) if len(found["answers"]) == 1 else said("probabilities of classes")
    if by_name or None not in found["at"]:
        return said("{column}: {answer}.", answer=answer, column=found["column"])
    missing = found["at"].index(None)
    told = [
        interval(_at(each, missing)) if each["of"] is None else f"{each['of']} {interval(_at(each, missing))}"
        for each in found["answers"]
    ]
    return said(
        "{column}: {answer}. Where the value is missing ({share} of rows): {told}.",
        answer=answer,
        column=found["column"],
        share=share(found["share"][missing]),
        told=listed(told),
    )


def _at(answer: Mapping[str, Any], place: int) -> dict[str, Any]:
    return {name: answer[key][place] for name, key in (("value", "y"), ("low", "low"), ("high", "high"))}


def _by_name(record: Record, found: Mapping[str, Any], title: str, order: Sequence[str]) -> charts.Chart:
    shown = [
        {"name": record.say(value_name(word)), "series": answer["of"] or "", "share": share, **_at(answer, i)}
        for i, (word, share) in enumerate(zip(found["words"], found["share"], strict=True))
        for answer in found["answers"]
    ]
    return charts.grouped(shown, charts.number("value", title), order, _share(record))


def _share(record: Record) -> charts.Chart:
    return charts.size("share", record.say(said("share of rows")))


def _by_number(record: Record, found: Mapping[str, Any], title: str, order: Sequence[str]) -> charts.Chart:
    is_date = found["kind"] == DATE
    shown = [
        {
            "series": answer["of"] or "",
            "x": place * 1000 if is_date else place,
            "words": found["words"][i],
            "share": found["share"][i],
            **{key: answer[key][i] for key in ("y", "low", "high")},
        }
        for answer in found["answers"]
        for i, place in enumerate(found["at"])
        if place is not None
    ]
    x = charts.moment("x", found["column"]) if is_date else charts.number("x", found["column"])
    y = charts.number("y", title)
    told = charts.name("words", [], found["column"])
    tip = charts.tooltip(charts.name("series", order), told, y, *charts.ends(y), _share(record))
    point = {"x": x, "y": y, "color": charts.series(order), "size": _share(record), "tooltip": tip}
    chart = charts.lines(shown, x, y, order, band=True)
    return {**chart, "layer": [*chart["layer"], charts.mark("point", point, filled=True, opacity=1)]}
