"""Values of every form on their way to a network: joined, and gathered for as many rows as go through it together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from aurify.core.pixels import Pixels, one_after_another
from aurify.core.ragged import Ragged, ragged_joined, width_for

PIXELS_CPU, PIXELS_ELSEWHERE = 2**18, 2**23
"""Pixels that go through a network together."""


def joined(pieces: Sequence[Any]) -> Any:
    """Rows one after another: of tensors a tensor, of ragged rows ragged rows, of images of one array images."""
    if isinstance(pieces[0], Pixels):
        return one_after_another(pieces)
    return ragged_joined(pieces) if isinstance(pieces[0], Ragged) else torch.cat(list(pieces))


def by_width(
    inputs: Mapping[str, Tensor | Ragged | Pixels],
    device: torch.device,
    call: Callable[[dict[str, Tensor]], Tensor],
    whole: int,
) -> Tensor:
    """Ask ``call`` about rows, those of one padded width together: what is said of a row depends on no other row.

    It is given a multiple of ``whole`` rows each time, on ``device``; without ragged inputs all rows go at once, of
    images as many as ``images_at_once``.
    """
    ragged = [v for v in inputs.values() if isinstance(v, Ragged)]
    if not ragged:
        return _by_parts(inputs, device, call, whole)
    widths = torch.tensor([width_for(n) for n in torch.stack([r.lengths.sum(1) for r in ragged]).amax(0).tolist()])
    answers: Tensor | None = None
    for width in widths.unique().tolist():
        rows = torch.nonzero(widths == width)[:, 0]
        filled = torch.cat([rows, rows[:1].repeat(-len(rows) % whole)])
        some = {n: _plain(v[filled], width) for n, v in inputs.items()}
        answer = call({name: v.to(device) for name, v in some.items()})[: len(rows)]
        if answers is None:
            answers = answer.new_empty(len(widths), *answer.shape[1:])
        answers[rows.to(answer.device)] = answer
    assert answers is not None, "no rows"
    return answers


def _plain(values: Any, width: int | None = None) -> Tensor:
    """Values as one tensor: sequences side by side, images gathered."""
    if isinstance(values, Ragged):
        return values.padded(width)
    return values.taken() if isinstance(values, Pixels) else values


def _by_parts(
    inputs: Mapping[str, Any], device: torch.device, call: Callable[[dict[str, Tensor]], Tensor], whole: int
) -> Tensor:
    """Ask about all rows at once, or where there are images in parts that fit."""
    images = [v for v in inputs.values() if isinstance(v, Pixels)]
    if not images:
        return call({name: v.to(device) for name, v in inputs.items()})
    count, most = len(images[0]), max(whole, images_at_once(images[0], device) // whole * whole)
    cuts = (slice(at, at + most) for at in range(0, count, most))
    return torch.cat([call({n: _plain(v[cut]).to(device) for n, v in inputs.items()}) for cut in cuts])


def images_at_once(images: Pixels, device: torch.device) -> int:
    """How many images go through a network together: what stays in a CPU's cache, or fits an accelerator's memory."""
    return max(1, (PIXELS_CPU if device.type == "cpu" else PIXELS_ELSEWHERE) // images.values[0, ..., 0].numel())
