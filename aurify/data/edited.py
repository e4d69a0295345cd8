"""What techniques share that change the tokens of a batch."""

# B rows, L tokens of the longest

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.blocks.token_edits import draws
from aurify.core.each import Inputs, edited
from aurify.core.errors import AurifyError
from aurify.core.parts import Technique, Trait
from aurify.core.run import Run
from aurify.core.types import Batch, Input
from aurify.data.token_kinds import TokenKinds


@dataclass(frozen=True, eq=False)
class Tokens:
    """What an edit may look at: ids (B, L), which of them may change (B, L) bool, what they mean, draws, the run."""

    ids: Tensor
    free: Tensor
    kinds: TokenKinds
    random: torch.Generator
    run: Run

    def drawn(self, rate: float) -> Tensor:
        """Each place that may change with a chance of ``rate`` (B, L) bool."""
        return self.free & (draws(tuple(self.ids.shape), self.random, self.ids.device) < rate)


@dataclass(kw_only=True)
class TokenEdit(Technique):
    """A technique that changes a share of a batch's tokens in each step: no special ones, and no partners."""

    family = "augmentation"
    rate: float
    needs = frozenset({Trait.TEXTS})
    neutral = {"rate": 0.0}

    def edit(self, tokens: Tokens) -> Tensor:
        """The ids (B, L) changed."""
        raise NotImplementedError

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        return batch if self.rate == 0.0 else edited(batch, run, self._edited)

    def _edited(self, inputs: Inputs, run: Run) -> Inputs:
        random = run.random(self.name())  # on the CPU: the same draws on every device
        after = dict(inputs)
        for name, given in token_inputs(run, self.name()).items():
            ids = inputs[name]
            kinds = run.once(("kinds", name, ids.device), lambda i=given, d=ids.device: TokenKinds.of(i, d))
            after[name] = self.edit(Tokens(ids, ~kinds.special[ids], kinds, random, run))
        return after


def token_inputs(run: Run, technique: str) -> dict[str, Input]:
    """The inputs that are tokens; raises AurifyError where the network is given none, as by a frozen encoder."""
    found = {name: given for name, given in run.problem.signature.inputs.items() if given.kind == "tokens"}
    if not found:
        raise AurifyError(
            f"{technique} changes texts while a network learns, and this one reads none: they were encoded once and for"
            f" all; leave it out with --without {technique}, or train the encoder too"
        )
    return found
