"""An optimizer around an optimizer: passes everything on; techniques that change a step override ``step``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor


class Around:
    """Base of what ``wrap_optimizer`` returns; ``closure`` is None when an outer one has computed the gradient."""

    def __init__(self, inner: Any):
        self.inner = inner

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return self.inner.param_groups

    def zero_grad(self) -> None:
        self.inner.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return self.inner.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.inner.load_state_dict(state)

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:
        raise NotImplementedError
