"""Seams of tasks that act: what a technique may do to experience and to choices; only their feeds call them."""

# S agents, E environments of each, K outputs

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from torch import Tensor

if TYPE_CHECKING:
    from aurify.core.run import Run
    from aurify.core.types import Layer

T = TypeVar("T")


@runtime_checkable
class Sees(Protocol):
    """Changes what is observed, learning from it on the way."""

    def look(self, observation: Tensor, counts: Tensor, run: Run) -> None:
        """Learn from numbers (S, E, C) that were just observed while collecting, where they count (S, E)."""
        ...

    def seen(self, observation: Tensor) -> Tensor:
        """What a network takes in of numbers (S, N, C)."""
        ...

    def seeing(self, agent: int) -> Layer | None:
        """The same for one agent's raw rows, as a layer of its model; None where they stay as they are."""
        ...


@runtime_checkable
class Rewards(Protocol):
    """Changes what is learnt from rewards; returns that are measured are of the world's own."""

    def rewarded(self, reward: Tensor, ended: Tensor, counts: Tensor, run: Run) -> Tensor:
        """From rewards (S, E) of one step, which episodes ended with it and which count, to what is learnt from."""
        ...


@runtime_checkable
class Acts(Protocol):
    """Chooses otherwise than the surest action while collecting."""

    def chosen(self, output: Tensor, surest: Tensor, luck: Tensor, run: Run) -> Tensor:
        """Choices (S, E) of outputs (S, E, K), the best of which are ``surest``; ``luck`` (S, E, 2) is in [0, 1)."""
        ...

    def level(self, run: Run) -> float:
        """How often it chooses otherwise, at most."""
        ...


@runtime_checkable
class Targets(Protocol):
    """Says what the value of a step is learnt towards."""

    def td_target(self, reward: Tensor, after: Tensor, chosen: Tensor, terminated: Tensor, run: Run) -> Tensor:
        """From rewards (S, E), outputs (S, E, K) for what they led to and what is done there, to targets (S, E)."""
        ...


def those(run: Run, seam: type[T]) -> list[T]:
    """The techniques of a run that fill a seam; looked for once, since every step asks."""
    return run.once(seam, lambda: [technique for technique in run.techniques if isinstance(technique, seam)])


SEAMS = ("look", "rewarded", "chosen", "td_target")
"""What tells a technique that fills one of these seams, in the order above."""
