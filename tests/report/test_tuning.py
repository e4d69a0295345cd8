"""A search as it is shown: on the page of a run or alone, in a terminal, as frames; hostile names are only text."""

import io
import json
import math
import re
from pathlib import Path

import altair
import numpy as np
import polars as pl
import pytest
from rich.cells import cell_len
from rich.console import Console
from tunings import HOSTILE, RUNGS, SPACE, compared, inspection, trials, tuning, whole

from aurify import workbench
from aurify.core import folder as folders
from aurify.core.errors import AurifyError
from aurify.core.files import write_json
from aurify.core.folder import RunFolder
from aurify.core.words import LANGUAGES, Said, keep, say
from aurify.report.page import render
from aurify.report.section import Figure, Folded, Rows, chapters
from aurify.report.tuning import best_so_far, changed, described, effort, picked, ranked, sealed, value_text
from aurify.report.tuning_compare import against_seconds, against_trials
from aurify.report.tuning_figures import focus
from aurify.report.tuning_frame import brief, trials_frame
from aurify.report.tuning_space import MOST_DRAWN, MOST_KNOBS, knobs
from aurify.report.tuning_table import print_tuning, searching
from aurify.workbench.record import read_trials, read_tuning

MADE = trials()
ONE = trials(1, rungs=(1.0,))
LOWER = trials(30, lower=True)
LOST = [{**each, "state": "failed", "score": None, "rungs": [], "values": {}} for each in trials(5)]
KEPT = {
    "whole": (whole(MADE), MADE),
    "one": (tuning(ONE, rungs=[1.0], importance=[], remeasured=None), ONE),
    "lower": (tuning(LOWER, metric="rmse", greater_is_better=False, objectives=["rmse"]), LOWER),
    "lost": (tuning(LOST, importance=[]), LOST),
    "none": (tuning([], importance=[]), []),
    "compared": (tuning([], importance=[], stopped=None, compare=compared(("hyperband", "tpe"))), []),
}


def blocks_of(chapter, kind):
    def every(blocks):
        for block in blocks:
            yield block
            if isinstance(block, Folded):
                yield from every(block.blocks)

    return [block for block in every(chapter.blocks) if isinstance(block, kind)]


def shown(found, made, language="en"):
    return {chapter.name: chapter for chapter in chapters(inspection(found, made, language))}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", KEPT)
def test_charts_are_valid_and_names_are_only_text(name, language):
    made = render(inspection(*KEPT[name], language))
    found = re.search(r'id="charts">(.*?)</script>', made, re.DOTALL)
    for chart in json.loads(found[1]).values() if found else ():
        altair.Chart.from_dict(chart, validate=True)
    assert (found is None) == (name in ("none", "lost"))
    assert "<script>alert" not in made
    assert ("&lt;script&gt;alert" in made) == (name in ("whole", "lower"))


def test_a_whole_search_shows_every_figure_once():
    found = shown(*KEPT["whole"])
    assert list(found["tuning"].figures) == ["tuning_trials", "tuning_seconds", "tuning_front", "tuning_rungs"]
    slices = [f"tuning_slice_{at}" for at in range(1, MOST_KNOBS + 1)]
    assert list(found["tuning_knobs"].figures) == ["tuning_importance", "tuning_parallel", *slices]
    assert list(found["tuning_compare"].figures) == ["tuning_compare_trials", "tuning_compare_seconds"]
    named = [figure.name for chapter in found.values() for figure in blocks_of(chapter, Figure)]
    assert len(named) == len(set(named))


def test_nothing_is_shown_without_a_search():
    assert set(shown(None, [])) == {"findings"}
    assert set(shown(*KEPT["none"])) == {"findings", "tuning"}


