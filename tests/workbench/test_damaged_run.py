"""Files of a run that are damaged, or anybody's: one line of an error, or a report all the same; never a traceback."""

import json
import random
import re
import shutil
from contextlib import suppress

import pytest
from small import KINDS

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.report.page import render
from aurify.track.record import Record
from aurify.workbench.record import record

ODD = [
    None,
    [],
    {},
    "x",
    "{x.__class__}",
    "</script><b>",
    -1,
    1e308,
    float("nan"),
    True,
    [[]],
    {"text": 1},
    {"said": 3},
]
FILES = ["scores.json", "evidence.json", "findings.json", "environment.json", "progress.jsonl"]
TRIES = 40


@pytest.fixture
def run(runs, tmp_path):
    """A finished run of one's own."""
    return workbench.load(shutil.copytree(runs[KINDS[0]].path, tmp_path / "run"))


def places(plain, path=()):
    """Every place in a document."""
    yield path
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def changed(plain, path, value):
    if not path:
        return value
    copied = plain.copy()
    copied[path[0]] = changed(plain[path[0]], path[1:], value)
    return copied


def shown(run):
    """The page, or nothing where there is an error to be shown in one line."""
    with suppress(AurifyError):
        return render(record(run.folder, run.catalog))


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_odd_values_anywhere_end_in_a_page_or_in_one_line(run, name):
    path, chance = run.path / name, random.Random(name)
    lines = name.endswith("l")
    plain = [json.loads(line) for line in path.read_text().splitlines()] if lines else json.loads(path.read_text())
    every = list(places(plain))
    assert shown(run)
    for _ in range(TRIES):
        odd = changed(plain, chance.choice(every), chance.choice(ODD))
        as_lines = lines and isinstance(odd, list)
        path.write_text("".join(json.dumps(o) + "\n" for o in odd) if as_lines else json.dumps(odd))
        page = shown(run)
        if page is not None:
            assert "</script><b>" not in page
            json.loads(re.search(r'id="charts">(.*?)</script>', page)[1], parse_constant=pytest.fail)


def test_templates_of_a_file_reach_for_nothing(run):
    for template in ("{rows.__class__}", "{rows:>999999999}", "{rows!a}", "{rows[0]}", "{0}", "{other}"):
        kept = {"text": "", "template": template, "values": {"rows": 3}}
        (run.path / "findings.json").write_text(json.dumps([kept]))
        with pytest.raises(AurifyError, match=r"findings\.json is damaged"):
            run.report()


def test_damaged_evidence_is_measured_anew(run):
    known = json.loads((run.path / "evidence.json").read_text())
    (run.path / "evidence.json").write_text("{")
    run.report()
    assert json.loads((run.path / "evidence.json").read_text()) == known


def test_a_line_of_progress_that_is_still_being_written_is_left_out(run):
    before = run.curves
    with (run.path / "progress.jsonl").open("a") as file:
        file.write('{"step": 99')
    assert run.curves.equals(before)


@pytest.mark.parametrize("name", ["../../elsewhere", "*", "' OR 1 = 1", "", None, 3])
def test_a_name_that_trackers_never_gave_is_refused(run, name):
    (run.path / "tracking.json").write_text(json.dumps({"name": name, "began": 0}))
    with pytest.raises(AurifyError, match=r"tracking\.json is damaged"):
        Record(run.folder)
