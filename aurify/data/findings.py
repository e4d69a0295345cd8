"""What a look at the data found: each finding with its evidence, the rows and columns it is about, and its fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any, Self

from aurify.core.words import Said, keep, recall, say
from aurify.data.exhibits import Exhibit as Exhibit  # checks take all that a finding is made of from here
from aurify.data.exhibits import are_texts, is_count, is_number, is_plain

if TYPE_CHECKING:
    import polars as pl

SEVERE, WARNING, NOTE = "severe", "warning", "note"
SEVERITIES = (SEVERE, WARNING, NOTE)
"""Worst first: what stops a fit, what costs quality or trust, what is good to know."""

READING = "reading"
"""Whose findings are how the data was read rather than what is in it."""

COLOURS = {SEVERE: "color: #c8324b", WARNING: "color: #b8651b", NOTE: "opacity: 0.7"}
"""Of the word for each severity in a notebook, readable on light and on dark."""

MOST_SHOWN = 60
"""Findings that a notebook shows; the others are counted."""

MOST_ROWS = 1000
"""Row numbers that a finding keeps; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was found. Raises ValueError for what no finding can be.

    ``text`` is one line, ``fix`` what to do about it ("" where nothing is to be done). ``rows`` are the first row
    numbers it is about, counted from 0, ``count`` all of them. ``weight`` ranks findings of one severity, the highest
    first. ``evidence`` are plain numbers and texts. ``mend`` is plain data of a recipe that fixes it: empty where that
    is beyond a recipe.
    """

    check: str
    severity: str
    text: str
    fix: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    count: int = 0
    weight: float = 0.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    mend: Mapping[str, Any] = field(default_factory=dict)
    exhibits: tuple[Exhibit, ...] = ()

    def __post_init__(self) -> None:
        known = (
            self.severity in SEVERITIES,
            are_texts((self.check, self.text, self.fix)) and are_texts(self.columns),
            all(map(is_count, (self.count, *self.rows))) and is_number(self.weight),
            isinstance(self.evidence, Mapping) and isinstance(self.mend, Mapping),
            is_plain(self.evidence) and is_plain(self.mend),
        )
        if not all(known):
            raise ValueError(f"no finding: {self.text!r}")

    @property
    def key(self) -> str:
        """What ``--accept`` calls it."""
        return f"{self.check}:{self.columns[0]}" if self.columns else self.check

    def accepted(self, accept: Iterable[str]) -> bool:
        """Whether one of these words, a check or ``check:COLUMN``, is about it."""
        return not {self.check, *(f"{self.check}:{column}" for column in self.columns)}.isdisjoint(accept)

    def plain(self) -> dict[str, Any]:
        """As ``findings.json`` holds it; ``from_plain`` reads it."""
        return keep(asdict(self))

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """The finding that ``plain`` tells of; raises LookupError, TypeError or ValueError for what no finding was."""
        told = dict(recall(plain))
        if not all(isinstance(told[name], list) for name in ("columns", "rows", "exhibits")):
            raise ValueError("no finding: no list where there should be one")
        exhibits = tuple(Exhibit(**dict(each)) for each in told.pop("exhibits"))
        return cls(**{**told, "columns": tuple(told["columns"]), "rows": tuple(told["rows"]), "exhibits": exhibits})

    def brief(self) -> dict[str, Any]:
        """As the command line's JSON tells it."""
        return {
            "check": self.check,
            "severity": self.severity,
            "columns": list(self.columns),
            "rows": self.count,
            "evidence": dict(self.evidence),
            "fix": str(self.fix),
            "text": str(self.text),
            "accept": self.key,
        }

    def __str__(self) -> str:
        return str(self.text)


class Findings(Sequence[Finding]):
    """Findings, the worst first: a sequence that can be filtered and made a table of.

    Of one severity what is said of the reading comes first, since all else depends on it, then the highest weight.
    """

    def __init__(self, found: Iterable[Finding]):
        self._found = sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.check != READING, -f.weight))

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found)

    def __getitem__(self, at: Any) -> Any:
        return Findings(self._found[at]) if isinstance(at, slice) else self._found[at]

    def where(self, *, check: str | None = None, severity: str | None = None, column: str | None = None) -> Findings:
        """Those of a check, of a severity (``severe``, ``warning``, ``note``), about a column."""
        return Findings(
            f
            for f in self
            if check in (None, f.check) and severity in (None, f.severity) and (column is None or column in f.columns)
        )

    @property
    def severe(self) -> Findings:
        return self.where(severity=SEVERE)

    @property
    def warnings(self) -> Findings:
        return self.where(severity=WARNING)

    def to_frame(self) -> pl.DataFrame:
        """One row each: check, severity, columns, rows (how many), finding, fix and what ``--accept`` calls it."""
        import polars as pl

        rows = [(f.check, f.severity, list(f.columns), f.count, str(f.text), str(f.fix), f.key) for f in self]
        names = ("check", "severity", "columns", "rows", "finding", "fix", "accept")
        types = (pl.String, pl.String, pl.List(pl.String), pl.Int64, pl.String, pl.String, pl.String)
        return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")

    def said(self, language: str = "en") -> list[str]:
        """One line each in a language."""
        return [say(f.text, language) for f in self]

    def __repr__(self) -> str:
        counts = {severity: len(self.where(severity=severity)) for severity in SEVERITIES}
        return f"<findings: {', '.join(f'{n} {severity}' for severity, n in counts.items())}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a row each, every text as text only."""
        rows = "".join(_html_row(f) for f in self._found[:MOST_SHOWN])
        head = "".join(f"<th>{name}</th>" for name in ("severity", "finding", "what to do"))
        more = f"<p>and {len(self) - MOST_SHOWN} more</p>" if len(self) > MOST_SHOWN else ""
        return f"<div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"


def _html_row(finding: Finding) -> str:
    left = "text-align: left; white-space: normal; overflow-wrap: anywhere"
    word = f'<td style="text-align: left; font-weight: 600; {COLOURS[finding.severity]}">{finding.severity}</td>'
    texts = "".join(f'<td style="{left}">{escape(text)}</td>' for text in (finding.text, finding.fix))
    return f"<tr>{word}{texts}</tr>"


def noted(text: str) -> Finding:
    """A note of the reading as a finding; about a column where its text names one."""
    column = text.values.get("column") if isinstance(text, Said) else None
    return Finding(check=READING, severity=NOTE, text=text, columns=(column,) if isinstance(column, str) else ())


def join_mends(found: Iterable[Finding]) -> dict[str, Any]:
    """Plain data of a recipe that fixes all of them; of two values for one setting the worse finding's stays."""
    joined: dict[str, Any] = {}
    for finding in reversed(Findings(found)):
        join(joined, finding.mend)
    return joined


def join(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put settings into others, in place: sections are joined, lists too, other values give way."""
    for key, value in more.items():
        if isinstance(value, Mapping):
            join(into.setdefault(key, {}), value)
        elif isinstance(value, (list, tuple)):
            into[key] = list(dict.fromkeys([*(into.get(key) or ()), *value]))
        else:
            into[key] = value
