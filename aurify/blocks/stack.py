"""Several networks of one structure as one module: their weights lie stacked, one call answers for all of them."""

# S members, B rows a member

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap

from aurify.blocks.batch_norm import BatchNorm, ImageBatchNorm
from aurify.core import rng


def stacked(members: Sequence[nn.Module]) -> nn.Module:
    """Members of one structure side by side: rows in and out are member after member, (S * B, ...).

    The module is built as a member is; each tensor of it is (S, ...), so that an optimizer which treats numbers one by
    one updates all members at once. Layers without weights see rows and know of no members.
    """
    first = members[0]
    if len(members) == 1:
        return first
    for kind, make in KINDS.items():
        if type(first) is kind:
            return make(members)
    own = [*first.named_parameters(recurse=False), *first.named_buffers(recurse=False)]
    if own:
        return Mapped(members)
    result = copy.copy(first)
    result._modules = {}  # a copy that shares nothing with the first one but its settings
    for name in first._modules:
        children = [member._modules[name] for member in members]
        result._modules[name] = None if children[0] is None else stacked([c for c in children if c is not None])
    return result


def alone(stack: nn.Module, like: nn.Module, member: int) -> nn.Module:
    """One member with weights of its own, built as ``like``."""
    result = copy.deepcopy(like)
    result.load_state_dict({name: value[member].detach().clone() for name, value in stack.state_dict().items()})
    return result


class Stacked(nn.Module):
    """Base of layers whose tensors are those of several members, under the names that a member has for them."""

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__()
        self.count = len(members)
        for name, value in members[0].named_parameters(recurse=False):
            every = torch.stack([getattr(member, name).detach() for member in members])
            self.register_parameter(name, nn.Parameter(every, requires_grad=value.requires_grad))
        for name, _ in members[0].named_buffers(recurse=False):
            self.register_buffer(name, torch.stack([getattr(member, name) for member in members]))

    def apart(self, x: Tensor) -> Tensor:
        """Rows (S * B, ...) as (S, B, ...)."""
        return x.unflatten(0, (self.count, -1))


class StackedLinear(Stacked):
    """Weighted sums (S * B, C) to (S * B, K), in one product."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, members: Sequence[nn.Linear]):
        super().__init__(members)
        if members[0].bias is None:
            self.bias = None

    def forward(self, x: Tensor) -> Tensor:
        rows, turned = self.apart(x), self.weight.transpose(1, 2)
        if rows.ndim > 3:  # rows of several vectors each
            return self.forward(x.flatten(0, -2)).unflatten(0, x.shape[:-1])
        y = torch.bmm(rows, turned) if self.bias is None else torch.baddbmm(self.bias[:, None], rows, turned)
        return y.flatten(0, 1)


class StackedEmbedding(Stacked):
    """A row of numbers for each code: (S * B, ...) int64 to (S * B, ..., W)."""

    weight: Tensor

    def forward(self, codes: Tensor) -> Tensor:
        size = self.weight.shape[1]
        starts = size * torch.arange(self.count, device=codes.device)
        shifted = self.apart(codes) + starts.view(-1, *[1] * codes.ndim)
        return F.embedding(shifted.flatten(0, 1), self.weight.flatten(0, 1))


class StackedLayerNorm(Stacked):
    """Each vector normalised, then scaled and shifted as its member does."""

    weight: Tensor
    bias: Tensor

    def __init__(self, members: Sequence[nn.LayerNorm]):
        super().__init__(members)
        self.shape, self.eps = members[0].normalized_shape, members[0].eps

    def forward(self, x: Tensor) -> Tensor:
        rows = self.apart(F.layer_norm(x, self.shape, eps=self.eps))
        between = [1] * (rows.ndim - 1 - len(self.shape))
        weight, bias = (t.view(self.count, *between, *self.shape) for t in (self.weight, self.bias))
        return torch.addcmul(bias, rows, weight).flatten(0, 1)


class StackedConv(Stacked):
    """Convolutions of images (S * B, C, H, W), each member's filters on its own rows: groups of one convolution."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, members: Sequence[nn.Conv2d]):
        super().__init__(members)
        first = members[0]
        self.settings: dict[str, Any] = {"stride": first.stride, "padding": first.padding, "dilation": first.dilation}
        self.groups = first.groups * self.count
        if first.bias is None:
            self.bias = None

    def forward(self, x: Tensor) -> Tensor:
        beside = self.apart(x).transpose(0, 1).flatten(1, 2)
        bias = None if self.bias is None else self.bias.flatten()
        y = F.conv2d(beside, self.weight.flatten(0, 1), bias, groups=self.groups, **self.settings)
        return y.unflatten(1, (self.count, -1)).transpose(0, 1).flatten(0, 1)


