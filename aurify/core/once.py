"""Work done once and handed out again to whoever asks for the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

Once = Callable[[Hashable, Callable[[], Any]], Any]
"""Makes something, or hands out what was made under the same key before: ``once(key, make)``."""


def anew(key: Hashable, make: Callable[[], Any]) -> Any:
    """Make it every time."""
    return make()


class Kept:
    """Keeps what it made, the first ``most`` things; those after them are made anew each time.

    ``spared`` are the seconds of this process that making the things would have taken which it handed out instead.
    """

    def __init__(self, most: int = 64):
        self.most, self.spared = most, 0.0
        self._made: dict[Hashable, tuple[Any, float]] = {}

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key in self._made:
            made, seconds = self._made[key]
            self.spared += seconds
            return made
        began = time.process_time()
        made = make()
        if len(self._made) < self.most:
            self._made[key] = made, time.process_time() - began
        return made
