"""Work done once and handed out again to whoever asks for the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

Once = Callable[[Hashable, Callable[[], Any]], Any]
"""Makes something, or hands out what was made under the same key before: ``once(key, make)``."""


def anew(key: Hashable, make: Callable[[], Any]) -> Any:
    """Make it every time."""
    return make()
