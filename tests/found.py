"""Findings that show everything: every kind of exhibit, hostile names, more of them than a page has open."""

from pathlib import Path

from aurify.core.folder import RunFolder
from aurify.core.recipe import Source
from aurify.core.words import said
from aurify.data.findings import NOTE, SEVERE, WARNING, Exhibit, Finding, Findings
from aurify.report.section import Inspection

NAMES = ["</script><b>bold</b>", "a.b[c]", "x" * 300, "two\nlines", "\u202eright", '"', "列名", "{0}"]
TEXT = "column {column!r}: {what}"


def exhibits():
    cells = [["17", *NAMES], ["29", *reversed(NAMES)]]
    numbers = [0.1 * at for at in range(len(NAMES))]
    ends = {"low": [max(0, n - 0.05) for n in numbers], "high": [n + 0.05 for n in numbers]}
    bars = {"names": NAMES, "values": numbers, **ends, "axis": "<i>", "reference": 0.5}
    line = {"x": [3, 1, 2], "y": [1.0, 2.0, 3.0], "low": None, "high": None, "across": "</script>", "up": "a.b"}
    shares = [[0.1 * at for at in range(len(NAMES))] for _ in range(20)]
    gaps = {"columns": NAMES, "bins": [f"rows {9 * at} to {9 * at + 8}" for at in range(20)], "shares": shares}
    rows = {"header": [said("row"), *NAMES], "rows": cells, "marks": [[0, 2], [1, 8]]}
    every = {"rows": rows, "map": gaps, "bars": bars, "line": line}
    return tuple(Exhibit(kind=kind, caption=f"as {kind} <b>", data=data) for kind, data in every.items())


def found():
    grave = [
        Finding(
            check="ids",
            severity=severity,
            text=said(TEXT, column=name, what="odd"),
            fix=said("taken {pairs}", pairs=name),
            columns=(name, *NAMES[:4]),
            rows=tuple(range(40)),
            count=400,
            weight=-at,
            evidence={"share": 0.25, name: {"low": 0.1, "high": None, "names": NAMES}, "sure": True},
            exhibits=exhibits() if at == 0 else (),
        )
        for severity in (SEVERE, WARNING)
        for at, name in enumerate(NAMES)
    ]
    return Findings([*grave, *(Finding(check="x", severity=NOTE, text=f"note {at}") for at in range(31))])


def record(language="en", accept=(), findings=None):
    return Inspection(
        folder=RunFolder(Path("looked")),
        source=Source(path="data.csv", accept=accept),
        findings=found() if findings is None else findings,
        evidence={},
        language=language,
    )
