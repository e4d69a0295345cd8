"""Trainings side by side: orders go to processes of one thread each, or are carried out here where one is enough."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from aurify.core.words import recall
from aurify.study.worker import Trainer

Order = Mapping[str, Any]
"""Plain data: ``recipe``, and ``parts``, the file that says which rows; whatever else is the giver's own affair."""

Answer = Mapping[str, Any]

LOOK_SECONDS = 0.2
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
            yield order, self.trainer(order)

    def close(self) -> None:
        """Nothing is held open."""


class Processes:
    """``count`` processes with one thread each. A process that dies is begun anew, and its order given once more."""

    def __init__(self, count: int, store: Path, device: str, parts: Sequence[str | Path]):
        command = [sys.executable, "-m", "aurify.study.worker", str(store), device, *map(str, parts)]
        self._processes = [_Process(command) for _ in range(count)]

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
                for process in self._processes:
                    process.kill()

    def close(self) -> None:
        for process in self._processes:
            process.kill()


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
    """A process that carries out orders, one after another; begun when there is a first one."""

    def __init__(self, command: Sequence[str]):
        self.command = command
        self._process: subprocess.Popen[str] | None = None
        self._killed = False

    def serve(self, lanes: _Lanes, hand_out: Callable[[tuple[Order, Answer]], None]) -> None:
        """Take orders until none is left."""
        lane = ""
        while (order := lanes.take(lane)) is not None:
            lane = order["parts"]
            answer = self._ask(order) or self._ask(order)  # where it died, once more: it may not be the order's fault
            if self._killed:
                return
            code = None if self._process is None else self._process.poll()
            died = {"refused": f"the process that trained it ended (code {code}); out of memory, perhaps"}
            hand_out((order, died if answer is None else answer))

    def _ask(self, order: Order) -> Answer | None:
        """The answer of the process, or None where it died over it."""
        if self._killed:
            return None
        try:
            stdin, stdout = self._pipes()
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            line = stdout.readline()
            if line:
                return dict(recall(json.loads(line)))
        except (OSError, ValueError):
            pass
        self._end()
        return None

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        self._killed = True
        self._end()

    def _end(self) -> None:
        """Leave no process that is still ending: it would be taken for one that lives."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in self._pipes_open():
                pipe.close()

    def _pipes_open(self) -> list[IO[str]]:
        process = self._process
        return [pipe for pipe in (process.stdin, process.stdout) if pipe is not None] if process else []