def test_of_methods_that_are_compared_nothing_is_said_to_be_picked():
    assert set(shown(*KEPT["compared"])) == {"findings", "tuning_compare"}
    page = render(inspection(*KEPT["compared"]))
    assert "stays sealed" in page
    for text in (page, printed("compared")):
        assert "picked at" not in text
        assert "could be picked" not in text
        assert "to Hyperband" in " ".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_method_that_failed_has_its_reason_in_the_table_and_no_line(language, monkeypatch):
    found = tuning([], importance=[], stopped=None, compare=compared(("grid", "random", "bayes")))
    grid = found["compare"]["table"][0]
    grid |= {**dict.fromkeys(grid), "method": "grid", "reason": HOSTILE * 9}
    monkeypatch.setitem(KEPT, "lost method", (found, []))
    whole = shown(found, [])["tuning_compare"]
    (table,) = (block for block in whole.blocks if isinstance(block, Rows))
    assert HOSTILE in say(table.rows[0][1], language)
    assert "differences are of repeats with the same seed, after re-measuring, to random search" in str(whole.blocks)
    for figure in whole.figures.values():
        assert {point["series"] for point in figure.chart["data"]["values"]} == {
            "random search",
            "Bayesian optimisation",
        }
    assert "<script>alert" not in render(inspection(found, [], language))
    text = printed("lost method", language)
    assert HOSTILE[:9] in text
    assert max(map(cell_len, text.splitlines())) <= 80


def test_the_best_so_far_is_of_finished_trials_only():
    made = [
        {"state": "pruned", "score": None, "rungs": [{"share": 0.1, "score": 0.99, "seconds": 1}]},
        {"state": "complete", "score": 0.8},
        {"state": "failed", "score": None},
        {"state": "complete", "score": 0.7},
        {"state": "complete", "score": 0.9},
    ]
    assert best_so_far({"greater_is_better": True}, made) == [None, 0.8, 0.8, 0.8, 0.9]
    assert best_so_far({"greater_is_better": False}, made) == [None, 0.8, 0.8, 0.7, 0.7]


def test_the_stepped_line_ends_at_what_was_picked_and_at_all_seconds():
    found, made = KEPT["whole"]
    first, second = (shown(found, made)["tuning"].figures[n].chart for n in ("tuning_trials", "tuning_seconds"))
    for chart, end in ((first, len(made)), (second, sum(each["seconds"] for each in made))):
        line = chart["layer"][0]["data"]["values"]
        assert line[-1]["value"] == found["picked"]
        assert line[-1]["x"] == pytest.approx(end)
        assert len(chart["data"]["values"]) == len(made)


def test_what_is_picked_and_what_corrects_it_is_said():
    found, made = KEPT["whole"]
    text = str(picked(found))
    again = found["remeasured"]
    assert f"picked at {found['picked']:.3f} in ROC AUC" in text
    assert f"re-measured {again['value']:.3f} [{again['low']:.3f}, {again['high']:.3f}]" in text
    assert "each of 3 outer folds: 0.848 [0.839, 0.857]" in text
    page = render(inspection(found, made))
    assert "some optimism stays" in page
    assert "it stays sealed until the run is evaluated" in page
    assert "--nested" not in page
    assert "--nested takes that out too" in render(inspection(*KEPT["lower"]))
    assert "optimism" not in render(inspection(*KEPT["one"]))
    assert "nothing could be picked" in render(inspection(*KEPT["lost"]))


@pytest.mark.parametrize("greater", [True, False])
def test_scores_far_behind_are_counted_and_not_drawn_to_scale(greater):
    sign = 1 if greater else -1
    scores = [sign * score for score in (0.80, 0.81, 0.82, 0.83, 0.84, 0.85, -40.0)]
    low, high = focus({"greater_is_better": greater}, scores)
    assert low < min(scores[:6])
    assert high > max(scores[:6])
    assert high - low < 0.2
    bad = [dict(each) for each in MADE]
    bad[0] = {**bad[0], "score": -40.0, "rungs": [{"share": 1.0, "score": -40.0, "seconds": 1.0}]}
    captions = [figure.caption for figure in shown(tuning(bad), bad)["tuning"].figures.values()]
    assert all("outside of the picture: 1." in caption for caption in captions)


def test_a_rung_chart_has_a_line_a_trial_and_none_where_there_is_one_rung():
    found, made = KEPT["whole"]
    figure = shown(found, made)["tuning"].figures["tuning_rungs"]
    rows = figure.chart["data"]["values"]
    assert len({row["trial"] for row in rows}) == sum(bool(each["rungs"]) for each in made)
    assert len(rows) == sum(len(each["rungs"]) for each in made)
    assert figure.table.header[1:4] == ["11.1\u00a0%", "33.3\u00a0%", "100.0\u00a0%"]
    assert sorted({row["x"] for row in rows}) == sorted(RUNGS)
    assert "tuning_rungs" not in shown(*KEPT["one"])["tuning"].figures


