"""Which objective goes with which kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from aurify.core.parts import Trait
from aurify.core.types import Batch
from aurify.data.schema import Schema
from aurify.objectives import classify, labels, regress


class Objective(Protocol):
    """What a module of this room offers; B examples, M members trained side by side, K outputs."""

    TRAITS: frozenset[Trait]
    SCORE: str

    def encode(self, target: Tensor, outputs: int, /) -> Tensor:
        """What is learnt from: targets as they are kept (B, ...) as a batch holds them."""
        ...

    def losses(self, output: Tensor, batch: Batch, /) -> Tensor:
        """One loss an example (B,), of outputs (B, K) or (B, M, K)."""
        ...

    def merge(self, output: Tensor, /) -> Tensor:
        """Members' outputs (B, M, K) as one (B, K)."""
        ...

    def answers(self, output: Tensor, /) -> Tensor:
        """What users read: numbers (B,) or probabilities (B, K)."""
        ...

    def score(self, output: Tensor, target: Tensor, weight: Tensor, /) -> float:
        """The mean loss of outputs (N, K), in the unit of ``SCORE``."""
        ...


OBJECTIVES: Mapping[str, Objective] = {"classify": classify, "regress": regress, "multi_label": labels}


def kind_of(schema: Schema) -> str:
    """The kind of target that a schema describes."""
    return "multi_label" if schema.labels is not None else "regress" if schema.classes is None else "classify"
