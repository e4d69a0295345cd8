"""A place that runs can be sent to: what each must do, and how it is found by the name of its file."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from pathlib import Path

from aurify.core.errors import AurifyError, suggest
from aurify.track.record import Point, Record

REASON_CHARACTERS = 200


class Status(Enum):
    """How a run, or the sitting of it that is being tracked, ended."""

    RUNNING = "unfinished"
    FINISHED = "finished"
    KILLED = "stopped by a signal"
    FAILED = "ended by an error"


class Sink(ABC):
    """Where runs are sent; ``where`` is what the user wrote after the colon, ``place`` what it came to.

    ``reach`` is called first. ``begin`` and ``send`` may raise anything: they are tried again, ``begin`` first, and
    what came through the first time must not be there twice.
    """

    def __init__(self, where: str | None):
        self.where = where
        self.place = where or ""
        self.secret = ""  # a password in ``where``, which is never shown

    @classmethod
    def name(cls) -> str:
        return cls.__module__.rpartition(".")[2]

    @contextmanager
    def prepared(self, answer_seconds: int) -> Iterator[None]:
        """What must hold in this process while the sink is in use, put back afterwards.

        A place that takes longer than ``answer_seconds`` for one answer counts as gone.
        """
        yield

    @abstractmethod
    def reach(self) -> None:
        """Import what is needed and see that the place answers, in seconds. Raises AurifyError when it does not."""

    @abstractmethod
    def begin(self, record: Record) -> set[tuple[str, int]]:
        """Find or make the run there and send its settings; returns names and steps of the points it has already."""

    @abstractmethod
    def send(self, points: Sequence[Point]) -> None:
        """Add points that are not there yet; they are there, safe from a kill, when it returns."""

    @abstractmethod
    def finish(self, record: Record, status: Status) -> None:
        """Send the files and say how the run ended."""

    def link(self) -> str:
        """Where to look at the run, once it has begun there."""
        return self.place

    def reason(self, error: BaseException) -> str:
        """Why it failed, in one short line: what the system said, or the first line of the message."""
        chain: list[BaseException] = [error]
        while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None:
            chain.append(deeper)
        told = next((e.strerror or str(e) for e in reversed(chain) if isinstance(e, OSError)), "") or str(error)
        line = (told.strip() or type(error).__name__).splitlines()[0]
        line = line.replace(f"{self.secret}@", "") if self.secret else line
        return line if len(line) <= REASON_CHARACTERS else line[:REASON_CHARACTERS] + "..."

    def needs(self, package: str) -> AurifyError:
        return AurifyError(f"the tracker {self.name()} needs {package}: pip install 'aurify[{self.name()}]'")


def known() -> dict[str, type[Sink]]:
    """Every kind of sink by name: each file beside this one that defines one."""
    found = {}
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        module = importlib.import_module(f"{__package__}.{info.name}")
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, Sink) and value.__module__ == module.__name__ != __name__:
                found[info.name] = value
    return found


def chosen(words: Sequence[str]) -> list[Sink]:
    """The sinks that words such as ``mlflow`` or ``mlflow:http://127.0.0.1:5000`` name. Raises AurifyError."""
    kinds, sinks = known(), []
    for word in dict.fromkeys(words):
        name, colon, where = word.partition(":")
        if name not in kinds:
            raise AurifyError(f"{word!r}: no tracker is called {name!r}{suggest(name, kinds)}")
        if colon and not where:
            raise AurifyError(f"{word!r} names no place after the colon; write {name}:PLACE or {name} alone")
        sinks.append(kinds[name](where or None))
    return sinks


def reached(words: Sequence[str], stack: ExitStack, answer_seconds: int) -> list[Sink]:
    """The sinks that words name, each place once, prepared until the stack is left. Raises AurifyError."""
    sinks: dict[tuple[str, str], Sink] = {}
    for sink in chosen(words) if words else ():
        stack.enter_context(sink.prepared(answer_seconds))
        sink.reach()
        sinks.setdefault((sink.name(), sink.place), sink)
    return list(sinks.values())
