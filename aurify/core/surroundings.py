"""What long work is surrounded by: who is told how far it has come, and where large things may lie meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

Told = Callable[[str, int, int], None]
"""Gets what is done (``reading images``), how many of them are done, and how many there are; may raise to stop it."""

_listeners: ContextVar[tuple[Told, ...]] = ContextVar("listeners", default=())
_place: ContextVar[Path | None] = ContextVar("place", default=None)


@contextmanager
def telling(told: Told) -> Iterator[None]:
    """Within the block ``told`` is called, now and then, by work that takes long."""
    token = _listeners.set((*_listeners.get(), told))
    try:
        yield
    finally:
        _listeners.reset(token)


@contextmanager
def beside(folder: Path) -> Iterator[None]:
    """Within the block what is too large for memory lies beside ``folder``, on the disk where it will end up anyway."""
    token = _place.set(folder.absolute().parent)
    try:
        yield
    finally:
        _place.reset(token)


def tell(what: str, done: int, total: int) -> None:
    """Say how far some work is, from the thread that waits for it."""
    for told in _listeners.get():
        told(what, done, total)


def place() -> Path | None:
    """Where large things may lie; None where nobody said."""
    return _place.get()
