"""What recipes may be judged by: every metric of predictions, and what agents return."""

from __future__ import annotations

from collections.abc import Collection

from aurify.measure.metrics import EVERY

RETURNS = ("return", "return_sampled", "return_learning")
"""Of agents in episodes that nothing was learnt from: doing what seems best, drawing actions, and on the way there."""

JUDGES: tuple[str, ...] = (*EVERY, *RETURNS)


def greater_is_better(name: str) -> bool:
    return name in RETURNS or EVERY[name].greater_is_better


def has_a_unit(name: str, known: Collection[str]) -> bool:
    """Whether a score is in a unit of the data or the world, of scores ``known``: it may be of any size."""
    return name in RETURNS or ("rmse" in known and not EVERY[name].greater_is_better)
