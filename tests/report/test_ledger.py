"""A ledger as it is shown: on the page of a run or alone, in a terminal, as frames; hostile names are only text."""

import io
import json
import re
from pathlib import Path

import altair
import numpy as np
import polars as pl
import pytest
from ledgers import HOSTILE, PLANTED, inspection, ledger
from rich.cells import cell_len
from rich.console import Console

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.core.files import write_json
from aurify.core.words import LANGUAGES, keep
from aurify.report.ledger import DESIGNS, at_most, rows_of, verdict
from aurify.report.ledger_frame import brief, effects_frame, pairs_frame
from aurify.report.ledger_table import print_ledger, studying
from aurify.report.page import render
from aurify.report.section import Figure, Folded, Rows, chapters
from aurify.report.sections.ledger_curves import mean_curve

KEPT = {"all": ledger(), "one": ledger(["dropout"]), "same": ledger(["exclude_columns"]), "none": ledger([])}


def blocks_of(chapter, kind):
    def every(blocks):
        for block in blocks:
            yield block
            if isinstance(block, Folded):
                yield from every(block.blocks)

    return [block for block in every(chapter.blocks) if isinstance(block, kind)]


def shown(kept, language="en"):
    return {chapter.name: chapter for chapter in chapters(inspection(kept, language))}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", KEPT)
def test_charts_are_valid_and_names_are_only_text(name, language):
    made = render(inspection(KEPT[name], language))
    found = re.search(r'id="charts">(.*?)</script>', made, re.DOTALL)
    for chart in json.loads(found[1]).values() if found else ():
        altair.Chart.from_dict(chart, validate=True)
    assert (found is None) == (name == "none")
    assert "<script>alert" not in made
    assert "&lt;script&gt;alert" in made
    assert "no effect" not in made.partition('id="charts"')[0]


def test_every_design_has_its_figure_and_its_table():
    found = shown(KEPT["all"])
    assert list(found["ledger"].figures) == [
        "ledger_leave_one_out",
        "ledger_cost",
        "ledger_add_one",
        "ledger_cumulative",
        "ledger_family",
        "ledger_interaction",
    ]
    assert len(found["ledger_sweeps"].figures) == 3
    assert len(found["ledger_curves"].figures) == 6
    told = sum(len(t.rows) for t in blocks_of(found["ledger"], Rows) if "adjusted p" in map(str, t.header))
    assert told == len(KEPT["all"]["effects"])
    named = [figure.name for chapter in found.values() for figure in blocks_of(chapter, Figure)]
    assert len(named) == len(set(named))


def test_nothing_is_shown_without_a_ledger():
    assert set(shown(None)) == {"findings"}
    assert set(shown(KEPT["none"])) == {"findings", "ledger"}


def test_a_forest_is_sorted_and_each_row_has_a_place_of_its_own():
    twice = ledger(["dropout", "dropout", "mixup"])
    rows = shown(twice)["ledger"].figures["ledger_leave_one_out"].chart["data"]["values"]
    assert sorted(row["name"] for row in rows) == ["dropout (1)", "dropout (2)", "mixup", "odd"]
    gains = [row["value"] for row in rows]
    assert gains == sorted(gains, reverse=True)


def test_no_measurable_difference_says_smaller_than_what():
    for effect in KEPT["all"]["effects"]:
        text = str(verdict(effect))
        if effect["verdict"] == "no measurable difference" and effect["bound"] is not None:
            told = float(text.rpartition("smaller than ")[2].rstrip(")").replace(",", ""))
            assert effect["bound"] <= told * (1 + 1e-9)
        if effect["verdict"] == "failed":
            assert text == "could not be measured"


def test_bounds_are_rounded_up_to_two_digits():
    values = 10.0 ** np.random.default_rng(0).uniform(-12, 7, 500)
    for value in values:
        told = float(at_most(value).replace(",", ""))
        assert value * (1 - 1e-8) <= told <= value * 1.11
    assert [at_most(value) for value in (0, 0.004, 0.00412, 12.0, 120.0, 1234.0)] == [
        "0",
        "0.004",
        "0.0042",
        "12",
        "120",
        "1,300",
    ]


