"""Work done once and handed out again to whoever asks for the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

Once = Callable[[Hashable, Callable[[], Any]], Any]
"""Makes something, or hands out what was made under the same key before: ``once(key, make)``."""


def anew(key: Hashable, make: Callable[[], Any]) -> Any:
    """Make it every time."""
    return make()


class Kept:
    """Keeps what it made, the first ``most`` things; those after them are made anew each time."""

    def __init__(self, most: int = 64):
        self.most = most
        self._made: dict[Hashable, Any] = {}

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key in self._made:
            return self._made[key]
        made = make()
        if len(self._made) < self.most:
            self._made[key] = made
        return made
