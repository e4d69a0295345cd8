"""A real MLflow server, and a gate before it that can close or fall silent."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tracked import PATIENCE_SECONDS, Gate, Server

from aurify.track import follow


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    if find_spec("mlflow") is None or find_spec("sqlalchemy") is None:
        pytest.skip("the whole of mlflow is not installed")
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder / 'runs.db'}",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **quiet}, start_new_session=True
        )
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
            break
        time.sleep(0.1)
    else:
        pytest.fail(f"no server: {(folder / 'log').read_text()[-2000:]}")
    yield Server(f"http://127.0.0.1:{port}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def gate(server):
    gate = Gate(int(server.address.rpartition(":")[2]))
    yield gate
    gate.shut()


@pytest.fixture
def eager(monkeypatch):
    """A follower that sends without a pause and takes one silent second for a lost server."""
    monkeypatch.setattr(follow, "LEAST_SECONDS", 0.01)
    monkeypatch.setattr(follow, "COST_SHARE", 1.0)
    monkeypatch.setattr(follow, "ANSWER_SECONDS", 1)
