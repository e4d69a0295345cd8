"""A module inside a layer: its tensors among the layer's own, so that they are saved with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

MARK = "encoder__"
Kept = TypeVar("Kept", bound=nn.Module)


def as_fields(module: nn.Module) -> dict[str, Tensor]:
    """The tensors of a module under names that a layer's may have."""
    return {MARK + name.replace(".", "__"): value for name, value in module.state_dict().items()}


def around(tensors: Mapping[str, Tensor], make: Callable[[], Kept]) -> Kept:
    """The module that ``make`` builds, around those of a layer's tensors that are its; it answers and never learns."""
    with torch.device("meta"):
        module = make()
    own = {f.removeprefix(MARK).replace("__", "."): value for f, value in tensors.items() if f.startswith(MARK)}
    module.load_state_dict(own, strict=True, assign=True)
    return module.eval().requires_grad_(False)
