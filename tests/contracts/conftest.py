"""Contract tests run over every part of the catalog; a new file, here or outside, is covered without an edit."""

from __future__ import annotations

import os
from itertools import product
from typing import Any

import pytest
from small import KINDS, every_part, network_for, variants

from aurify.catalog import Catalog
from aurify.core.parts import Part, Technique, fits


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Thousands of checkpoints are saved here; that they survive a power cut is for tests/faults to show."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def fitting_kind(lab, group, part) -> str:
    """A kind of table that the part can be used with."""
    kinds = [k for k in KINDS if _fits(part, k)]
    return kinds[0] if kinds else pytest.skip("it is for other tasks than tables")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise by what the catalog holds, so that a new file is covered the moment it exists."""
    wanted, catalog = set(metafunc.fixturenames), every_part()
    if {"group", "part", "kind"} <= wanted:
        rows = [r for r in _trained_parts(catalog) if "variant" in wanted or r[3] == "default"]
        if "graph" in wanted:
            rows = [r for r in rows if _changes_the_model(*r)]
        names = ["group", "part", "kind", *(["variant"] if "variant" in wanted else [])]
        ids = ["-".join([r[1].name(), *map(str, r[2 : len(names)])]) for r in rows]
        tail = [pytest.mark.slow] if "graph" in wanted else []
        cases = [pytest.param(*r[: len(names)], marks=tail if r[3] != "default" else ()) for r in rows]
        metafunc.parametrize(names, cases, ids=ids)
    elif {"technique", "kind"} <= wanted:
        pairs = [(t, k) for t in catalog.parts["technique"].values() for k in KINDS if _fits(t, k)]
        metafunc.parametrize(("technique", "kind"), pairs, ids=[f"{t.name()}-{k}" for t, k in pairs])
    elif {"group", "part"} <= wanted:
        rows = [(g, p) for g, known in catalog.parts.items() for p in known.values()]
        metafunc.parametrize(("group", "part"), rows, ids=[p.name() for _, p in rows])
    elif {"network", "optimizer"} <= wanted:
        parts = catalog.parts["network"].values(), catalog.parts["optimizer"].values()
        rows = [(n, o, k) for n, o, k in product(*parts, KINDS) if _fits(n, k) and _fits(o, k)]
        ids = [f"{n.name()}-{o.name()}-{k}" for n, o, k in rows]
        metafunc.parametrize(("network", "optimizer", "kind"), rows, ids=ids)


def _trained_parts(catalog: Catalog) -> list[tuple[str, type[Part], str, str]]:
    return [
        (group, part, kind, variant)
        for group in ("technique", "network", "optimizer")
        for part in catalog.parts[group].values()
        for kind in KINDS
        if _fits(part, kind)
        for variant in variants(part)
    ]


def _changes_the_model(group: str, part: Any, kind: str, variant: str) -> bool:
    """Say whether another graph comes of it: neutral settings, and what acts on rows and steps alone, leave it be."""
    if group != "technique":
        return group == "network"
    off = variant != "default" and part.make(variants(part)[variant]) == part.make(part.neutral)
    seams = ("layer", "target", "begin", "answer")
    return not off and any(getattr(part, seam) is not getattr(Technique, seam) for seam in seams)


def _fits(part: Any, kind: str) -> bool:
    task: Any = every_part().part("task", {"name": "table", "kind": kind})
    return network_for(part, task) is not None if issubclass(part, Technique) else fits(part, task)
