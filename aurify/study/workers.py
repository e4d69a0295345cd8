"""Trainings side by side: orders go to processes of one thread each, or are carried out here where one is enough."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from aurify.core.words import recall
from aurify.study.worker import Trainer

Order = Mapping[str, Any]
"""Plain data: ``recipe``, and ``parts``, the file that says which rows; whatever else is the giver's own affair."""

Answer = Mapping[str, Any]

LOOK_SECONDS = 0.2
ENDING_SECONDS = 10.0
MOST_WORKERS = 8


class Workers(Protocol):
    """Carries out orders in any order and hands out each with its answer as it comes."""

    def work(self, orders: Sequence[Order], check: Callable[[], None]) -> Iterator[tuple[Order, Answer]]:
        """``check`` is called again and again and may raise to stop; unfinished trainings are then given up."""
        ...

    def close(self) -> None:
        """No more orders will come."""
        ...


def worker_count(asked: int | None, device: str) -> int:
    """How many trainings go side by side: a core each, one alone where an accelerator does the work."""
    if asked is not None:
        return asked
    if device != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


class Here:
    """One after another, in this process."""

    def __init__(self, trainer: Trainer):
        self.trainer = trainer

    def work(self, orders: Sequence[Order], check: Callable[[], None]) -> Iterator[tuple[Order, Answer]]:
        for order in sorted(orders, key=lambda order: order["parts"]):
            check()
            with contextlib.redirect_stdout(sys.stderr):  # what a part of the user's prints is no answer
                answer = self.trainer(order)
            yield order, answer

    def close(self) -> None:
        """Nothing is held open."""


class Processes:
    """``count`` processes with one thread each. A process that dies is begun anew, and its order given once more."""

    def __init__(self, count: int, store: Path, device: str, parts: Sequence[str | Path]):
        self.count = count
        self.command = [sys.executable, "-P", "-m", "aurify.study.worker", str(store), device, *map(str, parts)]
        self._processes = self._unbegun()

    def work(self, orders: Sequence[Order], check: Callable[[], None]) -> Iterator[tuple[Order, Answer]]:
        lanes, answers = _Lanes(orders), queue.Queue[tuple[Order, Answer]]()
        for process in self._processes[: len(orders)]:
            threading.Thread(target=process.serve, args=(lanes, answers.put), daemon=True).start()
        left = len(orders)
        try:
            while left:
                check()
                try:
                    answer = answers.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    continue
                left -= 1
                yield answer
        finally:
            if left:
                self.close()

    def close(self) -> None:
        for process in self._processes:
            process.kill()
        self._processes = self._unbegun()  # what is killed stays dead: its thread may still be about to use it

    def _unbegun(self) -> list[_Process]:
        return [_Process(self.command) for _ in range(self.count)]


class _Lanes:
    """Orders by the rows they are about: a process stays with one kind, since it has prepared those rows already."""

    def __init__(self, orders: Sequence[Order]):
        self._lanes: dict[str, deque[Order]] = {}
        self._lock, self._taken = threading.Lock(), set[str]()
        for order in orders:
            self._lanes.setdefault(order["parts"], deque()).append(order)

    def take(self, lane: str) -> Order | None:
        """The next order of a lane, or of one that nobody works in, or of the longest; None when all are taken."""
        with self._lock:
            if not self._lanes.get(lane):
                unfinished = [name for name, orders in self._lanes.items() if orders]
                if not unfinished:
                    return None
                free = [name for name in unfinished if name not in self._taken]
                lane = free[0] if free else max(unfinished, key=lambda name: len(self._lanes[name]))
                self._taken.add(lane)
            return self._lanes[lane].popleft()


class _Process:
    """A process that carries out orders, one after another; begun when there is a first one, and killed once."""

    def __init__(self, command: Sequence[str]):
        self.command = command
        self._process: subprocess.Popen[str] | None = None
        self._killed, self._lock = False, threading.Lock()

    def serve(self, lanes: _Lanes, hand_out: Callable[[tuple[Order, Answer]], None]) -> None:
        """Take orders until none is left; each is answered, whatever happens to it, for somebody waits."""
        lane = ""
        while (order := lanes.take(lane)) is not None:
            lane = order["parts"]
            try:
                # where it died, once more: it may not be the order's fault
                answer = self._ask(order) or self._ask(order)
            except Exception as error:
                self._end()
                answer = {"refused": f"{type(error).__name__}: {error}".splitlines()[0]}
            if self._killed:
                return
            code = None if self._process is None else self._process.poll()
            died = {"refused": f"the process that trained it ended (code {code}); out of memory, perhaps"}
            hand_out((order, died if answer is None else answer))

    def _ask(self, order: Order) -> Answer | None:
        """The answer of the process, or None where it died over it."""
        text = json.dumps(order) + "\n"
        try:
            stdin, stdout = self._pipes()
            stdin.write(text)
            stdin.flush()
            line = stdout.readline()
            if line.endswith("\n"):
                return dict(recall(json.loads(line)))
            self._await()
        except (OSError, ValueError):  # a pipe that broke, or that another thread has closed
            pass
        self._end()
        return None

    def _await(self) -> None:
        """Give a process that closed its pipes the time to end by itself: its exit code says why."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING_SECONDS)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        """Where to write to and to read from; raises OSError where no process may be begun, or none any more."""
        with self._lock:
            if self._killed:
                raise OSError("no more orders are carried out")
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._process = self._begin()
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            return self._process.stdin, self._process.stdout

    def _begin(self) -> subprocess.Popen[str]:
        # the same places as here, and no others (-P): parts of the user's may import what lies beside the program that
        # was started, and a random.py among somebody's data is none of ours
        path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        )

    def kill(self) -> None:
        """End it at once, whatever it is at, and for ever."""
        with self._lock:
            self._killed = True
        self._end()

    def _end(self) -> None:
        """Leave no process that is still ending: it would be taken for one that lives."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not written yet has no reader now
                    pipe.close()
