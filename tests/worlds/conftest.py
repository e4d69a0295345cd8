"""Tests of worlds name classes of a module in a folder that is the current one."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(Path(__file__).parent)
    path, modules = list(sys.path), set(sys.modules)
    yield
    assert sys.path == path, "the path is left as it was"
    assert not {name for name in sys.modules.keys() - modules if name.startswith("broken_")}
