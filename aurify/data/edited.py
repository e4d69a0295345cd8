"""A batch whose tokens a technique changes, special ones and other rows left alone."""

# B rows, L tokens of the longest

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.data.vocabularies import Vocabulary

Edit = Callable[[Tensor, Tensor, Vocabulary, torch.Generator], Tensor]
"""From ids (B, L), the places that may change (B, L), what ids mean and a generator to ids (B, L)."""


def edited(batch: Batch, run: Run, stream: str, edit: Edit) -> Batch:
    """The batch with its own rows' tokens changed, never those that are special; partners stay as they are."""
    random = run.random(stream)  # on the CPU: the same draws on every device
    inputs = dict(batch.inputs)
    for name, given in run.problem.signature.inputs.items():
        if given.kind == "tokens":
            ids = inputs[name]
            known = run.once(("vocabulary", name, ids.device), lambda i=given, d=ids.device: Vocabulary.of(i, d))
            inputs[name] = edit(ids, ~known.special[ids], known, random)
    return replace(batch, inputs=inputs)
