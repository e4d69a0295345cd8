"""Contract tests run over every part of the catalog; a new file, here or outside, is covered without an edit."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch):
    """Thousands of checkpoints are saved here; that they survive a power cut is for tests/faults to show."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
