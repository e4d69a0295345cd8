"""Values of every form on their way to a network: joined, and gathered for as many rows as go through it together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from aurify.core.pixels import Pixels, one_after_another
from aurify.core.ragged import Ragged, ragged_joined, width_for

PIXELS_CPU, PIXELS_ELSEWHERE = 2**18, 2**23
"""Pixels that go through a network together."""


def joined(pieces: Sequence[Any]) -> Any:
    """Rows one after another: of tensors a tensor, of ragged rows ragged rows, of images of one array images."""
    if isinstance(pieces[0], Pixels):
        return one_after_another(pieces)
    return ragged_joined(pieces) if isinstance(pieces[0], Ragged) else torch.cat(list(pieces))


class Beside:
    """Inputs of several models side by side, each its own rows: those that are asked for are gathered at once.

    Images stay where they are: of each model those of a batch are gathered, and joined then.
    """

    def __init__(self, every: Sequence[Mapping[str, Any]]):
        self.every = every
        self.sizes = [len(next(iter(inputs.values()))) for inputs in every]
        self._starts = torch.tensor([0, *self.sizes[:-1]]).cumsum(0)[:, None]
        self._joined = {
            name: joined([inputs[name] for inputs in every])
            for name, values in every[0].items()
            if not isinstance(values, Pixels)
        }

    def lengths(self) -> list[Tensor] | None:
        """How long the longest sequence of each row is, of each model; None where there are none."""
        if not any(isinstance(values, Ragged) for values in self.every[0].values()):
            return None
        return [_longest([v for v in inputs.values() if isinstance(v, Ragged)]) for inputs in self.every]

    def taken(self, rows: Tensor, device: torch.device, width: int | None = None) -> dict[str, Tensor]:
        """Of each model its own ``rows`` (S, B), padded to ``width`` or what fits: {name: (S * B, ...)}."""
        self._starts = self._starts.to(rows.device)
        whole = (rows + self._starts).flatten()
        return {name: self._of(name, rows, whole, width).to(device) for name in self.every[0]}

    def answered(self, device: torch.device, call: Callable[[dict[str, Tensor]], Tensor], most: int) -> list[Tensor]:
        """Ask ``call`` about all rows of each model, those of one padded width together; an answer (N, ...) a model.

        It is given ``most`` rows of all models at a time, of images as many as go through a network together.
        """
        lengths, models, nowhere = self.lengths(), len(self.every), max(self.sizes)
        each = torch.arange(models, device=device)[:, None]
        images = [v for v in self.every[0].values() if isinstance(v, Pixels)]
        step = max(1, min([most, *(images_at_once(v, device) for v in images)]) // models)
        if lengths is None:
            widths = [torch.zeros(size, dtype=torch.int64) for size in self.sizes]
        else:
            widths = [torch.tensor([width_for(n) for n in own.tolist()]) for own in lengths]
        answers: Tensor | None = None
        for width in torch.cat(widths).unique().tolist():
            rows = [torch.nonzero(own == width)[:, 0] for own in widths]
            for at in range(0, max(map(len, rows)), step):
                places = pad_sequence([own[at : at + step] for own in rows], True, nowhere)  # (S, B)
                asked = (places % nowhere).to(device)  # in place of those that are nowhere any row
                said = call(self.taken(asked, device, width or None)).unflatten(0, (models, -1))
                if answers is None:
                    answers = said.new_empty(models, nowhere + 1, *said.shape[2:])
                answers[each, places.to(device)] = said
        assert answers is not None, "no rows"
        return [own[:size] for own, size in zip(answers, self.sizes, strict=True)]

    def _of(self, name: str, rows: Tensor, whole: Tensor, width: int | None) -> Tensor:
        if name in self._joined:
            values = self._joined[name]
            return _plain(values[whole] if isinstance(values, Ragged) else values.index_select(0, whole), width)
        return torch.cat([inputs[name][own].taken() for inputs, own in zip(self.every, rows, strict=True)])


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
    widths = torch.tensor([width_for(n) for n in _longest(ragged).tolist()])
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


def _longest(ragged: Sequence[Ragged]) -> Tensor:
    """How long the longest of each row's sequences is (N,)."""
    return torch.stack([r.lengths.sum(1) for r in ragged]).amax(0)


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