@pytest.mark.parametrize("greater", [True, False])
def test_the_waterfall_goes_the_way_the_metric_does(greater):
    kept = ledger(metric="roc_auc" if greater else "log_loss", greater_is_better=greater)
    figure = shown(kept)["ledger"].figures["ledger_cumulative"]
    steps = figure.chart["data"]["values"]
    assert (steps[0]["value"] > steps[0]["before"]) == greater
    assert [step["before"] for step in steps[1:]] == [step["value"] for step in steps[:-1]]
    gains = [effect["gain"] for effect in rows_of(kept, "cumulative")]
    assert steps[-1]["value"] - steps[0]["before"] == pytest.approx(sum(gains) * (1 if greater else -1))


def test_caps_are_told_and_with_full_that_there_are_none():
    def said(**words):
        return render(inspection(ledger(["dropout"], **words)))

    assert "at most 313 steps and learnt from 2,160 of 5,634 usable rows" in said()
    assert "up to 1,600 steps" in said()
    assert "up to 1,600 steps" not in said(full=True)
    assert "--full lifts" not in said(full=True)
    assert "The test part was not touched" in said()
    assert "The recipe itself scores 0.842 in ROC AUC" in said()
    assert "count as independent" in said(apart=True)


def test_lost_trainings_and_what_was_left_out_are_told():
    made = render(inspection(KEPT["all"]))
    assert "broken: RuntimeError: &lt;b&gt;no&lt;/b&gt; room for {0}" in made
    assert "Trainings that diverged: 1 of 80." in made
    assert "calendar: nothing to switch on: its own settings change nothing" in made
    assert "without label_smoothing and" in made
    assert "+0.0052 [-0.0004, +0.0110]" in made


def test_a_mean_curve_ends_where_fewer_than_half_go_on():
    curves = [[(epoch, float(end)) for epoch in range(1, end + 1)] for end in (4, 8, 8, 20)]
    line = mean_curve(curves)
    assert line[0]["x"] == 1
    assert max(point["x"] for point in line) <= 8.5
    assert line[0]["y"] == 10
    assert line[-1]["y"] == pytest.approx(12)
    assert all(point["low"] <= point["y"] <= point["high"] for point in line)
    assert mean_curve([]) == []
    assert mean_curve([[(1.0, 0.5)]]) == [{"x": 1.0, "y": 0.5, "low": 0.5, "high": 0.5}]


def test_curves_that_were_not_kept_make_no_figure():
    bare = [{**training, "curve": []} for training in KEPT["all"]["trainings"]]
    assert "ledger_curves" not in shown(KEPT["all"] | {"trainings": bare})


def test_a_sweep_over_decades_has_an_axis_of_powers_and_names_an_axis_of_names():
    first, second, third = shown(KEPT["all"])["ledger_sweeps"].figures.values()
    scales = [layer["encoding"].get("x", {}).get("scale", {}).get("type") for layer in second.chart["layer"]]
    assert "log" in scales
    assert "log" not in json.dumps(first.chart)
    assert [row["name"] for row in third.chart["data"]["values"]] == ["linear", 'a"</script>', "True"]


@pytest.mark.parametrize("what", ["effects", "variants", "simplified", "trainings", "metric"])
def test_a_damaged_ledger_is_one_line(what):
    for wrong in (KEPT["all"] | {what: [7]}, {key: value for key, value in KEPT["all"].items() if key != what}):
        with pytest.raises(AurifyError, match="cannot be shown") as raised:
            render(inspection(wrong))
        assert len(str(raised.value).splitlines()) == 1


