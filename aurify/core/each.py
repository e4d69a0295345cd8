"""Batches of several models side by side, changed for each model as its own batch would be if it were alone."""

# S models, B rows of one model

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.core.ragged import PAD
from aurify.core.run import Run
from aurify.core.types import Batch

Inputs = Mapping[str, Tensor]
Edit = Callable[[Inputs, Run], Inputs]
"""Changes the inputs of one model's batch; the run is one of that model alone."""


def edited(batch: Batch, run: Run, edit: Edit) -> Batch:
    """The batch with its inputs changed, those of each of several models side by side as if it were alone."""
    if run.members == 1:
        return replace(batch, inputs=edit(batch.inputs, run))
    most = len(batch) // run.members
    counts, widths = batch.counts or [most] * run.members, batch.widths or [None] * run.members
    tokens = {name for name, given in run.problem.signature.inputs.items() if given.kind == "tokens"}
    changed: list[Inputs] = []
    for member, (count, width) in enumerate(zip(counts, widths, strict=True)):
        rows = slice(member * most, member * most + count)
        own = {name: v[rows, :width] if name in tokens else v[rows] for name, v in batch.inputs.items()}
        changed.append(edit(own, run.alone(member)))
    return replace(
        batch,
        inputs={
            name: torch.cat([_filled(one[name], most, values.shape[1] if name in tokens else None) for one in changed])
            for name, values in batch.inputs.items()
        },
    )


def _filled(values: Tensor, most: int, width: int | None) -> Tensor:
    """As many rows as others have, the last one again and again after the others; tokens padded to ``width``."""
    if width is not None:
        values = F.pad(values, (0, width - values.shape[1]), value=PAD)
    return torch.cat([values, values[-1:].expand(most - len(values), *values.shape[1:])])