def test_settings_that_are_as_by_default_are_not_told():
    assert changed({"dropout.rate": 0.1, "network": "mlp", "new": 3}, SPACE) == {"network": "mlp", "new": 3}
    assert changed({knob: how["default"] for knob, how in SPACE.items()}, SPACE) == {}


def test_values_are_written_as_a_recipe_has_them():
    assert [value_text(v) for v in (1e-5, 0.5, 3, "a", " ", False)] == ["1e-05", "0.5", "3", "a", "' '", "false"]


def test_the_table_of_the_best_is_sorted_and_begins_with_the_picked_one():
    for name in ("whole", "lower"):
        found, made = KEPT[name]
        table = blocks_of(shown(found, made)["tuning"], Rows)[0]
        assert str(table.rows[0][0]).startswith(f"{found['best']['number']}: ")
        scores = [float(row[1].replace(",", "")) for row in table.rows]
        assert scores == sorted(scores, reverse=found["greater_is_better"])
        assert len(table.rows) == 10


def test_axes_hold_every_value_and_are_logarithmic_where_the_knob_is():
    found, made = KEPT["whole"]
    axes = {axis.name: axis for axis in knobs(found, made)}
    assert list(axes) == list(SPACE)[:MOST_KNOBS]
    assert axes["optimizer.learning_rate"].place(math.sqrt(1e-4 * 1e-1)) == pytest.approx(0.5)
    assert axes["dropout.rate"].place(0.25) == pytest.approx(0.5)
    assert [axes["network"].place(v) for v in ("tabm", "mlp", "resnet_table")] == pytest.approx([1 / 6, 0.5, 5 / 6])
    beyond = [{**made[0], "settings": {**made[0]["settings"], "optimizer.learning_rate": 0.5}}, *made[1:]]
    assert next(axis for axis in knobs(found, beyond) if axis.name == "optimizer.learning_rate").place(0.5) == 1


def test_parallel_coordinates_have_a_place_on_each_axis_for_each_trial():
    many = trials(700, seed=5)
    figure = shown(tuning(many), many)["tuning_knobs"].figures["tuning_parallel"]
    lines = next(layer["data"]["values"] for layer in figure.chart["layer"] if layer["mark"]["type"] == "line")
    drawn = {row["trial"] for row in lines}
    assert len(drawn) == MOST_DRAWN
    assert len(lines) == MOST_DRAWN * (MOST_KNOBS + 1)
    assert drawn == {each["number"] for each in ranked(tuning(many), many)[:MOST_DRAWN]}
    absent = {row["trial"] for row in lines if row["x"] < 0}
    assert absent == drawn & {each["number"] for each in many if "dropout.rate" not in each["settings"]}


def test_a_slice_is_of_trials_that_have_the_knob():
    found, made = KEPT["whole"]
    figures = shown(found, made)["tuning_knobs"].figures
    rate = figures["tuning_slice_5"]
    assert "dropout.rate" in rate.caption
    complete = [each for each in made if each["state"] == "complete" and "dropout.rate" in each["settings"]]
    assert [row["x"] for row in rate.chart["data"]["values"]] == [each["settings"]["dropout.rate"] for each in complete]
    assert '"log"' in json.dumps(figures["tuning_slice_1"].chart)
    assert '"log"' not in json.dumps(rate.chart)


def test_the_front_is_joined_and_the_others_are_pale():
    found, made = KEPT["whole"]
    figure = shown(found, made)["tuning"].figures["tuning_front"]
    pale, line, best = figure.chart["layer"][:3]
    assert {row["name"] for row in best["data"]["values"]} == {f"trial {number}" for number in found["front"]}
    costs = [row["cost"] for row in line["data"]["values"]]
    assert costs == sorted(costs)
    assert pale["mark"]["opacity"] < 0.5 < best["mark"]["opacity"]
    assert len(pale["data"]["values"]) + len(best["data"]["values"]) == sum(e["state"] == "complete" for e in made)
    assert figure.chart["layer"][0]["encoding"]["x"]["title"] == "seconds per 1,000 rows answered"


def test_failed_trials_are_told_by_reason():
    made = render(inspection(*KEPT["whole"]))
    assert "Trials that failed: 4; the search went on" in made
    assert "7, 17, 27, 37" in made
    long = [{**each, "reason": "out of memory " * 60} for each in LOST]
    assert "out of memory " * 30 not in render(inspection(tuning(long, importance=[]), long))


