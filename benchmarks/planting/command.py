"""The words of ``benchmarks/inspect.py`` and its answer: one JSON line, and a table for people."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.planting.cost import cost
from benchmarks.planting.counting import (
    DEFECTS,
    TABLES,
    UNTOUCHED,
    Look,
    Seen,
    false_alarms,
    looked_at,
    plan,
    said_anyway,
    tally,
)

FOUND, FALSE = 0.95, 0.02


def main(description: str) -> None:
    asked = _words(description)
    if asked.cost:
        print(json.dumps({"benchmark": "inspect cost", **cost()}))
        return
    skipped = {n: why for n in asked.bases if (why := TABLES[n].lacking)}
    bases = [n for n in asked.bases if n not in skipped]
    began = time.monotonic()
    looks = [Look(b, UNTOUCHED, at, asked.seeds, asked.rows) for b in bases for at in range(asked.untouched)]
    untouched = looked_at(looks, asked.workers)
    anyway = said_anyway(untouched)
    planted = looked_at(plan(bases, asked.defects, asked.plantings, asked.seeds, asked.rows, anyway), asked.workers)
    result = {
        "benchmark": "inspect",
        "seeds": asked.seeds,
        "bases": bases,
        "skipped": skipped,
        **_found(planted, anyway),
        **_false(untouched),
        "failed": sorted({text for seen in (*untouched, *planted) for text in seen.failed}),
        "rows_at_most": asked.rows,
        "seconds": round(time.monotonic() - began),
        "seconds_a_look": round(sum(s.seconds for s in planted) / max(1, sum(s.seconds > 0 for s in planted)), 2),
    }
    _tell(result)
    print(json.dumps(result))


def _words(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    several = {"type": lambda text: text.split(",")}
    parser.add_argument("--cost", action="store_true", help="seconds and memory instead")
    parser.add_argument("--seeds", choices=("tune", "held"), default="tune", help="held: not while thresholds are set")
    parser.add_argument("--plantings", type=int, default=200, help="in each base, over the defects that it lends to")
    parser.add_argument("--untouched", type=int, default=20, help="draws of each base without a defect")
    parser.add_argument("--defects", default=list(DEFECTS), **several, help="names, parted by commas")
    parser.add_argument("--bases", default=list(TABLES), **several, help="names, parted by commas")
    parser.add_argument("--rows", type=int, default=2_000, help="most rows of a table")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    for words, known in ((asked.defects, DEFECTS), (asked.bases, TABLES)):
        if unknown := sorted(set(words) - set(known)):
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return asked


def _found(planted: list[Seen], anyway: Any) -> dict[str, Any]:
    counted = tally(planted, anyway)
    table = {
        name: {**rate(t.found, t.plantings), "severe": t.severe, "missed": t.missed}
        for name in DEFECTS
        if (t := counted.get(name))
    }
    every = rate(sum(t.found for t in counted.values()), sum(t.plantings for t in counted.values()))
    return {"defects": table, "found": every, "found_met": every["low"] is not None and every["rate"] >= FOUND}


def _false(untouched: list[Seen]) -> dict[str, Any]:
    sets, checks, said = false_alarms(untouched)
    count = len(untouched)
    return {
        "false_alarms": rate(sets, count),
        "false_alarms_by_check": {check: rate(n, count) for check, n in checks.most_common()},
        "false_alarms_said": [
            {"base": base, "check": check, "columns": columns, "sets": n}
            for (base, check, columns), n in said.most_common()
        ],
        "false_alarms_met": count > 0 and all(n / count <= FALSE for n in checks.values()),
    }


def rate(found: int, count: int) -> dict[str, Any]:
    """A share with its exact 95 % interval (Clopper & Pearson 1934)."""
    from scipy.stats import binomtest

    if not count:
        return {"count": 0, "found": 0, "rate": None, "low": None, "high": None}
    reach = binomtest(found, count).proportion_ci(method="exact")
    share = {"rate": found / count, "low": float(reach.low), "high": float(reach.high)}
    return {"count": count, "found": found, **{name: round(value, 4) for name, value in share.items()}}


def _tell(result: dict[str, Any]) -> None:
    """The table for people, on standard error."""
    lines = [f"{'defect':24}{'plantings':>10}{'found':>8}{'rate':>8}   95 % interval    severe"]
    for name, row in {**result["defects"], "all": {**result["found"], "severe": ""}}.items():
        if row["count"]:
            reach = f"{row['low']:.1%} to {row['high']:.1%}"
            lines.append(
                f"{name:24}{row['count']:>10}{row['found']:>8}{row['rate']:>8.1%}   {reach:17}{row['severe']:>6}"
            )
    false = result["false_alarms"]
    lines.append(f"\nuntouched sets: {false['count']}, of which with a wrong warning: {false['found']}")
    lines += [f"  {check:22}{row['found']:>4} sets" for check, row in result["false_alarms_by_check"].items()]
    lines += [f"    {s['sets']:>3} x {s['base']}: {s['check']} {s['columns']}" for s in result["false_alarms_said"]]
    lines += [f"failed: {text}" for text in result["failed"]]
    lines += [f"skipped {name}: {why}" for name, why in result["skipped"].items()]
    lines.append(f"{result['seconds']} s, {result['seconds_a_look']} s a look")
    sys.stderr.write("\n".join(lines) + "\n")
