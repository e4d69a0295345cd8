"""What was prepared for one training and is handed out to the next, as long as there is room for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

MOST_BYTES = 2**29
"""Of one process; of a few thousand rows this is more than all steps take."""


class Kept:
    """A ``Once`` that keeps what it made as long as its tensors fit into ``most_bytes``; the rest it makes each time.

    ``spared`` are the seconds of this process that making the things would have taken which it handed out instead.
    """

    def __init__(self, most_bytes: int = MOST_BYTES):
        self.most_bytes, self.spared = most_bytes, 0.0
        self._made: dict[Hashable, tuple[Any, float]] = {}
        self._held: dict[int, int] = {}  # bytes by address: a step leaves most of its tensors as they were

    def __call__(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key in self._made:
            made, seconds = self._made[key]
            self.spared += seconds
            return made
        began = time.process_time()
        made = make()
        seconds = time.process_time() - began
        held = self._held | {(s := t.untyped_storage()).data_ptr(): s.nbytes() for t in tensors(made)}
        if sum(held.values()) <= self.most_bytes:
            self._made[key], self._held = (made, seconds), held
        return made


def tensors(made: Any) -> Iterator[Tensor]:
    """Every tensor in something made of modules, dataclasses, mappings and sequences."""
    match made:
        case Tensor():
            yield made
        case nn.Module():
            yield from (*made.parameters(), *made.buffers())
        case Mapping():
            yield from (tensor for value in made.values() for tensor in tensors(value))
        case tuple() | list():
            yield from (tensor for value in made for tensor in tensors(value))
        case _ if is_dataclass(made) and not isinstance(made, type):
            yield from (tensor for field in fields(made) for tensor in tensors(getattr(made, field.name)))
