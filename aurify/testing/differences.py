"""Bit for bit: whether two trees of plain values and tensors are equal, and where they first differ."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def same(one: Any, other: Any) -> bool:
    """Say whether two trees of plain values and tensors are equal to the last bit."""
    return first_difference(one, other) is None


def first_difference(one: Any, other: Any, place: str = "") -> str | None:
    """Name the first place where two trees differ, such as ``weights.leave.bias``; None when they are equal."""
    here = place or "all of it"
    if isinstance(one, Tensor):
        equal = isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
        return None if equal else here
    if isinstance(one, dict):
        if not isinstance(other, dict):
            return here
        start = f"{place}." if place else ""
        lone = next((name for name in [*one, *other] if name not in one or name not in other), None)
        if lone is not None:
            return f"{start}{lone}"
        return _first((one[name], other[name], f"{start}{name}") for name in one)
    if isinstance(one, (list, tuple)):
        if not isinstance(other, (list, tuple)) or len(one) != len(other):
            return here
        return _first((a, b, f"{place}[{at}]") for at, (a, b) in enumerate(zip(one, other, strict=True)))
    return None if one == other else here


def _first(pairs: Iterable[tuple[Any, Any, str]]) -> str | None:
    return next((where for pair in pairs if (where := first_difference(*pair)) is not None), None)
