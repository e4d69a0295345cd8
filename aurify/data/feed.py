"""Serves shuffled batches of rows that are prepared once and kept whole on the device when they fit there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from aurify.core import rng
from aurify.core.pixels import Pixels
from aurify.core.ragged import Ragged
from aurify.core.run import Run
from aurify.core.types import Batch, Blend, RowPlan

NEAR_BATCHES = 32
"""Batches among whose rows those of one length are brought together."""

AT_HAND_BYTES = 2**32
"""Of images: from here on they are shuffled in blocks that lie together on the disk. A run's order hangs on it."""

BLOCK_BYTES, SHUFFLED_BYTES = 2**22, 2**28
"""Of one block, and of those whose rows are shuffled together."""


class RowFeed:
    """Epochs over the rows of a plan, each in an order that depends on the seed and the epoch alone.

    Where rows have ``lengths`` (N,), those of one length come together: the lengths of texts as they were read, so that
    the same rows are in a batch whatever becomes of the texts.

    Images that take more than ``AT_HAND_BYTES``, the same number on every machine, come in blocks: blocks in random
    order, and among the rows of some blocks at a time all in random order. Each is read once an epoch, with few seeks.

    ``inputs`` maps names to (N, C) tensors of all training rows, ``target`` is (N,), ``rows`` (N,) their Store ids,
    ``encode`` turns targets (B,) into what the objective learns from. The last batch of an epoch may be short.
    ``other`` are inputs of the same rows in other words, if there are any.
    """

    def __init__(
        self,
        inputs: Mapping[str, Tensor | Ragged | Pixels],
        target: Tensor,
        rows: Tensor,
        plan: RowPlan,
        encode: Callable[[Tensor], Tensor],
        *,
        lengths: Tensor | None = None,
        batch_size: int,
        seed: int,
        device: torch.device,
        other: Mapping[str, Ragged] | None = None,
    ):
        self.encode, self.batch_size, self.seed, self.device = encode, batch_size, seed, device
        kept = device if _fits(inputs, device) else torch.device("cpu")
        self.inputs = {name: values.to(kept) for name, values in inputs.items()}
        self.other = other or {}
        self.target = plan.targets(target).to(kept)
        self.rows = rows[plan.index]
        self.index = plan.index.to(kept)
        weight = plan.weight / plan.weight.mean()
        self.weight = None if bool((weight == 1).all()) else weight.float().to(kept)
        self.partner = None if plan.partner is None else plan.partner.to(kept)
        self.share = None if plan.share is None else plan.share.to(kept)
        self.steps_per_epoch = -(-len(plan.index) // batch_size)
        self.step, self.served, self.hashed_epochs = 0, "", 0
        self._lengths = None if lengths is None else lengths[plan.index]
        self._block = _rows_a_block(inputs)
        self._epoch, self._order, self._order_kept = -1, torch.empty(0), torch.empty(0)

    def next(self, run: Run) -> Batch:
        epoch, at = divmod(self.step, self.steps_per_epoch)
        self.order(epoch)
        span = slice(at * self.batch_size, (at + 1) * self.batch_size)
        pick = self._order_kept[span]
        self.step += 1
        weight = None if self.weight is None else self.take(self.weight, pick)
        target = self.encode(self.take(self.target, pick))
        index = self.index[pick]
        other = {name: self.take(values, index) for name, values in self.other.items()}
        rows = self.rows[self._order[span]]
        return Batch(self._gather(index), target, rows, weight, self._blend(pick), other=other)

    def order(self, epoch: int) -> Tensor:
        """The order of an epoch, positions in the plan (M,)."""
        if self._epoch != epoch:
            self._draw(epoch)
        return self._order

    def _draw(self, epoch: int) -> None:
        random = rng.generator(self.seed, "order", epoch)
        order = torch.randperm(len(self.index), generator=random) if self._block is None else self._by_block(random)
        lengths = self._lengths
        self._epoch, self._order = epoch, order if lengths is None else self._by_length(order, lengths, random)
        self._order_kept = self._order.to(self.index.device)
        if epoch >= self.hashed_epochs:
            ids = self.rows[self._order].numpy().tobytes()
            self.served = hashlib.blake2b(self.served.encode() + ids, digest_size=16).hexdigest()
            self.hashed_epochs = epoch + 1

    def _by_block(self, random: torch.Generator) -> Tensor:
        """An order whose rows lie near to those around them in the Store."""
        assert self._block is not None
        blocks = self.rows.argsort(stable=True).split(self._block)
        shuffled = [blocks[at] for at in torch.randperm(len(blocks), generator=random).tolist()]
        together = max(1, SHUFFLED_BYTES // BLOCK_BYTES)
        windows = [torch.cat(shuffled[at : at + together]) for at in range(0, len(shuffled), together)]
        return torch.cat([window[torch.randperm(len(window), generator=random)] for window in windows])

    def _by_length(self, order: Tensor, lengths: Tensor, random: torch.Generator) -> Tensor:
        """An order whose batches hold rows of about one length: among some batches' rows at a time, by length."""
        window = NEAR_BATCHES * self.batch_size
        sorted_ = [part[lengths[part].argsort(stable=True)] for part in order.split(window)]
        whole = len(order) // self.batch_size
        batches = torch.cat(sorted_).split(self.batch_size)
        return torch.cat([*(batches[at] for at in torch.randperm(whole, generator=random).tolist()), *batches[whole:]])

    def _blend(self, pick: Tensor) -> Blend | None:
        if self.partner is None or self.share is None:
            return None
        return Blend(self._gather(self.partner[pick]), self.take(self.share, pick))

    def _gather(self, index: Tensor) -> dict[str, Tensor]:
        return {name: self.take(values, index) for name, values in self.inputs.items()}

    def take(self, values: Any, index: Tensor) -> Tensor:
        if isinstance(values, Ragged):
            return values[index].padded().to(self.device)
        if isinstance(values, Pixels):
            return values[index].taken().to(self.device)
        return values.index_select(0, index).to(self.device)

    def state(self) -> dict[str, Any]:
        """``served`` is a running hash of every epoch's row ids in order: runs with one hash saw the same rows."""
        return {"step": self.step, "served": self.served, "hashed_epochs": self.hashed_epochs}

    def mark(self) -> dict[str, Any]:
        return self.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.step, self.served, self.hashed_epochs = state["step"], state["served"], state["hashed_epochs"]
        self._epoch = -1  # drawn again, and hashed again where it was not


def _rows_a_block(inputs: Mapping[str, Any]) -> int | None:
    """Rows of a block, where images are too large to be shuffled one by one."""
    pixels = [values for values in inputs.values() if isinstance(values, Pixels)]
    if sum(each.nbytes for each in pixels) <= AT_HAND_BYTES:
        return None
    return max(1, BLOCK_BYTES // max(1, sum(each.values[0].numel() for each in pixels)))


def _fits(inputs: Mapping[str, Tensor | Ragged | Pixels], device: torch.device) -> bool:
    """Say whether all rows can stay on the device, with half of it left for the work."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    kept = (v.values if isinstance(v, Ragged) else v for v in inputs.values())
    return sum(v.nbytes for v in kept) < free / 2
