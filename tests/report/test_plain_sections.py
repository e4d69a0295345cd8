"""The sections that frame a report: their numbers are those of the run's files, a user's words are only ever text."""

import json
import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser

import altair
import numpy as np
import polars as pl
import pytest
import torch

from aurify import workbench
from aurify.core.words import LANGUAGES
from aurify.data.dates import written
from aurify.data.findings import Findings
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.report.section import chapters
from aurify.report.sections.asked import Asked
from aurify.report.target import BINS, MOST_CLASSES, measure_target
from aurify.report.values import shown
from aurify.report.words import interval, metric_name

SMALL = {"budget.steps": 8, "budget.batch_size": 32, "budget.validate_every": 4, "network.width": 16}
NAMES = ["<script>alert(1)</script>", "a.b[0]", '"', "x" * 200, "{0}", "列名"]
OURS = ["asked", "data", "split", "scores", "learning", "recipe", "cost", "reproduce"]
ROWS = 260


def frame(kind):
    """Hostile names, one column of gaps, one that counts rows; a target of each kind, a group, a time and a weight."""
    random = np.random.default_rng(3)
    numbers = random.normal(size=(ROWS, 2))
    words = random.choice(["<b>", "{x}", "红"], ROWS)
    value = numbers[:, 0] + (words == "红") + 0.3 * random.normal(size=ROWS)
    targets = {
        "two": np.where(value > 0.3, "<i>yes</i>", "</script>"),
        "many": np.array([f"{{{n}}}" for n in np.clip(np.round(4 * value + 12), 0, 24).astype(int)]),
        "number": np.exp(value),
    }
    columns = [numbers[:, 0], np.where(random.random(ROWS) < 0.1, np.nan, numbers[:, 1]), words, np.arange(ROWS)]
    columns += [random.integers(0, 30, ROWS), random.integers(0, 1000, ROWS)]
    made = dict(zip(NAMES, columns, strict=True))
    when = pl.Series(random.integers(0, 900, ROWS) * 86_400_000_000).cast(pl.Datetime("us"))
    return pl.DataFrame({**made, "when": when, "weight": random.integers(1, 4, ROWS), "y": targets[kind]})


