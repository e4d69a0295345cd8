"""Aurify commands as processes of their own that begin fast: forked from one that has imported everything."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import aurify as package

PATIENCE_SECONDS = 60
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COLUMNS", "FORCE_COLOR"))}
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "TERM": "dumb", "COLUMNS": "1000"}


@dataclass(frozen=True)
class Ended:
    """How a command ended: ``code`` as a shell says it, negative for the signal that killed it."""

    code: int
    out: str
    err: str

    def refused(self, *words):
        """Assert exit code 2, nothing on stdout and one line on stderr that holds ``words``; return the line."""
        assert self.code == 2, self
        assert self.out == "", self
        return self.one_line(*words)

    def one_line(self, *words):
        assert self.err.startswith("aurify: "), self
        assert self.err.count("\n") == 1, self
        assert self.err.endswith("\n"), self
        for word in words:
            assert word in self.err, self
        return self.err


class Command:
    """One running aurify command, a child of the zygote."""

    def __init__(self, ask, pid, out, err):
        self._ask, self.pid, self._out, self._err = ask, pid, out, err
        self._status = None

    def ended(self):
        if self._status is None:
            self._status = self._ask({"poll": self.pid})
        return self._status is not None

    def send(self, number):
        if not self.ended():
            os.kill(self.pid, number)

    def wait(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.ended():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                pytest.fail(f"still running after {PATIENCE_SECONDS} s: {self._err.read_text()}")
            time.sleep(0.002)
        said = [path.read_text() if path.is_file() else "" for path in (self._out, self._err)]
        return Ended(os.waitstatus_to_exitcode(self._status), *said)

    def kill(self):
        self.send(signal.SIGKILL)
        return self.wait()

    def until(self, condition):
        """Wait until ``condition()`` is true; fail when the command ends before."""
        while not condition():
            if self.ended() and not condition():
                pytest.fail(f"ended too early: {self.wait()}")
            time.sleep(0.001)
        return self


@pytest.fixture(scope="session")
def zygote():
    """Ask the process that forks commands."""
    script = Path(__file__).with_name("zygote.py")
    tested = {**ENVIRONMENT, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=tested
    ) as process:
        assert process.stdout.readline() == "ready\n"

        def ask(request):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def order(
    words, cwd, out, err, *, file_limit=None, deadly=False, memory_limit=None, changes_in=None, kill_at=None, trace=None
):
    """What the zygote is to start.

    ``file_limit`` bytes are the most a file may get, ``deadly``: or the process is killed; ``memory_limit`` bytes may
    be asked for; ``kill_at`` counts changes of files in the folder ``changes_in``, which ``trace`` gets a list of.
    """
    paths = {"cwd": cwd, "out": out, "err": err, "changes_in": changes_in, "trace": trace}
    plain = {name: None if path is None else str(path) for name, path in paths.items()}
    limits = {"file_limit": file_limit, "deadly": deadly, "memory_limit": memory_limit, "kill_at": kill_at}
    return {"words": [str(w) for w in words], **plain, **limits}
