"""Trainings side by side: orders go to processes of one thread each, or are carried out here where one is enough."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from aurify.core.cores import cores
from aurify.core.errors import AurifyError
from aurify.core.words import recall
from aurify.study.worker import BROKEN, Trainer

Order = Mapping[str, Any]
"""Plain data: ``recipe``, and ``parts``, the file that says which rows.

Perhaps ``share`` of the steps, ``place`` to keep the model in, and ``rank``; the rest is the giver's own affair.
"""

Answer = Mapping[str, Any]

LOOK_SECONDS = 0.2
ENDING_SECONDS = 10.0
LEAVING_SECONDS = 2.0
MOST_WORKERS = 8
MOST_A_CORE = 4


class Workers(Protocol):
    """Carries out orders side by side and hands out each with its answer as it comes."""

    def begin(self, order: Order) -> None:
        """Take an order; those of a lower ``rank`` are carried out before others."""
        ...

    def ended(self, check: Callable[[], None]) -> tuple[Order, Answer]:
        """Wait for the next order that is done.

        ``check`` is called again and again and may raise to stop; unfinished trainings are then given up.
        """
        ...

    def leave(self) -> None:
        """Give up what is not done, and be ready for more; no answer to an earlier order comes any more."""
        ...

    def close(self) -> None:
        """Give up what is not done; no more orders will come."""
        ...


def worker_count(asked: int | None, device: str) -> int:
    """How many trainings go side by side: a core each, one alone where an accelerator does the work.

    Raises AurifyError for so many processes that a machine would do little else than keep them in memory.
    """
    if asked is not None:
        if asked > (most := MOST_A_CORE * cores()):
            raise AurifyError(f"--workers {asked} is not allowed: at most {most} here, {MOST_A_CORE} for each core")
        return asked
    if device != "cpu":
        return 1
    return min(cores(), MOST_WORKERS)


class Here:
    """One after another, in this process."""

    def __init__(self, trainer: Trainer):
        self.trainer = trainer
        self._orders = list[Order]()

    def begin(self, order: Order) -> None:
        self._orders.append(order)

    def ended(self, check: Callable[[], None]) -> tuple[Order, Answer]:
        try:
            check()
            order = min(self._orders, key=lambda order: (order.get("rank", 0), order["parts"]))
            self._orders.remove(order)
            with contextlib.redirect_stdout(sys.stderr):  # what a part of the user's prints is no answer
                return order, self.trainer(order)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        self._orders.clear()

    def close(self) -> None:
        self._orders.clear()


class Processes:
    """``count`` processes with one thread each. A process that dies is begun anew, and its order given once more.

    One that lost its accelerator is begun anew for the next order.
    """

    def __init__(self, count: int, store: Path, device: str, parts: Sequence[str | Path]):
        self.count = count
        self.command = [sys.executable, "-P", "-m", "aurify.study.worker", str(store), device, *map(str, parts)]
        self._ready, self._serving = list[_Process](), dict[_Process, threading.Thread]()
        self._lanes, self._answers = _Lanes(), queue.Queue[tuple[Order, Answer]]()

    def start(self) -> None:
        """Begin the processes before there is anything to do: they have much to import."""
        while len(self._ready) + len(self._serving) < self.count:
            self._ready.append(process := _Process(self.command))
            process.start()

    def begin(self, order: Order) -> None:
        self._lanes.add(order)
        if len(self._serving) < self.count:
            process = self._ready.pop() if self._ready else _Process(self.command)
            thread = threading.Thread(target=process.serve, args=(self._lanes, self._answers.put), daemon=True)
            self._serving[process] = thread
            thread.start()

    def ended(self, check: Callable[[], None]) -> tuple[Order, Answer]:
        try:
            while True:
                check()
                with suppress(queue.Empty):
                    return self._answers.get(timeout=LOOK_SECONDS)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        self._lanes.close()
        for process in self._serving:
            process.interrupt()
        deadline = time.monotonic() + LEAVING_SECONDS
        for process, thread in self._serving.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                process.kill()
            else:
                self._ready.append(process)
        # the threads that are left hand out what nobody waits for
        self._serving, self._lanes, self._answers = {}, _Lanes(), queue.Queue()

    def close(self) -> None:
        self._lanes.close()
        for process in (*self._serving, *self._ready):
            process.kill()
        self._ready, self._serving, self._lanes, self._answers = [], {}, _Lanes(), queue.Queue()


class _Lanes:
    """Orders by the rows they are about: a process stays with one kind, since it has prepared those rows already."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[Order]] = {}
        self._news, self._taken, self._closed = threading.Condition(), set[str](), False

    def add(self, order: Order) -> None:
        with self._news:
            self._lanes.setdefault(order["parts"], deque()).append(order)
            self._news.notify()

    def close(self) -> None:
        """Nobody takes an order any more."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def take(self, lane: str) -> Order | None:
        """The next order; None when it is over.

        One of the lowest rank there is; of these one of ``lane``, or of one that nobody works in, or of the longest.
        """
        with self._news:
            self._news.wait_for(lambda: self._closed or any(self._lanes.values()))
            if self._closed:
                return None
            lane = self._chosen(lane)
            self._taken.add(lane)
            return self._lanes[lane].popleft()

    def _chosen(self, lane: str) -> str:
        rank = {name: orders[0].get("rank", 0) for name, orders in self._lanes.items() if orders}
        first = [name for name in rank if rank[name] == min(rank.values())]
        if lane in first:
            return lane
        free = [name for name in first if name not in self._taken]
        return free[0] if free else max(first, key=lambda name: len(self._lanes[name]))


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
                if answer is not None and BROKEN in answer:
                    self._end()  # the next order begins it anew
                    answer = {name: value for name, value in answer.items() if name != BROKEN}
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

    def start(self) -> None:
        with suppress(OSError):  # said when it is asked for something
            self._pipes()

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

    def interrupt(self) -> None:
        """Have it give up what it trains and go on living, or end it where signals cannot say so."""
        if not hasattr(signal, "SIGUSR1"):
            self.kill()
        elif self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)

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
