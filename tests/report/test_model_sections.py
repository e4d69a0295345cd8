"""What the sections about the model show: the numbers that were measured, planted facts, and hard cases unharmed."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import replace
from typing import Any, cast

import altair
import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.words import say
from aurify.data.findings import Findings
from aurify.data.store import Asked, Store
from aurify.measure.clusters import clusters_of
from aurify.measure.places import places
from aurify.measure.predictions import Predictions
from aurify.report import section
from aurify.report.section import Figure, Folded, Paragraph, Record, Rows, sections
from aurify.workbench.summary import summarise

OURS = ("confusion", "curves", "calibration", "residuals", "slices", "importance", "wrong_rows")
FIELDS = {
    "x",
    "y",
    "low",
    "high",
    "name",
    "value",
    "series",
    "words",
    "share",
    "rows",
    "true",
    "predicted",
    "text",
    "at",
}
HOSTILE = "<script>alert(1)</script>"


def softmax(scores):
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


class Bench:
    """A table and a model that is a function of its inputs: what sections measure, without any training."""

    def __init__(self, catalog, frame, answer, *, split=None, test=None, **source):
        plain = {"task": {"name": "table"}, "source": {"target": "y", **source}, "network": {"name": "mlp"}}
        plain |= {"optimizer": {"name": "adamw"}, "techniques": {}, "split": {"test": 0.4, **(split or {})}, "seed": 5}
        recipe = catalog.recipe(plain)
        self.store: Store = recipe.task.read(recipe.source, frame, recipe.split.by).store
        if test is not None:
            self.store = replace(self.store, test=test)
        self.recipe = replace(recipe, task=recipe.task.settled(self.store))
        self.parts = self.recipe.task.part(self.recipe, self.store)
        self.asked = Asked(self.store.inputs, self.store.target, self.parts.test, self.store.roles)
        self.answer = answer
        self.names = [place.name for place in places(self.store.schema)]

    def columns(self, inputs):
        """What the model sees: values or codes by column."""
        return {place.name: place.values(inputs) for place in places(self.store.schema)}

    def respond(self, inputs, at):
        return self.answer(self.columns(inputs))

    def predictions(self, told) -> Predictions:
        rows, classes = self.asked.rows, self.store.schema.classes
        return Predictions(
            row=rows,
            target=np.array(self.store.target[rows]),
            prediction=told if classes is None else told.argmax(axis=1),
            probabilities=None if classes is None else told,
            classes=classes,
            weight=np.array(self.store.roles["weight"][rows]) if "weight" in self.store.roles else None,
        )

    def tested(self) -> section.Tested:
        told = self.respond({k: v[self.asked.rows] for k, v in self.store.inputs.items()}, self.asked.rows)
        random = np.random.default_rng(1)
        noisy = told + random.normal(size=len(told)) if told.ndim == 1 else told[random.permutation(len(told))]
        flat = np.repeat(told.mean(axis=0, keepdims=True), len(told), axis=0)
        sets = {"network": told, "linear": noisy, "majority": flat}
        sets = {name: self.predictions(each) for name, each in sets.items()}
        return section.Tested(
            recipe=self.recipe,
            store=self.store,
            parts=self.parts,
            asked=self.asked,
            sets=sets,
            clusters=clusters_of(self.asked.roles, self.asked.rows).codes,
            summary=summarise(sets, self.asked, None, self.recipe.seed, lambda: None),
            respond=self.respond,
            check=lambda: None,
        )


def measured(tested) -> dict[str, Any]:
    """By section, as it comes back from evidence.json."""
    found = {s.name(): s.measure(tested) for s in sections() if s.name() in OURS}
    return json.loads(json.dumps(found, allow_nan=False))


def shown(tested, evidence, language="en") -> dict[str, list[Any]]:
    record = Record(
        folder=cast("Any", None),
        source=tested.recipe.source,
        recipe=tested.recipe,
        summary=json.loads(json.dumps(tested.summary)),
        findings=Findings([]),
        log=[],
        environment={},
        openings=[],
        evidence=evidence,
        language=language,
    )
    return {s.name(): list(s.show(record, evidence[s.name()])) for s in sections() if s.name() in OURS}


def figures(blocks) -> list[Figure]:
    inner = [figure for block in blocks if isinstance(block, Folded) for figure in figures(block.blocks)]
    return [block for block in blocks if isinstance(block, Figure)] + inner


def texts(block, language) -> list[str]:
    match block:
        case Paragraph():
            found = [block.text]
        case Rows():
            found = [*block.header, *(cell for row in block.rows for cell in row), block.caption]
        case Folded():
            return [say(block.title, language), *(t for inner in block.blocks for t in texts(inner, language))]
        case _:
            found = [block.caption, block.described]
            return [say(t, language) for t in found] + (texts(block.table, language) if block.table else [])
    return [say(text, language) for text in found]


def fields(chart) -> set[str]:
    if isinstance(chart, dict):
        own = {chart["field"]} if isinstance(chart.get("field"), str) else set()
        return own.union(*(fields(v) for k, v in chart.items() if k not in ("values", "data")))
    return set().union(*map(fields, chart)) if isinstance(chart, list) else set()


VALID: set[str] = set()


def validate(chart):
    """By the schema of Vega-Lite, once for each form: what differs in titles and rows alone takes no second look."""
    text, form = json.dumps(chart, allow_nan=False), json.dumps(without_words(chart))
    if form not in VALID:
        altair.Chart.from_dict(json.loads(text))
        VALID.add(form)


def without_words(chart):
    words = {"values", "title", "sort", "height", "domain", "expr"}
    if isinstance(chart, dict):
        return {key: without_words(value) for key, value in chart.items() if key not in words}
    return [without_words(each) for each in chart] if isinstance(chart, list) else chart


def table(rows=400, seed=0):
    random = np.random.default_rng(seed)
    first = datetime.datetime(2020, 1, 1)
    return pl.DataFrame(
        {
            "age": random.normal(40, 10, rows),
            "plan": random.choice(["basic", "plus", "pro"], rows),
            "since": [first + datetime.timedelta(days=int(d)) for d in random.integers(0, 900, rows)],
            "noise": random.normal(size=rows),
        }
    )


def labelled(rows=400, classes=("no", "yes"), seed=0):
    frame, random = table(rows, seed), np.random.default_rng(seed + 1)
    score = (frame["age"].to_numpy() - 40) / 10 + random.normal(0, 0.5, rows)
    codes = np.clip((score + 2) / 4 * len(classes), 0, len(classes) - 1).astype(int)
    return frame.with_columns(y=pl.Series(np.array(classes)[codes]))


def by_age(classes=2):
    """A model that goes by the age alone."""
    middles = (np.arange(classes) + 0.5) / classes * 4 - 2

    def answer(columns):
        age = np.nan_to_num((columns["age"] - 40) / 10)
        return softmax(-3 * np.abs(age[:, None] - middles))

    return answer


def number(columns):
    return np.nan_to_num(columns["age"]) * 2 + 3 * (columns["plan"] == 0)


def hostile_frame(rows=300):
    random = np.random.default_rng(0)
    names = [HOSTILE, "a.b[0]", 'it\'s "quoted" \\ {x}', "年龄", "n" * 200]
    frame = pl.DataFrame({name: random.normal(size=rows) for name in names})
    text = [None if v < 0.1 else [HOSTILE, "(missing)", "城市"][int(v * 3)] for v in random.random(rows)]
    labels = np.where(frame[HOSTILE].to_numpy() + random.normal(0, 0.5, rows) > 0, "</script>{0}", "是" * 100)
    return frame.with_columns(pl.Series("x.y['z']", text), y=pl.Series(labels))


def hostile_answer(columns):
    chance = 1 / (1 + np.exp(-2 * np.nan_to_num(columns[HOSTILE])))
    return np.column_stack([chance, 1 - chance])


def constant(count):
    return lambda columns: np.full((len(next(iter(columns.values()))), count), 1 / count)


def gaps(frame):
    return frame.with_columns(
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("age", "plan", "since")
    )


def wide(columns, rows=120):
    random = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{at}": random.normal(size=rows) for at in range(columns)})
    return frame.with_columns(y=pl.Series(np.where(frame["c0"].to_numpy() > 0, "a", "b")))


def first_column(columns):
    chance = 1 / (1 + np.exp(4 * columns["c0"]))
    return np.column_stack([chance, 1 - chance])


def rare():
    """Three classes, of which the test part lacks one."""
    frame = labelled(60, ("a", "b"))
    return pl.concat([frame, labelled(10, ("c", "c"), seed=3)]), np.arange(70) < 40


TEN, HUNDRED = [f"class {i}" for i in range(10)], [f"k{i}" for i in range(100)]

CASES = {
    "two classes": lambda c: Bench(c, labelled(), by_age()),
    "ten classes": lambda c: Bench(c, labelled(600, TEN), by_age(10)),
    "a hundred classes": lambda c: Bench(c, labelled(1200, HUNDRED), by_age(100)),
    "numbers": lambda c: Bench(c, table().with_columns(y=pl.col("age") * 2 + pl.col("noise")), number),
    "one number only": lambda c: Bench(
        c, table().with_columns(y=pl.col("age") * 2), lambda columns: np.full(len(columns["age"]), 80.0)
    ),
    "six rows": lambda c: Bench(c, labelled(), by_age(), test=np.arange(400) >= 394),
    "one row": lambda c: Bench(c, labelled(), by_age(), test=np.arange(400) >= 399),
    "one number row": lambda c: Bench(
        c, table().with_columns(y=pl.col("age") * 2 + pl.col("noise")), number, test=np.arange(400) >= 399
    ),
    "a class that is not tested": lambda c: Bench(c, rare()[0], by_age(3), test=rare()[1]),
    "one class tested": lambda c: Bench(
        c, pl.concat([labelled(80), labelled(20, ("no", "no"))]), by_age(), test=np.arange(100) >= 80
    ),
    "constant predictions": lambda c: Bench(c, labelled(), constant(2)),
    "one column": lambda c: Bench(c, labelled().select("age", "y"), by_age()),
    "missing cells": lambda c: Bench(c, gaps(labelled()), by_age()),
    "weights": lambda c: Bench(c, labelled().with_columns(w=pl.int_range(pl.len()) % 4), by_age(), weight="w"),
    "number weights": lambda c: Bench(
        c, table().with_columns(y=pl.col("age") * 2 + pl.col("noise"), w=pl.int_range(pl.len()) % 3), number, weight="w"
    ),
    "groups": lambda c: Bench(
        c, labelled().with_columns(g=pl.int_range(pl.len()) % 40), by_age(), split={"by": "group:g"}
    ),
    "time": lambda c: Bench(c, labelled(), by_age(), split={"by": "time:since"}),
    "hostile names": lambda c: Bench(c, hostile_frame(), hostile_answer),
    "many columns": lambda c: Bench(c, wide(340), first_column),
    "too many columns": lambda c: Bench(c, wide(601), first_column),
}


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_shown_in_both_languages_by_charts_that_are_valid(catalog, case):
    tested = CASES[case](catalog).tested()
    evidence = measured(tested)
    for language in ("en", "zh"):
        blocks = shown(tested, evidence, language)
        classes = tested.model.classes is not None
        assert bool(blocks["residuals"]) is not classes
        assert bool(blocks["confusion"]) is bool(blocks["calibration"]) is bool(blocks["curves"]) is classes
        drawn = [figure for every in blocks.values() for figure in figures(every)]
        assert len({figure.name for figure in drawn}) == len(drawn)
        for figure in drawn:
            validate(figure.chart)
            assert fields(figure.chart) <= FIELDS, "a user's words became a field"
            assert figure.table is not None
            assert figure.table.rows
            assert len({len(row) for row in [figure.table.header, *figure.table.rows]}) == 1
        said = [text for every in blocks.values() for block in every for text in texts(block, language)]
        assert not any("None" in text or "nan" in text.lower().split() for text in said)
        if language == "zh":
            assert all(re.search("[\u4e00-\u9fff]", say(figure.caption, "zh")) for figure in drawn)
        size = sum(len(json.dumps(figure.chart)) for figure in drawn)
        assert size < 260_000, f"{size:,} bytes of charts"


@pytest.fixture(scope="module")
def runs(csv_files, tmp_path_factory):
    """A run of classes, tested in folds, and one of numbers."""
    root = tmp_path_factory.mktemp("runs")
    small = {"budget.steps": 8, "budget.batch_size": 32, "budget.validate_every": 4, "network.width": 16}
    return {
        kind: workbench.fit(csv_files[kind], "y", out=root / kind, settings=small, folds=folds)
        for kind, folds in (("classify", 2), ("regress", None))
    }


def evidence_of(run):
    return json.loads(run.folder.evidence.read_text())


def test_what_a_run_shows_of_classes_is_what_its_predictions_say(runs):
    evidence = evidence_of(runs["classify"])
    frame = pl.read_parquet(runs["classify"].folder.predictions)
    confusion = evidence["confusion"]
    assert confusion["counts"] == [
        [frame.filter(target=true, prediction=called).height for called in confusion["names"]]
        for true in confusion["names"]
    ]
    assert [line["of"] for line in evidence["curves"]["lines"]] == confusion["names"]
    assert sum(b["rows"] for b in evidence["calibration"]["bins"]) == frame.height
    assert {row["row"] for row in evidence["wrong_rows"]["rows"]} <= set(frame["row"])
    for row in evidence["wrong_rows"]["rows"]:
        mine = frame.filter(row=row["row"])
        assert (mine["target"][0], mine["prediction"][0]) == (row["target"], row["prediction"])
        # told by the fold's own model: what it answers is what was predicted
        assert row["answer"] == pytest.approx(mine[f"p_{row['prediction']}"][0], abs=1e-4)
    assert evidence["residuals"] is None


def test_what_a_run_shows_of_numbers_is_what_its_predictions_say(runs):
    evidence = evidence_of(runs["regress"])
    frame = pl.read_parquet(runs["regress"].folder.predictions).sort("row")
    found = evidence["residuals"]
    points = pl.DataFrame(found["points"]).sort("row")
    assert points["row"].to_list() == frame["row"].to_list()
    np.testing.assert_allclose(points["target"], frame["target"], rtol=1e-5)
    histogram = found["histogram"]
    assert sum(histogram["counts"]) + histogram["below"] + histogram["above"] == frame.height
    assert all(evidence[name] is None for name in ("confusion", "curves", "calibration"))
    html = runs["regress"].folder.report.read_text()
    assert all(f'<section id="{name}"' in html for name in ("residuals", "slices", "importance", "wrong_rows"))
    assert '<section id="confusion"' not in html


def test_the_area_that_is_shown_is_the_score(catalog):
    tested = Bench(catalog, labelled(), by_age()).tested()
    evidence = measured(tested)["curves"]
    for shape, metric in (("roc", "roc_auc"), ("precision_recall", "average_precision")):
        area, score = evidence["lines"][0][shape]["area"], tested.summary["scores"][metric]
        assert area == pytest.approx(dict(score), rel=1e-5)
    assert list(evidence["others"]) == ["linear"], "who ranks nothing is the line of chance"
    roc = figures(shown(tested, measured(tested))["curves"])[0]
    assert {row["series"] for row in roc.chart["data"]["values"]} == {"network", "linear model"}
    assert {row["series"] for row in roc.chart["data"]["values"] if "low" in row} == {"network"}


def test_a_baseline_that_says_one_thing_of_every_row_of_a_fold_is_no_curve(catalog):
    tested = Bench(catalog, labelled(), by_age()).tested()
    count = len(tested.model)
    fold = np.arange(count) % 2 + 1
    share = np.where(fold == 1, 0.4, 0.45)
    flat = replace(tested.sets["majority"], fold=fold, probabilities=np.column_stack([1 - share, share]))
    evidence = measured(replace(tested, sets={**tested.sets, "majority": flat}))
    assert list(evidence["curves"]["others"]) == ["linear"]


def test_the_matrix_is_shaded_by_the_share_of_the_true_class(catalog):
    tested = Bench(catalog, labelled(), by_age()).tested()
    evidence = measured(tested)
    cells = figures(shown(tested, evidence)["confusion"])[0].chart["data"]["values"]
    assert [cell["rows"] for cell in cells] == [n for row in evidence["confusion"]["counts"] for n in row]
    for true in ("no", "yes"):
        assert sum(cell["share"] for cell in cells if cell["true"] == true) == pytest.approx(1)


def test_a_column_that_decides_the_target_comes_first_and_its_dependence_rises(catalog):
    tested = Bench(catalog, labelled(), by_age()).tested()
    evidence = measured(tested)["importance"]
    assert evidence["columns"][0]["column"] == "age"
    assert evidence["columns"][0]["low"] > 0
    assert [each["column"] for each in evidence["dependence"]] == ["age"], "others are not gone by"
    assert evidence["dependence"][0]["answers"][0]["y"] == sorted(evidence["dependence"][0]["answers"][0]["y"])
    first, about, dependence = shown(tested, measured(tested))["importance"]
    rows = first.chart["layer"][-1]["data"]["values"]
    assert [row["name"] for row in rows] == ["age"], "columns that measurably help are in the model's colour"
    assert isinstance(about, Paragraph)
    assert "age" in dependence.caption


def test_a_planted_bad_slice_is_named_and_a_model_without_one_is_said_to_have_none(catalog):
    frame = labelled(2000)
    yes = frame["age"].to_numpy() > 40
    lies = (frame["plan"].to_numpy() == "pro") & (np.random.default_rng(0).random(2000) < 0.4)
    frame = frame.with_columns(y=pl.Series(np.where(yes ^ lies, "yes", "no")))
    tested = Bench(catalog, frame, by_age()).tested()
    blocks = shown(tested, measured(tested))["slices"]
    assert "plan is pro" in figures(blocks)[0].described
    assert figures(blocks)[0].table.rows[0][0].startswith("plan is pro")
    fair = Bench(catalog, frame, constant(2)).tested()
    (only,) = shown(fair, measured(fair))["slices"]
    assert "No part of the table stands out" in only.text


def test_planted_label_errors_are_the_most_wrong_rows(catalog):
    frame = labelled(500)
    yes = frame["age"].to_numpy() > 40
    wrong = [410, 433, 467]
    yes[wrong] = ~yes[wrong]
    ages = frame["age"].to_numpy().copy()
    ages[wrong] = np.where(yes[wrong], 20.0, 60.0)
    frame = frame.with_columns(age=pl.Series(ages), y=pl.Series(np.where(yes, "yes", "no")))
    tested = Bench(catalog, frame, by_age(), test=np.arange(500) >= 400).tested()
    evidence = measured(tested)
    blocks = shown(tested, evidence)["wrong_rows"]
    told = [figure.caption.split(":")[0] for figure in figures(blocks)][:3]
    # rows of a test file are counted in that file
    assert sorted(told) == [f"Row {row - 400} of the test file" for row in wrong]
    assert all(row["columns"][0]["column"] == "age" for row in evidence["wrong_rows"]["rows"][:3])


def test_too_many_columns_are_said_to_be_too_many(catalog):
    tested = CASES["too many columns"](catalog).tested()
    blocks = shown(tested, measured(tested))
    assert "601 columns" in blocks["importance"][0].text
    assert "601 columns" in blocks["wrong_rows"][0].text