def test_bands_over_repeats_are_t_intervals_of_the_mean():
    runs = [
        {"best": [0.1, 0.2, 0.4], "seconds": [1.0, 2.0, 9.0]},
        {"best": [None, 0.4, 0.4], "seconds": [2.0, 3.0, 4.0]},
        {"best": [0.3, 0.3, 0.7], "seconds": [1.0, 5.0, 6.0]},
    ]
    line = against_trials(runs)
    assert [point["x"] for point in line] == [2, 3]
    assert [point["value"] for point in line] == pytest.approx([0.3, 0.5])
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert line[0]["low"] == pytest.approx(0.3 - reach, abs=1e-5)
    assert line[0]["high"] == pytest.approx(0.3 + reach, abs=1e-5)
    along = against_seconds(runs)
    assert along[0]["x"] >= 3
    assert along[-1] == pytest.approx({"x": 4, "value": 0.3, "low": 0.3 - reach, "high": 0.3 + reach}, abs=1e-5)
    assert against_trials(runs[:1])[0] == {"x": 1, "value": 0.1, "low": None, "high": None}
    assert against_trials([]) == against_seconds([]) == []


@pytest.mark.parametrize("what", ["space", "objectives", "metric", "importance", "ensemble"])
def test_a_damaged_search_is_one_line(what):
    found, made = KEPT["whole"]
    for wrong in (found | {what: [7]}, {key: value for key, value in found.items() if key != what}):
        with pytest.raises(AurifyError, match="cannot be shown") as raised:
            render(inspection(wrong, made))
        assert len(str(raised.value).splitlines()) == 1


def test_a_finished_run_shows_its_search_too(tmp_path):
    random = np.random.default_rng(2)
    table = pl.DataFrame({"a": random.normal(size=200), "y": random.integers(0, 2, 200)})
    run = workbench.fit(
        table,
        "y",
        settings={"budget.steps": 4, "budget.batch_size": 32, "network.width": 8},
        out=tmp_path / "run",
    )
    with pytest.raises(AurifyError, match="no trials yet"):
        _ = run.trials
    found, made = KEPT["whole"]
    write_json(run.folder.tuning, keep(found))
    write_json(run.folder.trials, [keep(each) for each in made[::-1]])
    page = run.report("en", tmp_path / "made.html").read_text(encoding="utf-8")
    places = [page.index(f'<section id="{name}"') for name in ("scores", "tuning", "tuning_knobs", "learning")]
    assert places == sorted(places)
    assert "stays sealed" not in page
    again = workbench.load(tmp_path / "run")
    assert {"tuning_parallel", "tuning_trials"} <= set(dir(again.plot))
    assert again.plot.tuning_parallel().to_dict()
    assert again.trials["number"].to_list() == list(range(len(made)))


def test_a_search_is_read_back_with_its_words(tmp_path):
    folder = RunFolder(tmp_path)
    assert read_tuning(folder) is None
    assert read_trials(folder) == []
    write_json(folder.trials, [keep(each) for each in MADE])
    write_json(folder.tuning, keep(KEPT["whole"][0]))
    assert isinstance(read_trials(folder)[7]["reason"], Said)
    assert isinstance(read_tuning(folder)["stopped"], Said)
    folder.trials.write_text('[{"number": ')
    with pytest.raises(AurifyError, match=r"trials\.json"):
        read_trials(folder)


def test_a_search_has_a_folder_of_its_own_that_force_clears(tmp_path):
    assert folders.tuned("data/churn.csv", tmp_path) == tmp_path / "churn-tuned"
    folder = RunFolder(tmp_path / "run")
    folder.search.mkdir(parents=True)
    folder.trials.write_text("[]")
    folder.tuning.write_text("{}")
    folder.clear()
    assert list(folder.path.iterdir()) == []


def printed(name, language="en", **words):
    file = io.StringIO()
    console = Console(file=file, width=80, color_system=None, **{"force_terminal": True, **words})
    print_tuning(console, *KEPT[name], Path("runs/x"), language=language)
    return file.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", KEPT)
def test_a_terminal_shows_a_search_within_its_width(name, language):
    text = printed(name, language)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert ("runs/x/tuning.json" if name == "compared" else "runs/x/trials.json") in text
    assert ("aurify evaluate runs/x" in text) == (KEPT[name][0]["best"] is not None)


