"""Search in sorted tables by plain comparisons, so that an exported graph can hold it."""

from __future__ import annotations

import torch
from torch import Tensor


def place_after(table: Tensor, begin: Tensor, end: Tensor, asked: Tensor, most: int) -> Tensor:
    """Where the numbers ``asked`` would go behind those not above them: places in ``table`` (M,), ``begin`` to ``end``.

    Each asked number has a stretch of the table of its own, ``begin`` to before ``end`` (broadcast against ``asked``),
    ascending and at most ``most`` long. NaN goes to ``begin``.
    """
    place = begin.expand_as(asked)
    step = 1 << most.bit_length() >> 1
    while step:
        ahead = place + step
        not_above = table[(ahead - 1).clamp(max=len(table) - 1)] <= asked
        place = torch.where((ahead <= end) & not_above, ahead, place)
        step >>= 1
    return place
