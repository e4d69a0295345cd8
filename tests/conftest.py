"""Shared by every test: one thread, and fixtures around the tiny tables and recipes of ``small.py``."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # test files share small.py; importlib mode adds nothing by itself

from forked import zygote  # noqa: F401 (a fixture)
from small import Lab, commit, one_lab

from aurify.catalog import Catalog
from aurify.core.folder import RunFolder
from aurify.testing.tables import IMAGE

torch.set_num_threads(1)

REPOSITORY = Path(__file__).resolve().parent.parent

SLOW_SHARE = "AURIFY_SLOW_SHARE"
"""The variable that says which share of the slow tests is run, drawn anew for every commit; without it all are."""

SLOW_UNTIL = "AURIFY_SLOW_UNTIL"
"""The variable that says, in seconds since 1970, until when slow tests are begun."""


def pytest_collection_modifyitems(config, items):
    """The longest file first: beside the others it costs no time, behind them all would wait for it."""
    items.sort(key=lambda item: item.path.name != "test_readme.py")
    share = float(os.environ.get(SLOW_SHARE, "1"))
    left = [item for item in items if item.get_closest_marker("slow") and drawn(item.nodeid) >= share]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


def pytest_runtest_setup(item):
    if item.get_closest_marker("slow") and time.time() > float(os.environ.get(SLOW_UNTIL, "inf")):
        pytest.skip("no time is left for what takes long: other commits draw it")


def drawn(name: str) -> float:
    """A number from 0 to 1 that hangs on the name and the commit."""
    return random.Random(f"{commit()}/{name}").random()


@pytest.fixture(scope="session")
def frames(lab) -> Mapping[str, pl.DataFrame]:
    return lab.frames


@pytest.fixture(scope="session")
def csv_files(frames, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("csv")
    written = {kind: frame for kind, frame in frames.items() if kind != IMAGE}  # arrays of pixels are no cells
    for kind, frame in written.items():
        frame.write_csv(folder / f"{kind}.csv")
    return {kind: folder / f"{kind}.csv" for kind in written}


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Return a function from a name such as ``adult/adult-train.csv`` to real data, or skip the test."""
    root = Path(os.environ.get("AURIFY_SHARED", REPOSITORY.parent / "shared")) / "data"

    def find(name: str) -> Path:
        if not (root / name).exists():
            pytest.skip(f"real data is not here: {root / name} (set AURIFY_SHARED to the folder that holds data/)")
        return root / name

    return find


@pytest.fixture(scope="session")
def catalog(lab) -> Catalog:
    return lab.catalog


@pytest.fixture(scope="session")
def lab() -> Lab:
    return one_lab()


@pytest.fixture(scope="session", autouse=True)
def operators_listed_once():
    """Export faster: torch lists all its operators anew for each graph, a quarter of the time of a small one."""
    from torch.onnx._internal.exporter import _registration as registration

    lazy = registration.onnxscript_apis  # no import before it is asked
    once = SimpleNamespace(get_torchlib_ops=cache(lambda: lazy.get_torchlib_ops()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registration, "onnxscript_apis", once)
        yield


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


@pytest.fixture
def words(monkeypatch, capsys) -> Callable[..., SimpleNamespace]:
    """Return a function that runs ``aurify`` with some words in this process: exit code, stdout, stderr."""

    def run(*given: object, check: bool = True) -> SimpleNamespace:
        from aurify.cli import main

        monkeypatch.setattr(sys, "argv", ["aurify", *map(str, given)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code or 0
        assert not check or code == 0, printed.err
        return SimpleNamespace(code=code, out=printed.out, err=printed.err)

    return run


@pytest.fixture(scope="session")
def command_line() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``aurify`` with some words in a process of its own."""

    def run(*words: object, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from aurify.cli import main; main()", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def postgres():
    """The address of an empty database on the PostgreSQL of AURIFY_TEST_POSTGRES; without one the test is skipped."""
    address = os.environ.get("AURIFY_TEST_POSTGRES")
    if not address:
        pytest.skip("no PostgreSQL is here: .ci/run begins one, and sets AURIFY_TEST_POSTGRES to its address")
    import pg8000.native
    from sqlalchemy import make_url

    url, name = make_url(address), f"aurify_{uuid.uuid4().hex}"

    def run(statement):
        server = pg8000.native.Connection(url.username, url.host, url.database, url.port or 5432, url.password)
        server.run(statement)
        server.close()

    run(f"create database {name}")
    yield f"{address.rpartition('/')[0]}/{name}"
    run(f"drop database {name} with (force)")


@pytest.fixture(params=["sqlite", "postgres"])
def address(request, tmp_path):
    """The address of an empty database, of each kind."""
    return f"sqlite:///{tmp_path}/a b/study.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
