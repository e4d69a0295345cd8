"""Sequences of unequal length, packed one after another: what texts are on their way to a network."""

# N rows, C sequences in each, T ids in all, L the length a batch is padded to

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

PAD, UNKNOWN, SEPARATOR, MASK = range(4)
"""The first ids: what fills a row of a batch after its own end, what training did not have, the end of a column, a
hidden word. No id that means anything is 0."""

SHORTEST = 8
"""Rows are padded to no less than this."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of sequences: ``values`` (T,) int32, of which row i has those between ``ends`` of its sequences.

    ``ends`` (1 + N * columns,) int64 begins with 0 and lies on the CPU; sequence k of row i ends at
    ``ends[1 + i * columns + k]``.
    """

    values: Tensor
    ends: Tensor
    columns: int = 1

    def __len__(self) -> int:
        return (len(self.ends) - 1) // self.columns

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def lengths(self) -> Tensor:
        """How many ids each row has in each sequence (N, C)."""
        return self.ends.diff().view(-1, self.columns)

    def to(self, device: torch.device) -> Ragged:
        return Ragged(self.values.to(device), self.ends, self.columns)

    def __getitem__(self, index: Tensor | slice) -> Ragged:
        """Rows by position (M,), by mask (N,) or by slice."""
        rows = torch.arange(len(self))[index if isinstance(index, slice) else index.cpu()]
        which = (rows[:, None] * self.columns + torch.arange(self.columns)).flatten()
        lengths = self.ends[which + 1] - self.ends[which]
        ends = _ends(lengths)
        shift = torch.repeat_interleave(self.ends[which] - ends[:-1], lengths)
        places = torch.arange(len(shift)) + shift
        return Ragged(self.values[places.to(self.device)], ends, self.columns)

    def choose(self, columns: Sequence[int]) -> Ragged:
        """Some of each row's sequences, by position."""
        which = (torch.arange(len(self))[:, None] * self.columns + torch.tensor(list(columns))).flatten()
        return replace(Ragged(self.values, self.ends)[which], columns=len(columns))

    def first(self, most: int) -> Ragged:
        """At most ``most`` ids of each sequence, those it begins with."""
        lengths = self.lengths.flatten()
        if not bool((lengths > most).any()):
            return self
        place = torch.arange(len(self.values)) - torch.repeat_interleave(self.ends[:-1], lengths)
        ends = _ends(lengths.clamp(max=most))
        return Ragged(self.values[(place < most).to(self.device)], ends, self.columns)

    def padded(self, width: int | None = None) -> Tensor:
        """Rows of one sequence side by side (N, L) int64, ``PAD`` after the end of each; L is ``width`` or what fits.

        A row longer than ``width`` is cut there.
        """
        assert self.columns == 1, "only rows of one sequence stand side by side"
        lengths = self.lengths[:, 0]
        width = width_for(int(lengths.max())) if width is None and len(lengths) else width or SHORTEST
        steps = torch.arange(width)
        inside = steps < lengths[:, None]
        table = torch.full(inside.shape, PAD, dtype=torch.int64, device=self.device)
        places = (self.ends[:-1, None] + steps)[inside]
        table[inside.to(self.device)] = self.values[places.to(self.device)].long()
        return table

    def texts(self) -> list[list[str]]:
        """Of code points: what each row says in each of its columns (N lists of C)."""
        return [list(row) for row in zip(*[iter(self.flat_texts())] * self.columns, strict=True)]

    def flat_texts(self) -> list[str]:
        """Of code points: every sequence as a text, row after row (N * C)."""
        whole = self.values.cpu().numpy().astype("<u4").tobytes().decode("utf-32-le", errors="surrogatepass")
        ends = self.ends.tolist()
        return [whole[start:end] for start, end in itertools.pairwise(ends)]


def from_sequences(rows: Sequence[Any], columns: int = 1) -> Ragged:
    """Pack sequences of ids, ``columns`` of them a row, each an array or a list of whole numbers."""
    import numpy as np

    values = np.concatenate([np.asarray(r, dtype=np.int32) for r in rows]) if rows else np.empty(0, dtype=np.int32)
    return Ragged(torch.from_numpy(values), _ends(_counts(rows)), columns)


def from_texts(texts: Sequence[str], columns: int = 1) -> Ragged:
    """Pack texts as code points, ``columns`` of them a row."""
    import numpy as np

    whole = "".join(texts).encode("utf-32-le", errors="surrogatepass")
    values = np.frombuffer(whole, dtype="<i4").astype(np.int32)
    return Ragged(torch.from_numpy(values), _ends(_counts(texts)), columns)


def side_by_side(rows: Ragged, separator: int, empty: int) -> Ragged:
    """The sequences of each row as one, with ``separator`` between them.

    A row that would have no id at all, empty and of one sequence, holds ``empty``.
    """
    lengths = rows.lengths.clone()
    lengths[:, :-1] += 1
    nothing = (rows.lengths.sum(1) == 0) & (rows.columns == 1)
    lengths[nothing, 0] = 1
    starts = _ends(lengths.flatten())
    values = torch.full((int(starts[-1]),), separator, dtype=torch.int32)
    values[starts[:-1][nothing.repeat_interleave(rows.columns)]] = empty
    own = rows.ends.diff()
    places = torch.arange(len(rows.values)) + torch.repeat_interleave(starts[:-1] - rows.ends[:-1], own)
    values[places] = rows.values.cpu()
    return Ragged(values, starts[:: rows.columns].contiguous())


def ragged_joined(pieces: Sequence[Ragged]) -> Ragged:
    """Rows one after another."""
    ends = _ends(torch.cat([p.ends.diff() for p in pieces]))
    return Ragged(torch.cat([p.values for p in pieces]), ends, pieces[0].columns)


def _counts(rows: Sequence[Any]) -> Tensor:
    return torch.tensor([len(row) for row in rows], dtype=torch.int64)


def _ends(lengths: Tensor) -> Tensor:
    """Where sequences of these lengths (S,) end, 0 before the first (1 + S,)."""
    return torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])


def width_for(length: int) -> int:
    """The width that rows of at most this length are padded to: 8, 12, 16, 24, 32, 48, ... so that few are in use."""
    width = SHORTEST
    while width < length:
        width = width * 3 // 2 if width & (width - 1) == 0 else width * 4 // 3
    return width
