"""Where a network with convolutions sees what speaks for its answer: Grad-CAM."""

# B rows, C channels, h and w of the last feature maps, K outputs, M members of an ensemble

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from aurify.blocks.picture import floats

FEW_PLACES = 3


def grad_cam(network: nn.Module, inputs: Mapping[str, Tensor], name: str, of: Tensor | None) -> Tensor | None:
    """Heat (B, h, w), 0 and more, of what speaks for the outputs ``of`` (B,) in the images ``inputs[name]``.

    Grad-CAM (Selvaraju et al. 2017): the channels of the last feature maps, weighted by the mean gradient of the
    output and summed; what is below 0 is left out. ``of`` None means the one output of a network of numbers. Helps: one
    backward pass is all it takes. Hurts: it is coarse, tells of the last maps only, and of gradients, which are not
    what would happen without a place. None where a network has no convolutions of overlapping windows, or makes tokens
    of what they see: what it looks at then is decided elsewhere.
    """
    seen: list[tuple[nn.Module, Any]] = []

    def keep(module: nn.Module, given: Any, output: Any) -> None:
        if all(module is not known for known, _ in seen):  # one that is asked again sees other versions of the images
            seen.append((module, output))

    hooks = [module.register_forward_hook(keep) for module in network.modules()]
    try:
        with torch.enable_grad():
            # numbers, not bytes: gradients flow from the very first layer, whatever of the network is frozen
            images = floats(inputs[name]).detach().clone().requires_grad_()
            output = network({**inputs, name: images})
    finally:
        for hook in hooks:
            hook.remove()
    maps = _last_maps(seen, output)
    if maps is None:
        return None
    rows = len(images)
    with torch.enable_grad():
        told = output[:rows].mean(dim=1) if output.ndim == 3 else output[:rows]
        height = told[:, 0] if of is None else told.gather(1, of[:, None])[:, 0]
        (gradient,) = torch.autograd.grad(height.sum(), maps, allow_unused=True)
    if gradient is None:
        return None
    weight = gradient[:rows].mean(dim=(2, 3), keepdim=True)
    return (weight * maps[:rows]).sum(dim=1).relu().detach()


def _last_maps(seen: list[tuple[nn.Module, Any]], answer: Tensor) -> Tensor | None:
    """The last feature maps (B, C, h, w) that convolutions left, if there are some those with a few places, not tokens.

    What is pooled to ``FEW_PLACES`` or less to a side tells little of where.
    """
    found, convolved = None, False
    for module, output in seen:
        if not isinstance(output, Tensor) or output is answer:
            continue
        convolved |= isinstance(module, nn.Conv2d) and max(module.kernel_size) > min(module.stride)
        if convolved and output.ndim == 3 and output.shape[1] > 1:
            return None
        if convolved and output.ndim == 4 and output.shape[2] * output.shape[3] > 1 and output.requires_grad:
            coarser = found is not None and min(output.shape[2:]) <= FEW_PLACES < min(found.shape[2:])
            found = found if coarser else output
    return found