WISHES = {
    "group": ("two", {"split": "group:{0}", "weight": "weight", "blend": "trees"}),
    "time": ("many", {"split": "time:when"}),
    "folds": ("number", {"folds": 2}),
    "file": ("two", {"test": "more.csv", "accept": ["test_overlap"]}),
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("plain")
    found = {}
    for name, (kind, options) in WISHES.items():
        table = frame(kind)
        if "test" in options:
            table.head(40).write_csv(root / options["test"])
            table.tail(-20).write_csv(root / f"{name}.csv")
            options = {**options, "test": root / options["test"]}
        data = root / f"{name}.csv" if "test" in options else table
        found[name] = workbench.fit(data, "y", settings=SMALL, out=root / name, **options)
    return found


class Page(HTMLParser):
    """Tables, lists, texts and code of each section, and every tag with its attributes."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.tables, self.texts, self.code, self.section, self.open = [], {}, {}, {}, "", []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.open.append(tag)
        if tag == "section":
            self.section = attributes["id"]
        elif tag == "table":
            self.tables.setdefault(self.section, []).append([])
        elif tag == "tr":
            self.tables[self.section][-1].append([])
        elif tag in ("td", "th"):
            self.tables[self.section][-1][-1].append("")

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        within = self.open[-1] if self.open else ""
        if within in ("td", "th"):
            self.tables[self.section][-1][-1][-1] += data
        elif within == "code":
            self.code.setdefault(self.section, []).append(data)
        elif within in ("p", "li", "h3"):
            self.texts.setdefault(self.section, []).append(data)

    def text(self, section):
        return "\n".join(self.texts[section])


@pytest.fixture(scope="session")
def pages(runs, tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    return {
        (n, lang): Page(run.report(lang, root / f"{n}.{lang}.html")) for n, run in runs.items() for lang in LANGUAGES
    }


def every_table(page):
    return [row for tables in page.tables.values() for table in tables for row in table]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", WISHES)
def test_a_page_has_its_sections_in_order_and_nothing_of_a_users_is_more_than_text(runs, pages, name, language):
    page = pages[name, language]
    assert [s["id"] for tag, s in page.tags if tag == "section" if s["id"] in OURS] == OURS
    assert not {tag for tag, _ in page.tags} & {"b", "i", "img", "iframe"}
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    loaded = [a.get("src") or a.get("href") for tag, a in page.tags if tag != "a" and ("src" in a or "href" in a)]
    assert loaded == ["data:,"]
    shown_names = [cell for row in every_table(page) for cell in row]
    assert {"<script>alert(1)</script>", "a.b[0]", '"'} - set(shown_names) == set()
    assert "x" * 200 in page.text("findings")


def test_pages_are_small(runs, tmp_path):
    for language in LANGUAGES:
        for run in runs.values():
            assert run.report(language, tmp_path / "page.html").stat().st_size < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", WISHES)
def test_every_chart_is_valid(runs, name):
    figures = [figure for chapter in chapters(runs[name]._record()) for figure in chapter.figures.values()]
    assert {"target", "missing", "scores", "differences", "learning"} <= {figure.name for figure in figures}
    for figure in figures:
        altair.Chart.from_dict(json.loads(json.dumps(figure.chart)), validate=True)
        assert figure.described


@pytest.mark.parametrize("name", ["group", "time", "file"])
def test_parts_are_those_of_the_file(runs, pages, name):
    parts = Parts.open(runs[name].folder.parts)
    header, *rows = pages[name, "en"].tables["split"][0]
    assert [row[1] for row in rows] == [str(len(part)) for part in (parts.fit, parts.held, parts.test)]
    store = Store.open(runs[name].folder.store)
    if name == "group":
        groups = [str(len(set(store.roles["group"][part]))) for part in (parts.fit, parts.held, parts.test)]
        assert [row[header.index("groups")] for row in rows] == groups
    if name == "time":
        ends = [(store.roles["time"][part].min(), store.roles["time"][part].max()) for part in vars_of(parts)]
        assert [tuple(row[-2:]) for row in rows] == [tuple(map(written, pair)) for pair in ends]


def vars_of(parts):
    return parts.fit, parts.held, parts.test


def test_the_seed_is_said_to_decide_only_where_it_does(pages):
    assert "the seed of the recipe decides" in pages["group", "en"].text("split")
    assert "the seed of the recipe decides" not in pages["time", "en"].text("split")


def test_folds_are_those_of_their_files(runs, pages):
    rows = pages["folds", "en"].tables["split"][0][1:]
    every = [Parts.open(runs["folds"].folder.fold(number).parts) for number in (1, 2)]
    assert rows == [[str(n), *(str(len(part)) for part in vars_of(parts))] for n, parts in enumerate(every, 1)]
    assert "not itself measured" in pages["folds", "en"].text("asked")


@pytest.mark.parametrize("name", WISHES)
def test_verdict_score_cost_and_fingerprint_are_those_of_the_files(runs, pages, name):
    summary, page, folder = runs[name].summary, pages[name, "en"], runs[name].folder
    main = summary["main_metric"]
    assert str(summary["verdict"]) in page.texts["asked"]
    assert f"{metric_name(main)} on the test rows is {interval(summary['scores'][main])}" in page.text("asked")
    told = {row[0]: row[1] for row in [*page.tables["cost"][0], *page.tables["cost"][1], *page.tables["reproduce"][0]]}
    assert told["parameters"] == f"{summary['parameters']:,}"
    assert told["size of model.aurify"] == f"{folder.bundle.stat().st_size:,} bytes"
    assert told["steps taken"] == str(summary["training"]["steps"])
    assert told["torch"] == str(torch.__version__)
    assert told["fingerprint of the data, SHA-256"] == Store.open(folder.store).fingerprint
    assert folder.recipe.read_text(encoding="utf-8") in page.code["recipe"]


def test_columns_and_gaps_are_those_of_the_data(pages):
    table = frame("two")
    listed = pages["group", "en"].tables["data"][1]
    rows = {row[0]: row for row in listed[1:]}
    gaps = table["a.b[0]"].is_nan().sum()
    assert gaps > 0
    assert {name: row[2] for name, row in rows.items() if row[2] != "0"} == {"a.b[0]": str(gaps)}
    assert rows['"'][3] == "3 values"
    assert rows["when"][3::2] == [str(table["when"].min().date()), str(table["when"].max().date())]
    assert f"column '{'x' * 200}' is left out" in pages["group", "en"].text("findings")
    assert "'weight'" in pages["group", "en"].text("data")
    assert f"as {table['weight'].sum()} rows" in pages["group", "en"].text("data")


def test_classes_are_counted_by_part_and_rare_ones_together(runs):
    store, parts = Store.open(runs["time"].folder.store), Parts.open(runs["time"].folder.parts)
    learnt = np.concatenate([parts.fit, parts.held])
    found = measure_target(store, learnt, parts.test)
    classes = store.schema.classes
    assert len(found["classes"]) == MOST_CLASSES == len(classes) - found["other_classes"]
    for name, rows in (("learnt", learnt), ("tested", parts.test)):
        slow = [sum(classes[code] == shown_class for code in store.target[rows]) for shown_class in found["classes"]]
        assert found["counts"][name] == slow
        assert sum(slow) + found["others"][name] == len(rows)


def test_a_histogram_counts_each_row_once(runs):
    store = Store.open(runs["folds"].folder.store)
    found = measure_target(store, np.arange(ROWS), np.arange(ROWS))
    low, high = found["edges"][0], found["edges"][-1]
    values = store.target
    width = (high - low) / BINS
    bins = [min(int((v - low) / width), BINS - 1) for v in values if low <= v <= high]
    assert found["counts"] == {"all": [bins.count(at) for at in range(BINS)]}
    assert found["outside"] == sum(not low <= v <= high for v in values)


def told(record, **changes):
    summary = {**record.summary, **changes}
    blocks = Asked().show(replace(record, summary=summary), record.evidence["asked"])
    texts = [getattr(block, "text", "") for block in blocks]
    return "\n".join([*texts, *(text for block in blocks for text in getattr(block, "texts", []))])


@pytest.mark.parametrize(
    ("verdicts", "advice"),
    [
        ({"majority": "better", "linear": "better", "boosting": "better"}, "better than every plain model"),
        ({"majority": "better", "linear": "worse", "boosting": "better"}, "Use a linear model here"),
        ({"majority": "better", "linear": "worse", "boosting": "no measurable difference"}, "Use a linear model here"),
        ({"majority": "better", "linear": "better", "boosting": "no measurable difference"}, "Consider gradient boost"),
        ({"majority": "no measurable difference", "linear": "worse", "boosting": "worse"}, "Nothing that can be"),
    ],
)
def test_advice_follows_the_paired_differences(runs, verdicts, advice):
    record = runs["file"]._record()
    main = record.summary["main_metric"]
    paired = {
        name: {**rows, main: {"value": 0.1, "low": 0.0, "high": 0.2, "verdict": verdicts[name]}}
        for name, rows in record.summary["differences"].items()
    }
    assert advice in told(record, differences=paired)


def test_what_limits_the_evidence_is_said_and_only_then(runs):
    record = runs["file"]._record()
    assert "rows have the inputs of a row that was learnt from" in told(record)
    assert "A severe finding was accepted" in told(record)
    record = replace(record, findings=Findings([]))
    plain = {"rows": 5000, "without_overlap": None}
    assert "What limits" not in told(record, **plain)
    assert "only 40 test rows" in told(record, rows=40)
    assert "opened 3 times" in told(record, **plain, test_openings=3)
    timed = replace(record, recipe=replace(record.recipe, budget=type(record.recipe.budget)(steps=8, seconds=60.0)))
    assert "time limit" not in told(timed, **plain)
    late = {**record.summary["training"], "stopped": "time was up at step 4 of 8"}
    assert "time limit" in told(timed, **plain, training=late)
    fewer = {**record.summary["training"], "planned_steps": 5}
    assert "time limit" in told(timed, **plain, training=fewer)


def test_command_to_repeat_trains_the_same_model_and_its_look_is_counted(runs, pages, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    command = shlex.split(pages["file", "en"].code["reproduce"][0])
    assert command[:2] == ["aurify", "fit"]
    again = json.loads(words(*command[1:], "--json").out)
    assert again["scores"] == runs["file"].summary["scores"]
    one, other = (
        workbench.load(path).bundle.members[0].network.state_dict() for path in (runs["file"].path, again["run"])
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_frame_is_repeated_from_python(pages):
    code = pages["time", "en"].code["reproduce"][0]
    assert re.match(r"import aurify\n\naurify\.fit\(frame, recipe='.*recipe\.yaml', threads=1\)", code)


def test_further_looks_are_listed(tmp_path):
    run = workbench.fit(frame("two"), "y", settings=SMALL, out=tmp_path / "looked")
    workbench.evaluate(run.path)
    page = Page(run.report(out=tmp_path / "page.html"))
    assert [row[1] for row in page.tables["split"][1][1:]] == ["aurify fit", "aurify evaluate"]
    assert "opened 2 times" in page.text("asked")


def test_names_of_nothing_are_quoted():
    assert [shown(name) for name in ("a b", " ", "", "a\u200b", "年龄")] == ["a b", "' '", "''", "'a\\u200b'", "年龄"]
