"""The report as one HTML file: nothing is loaded from anywhere, and a user's own words are only ever text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aurify.core.words import said
from aurify.report import charts, vega
from aurify.report.section import Inspection, Record, chapters, damage_told

if TYPE_CHECKING:
    import jinja2


def render(record: Inspection) -> str:
    """The whole page of a run or of data alone, in the record's language."""
    every = chapters(record)
    with damage_told(record):
        specs = _script(spoken({n: f.chart for c in every for n, f in c.figures.items()}, record))
        return (
            environment(record.say)
            .get_template("page.html")
            .render(
                language={"en": "en", "zh": "zh-Hans"}[record.language],
                kind=_kind(record),
                name=record.folder.path.resolve().name,
                chapters=every,
                specs=specs,
                config=_script(charts.theme({role: f"var(--{role})" for role in charts.ROLES})),
                colours=charts.ROLES,
                library=vega.script() if any(c.figures for c in every) else "",
            )
        )


def _kind(record: Inspection) -> str:
    """What a page is that tells of no finished run."""
    if isinstance(record, Record):
        return ""
    if record.tuning is not None or record.folder.tuned():
        return said("a search for better settings")
    if record.ledger is not None:
        return said("what each ingredient of a recipe is worth")
    if record.folder.tuned():
        return said("a search for settings, before the test rows are looked at")
    return said("a look at the data before training")


def environment(say: Callable[[str], str]) -> jinja2.Environment:
    """How templates are filled: every text as it is said in a language, and as text only."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("aurify.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["say"] = say
    made.tests["block"] = lambda block, kind: type(block).__name__ == kind
    made.globals["words"] = _words()
    return made


def _words() -> dict[str, str]:
    return {
        "contents": said("Contents"),
        "skip": said("Skip to the text"),
        "numbers": said("The numbers of this chart"),
        "without": said("The charts need JavaScript; all of their numbers are in the tables below them."),
    }


def spoken(plain: Any, record: Inspection) -> Any:
    """A chart with its texts in the record's language, each on one line: Vega's expressions know no line in quotes."""
    match plain:
        case dict():
            return {key: spoken(value, record) for key, value in plain.items()}
        case list():
            return [spoken(value, record) for value in plain]
        case str():
            return " ".join(record.say(plain).splitlines())
    return plain


def _script(plain: Any) -> str:
    """JSON that may stand between script tags: no text of a user's can end them."""
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
