"""Numbers that mean a missing value: -999, 9999, -1 where nothing else is below 0."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.cells import own_values
from aurify.inspection.check import Check
from aurify.inspection.codes import codes_in, zero_apart
from aurify.inspection.inspected import Inspected


class MissingCodes(Check):
    """Values of number columns that are written as missing ones often are, and stand apart from all others."""

    def look(self, seen: Inspected) -> Iterable[Finding]:
        names = [c.name for c in seen.schema.numbers if c.name not in seen.hidden]
        held: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        by_code: dict[float, list[str]] = defaultdict(list)
        zeros = []
        for name in names:
            seen.check()
            values = own_values(seen, name)
            assert values is not None
            held[name] = np.unique(values[~np.isnan(values)], return_counts=True)
            for code in codes_in(*held[name]):
                by_code[code].append(name)
            if zero_apart(*held[name]):
                zeros.append(name)
        for code, columns in by_code.items():
            honest = [n for n in names if n not in columns and np.isin(code, held[n][0])]
            yield self._tell(seen, code, columns, honest)
        if zeros:
            what = said("0 stands far from all other values, perhaps for a missing one: {names}", names=listing(zeros))
            fix = said("if 0 cannot be, leave these cells empty in the file")
            rows = sum(int(held[name][1][held[name][0] == 0].sum()) for name in zeros)
            yield self.found(NOTE, what, fix=fix, columns=zeros, count=rows)

    def _tell(self, seen: Inspected, code: float, columns: list[str], honest: list[str]) -> Finding:
        marked = np.zeros(seen.frame.height, dtype=bool)
        for name in columns:
            marked |= own_values(seen, name) == code
        rows, text = np.flatnonzero(marked), _written(code)
        what = said(
            "{code} stands apart from all other values in {names}, {rows:,} rows: a code for a missing value?",
            code=text,
            names=listing(columns, 3),
            rows=len(rows),
        )
        fix = said("if so, say --missing={code}", code=text)
        if honest:
            fix = said(
                "if so, leave these cells empty in the file (--missing={code} would take it from {names} too)",
                code=text,
                names=listing(honest, 2),
            )
        mend = {} if honest else {"source": {"missing": [text]}}
        sure = code != -1.0 or all(_continuous(own_values(seen, name)) for name in columns)
        return self.found(
            WARNING if sure else NOTE, what, fix=fix, columns=columns, rows=rows, mend=mend if sure else {},
            weight=len(rows), evidence={"code": text, "rows": len(rows)},
        )  # fmt: skip


def _continuous(values: np.ndarray | None) -> bool:
    """Whether some values have decimals: -1 among these is no count."""
    return values is not None and bool((values[~np.isnan(values)] % 1 != 0).any())


def _written(code: float) -> str:
    """As a cell would hold it."""
    return str(int(code)) if code == int(code) and abs(code) < 1e15 else repr(code)
