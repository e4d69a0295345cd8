"""Sequences of ids changed at random: deleted, exchanged, inserted, put in another order, hidden in spans."""

# B rows of a batch, L ids of the longest, S ids a span may have at most

from __future__ import annotations

import torch
from torch import Tensor

from aurify.core.ragged import PAD

LONGEST_SPAN = 10


def draws(shape: tuple[int, ...], random: torch.Generator, device: torch.device) -> Tensor:
    """Numbers in [0, 1), the same ones on every device."""
    return torch.rand(shape, generator=random).to(device)


def chosen(free_BL: Tensor, rate: float, random: torch.Generator) -> Tensor:
    """Each free place with a chance of ``rate``, but never all that a row has: (B, L) bool."""
    draw_BL = draws(tuple(free_BL.shape), random, free_BL.device)
    return free_BL & (draw_BL < rate) & ~_last(free_BL, draw_BL)


def _last(free_BL: Tensor, draw_BL: Tensor) -> Tensor:
    """The free place of each row with the highest draw, which is left alone."""
    at_B1 = draw_BL.masked_fill(~free_BL, -1.0).argmax(1, keepdim=True)
    return torch.zeros_like(free_BL).scatter(1, at_B1, True)


def packed(ids_BL: Tensor, gone_BL: Tensor) -> Tensor:
    """The ids without those that are ``gone``, the others moved up: (B, L), ``PAD`` after the end."""
    left_BL = ids_BL.masked_fill(gone_BL, PAD)
    return left_BL.gather(1, (left_BL == PAD).long().argsort(dim=1, stable=True))


def swapped(ids_BL: Tensor, free_BL: Tensor, rate: float, random: torch.Generator) -> Tensor:
    """About ``rate`` of the free ids, drawn and paired at random, exchanged within each pair; an odd one stays."""
    picked_BL = free_BL & (draws(tuple(free_BL.shape), random, free_BL.device) < rate)
    key_BL = draws(tuple(free_BL.shape), random, free_BL.device).masked_fill(~picked_BL, 2.0)
    order_BL = key_BL.argsort(dim=1, stable=True)  # first the picked places, shuffled
    rank_BL = torch.arange(ids_BL.shape[1], device=ids_BL.device).expand_as(ids_BL)
    paired_BL = (rank_BL | 1) < picked_BL.sum(1, keepdim=True)
    partner_BL = torch.where(paired_BL, rank_BL ^ 1, rank_BL)
    source_BL = torch.empty_like(order_BL).scatter(1, order_BL, order_BL.gather(1, partner_BL))
    return ids_BL.gather(1, source_BL)


def drawn(ids_BL: Tensor, free_BL: Tensor, random: torch.Generator) -> Tensor:
    """For each place an id drawn from the free ones of its own row: (B, L); ``PAD`` where a row has none."""
    first_BL = (~free_BL).long().argsort(dim=1, stable=True)  # where the free ones are, in their order
    count_B1 = free_BL.sum(1, keepdim=True)
    draw_BL = draws(tuple(ids_BL.shape), random, ids_BL.device)
    at_BL = (draw_BL * count_B1).long().clamp(max=(count_B1 - 1).clamp(min=0))
    return ids_BL.gather(1, first_BL.gather(1, at_BL)).masked_fill(count_B1 == 0, PAD)


def inserted(ids_BL: Tensor, new_BL: Tensor, wanted_BL: Tensor, random: torch.Generator) -> Tensor:
    """Put ``new`` ids behind the ``wanted`` places, as many as the padding of a row has room for: (B, L)."""
    there_BL, width = ids_BL != PAD, ids_BL.shape[1]
    wanted_BL = wanted_BL & there_BL & (new_BL != PAD)
    room_B1 = width - there_BL.sum(1, keepdim=True)
    key_BL = draws(tuple(ids_BL.shape), random, ids_BL.device).masked_fill(~wanted_BL, 2.0)
    wanted_BL = wanted_BL & (key_BL.argsort(dim=1, stable=True).argsort(dim=1, stable=True) < room_B1)
    before_BL = wanted_BL.long().cumsum(1) - wanted_BL.long()
    place_BL = torch.arange(width, device=ids_BL.device) + before_BL
    wide_BL = torch.full((len(ids_BL), 2 * width + 1), PAD, dtype=ids_BL.dtype, device=ids_BL.device)
    wide_BL = wide_BL.scatter(1, place_BL, ids_BL)
    spare = torch.full_like(place_BL, 2 * width)  # where what is not wanted goes
    return wide_BL.scatter(1, torch.where(wanted_BL, place_BL + 1, spare), new_BL)[:, :width]


def reordered(ids_BL: Tensor, ends_BL: Tensor, fixed_BL: Tensor, rows_B: Tensor, random: torch.Generator) -> Tensor:
    """The pieces of some rows in a random order; a piece goes to the end of a sentence or to a ``fixed`` id: (B, L).

    Fixed ids stay where they are, and no piece passes one.
    """
    after_BL = torch.cat([torch.zeros_like(ends_BL[:, :1]), (ends_BL | fixed_BL)[:, :-1]], 1)
    piece_BL = (after_BL | fixed_BL).long().cumsum(1)
    part_BL = 2 * fixed_BL.long().cumsum(1) - fixed_BL.long()
    draw_BL = draws((ids_BL.shape[0], ids_BL.shape[1] + 1), random, ids_BL.device).double().gather(1, piece_BL)
    key_BL = torch.where(rows_B[:, None], part_BL + draw_BL, part_BL)
    return ids_BL.gather(1, key_BL.argsort(dim=1, stable=True))


def spans(free_BL: Tensor, rate: float, mean: float, random: torch.Generator) -> Tensor:
    """About ``rate`` of the free places, in spans, but never all that a row has: (B, L) bool.

    Lengths are geometric and end at ``LONGEST_SPAN`` (Joshi et al. 2020); ``mean`` is that of the geometric law. Spans
    may begin before the row, so that no place is hidden less often than others.
    """
    go_on = 1 - 1 / mean
    start = _start_rate(rate, go_on)
    shape = (free_BL.shape[0], free_BL.shape[1] + LONGEST_SPAN - 1)
    begins_BT = draws(shape, random, free_BL.device) < start
    length_BT = _lengths(draws(shape, random, free_BL.device), go_on)
    hidden_BL = torch.zeros_like(free_BL)
    for back in range(LONGEST_SPAN):
        at = slice(LONGEST_SPAN - 1 - back, shape[1] - back)
        hidden_BL |= begins_BT[:, at] & (length_BT[:, at] > back)
    hidden_BL &= free_BL
    all_B1 = (hidden_BL == free_BL).all(1, keepdim=True)
    return hidden_BL & ~(all_B1 & _last(free_BL, draws(tuple(free_BL.shape), random, free_BL.device)))


def _lengths(draw: Tensor, go_on: float) -> Tensor:
    """Geometric lengths from 1 to ``LONGEST_SPAN`` by inversion: longer than k with a chance of go_on^k."""
    powers = torch.tensor([go_on**k for k in range(1, LONGEST_SPAN)], device=draw.device)
    return 1 + (draw[..., None] < powers).sum(-1)


def _start_rate(rate: float, go_on: float) -> float:
    """How often a span must begin at a place so that ``rate`` of all places are in one, or in several."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle, free = (low + high) / 2, 1.0
        for back in range(LONGEST_SPAN):
            free *= 1 - middle * go_on**back
        low, high = (middle, high) if 1 - free < rate else (low, middle)
    return high
