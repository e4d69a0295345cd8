"""What was found in data, as it is shown: every kind of exhibit, hostile names as text, both languages, a terminal."""

import io
import json
import re
from pathlib import Path
from typing import Any, cast

import altair
import numpy as np
import polars as pl
import pytest
from found import NAMES, found, record
from rich.console import Console

from aurify import workbench
from aurify.core.words import LANGUAGES
from aurify.data.findings import NOTE, SEVERE, WARNING, Finding, Findings
from aurify.report import page
from aurify.report.section import Card, Folded, chapters
from aurify.report.terminal import print_findings, telling


def cards(blocks):
    inner = [card for block in blocks if isinstance(block, Folded) for card in cards(block.blocks)]
    return [block for block in blocks if isinstance(block, Card)] + inner


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_exhibit_is_a_valid_chart_and_no_word_of_a_users_is_more_than_text(language):
    made = page.render(record(language))
    specs = json.loads(re.search(r'id="charts">(.*?)</script>', made, re.DOTALL)[1])
    assert set(specs) == {f"finding_{at}_{kind}" for at in (1, 9) for kind in (2, 3, 4)}
    for chart in specs.values():
        altair.Chart.from_dict(chart, validate=True)
    without = made[: made.index('id="charts"')]
    assert "<b>bold" not in without
    assert "&lt;/script&gt;&lt;b&gt;bold" in without
    assert "as rows &lt;b&gt;" in without
    assert without.count("<mark>") == 4


def test_the_gravest_is_open_and_the_rest_folded():
    blocks = chapters(record())[0].blocks
    assert [type(block).__name__ for block in blocks] == ["Paragraph", *["Card"] * 12, "Folded", "Folded"]
    assert [len(block.blocks) for block in blocks[-2:]] == [4, 31]
    assert str(blocks[-1].title) == "31 notes"
    grades = [card.grade for card in cards(blocks)]
    assert grades == [SEVERE] * 8 + [WARNING] * 8 + [NOTE] * 31


def test_a_severe_finding_says_how_to_go_on_and_an_accepted_one_what_it_costs():
    texts = page.render(record())
    assert "--accept ids:a.b[c]" not in texts  # quoted for a shell
    assert "--accept &#39;ids:a.b[c]&#39;" in texts
    accepted = page.render(record(accept=("ids",)))
    assert "To go on all the same" not in accepted
    assert accepted.count("severe, accepted") == len(NAMES)


def test_numbers_behind_a_finding_are_read_not_decoded():
    made = page.render(record())
    assert "25.0\u00a0%" in made
    assert "Rows, counted from 0: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 390 more." in made
    assert "{&#39;low&#39;" not in made


def lines(findings=None, *, terminal=True, **words):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, color_system=None)
    every = found() if findings is None else findings
    print_findings(console, every, Path("runs/x"), **{"fixed": False, "notes": True, **words})
    return file.getvalue().splitlines()


def test_a_terminal_shows_the_worst_first_within_its_width():
    said_lines = lines()
    assert max(map(len, said_lines)) <= 80
    first = [line[:8].strip() for line in said_lines if line[:8].strip() in ("severe", "warning", "note")]
    assert first == ["severe"] * 8 + ["warning"] * 8 + ["note"] * 12
    assert any("and 19 more notes" in line for line in said_lines)
    assert any(line.startswith("8 severe findings, 8 warnings and 31 notes") for line in said_lines)
    assert not any("note" in line[:8] for line in lines(notes=False))
    assert lines(fixed=True)[-1] == "Next: aurify fit runs/x/recipe.yaml"
    assert lines(Findings([]))[0] == "Nothing was found that would spoil a result."


def test_what_is_piped_is_one_line_each_and_steers_no_terminal():
    hostile = Findings(
        [Finding(check="x", severity=WARNING, text="a\x1b[2Jb\nc " + "word " * 60, fix="do\x1b]0;x\x07")]
    )
    said_lines = lines(hostile, terminal=False)
    assert said_lines[0].startswith("warning  a [2Jb c word")
    assert said_lines[1].strip() == "-> do ]0;x"
    assert not any("\x1b" in line for line in [*said_lines, *lines(hostile)])


def test_a_terminal_speaks_chinese_too():
    said_lines = lines(language="zh")
    assert said_lines[0].startswith("严重")
    assert "8 个严重问题" in " ".join(said_lines)


def test_a_fit_tells_a_handful_of_notes():
    file = io.StringIO()
    telling(Console(file=file, width=80))(found())
    assert sum(line.startswith("note ") for line in file.getvalue().splitlines()) == 6
    assert "and 25 more notes in findings.json" in file.getvalue()


def test_an_inspection_says_what_it_looked_at_and_shows_no_target_of_the_test_part(tmp_path):
    random = np.random.default_rng(4)
    wide = pl.DataFrame({"a": random.normal(size=400), "b": random.choice(["u", "v"], 400)})
    frame = wide.with_columns(y=pl.Series(np.where(random.random(400) < 0.4, "no", "yes")))
    for language, target in (("en", "y"), ("zh", "y"), ("en", None)):
        workbench.inspect(frame, target, out=tmp_path / "looked", language=language)
        made = (tmp_path / "looked" / "report.html").read_text(encoding="utf-8")
        named = re.findall(r'<section id="(\w+)"', made)
        assert named == ["looked", "findings", "data"]
        assert ('data-chart="target"' in made) is (target is not None)
    workbench.inspect(frame, "y", out=tmp_path / "looked")
    made = (tmp_path / "looked" / "report.html").read_text(encoding="utf-8")
    assert "320 rows were looked at" in made
    assert "The 80 rows of the test part stayed sealed" in made
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', made, re.DOTALL)[1])
    assert {row["series"] for row in charts["target"]["data"]["values"]} == {"rows looked at"}


def test_a_run_with_findings_says_what_they_cost():
    """In short: accepted ones by their text, warnings by their number."""
    from aurify.report.sections.asked import _found

    told = _found(cast("Any", record()))
    assert len(told) == len(NAMES) + 1
    assert "may be worth nothing" in told[0]
    assert told[-1] == "There are warnings about the data: 8. The next section has them."
