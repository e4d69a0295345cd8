"""Charts are what Vega-Lite takes, readable on paper and in the dark, and drawn by the version they are written for."""

import json
import re
from pathlib import Path

import altair
import pytest
import vl_convert

from aurify.report import charts, vega, verdict_charts
from aurify.report.page import spoken
from aurify.report.section import Record

CSS = (Path(charts.__file__).parent / "templates" / "page.css").read_text()


def test_kept_script_is_of_the_version_that_figures_are_checked_against():
    (version,) = re.findall(r"vega-lite (\d+\.\d+)", vega.script()[:200])
    assert altair.SCHEMA_VERSION.startswith(f"v{version}.")
    assert charts.SCHEMA.endswith(f"/v{version.partition('.')[0]}.json")


def test_kept_script_names_its_licence_and_ends_no_script_tag():
    assert vega.script().startswith("/*\nvega ")
    assert "Redistributions of source code" in vega.script()
    assert "</script" not in vega.script()


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """The ratio of WCAG 2: 4.5 for texts, 3 for lines and dots."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_stand_out_from_the_paper(scheme):
    dark = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", CSS))
    colours = charts.ROLES if scheme == "light" else dark
    assert set(charts.ROLES) <= {*colours, "grid"}
    for role in set(charts.ROLES) - {"paper", "grid"}:
        assert contrast(colours[role], colours["paper"]) >= 4.5, role


HOSTILE = ["a\\", '\\", "x": now(), "', 'a\\"b', "it's\\'", "a\nb", "a\u2028b", "a.b[0]", "{x}", "${x}", "</script>"]


@pytest.mark.parametrize("word", HOSTILE)
def test_a_users_word_is_a_title_a_series_or_a_name_and_never_an_expression(word):
    x, y = charts.number("x", word), charts.number("y", word)
    rows = [
        {"x": at, "y": at, "low": 0, "high": 2, "series": name, "name": name, "value": at, "strong": at == 1}
        | {"wide_low": -1, "wide_high": 3, "verdict": word, "sure": at == 1, "before": 0, "cost": at}
        for at, name in enumerate([word, "other"])
    ]
    order, value = [word, "other"], charts.number("value", word)
    drawn = [
        charts.lines(rows, x, y, order, band=True),
        charts.dots(rows, value),
        charts.bars(rows, value),
        charts.grouped(rows, value, order, charts.size("x", word)),
        charts.side_by_side(rows, value, order, order),
        verdict_charts.forest(rows, value, [word]),
        verdict_charts.waterfall(rows, value, [word], {"name": f"bare {word}", "value": 0}),
        verdict_charts.scatter(rows, charts.number("cost", word), value, [word]),
        verdict_charts.sweep(rows, x, value, [word], {"x": 2, "value": 0, "name": word}),
    ]
    record = Record.__new__(Record)
    object.__setattr__(record, "language", "en")
    titled = f"{json.dumps(' '.join(word.splitlines()))}: "
    for chart in drawn:
        compiled = vl_convert.vegalite_to_vega({**spoken(chart, record), "width": 300, "config": charts.theme()})
        assert "<svg" in vl_convert.vega_to_svg(compiled)  # parses every expression
        tips = [mark["encode"]["update"].get("tooltip", {"signal": titled})["signal"] for mark in flat(compiled)]
        assert all(titled in tip for tip in tips), tips


def flat(group):
    """The marks of a chart, those of groups too."""
    for mark in group["marks"]:
        yield from flat(mark) if mark["type"] == "group" else [mark]
