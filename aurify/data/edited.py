"""A batch whose tokens a technique changes, special ones and other rows left alone."""

# B rows, L tokens of the longest

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from aurify.core.errors import AurifyError
from aurify.core.run import Run
from aurify.core.types import Batch, Input
from aurify.data.token_kinds import TokenKinds

Edit = Callable[[Tensor, Tensor, TokenKinds, torch.Generator], Tensor]
"""From ids (B, L), the places that may change (B, L), what ids mean and a generator to ids (B, L)."""


def edited(batch: Batch, run: Run, stream: str, edit: Edit) -> Batch:
    """The batch with its own rows' tokens changed, never those that are special; partners stay as they are."""
    random = run.random(stream)  # on the CPU: the same draws on every device
    inputs = dict(batch.inputs)
    for name, given in token_inputs(run, stream).items():
        ids = inputs[name]
        known = run.once(("kinds", name, ids.device), lambda i=given, d=ids.device: TokenKinds.of(i, d))
        inputs[name] = edit(ids, ~known.special[ids], known, random)
    return replace(batch, inputs=inputs)


def token_inputs(run: Run, technique: str) -> dict[str, Input]:
    """The inputs that are tokens; raises AurifyError where the network is given none, as by a frozen encoder."""
    found = {name: given for name, given in run.problem.signature.inputs.items() if given.kind == "tokens"}
    if not found:
        raise AurifyError(
            f"{technique} changes texts while a network learns, and this one reads none: they were encoded once and for"
            f" all; leave it out with --without {technique}, or train the encoder too"
        )
    return found