def test_a_terminal_says_what_was_picked_what_mattered_and_how_methods_compare():
    text = " ".join(printed("whole").split())
    found = KEPT["whole"][0]
    assert f"picked at {found['picked']:.3f} in ROC AUC, re-measured" in text
    assert "optimizer.learning_rate 42.0 % [36.0 %, 49.0 %]" in text
    assert "label_smoothing.on 1.0 %" not in text
    assert "+0.0060 [+0.0040, +0.0080]" in text
    assert HOSTILE in text


def test_progress_tells_what_is_known_and_is_silent_in_a_file():
    told = io.StringIO()
    with searching(Console(file=told, width=100, force_terminal=True, color_system=None)) as show:
        show(12, 64, 0.861, [13, 14, 15, 16, 17, 18], 80.0, "[red]tpe")
    assert "12 of 64 trials" in told.getvalue()
    assert "best 0.861 · 1:20 left · open 13, 14, 15, 16 and 2 more · [red]tpe" in told.getvalue()
    unknown = io.StringIO()
    with searching(Console(file=unknown, width=100, force_terminal=True, color_system=None)) as show:
        show(0, None, None, [], None, "")
    assert "0 trials" in unknown.getvalue()
    silent = io.StringIO()
    with searching(Console(file=silent)) as show:
        show(1, 2, 0.5, [1], 1.0, "x")
    assert silent.getvalue() == ""


def test_a_frame_has_a_row_a_trial_and_a_column_a_knob():
    frame = trials_frame(MADE)
    assert frame.columns == ["number", "state", "origin", "score", *SPACE, "seconds", "reason"]
    assert frame["score"].to_list() == [each["score"] for each in MADE]
    kinds = [frame.schema[knob] for knob in ("optimizer.learning_rate", "network.width", "network", "dropout.on")]
    assert kinds == [pl.Float64, pl.Int64, pl.String, pl.Boolean]
    assert frame["dropout.rate"].null_count() == sum("dropout.rate" not in each["settings"] for each in MADE)
    assert trials_frame([]).columns == ["number", "state", "origin", "score", "seconds", "reason"]
    mixed = [{**each, "settings": {"a": value}} for each, value in zip(MADE, (1, 0.5, None), strict=False)]
    assert trials_frame(mixed)["a"].to_list() == [1.0, 0.5, None]
    mixed = [{**each, "settings": {"a": value}} for each, value in zip(MADE, (1, True, "x"), strict=False)]
    assert trials_frame(mixed)["a"].to_list() == ["1", "True", "x"]


def test_a_brief_search_is_plain_data():
    for found, made in KEPT.values():
        plain = brief(found, made, Path("runs/x"))
        assert json.loads(json.dumps(plain)) == plain
        assert list(plain)[:6] == ["run", "trials", "best", "picked", "remeasured", "seconds"]
    assert set(brief(*KEPT["whole"], Path("x"))) >= {"nested", "ensemble", "front", "compare"}
    assert brief(*KEPT["none"], Path("x"))["best"] is None
    assert "runs" not in brief(*KEPT["whole"], Path("x"))["compare"]


def test_what_a_switch_turns_off_is_not_among_the_settings_and_parts_of_auto_are():
    made = trials(3)
    for at, trial in enumerate(made):
        trial["settings"] = {"dropout.on": False, "dropout.rate": 0.3}
        trial["parts"] = {"network": f"net{at}", "optimizer": "muon", "techniques": []}
    assert described(made[1], tuning(made)) == "net1, muon; dropout.on=false"
    assert described(made[1], tuning(made, method="random")) == "dropout.on=false"
    assert "in more than these settings" in effort(tuning(made), made)
    assert "in more than these settings" not in effort(tuning(made), made[:1])


@pytest.mark.parametrize(
    ("looks", "name", "words"),
    [
        (0, "whole", "stays sealed until"),
        (2, "compared", "was opened before (2)"),
        (2, "whole", "was opened when the winner had been chosen (2)"),
    ],
)
def test_a_test_part_that_was_opened_is_not_called_sealed(tmp_path, looks, name, words):
    opening = {"at": "2026-01-01", "verb": "evaluate", "purpose": "evaluate 1", "part": "a"}
    if looks:
        (tmp_path / "openings.jsonl").write_text(f"{json.dumps(opening)}\n" * looks)
    assert words in sealed(RunFolder(tmp_path), KEPT[name][0])
