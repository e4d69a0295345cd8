"""Serves batches of several models that train side by side, each its own rows in its own order."""

# S models, B rows of one model's batch, M entries of a plan

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from aurify.core.errors import Apart
from aurify.core.gathering import Beside
from aurify.core.ragged import width_for
from aurify.core.run import Run
from aurify.core.types import Batch, Blend
from aurify.data.feed import RowFeed


class FeedBeside:
    """Batches of S feeds, rows (S * B) one model's after another's: of each those that its own feed would serve.

    All rows but images lie in one tensor, so that a batch is gathered at once. Where models have a few rows more or
    less, the last batch of an epoch is filled up with rows of weight 0. Raises Apart where they take more or fewer
    steps.
    """

    def __init__(self, feeds: Sequence[RowFeed]):
        self.feeds, first = feeds, feeds[0]
        self.sizes = [len(feed.index) for feed in feeds]
        if any(feed.steps_per_epoch != first.steps_per_epoch for feed in feeds):
            raise Apart(
                f"with {min(self.sizes):,} to {max(self.sizes):,} training rows they take more or fewer steps of"
                f" {first.batch_size:,} in an epoch"
            )
        if any(feed.other for feed in feeds) or len({feed.partner is None for feed in feeds}) > 1:
            raise Apart("their rows come with partners or in other words, and not in all of them alike")
        self.device, self.steps_per_epoch = first.device, first.steps_per_epoch
        self.batch_size = max(feed.batch_size for feed in feeds)  # of full batches each has its own
        self.inputs = Beside([feed.inputs for feed in feeds])
        lengths = self.inputs.lengths()
        if lengths is not None and first.partner is not None:
            raise Apart("their texts come with partners, of other lengths")
        each = zip(feeds, lengths or (), strict=False)
        self._lengths = torch.cat([own[feed.index.cpu()] for feed, own in each]) if lengths else None
        self._starts = torch.tensor([0, *self.sizes[:-1]]).cumsum(0)[:, None]
        self.index = torch.cat([feed.index for feed in feeds])
        self.target = torch.cat([feed.encode(feed.target) for feed in feeds])
        self.rows = torch.cat([feed.rows for feed in feeds])
        self.weight = self.partner = self.share = None
        if any(feed.weight is not None for feed in feeds):
            self.weight = torch.cat([torch.ones(len(f.index)) if f.weight is None else f.weight for f in feeds])
        if first.partner is not None:
            self.partner = torch.cat([feed.partner for feed in feeds if feed.partner is not None])
            self.share = torch.cat([feed.share for feed in feeds if feed.share is not None])
        self.step, self._epoch, self._order = 0, -1, torch.empty(0)

    @property
    def uneven(self) -> bool:
        """Whether some have more rows than others."""
        return len(set(self.sizes)) > 1

    def next(self, run: Run) -> Batch:
        epoch, at = divmod(self.step, self.steps_per_epoch)
        if self._epoch != epoch:
            self._epoch, self._order = epoch, self._drawn(epoch)
        self.step += 1
        start = at * self.batch_size
        own = self._order[:, start : start + self.batch_size]
        flat = own.flatten()
        pick = flat.to(self.index.device)
        target, weight = self._take(self.target, pick), None if self.weight is None else self._take(self.weight, pick)
        batch = Batch(self._gather(self.index, pick), target, self.rows[flat], weight, widths=self._widths(own, start))
        if self.partner is not None:
            batch = replace(batch, blend=Blend(self._gather(self.partner, pick), self._take(self.share, pick)))
        return self._filled(batch, own.shape[1], start) if self.uneven and at == self.steps_per_epoch - 1 else batch

    def _drawn(self, epoch: int) -> Tensor:
        """The orders (S, M) of an epoch; where a model has fewer entries, its first one comes again."""
        orders = [feed.order(epoch) + start for feed, start in zip(self.feeds, self._starts, strict=True)]
        most = max(self.sizes)
        return torch.stack([torch.cat([order, order[:1].expand(most - len(order))]) for order in orders])

    def _widths(self, own: Tensor, start: int) -> list[int] | None:
        """To how many tokens each model would pad its own rows, of entries (S, B)."""
        if self._lengths is None:
            return None
        lengths = self._lengths[own]
        for each, size in zip(lengths, self.sizes, strict=True):
            each[size - start :] = 0  # what fills up
        return [width_for(longest) for longest in lengths.amax(1).tolist()]

    def _filled(self, batch: Batch, width: int, start: int) -> Batch:
        """The last batch of an epoch: of each model's ``width`` rows those beyond its own weigh nothing."""
        counts = [size - start for size in self.sizes]
        share = torch.zeros(len(counts), width)
        for own, count in zip(share, counts, strict=True):
            own[:count] = width / count  # each model's loss is the mean over its own rows
        share = share.flatten().to(self.device)
        return replace(batch, weight=share if batch.weight is None else share * batch.weight, counts=counts)

    def _gather(self, index: Tensor, pick: Tensor) -> dict[str, Tensor]:
        return self.inputs.taken(index[pick].view(len(self.feeds), -1), self.device)

    def _take(self, values: Any, index: Tensor) -> Tensor:
        return self.feeds[0].take(values, index)

    def state(self) -> dict[str, Any]:
        return {"step": self.step, "members": [feed.state() for feed in self.feeds]}

    def mark(self) -> dict[str, Any]:
        return self.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.step, self._epoch = state["step"], -1
        for feed, own in zip(self.feeds, state["members"], strict=True):
            feed.restore(own)
