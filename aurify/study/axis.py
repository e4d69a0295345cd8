"""One knob of a search: which values it may have, on which scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class Axis:
    """A range ``low`` to ``high``, or ``choices``; ``default`` is the recipe's own value."""

    name: str
    default: Any
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] | None = None
    whole: bool = False
    """Whether its numbers are whole ones."""

    @cached_property
    def distribution(self) -> BaseDistribution:
        """The same as Optuna knows it."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.choices is not None:
            return CategoricalDistribution(self.choices)
        assert self.low is not None
        assert self.high is not None
        if self.whole:
            return IntDistribution(round(self.low), round(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def levels(self, count: int) -> list[Any]:
        """The values of a grid: all choices, or ``count`` numbers spread evenly on its scale."""
        if self.choices is not None:
            return list(self.choices)
        assert self.low is not None
        assert self.high is not None
        if count < 2:
            return [self.default]
        shares = [at / (count - 1) for at in range(count)]
        ends = {0.0: self.low, 1.0: self.high}
        values = [ends.get(share, self._at(share)) for share in shares]
        return sorted({round(value) for value in values}) if self.whole else values

    def _at(self, share: float) -> float:
        """The number a share of the way along the axis."""
        assert self.low is not None
        assert self.high is not None
        if self.log:
            return math.exp(math.log(self.low) + share * math.log(self.high / self.low))
        return self.low + share * (self.high - self.low)

    def inside(self, value: Any) -> Any:
        """The nearest value that the axis has; None where there is none near."""
        if self.choices is not None:
            return value if value in self.choices else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        assert self.low is not None
        assert self.high is not None
        near = min(max(value, self.low), self.high)
        return round(near) if self.whole else float(near)

    def plain(self) -> dict[str, Any]:
        return {
            "low": self.low,
            "high": self.high,
            "log": self.log,
            "choices": None if self.choices is None else list(self.choices),
            "default": self.default,
        }
