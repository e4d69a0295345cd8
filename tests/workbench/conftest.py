"""What the tests of the verbs share: an empty place to work in, a small fit, and a finished run of each kind."""

import pytest
from small import KINDS

from aurify import workbench

SMALL = {"budget.steps": 8, "budget.batch_size": 32, "budget.validate_every": 4, "network.width": 16}


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def fit():
    """Return ``workbench.fit`` with the target ``y`` and small settings; what costs half of it must be asked for."""
    given = {"settings": SMALL, "inspect": False}
    return lambda data, target="y", **options: workbench.fit(data, target, **{**given, **options})


@pytest.fixture(scope="session")
def small():
    return SMALL


@pytest.fixture(scope="session")
def weights():
    """Return a function from a run to its weights by name."""
    return lambda run: dict(run.bundle.members[0].network.state_dict())


@pytest.fixture(scope="session")
def runs(fit, csv_files, tmp_path_factory):
    """A finished run of each kind, to look at; tests that open a test part fit their own."""
    root = tmp_path_factory.mktemp("runs")
    return {kind: fit(csv_files[kind], out=root / kind, inspect=True) for kind in KINDS}
