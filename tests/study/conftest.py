"""What the tests of studies share: tiny ledgers, made once, and the lines that trainings leave."""

import json
from pathlib import Path

import pytest

from aurify import workbench
from aurify.study.contrasts import Contrasts

TINY = {
    "network": {"name": "mlp", "width": 8, "depth": 2},
    "optimizer": {"name": "adamw", "learning_rate": 0.01},
    "techniques": {"scale_numbers": {}, "dropout": {}},
    "budget": {"steps": 4, "batch_size": 32},
}
WORDS = {"recipe": TINY, "rows": 150, "worth": 10.0, "workers": 1, "inspect": False, "device": "cpu"}
CLOCKED = ("seconds", "latency", "paces")


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def recipe(lab):
    return lab.default("classify")


@pytest.fixture
def contrasts(recipe, catalog):
    return lambda of=recipe, among=catalog: Contrasts(of, among)


@pytest.fixture(scope="session")
def tiny():
    return TINY


@pytest.fixture(scope="session")
def ablate(csv_files):
    """Return ``workbench.ablate`` of a source, or of a tiny table of a kind, with small words."""

    def make(source="classify", target="y", **words):
        words = {**WORDS, **words}  # so much is worth knowing that the pilot is enough
        return workbench.ablate(csv_files.get(source, source), target, **words)

    return make


@pytest.fixture(scope="session")
def ablate_run():
    """Return ``workbench.ablate`` of a run, with small words."""
    words = {k: v for k, v in WORDS.items() if k not in ("recipe", "inspect")}
    return lambda run, **more: workbench.ablate(run, **{**words, **more})


@pytest.fixture(scope="session")
def ledger(ablate, tmp_path_factory):
    """A finished ledger of every design, with a sweep, families and an interaction; for looking at only."""
    words = {
        "designs": ["leave_one_out", "cumulative"],
        "families": ["all"],
        "interactions": ["dropout", "scale_numbers"],
        "sweep": ["dropout.rate=0.0"],
    }
    return ablate(out=tmp_path_factory.mktemp("ledger") / "run", **words)


@pytest.fixture(scope="session")
def lines():
    """Return a function from a folder to the trainings that are kept in it, one a line."""
    return lambda path: [json.loads(x) for x in (Path(path) / "ablation" / "trainings.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def timeless():
    """Return a function from a ledger to all of it that no clock has a say in."""

    def drop(value):
        if isinstance(value, dict):
            return {k: drop(v) for k, v in value.items() if k not in CLOCKED}
        return [drop(v) for v in value] if isinstance(value, list) else value

    def of(ledger):
        found = json.loads((Path(getattr(ledger, "path", ledger)) / "ledger.json").read_text())
        found["reference"]["recipe"]["source"] = None
        return drop(found)

    return of