class StackedBatchNorm(Stacked):
    """Batch normalisation of (S * B, C, ...), each member by its own rows: channels of one beside another's."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, members: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]):
        super().__init__(members)
        self.eps, self.momentum = members[0].eps, members[0].momentum or 0.0

    def forward(self, x: Tensor) -> Tensor:
        beside = self.apart(x).transpose(0, 1).flatten(1, 2)
        # as one alone does: frozen weights or a single value a channel leave the statistics as they are
        learns = self.training and self.weight.requires_grad and beside[:, 0].numel() > 1
        if learns:
            self.num_batches_tracked += 1
        mean, spread = (t.view(-1) for t in (self.running_mean, self.running_var))  # views: they are updated in place
        weight, bias = self.weight.flatten(), self.bias.flatten()
        y = F.batch_norm(beside, mean, spread, weight, bias, learns, self.momentum, self.eps)
        return y.unflatten(1, (self.count, -1)).transpose(0, 1).flatten(0, 1)


class Mapped(Stacked):
    """Any other layer with tensors of its own: what it does to one member's rows is done to all at once."""

    def __init__(self, members: Sequence[nn.Module]):
        nn.Module.__init__(self)
        self.count = len(members)
        self.names = list(members[0].state_dict())
        kept = members[0].state_dict(keep_vars=True)
        for name, value in kept.items():
            every = torch.stack([member.state_dict()[name].detach() for member in members])
            put_in(self, name, nn.Parameter(every, value.requires_grad) if isinstance(value, nn.Parameter) else every)
        self._plan = [copy.deepcopy(members[0]).requires_grad_(False)]  # in a list: its own weights are never used

    def forward(self, *given: Tensor) -> Tensor:
        plan, tensors = self._plan[0].train(self.training), self.state_dict(keep_vars=True)
        rows = tuple(self.apart(x) for x in given)
        return vmap(lambda own, rows: functional_call(plan, own, rows))(tensors, rows).flatten(0, 1)


def put_in(module: nn.Module, name: str, value: Tensor) -> None:
    """Register a tensor under a dotted name, with what must lie between."""
    *path, last = name.split(".")
    for step in path:
        if step not in module._modules:
            module.add_module(step, nn.Module())
        module = module.get_submodule(step)
    if isinstance(value, nn.Parameter):
        module.register_parameter(last, value)
    else:
        module.register_buffer(last, value)


KINDS: dict[type[nn.Module], Any] = {
    nn.Linear: StackedLinear,
    nn.Embedding: StackedEmbedding,
    nn.LayerNorm: StackedLayerNorm,
    nn.Conv2d: StackedConv,
    BatchNorm: StackedBatchNorm,
    ImageBatchNorm: StackedBatchNorm,
}
"""Layers that are put side by side without a detour."""


class MemberDraws(rng.Draws):
    """Draws of stacked members: of each one's rows those of its own seed, as if it were trained alone."""

    def __init__(self, seeds: Sequence[int]):
        super().__init__(seeds[0])
        self.alone = [rng.Draws(seed) for seed in seeds]

    def keep_mask(self, path: str, like: Tensor, rate: float) -> Tensor:
        own = like.unflatten(0, (len(self.alone), -1))
        for draws in self.alone:
            draws.at(self.step, 0, own.shape[1])
        return torch.cat([draws.keep_mask(path, rows, rate) for draws, rows in zip(self.alone, own, strict=True)])


def matrix(parameter: Tensor, members: int) -> bool:
    """Whether a parameter is a matrix (or more) of each member, rather than a bias or the scale of a norm."""
    return parameter.ndim - (members > 1) >= 2
