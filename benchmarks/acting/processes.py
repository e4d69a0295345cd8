"""Whole processes on the clock, with the CPU seconds that they and their children used."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """What a process printed and used: CPU seconds of it and of all it waited for, wall clock, peak memory of one."""

    printed: str
    cpu_seconds: float
    seconds: float
    peak_bytes: int


def process(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Ended:
    """Run a command to its end from the repository; what it says goes to ``printed.txt`` and ``log.txt``."""
    folder.mkdir(parents=True, exist_ok=True)
    printed, log = folder / "printed.txt", folder / "log.txt"
    began = time.monotonic()
    with printed.open("w") as out, log.open("w") as err:
        running = subprocess.Popen(command, env=env, stdout=out, stderr=err, cwd=ROOT)
        _, status, used = os.wait4(running.pid, 0)  # its own usage, which no wait of subprocess tells
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {running.returncode}:\n{log.read_text()[-2000:]}")
    seconds = time.monotonic() - began
    return Ended(printed.read_text(), used.ru_utime + used.ru_stime, seconds, used.ru_maxrss * 1024)


def one_thread() -> dict[str, str]:
    """The environment of this repository's own programs, one thread each; packages that lie elsewhere are kept."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": paths}


def one_thread_elsewhere() -> dict[str, str]:
    """The environment of another Python's programs, one thread each; nothing of this repository comes in."""
    return {**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "OMP_NUM_THREADS": "1"}