def test_a_finished_run_shows_its_ledger_too(tmp_path):
    random = np.random.default_rng(2)
    table = pl.DataFrame({"a": random.normal(size=200), "y": random.integers(0, 2, 200)})
    small = {"budget.steps": 4, "budget.batch_size": 32, "network.width": 8}
    run = workbench.fit(table, "y", settings=small, out=tmp_path / "run")
    write_json(tmp_path / "run" / "ledger.json", keep(KEPT["all"]))
    made = run.report("en", tmp_path / "made.html").read_text(encoding="utf-8")
    places = [made.index(f'<section id="{name}"') for name in ("scores", "ledger", "ledger_curves", "learning")]
    assert places == sorted(places)
    again = workbench.load(tmp_path / "run")
    assert {"ledger_leave_one_out", "ledger_cost"} <= set(dir(again.plot))
    assert again.plot.ledger_leave_one_out().to_dict()


def printed(kept, language="en", **words):
    file = io.StringIO()
    console = Console(file=file, width=80, color_system=None, **{"force_terminal": True, **words})
    print_ledger(console, kept, Path("runs/x"), language=language)
    return file.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", KEPT)
def test_a_terminal_shows_every_row_within_its_width(name, language):
    text = printed(KEPT[name], language)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\u202e" not in text
    assert "runs/x/ledger.json" in text
    for effect in KEPT[name]["effects"]:
        assert effect["technique"][:8].splitlines()[0].strip("\u202e") in text


def test_a_terminal_groups_by_design_and_says_verdicts_in_words():
    text = printed(KEPT["all"])
    places = [text.index(str(title)) for title in DESIGNS.values()]
    assert places == sorted(places)
    first = [line.split()[0] for line in text[: places[1]].splitlines() if re.match(r"[a-w]\w+ +[+-]0\.", line)]
    gains = {row["technique"]: row["gain"] for row in rows_of(KEPT["all"], "leave_one_out")}
    assert [gains[name] for name in first] == sorted((gains[name] for name in first), reverse=True)
    assert re.search(r"dropout +\S+ \[.*\] smaller than 0\.\d+ ", text)
    assert "identical" in text
    assert "the same in every pair" in text
    assert "over training sets of 2,160 rows" in " ".join(text.split())


def test_progress_tells_what_is_open_and_is_silent_in_a_file():
    told = io.StringIO()
    console = Console(file=told, width=100, force_terminal=True, color_system=None)
    with studying(console) as show:
        show(10, 10, 3, "without [red]dropout")
    assert "10 of 10 trainings" in told.getvalue()
    assert "rows open: 3" in told.getvalue()
    assert "without [red]dropout" in told.getvalue()
    silent = io.StringIO()
    with studying(Console(file=silent)) as show:
        show(1, 2, 1, "x")
    assert silent.getvalue() == ""


def test_frames_have_a_row_each_and_the_same_columns_when_empty():
    kept = KEPT["all"]
    effects, pairs = effects_frame(kept), pairs_frame(kept)
    assert effects["gain"].to_list() == [row["gain"] for row in kept["effects"]]
    assert pairs.height == len(kept["trainings"])
    assert pairs["roc_auc"].to_list() == [row["scores"]["roc_auc"] for row in kept["trainings"]]
    assert pairs["seed"][0] == 2**63
    assert effects_frame(KEPT["none"]).schema == effects.schema
    assert pairs_frame(KEPT["none"]).height == 0


def test_a_brief_row_is_plain_data():
    plain = brief(KEPT["all"]["effects"][0])
    assert json.loads(json.dumps(plain)) == plain
    assert type(plain["reference"]) is str
    assert plain["technique"] == next(iter(PLANTED))
    assert HOSTILE[1] in {brief(row)["technique"] for row in KEPT["all"]["effects"]}


def test_a_terminal_says_what_took_the_place_and_of_sweeps_the_recipes_own_values():
    text = " ".join(printed(KEPT["all"]).split())
    assert "instead of" in text
    assert "compared with dropout.rate=0.1" in text


@pytest.mark.parametrize(
    ("by", "told"), [("group:shop", "same shop are in one fold"), ("time:day", "on later day than")]
)
def test_folds_that_keep_an_order_are_told(by, told):
    assert told in " ".join(printed({**KEPT["all"], "by": by}).split())


def test_of_one_row_nothing_is_said_of_all_rows_together():
    one = {**KEPT["all"], "effects": KEPT["all"]["effects"][:1]}
    assert "together" not in " ".join(printed(one).split())
