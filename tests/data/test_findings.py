"""Findings: in their order, told apart, kept and read back; what no finding can be is refused."""

import copy
import json
import random

import pytest

from aurify.core.words import Said, said, say
from aurify.data.findings import NOTE, SEVERE, WARNING, Exhibit, Finding, Findings, join_mends, noted

HOSTILE = ["</script><b>", "a.b[c]", "x" * 300, "two\nlines", "\u202eabc", "", "{0}", "said"]
EXHIBITS = (
    Exhibit(
        kind="rows",
        caption=said("rows"),
        data={"header": [said("row"), *HOSTILE], "rows": [["3", *HOSTILE], ["9", *HOSTILE]], "marks": [[0, 1], [1, 2]]},
    ),
    Exhibit(
        kind="map",
        caption="gaps",
        data={"columns": HOSTILE, "bins": ["0 to 9", "10 to 19"], "shares": [[0.1 * n for n in range(8)], [1.0] * 8]},
    ),
    Exhibit(
        kind="bars",
        caption="bars",
        data={
            "names": HOSTILE,
            "values": [0.1 * n for n in range(8)],
            "low": [None, *[0.0] * 7],
            "high": [None, *[0.9] * 7],
            "axis": said("share"),
            "reference": 0.5,
        },
    ),
    Exhibit(
        kind="line",
        caption="line",
        data={
            "x": [1, 2, 5],
            "y": [0.1, 0.4, 0.2],
            "low": [0, 0.3, 0.1],
            "high": [0.2, 0.5, 0.3],
            "across": "t",
            "up": "y",
        },
    ),
)


def finding(severity=WARNING, **words):
    given = {"check": "outliers", "text": said("column {column!r}: {what}", column="a", what="odd"), **words}
    return Finding(severity=severity, **given)


FULL = finding(
    fix=said("leave it out"),
    columns=tuple(HOSTILE),
    rows=(3, 9),
    count=70,
    weight=0.5,
    evidence={"share": 0.25, "among": {"low": None, "names": ["x", said("class")]}},
    mend={"techniques": {"exclude_columns": {"columns": ["a"]}}},
    exhibits=EXHIBITS,
)


def test_a_finding_comes_back_from_json_as_it_was_in_every_language():
    again = Finding.from_plain(json.loads(json.dumps(FULL.plain(), allow_nan=False)))
    assert again.plain() == FULL.plain()
    assert (again.columns, again.rows, again.count) == (FULL.columns, FULL.rows, FULL.count)
    assert say(again.text, "zh") == say(FULL.text, "zh") != str(FULL.text)
    header = again.exhibits[0].data["header"]
    assert isinstance(header[0], Said)
    assert header[1:] == HOSTILE
    assert not any(isinstance(name, Said) for name in header[1:])
    assert isinstance(again.evidence["among"]["names"][1], Said)


def test_the_worst_comes_first_then_the_reading_then_by_weight():
    every = [finding(NOTE, weight=9), finding(WARNING, weight=1), finding(WARNING, weight=2), finding(SEVERE)]
    found = Findings([*every, noted("read as utf-8")])
    assert [(f.severity, f.weight) for f in found] == [
        ("severe", 0),
        ("warning", 2),
        ("warning", 1),
        ("note", 0),
        ("note", 9),
    ]
    assert found[3].check == "reading"


def test_findings_are_filtered_and_made_a_table_of():
    found = Findings([finding(columns=("a", "b")), finding(SEVERE, check="ids", columns=("b",)), finding(NOTE)])
    assert [f.check for f in found.where(column="b")] == ["ids", "outliers"]
    assert len(found.where(check="outliers", severity=NOTE)) == len(found.severe) == len(found.warnings) == 1
    frame = found.to_frame()
    assert frame["severity"].to_list() == ["severe", "warning", "note"]
    assert frame["columns"].to_list() == [["b"], ["a", "b"], []]
    assert frame["accept"].to_list() == ["ids:b", "outliers:a", "outliers"]


def test_mends_are_joined_and_the_worse_finding_decides():
    out = {"techniques": {"exclude_columns": {"columns": ["a"]}}, "split": {"by": "time:t"}}
    more = {"techniques": {"exclude_columns": {"columns": ["b", "a"]}}, "split": {"by": "group:g"}}
    joined = join_mends([finding(WARNING, mend=more), finding(SEVERE, mend=out)])
    assert sorted(joined["techniques"]["exclude_columns"]["columns"]) == ["a", "b"]
    assert joined["split"] == {"by": "time:t"}


def test_a_notebook_shows_texts_as_texts():
    page = Findings([finding(SEVERE, text="<script>x</script>", fix="<b>")])._repr_html_()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "&lt;b&gt;" in page
    assert ">severe<" in page


WRONG = {
    "severity": "worst",
    "check": 3,
    "text": None,
    "fix": [],
    "columns": [3],
    "rows": [-1],
    "count": 1.5,
    "weight": float("inf"),
    "evidence": [],
    "mend": {"a": float("nan")},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_finding_can_be_is_refused(name):
    plain = json.loads(json.dumps(FULL.plain()))
    plain["said"].pop(name, None)
    with pytest.raises((LookupError, TypeError, ValueError)):
        Finding.from_plain({**plain, name: WRONG[name]})


def places(plain, path=()):
    yield path
    inner = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda e: e.kind)
def test_an_exhibit_that_cannot_be_drawn_is_refused(exhibit):
    """Every value of its data replaced by one of no kind that any exhibit has; and every key left out."""
    data = json.loads(json.dumps(exhibit.data))
    for path in list(places(data))[1:]:
        for odd in ({}, True, 10**400):
            changed = copy.deepcopy(data)
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = odd
            with pytest.raises((LookupError, TypeError, ValueError)):
                Exhibit(kind=exhibit.kind, caption="x", data=changed)
    for key in data:
        with pytest.raises(LookupError):
            Exhibit(kind=exhibit.kind, caption="x", data={k: v for k, v in data.items() if k != key})


def test_lists_of_other_lengths_are_refused():
    chance = random.Random(3)
    for exhibit in EXHIBITS:
        for key, value in exhibit.data.items():
            if isinstance(value, list) and len(value) > 1 and key not in ("marks", "rows"):
                cut = value[: chance.randrange(1, len(value))]
                with pytest.raises(ValueError, match="no exhibit"):
                    Exhibit(kind=exhibit.kind, caption="x", data={**exhibit.data, key: cut})
