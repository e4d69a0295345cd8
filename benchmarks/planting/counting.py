"""Plants defects, inspects each table once, and counts what was found and what was said wrongly."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import aurify
from aurify.core import rng
from aurify.data.findings import NOTE, Finding
from benchmarks.planting import labels, leaks, rows, values
from benchmarks.planting.bases import BASES, Base
from benchmarks.planting.planted import Defect, Planted, parted

DEFECTS = {defect.name: defect for part in (leaks, rows, labels, values) for defect in part.DEFECTS}
TABLES = {base.name: base for base in BASES}
UNTOUCHED = "untouched"


@dataclass(frozen=True)
class Look:
    """One table to inspect: a base with a defect, or ``untouched``; the ``number`` of its draw in a stream of seeds."""

    base: str
    defect: str
    number: int
    seeds: str
    most: int


@dataclass(frozen=True)
class Seen:
    """What an inspection said of it; ``columns`` are what was planted, None where the table does not lend itself."""

    look: Look
    strength: float = 0.0
    columns: tuple[str, ...] | None = None
    found: tuple[Finding, ...] = ()
    failed: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class Tally:
    """Of one defect: plantings, those found, and those found to be severe."""

    plantings: int = 0
    found: int = 0
    severe: int = 0
    missed: list[dict[str, Any]] = field(default_factory=list)


def suits(base: Base, defect: Defect) -> bool:
    """Whether the base is what the defect needs."""
    return (base.clear or not defect.clear) and (base.weak or not defect.weak) and (base.smooth or not defect.smooth)


def look_at(look: Look) -> Seen:
    """Draw the table, plant the defect and inspect it."""
    base = TABLES[look.base]
    random = np.random.default_rng(rng.key(0, f"{look.seeds}/{look.base}/{look.defect}", look.number))
    strength = float(random.random())
    clean = base.rows(random, look.most)
    if look.defect != UNTOUCHED:
        planted = DEFECTS[look.defect].plant(clean, base.target, base.kind, random, strength)
    elif look.number % 2:  # every other one is compared with a test file, in which nothing is wrong either
        train, test = parted(clean, random)
        planted = Planted(train, test=test)
    else:
        planted = Planted(clean)
    if planted is None:
        return Seen(look)
    began = time.monotonic()
    try:
        found = inspected(planted, base.target)
        broken = ()
    except Exception as error:  # what must never happen is counted, not passed on
        found, broken = (), (f"{type(error).__name__}: {error}".splitlines()[0],)
    failed = tuple(str(f) for f in found if str(f).startswith("the check ") and "failed (" in str(f))
    kept = tuple(_short(f) for f in found if str(f) not in failed)
    return Seen(look, round(strength, 3), planted.columns, kept, broken + failed, time.monotonic() - began)


def inspected(planted: Planted, target: str) -> tuple[Finding, ...]:
    """What ``aurify.inspect`` says of a planting."""
    if planted.test is None:
        return tuple(aurify.inspect(planted.frame, target, **planted.words))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "test.csv"
        planted.test.write_csv(path)
        return tuple(aurify.inspect(planted.frame, target, test=path, **planted.words))


def _short(finding: Finding) -> Finding:
    """Without what nobody counts."""
    return Finding(check=finding.check, severity=finding.severity, text=str(finding.text), columns=finding.columns)


def looked_at(looks: Sequence[Look], workers: int) -> list[Seen]:
    """Every look, in processes of their own."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(look_at, looks, chunksize=5))


def wrong(base: Base, found: Iterable[Finding]) -> list[Finding]:
    """Severe findings and warnings of an untouched table that are no facts of it."""

    def true(finding: Finding) -> bool:
        return any(
            fact.check == finding.check and (not fact.columns or set(finding.columns) <= set(fact.columns))
            for fact in base.facts
        )

    return [f for f in found if f.severity != NOTE and not true(f)]


def said_anyway(untouched: Iterable[Seen]) -> dict[str, set[tuple[Any, ...]]]:
    """By base what is said of it without any planting: that is not counted as found."""
    said: dict[str, set[tuple[Any, ...]]] = {}
    for seen in untouched:
        said.setdefault(seen.look.base, set()).update(_key(f) for f in seen.found)
    return said


def _key(finding: Finding) -> tuple[Any, ...]:
    return finding.check, finding.severity, frozenset(finding.columns)


def plan(
    bases: Sequence[str], defects: Sequence[str], plantings: int, seeds: str, most: int, anyway: Any
) -> list[Look]:
    """``plantings`` looks for each base, in turn over the defects that it lends itself to."""
    looks = []
    for name in bases:
        random = np.random.default_rng(0)
        clean = TABLES[name].rows(random, most)
        fit = [d for d in defects if _lends_itself(TABLES[name], DEFECTS[d], clean, anyway.get(name, set()))]
        looks += [Look(name, fit[at % len(fit)], at // len(fit), seeds, most) for at in range(plantings) if fit]
    return looks


def _lends_itself(base: Base, defect: Defect, clean: Any, anyway: set[tuple[Any, ...]]) -> bool:
    """It is suited, the defect can be planted at all, and nothing of the kind is said of its rows without it."""
    if not suits(base, defect):
        return False
    planted = defect.plant(clean, base.target, base.kind, np.random.default_rng(0), 0.5)
    if planted is None:
        return False
    return bool(planted.columns) or not any(
        check in defect.checks and (severity != NOTE or defect.notes) for check, severity, _ in anyway
    )


def tally(seen: Iterable[Seen], anyway: dict[str, set[tuple[Any, ...]]]) -> dict[str, Tally]:
    """By defect how many were planted and found."""
    counted: dict[str, Tally] = {}
    for each in seen:
        if each.columns is None:
            continue
        defect = DEFECTS[each.look.defect]
        mine = [
            f
            for f in each.found
            if f.check in defect.checks
            and (f.severity != NOTE or defect.notes)
            and _key(f) not in anyway.get(each.look.base, set())
        ]
        named = {column for f in mine for column in f.columns}
        own = counted.setdefault(defect.name, Tally())
        own.plantings += 1
        if mine and set(each.columns) <= named:
            own.found += 1
            own.severe += any(f.severity == "severe" for f in mine)
        else:
            own.missed.append({"base": each.look.base, "number": each.look.number, "strength": each.strength})
    return counted


def false_alarms(untouched: Sequence[Seen]) -> tuple[int, Counter[str], Counter[tuple[str, str, str]]]:
    """Untouched sets with something wrong said of them, by check, and what was said by base and check."""
    sets, checks, said = 0, Counter[str](), Counter[tuple[str, str, str]]()
    for seen in untouched:
        false = wrong(TABLES[seen.look.base], seen.found)
        sets += bool(false)
        checks.update({f.check for f in false})
        said.update({(seen.look.base, f.check, ", ".join(f.columns[:3])) for f in false})
    return sets, checks, said
