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
from aurify.blocks.picture import Picture, floats
from aurify.core import rng
from aurify.core.errors import listing

BOOKKEEPING = frozenset(vars(nn.Module()))
"""What every module has, whatever it is made with."""


def stacked(members: Sequence[nn.Module]) -> nn.Module:
    """Members of one structure side by side: rows in and out are member after member, (S * B, ...).

    The module is built as a member is; each tensor of it is (S, ...), so that an optimizer which treats numbers one by
    one updates all members at once. Layers without weights see rows and know of no members. Tensors that a module
    names in ``FILLED_UP`` may be longer in some members: zeros at their end say nothing and learn nothing. Settings
    that it names in ``EACH_ITS_OWN`` may differ: what it does with rows does not hang on them.
    """
    if len(members) == 1:
        return members[0]
    result = _stacked(members)
    vars(result)["first"] = members[0]  # not a module of it
    return result


def _stacked(members: Sequence[nn.Module]) -> nn.Module:
    first = members[0]
    for kind, make in KINDS.items():
        if isinstance(first, kind) and type(first).forward is kind.forward:
            return make(members)
    own = [*first.named_parameters(recurse=False), *first.named_buffers(recurse=False)]
    if own:
        return Mapped(members)
    result = copy.copy(first)
    result._modules = {}  # a copy that shares nothing with the first one but its settings
    for name in first._modules:
        children = [member._modules[name] for member in members]
        result._modules[name] = None if children[0] is None else _stacked([c for c in children if c is not None])
    return result


def member_of(model: nn.Module) -> nn.Module | None:
    """The first of the members that lie in a stack, as it was before; None: the model is no stack."""
    return vars(model).get("first")


def alone(stack: nn.Module, like: nn.Module, member: int) -> nn.Module:
    """One member with weights of its own, built as ``like``."""
    result = copy.deepcopy(like)
    result.load_state_dict({name: value.clone() for name, value in own_tensors(stack, like, member).items()})
    return result


def own_tensors(stack: nn.Module, like: nn.Module, member: int) -> dict[str, Tensor]:
    """Views of one member's tensors, by the names and in the shapes that ``like`` has."""
    shapes = {name: value.shape for name, value in like.state_dict().items()}
    return {
        name: value[member][tuple(slice(size) for size in shapes[name])] for name, value in stack.state_dict().items()
    }


def difference(members: Sequence[nn.Module], path: str = "the network") -> str:
    """In what members differ beside the numbers in their tensors, so that they cannot be stacked; "" in nothing."""
    first, *others = members
    for other in others:
        if type(other) is not type(first) or list(other._modules) != list(first._modules):
            return f"{path} is made otherwise"
        mine, its = ({n: t.shape for n, t in _own(m)} for m in (first, other))
        filled = getattr(first, "FILLED_UP", ())
        ragged = [name for name in mine if name not in filled and mine[name] != its.get(name)]
        if ragged or mine.keys() != its.keys():
            return f"{path} has {listing(ragged or its)} of other shapes"
        changed = [name for name in _settings(first) if not _equal(vars(first)[name], vars(other).get(name))]
        if changed:
            return f"{path} has another {listing(changed)}"
    for name in first._modules:
        children = [member._modules[name] for member in members]
        if found := difference([c for c in children if c is not None], f"{path}.{name}"):
            return found
    return ""


def _own(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]


def _settings(module: nn.Module) -> list[str]:
    """Names of what a module was made with, without those that may differ."""
    return [
        name for name in vars(module) if name not in BOOKKEEPING and name not in getattr(module, "EACH_ITS_OWN", ())
    ]


def _equal(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))


def side_by_side(tensors: Sequence[Tensor]) -> Tensor:
    """One tensor (S, ...) of the members' own, shorter ones filled up with zeros."""
    if all(tensor.ndim == 4 for tensor in tensors):  # in the order of memory where channels lie last
        return torch.stack([tensor.detach().movedim(1, -1) for tensor in tensors]).movedim(-1, 2)
    if len({tensor.shape for tensor in tensors}) == 1:
        return torch.stack([tensor.detach() for tensor in tensors])
    whole = [max(sizes) for sizes in zip(*(tensor.shape for tensor in tensors), strict=True)]
    result = tensors[0].new_zeros(len(tensors), *whole, requires_grad=False)
    for own, tensor in zip(result, tensors, strict=True):
        own[tuple(slice(size) for size in tensor.shape)] = tensor.detach()
    return result


def trained(members: Sequence[nn.Parameter]) -> nn.Parameter:
    """Members' own parameters as one, with what is done to a gradient on its way."""
    result = nn.Parameter(side_by_side(members), requires_grad=members[0].requires_grad)
    for hook in (members[0]._backward_hooks or {}).values():
        result.register_hook(hook)
    return result


class Stacked(nn.Module):
    """Base of layers whose tensors are those of several members, under the names that a member has for them."""

    def __init__(self, members: Sequence[nn.Module]):
        super().__init__()
        self.count = len(members)
        for name, _ in members[0].named_parameters(recurse=False):
            self.register_parameter(name, trained([getattr(member, name) for member in members]))
        for name, _ in members[0].named_buffers(recurse=False):
            self.register_buffer(name, side_by_side([getattr(member, name) for member in members]))

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
    """A row of numbers for each code: (S * B, ...) int64 to (S * B, ..., W); padding has that of the first member."""

    weight: Tensor

    def __init__(self, members: Sequence[nn.Embedding]):
        super().__init__(members)
        self.padding = members[0].padding_idx

    def forward(self, codes: Tensor) -> Tensor:
        size = self.weight.shape[1]
        starts = (size * torch.arange(self.count, device=codes.device)).view(-1, *[1] * codes.ndim)
        apart = self.apart(codes)
        shifted = apart + (starts if self.padding is None else starts * (apart != self.padding))
        return F.embedding(shifted.flatten(0, 1), self.weight.flatten(0, 1), self.padding)


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
    """Convolutions of (S * B, C, ...), each member's filters on its own rows: groups of one convolution."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, members: Sequence[nn.Conv1d | nn.Conv2d]):
        super().__init__(members)
        first = members[0]
        self.kernel_size = first.kernel_size
        self.convolve = F.conv1d if isinstance(first, nn.Conv1d) else F.conv2d
        self.settings: dict[str, Any] = {"stride": first.stride, "padding": first.padding, "dilation": first.dilation}
        self.groups = first.groups
        if first.bias is None:
            self.bias = None

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu":
            return self._one_by_one(x)
        beside = self.apart(x).transpose(0, 1).flatten(1, 2)
        bias = None if self.bias is None else self.bias.flatten()
        y = self.convolve(beside, self.weight.flatten(0, 1), bias, groups=self.groups * self.count, **self.settings)
        return y.unflatten(1, (self.count, -1)).transpose(0, 1).flatten(0, 1)

    def _one_by_one(self, x: Tensor) -> Tensor:
        """On a processor, where most time goes into sums that are as many either way, and none into beginning them."""
        biases = [None] * self.count if self.bias is None else self.bias.unbind()
        every = zip(x.unflatten(0, (self.count, -1)).unbind(), self.weight.unbind(), biases, strict=True)
        return torch.cat([self.convolve(own, w, b, groups=self.groups, **self.settings) for own, w, b in every])


class StackedPicture(Stacked):
    """Images as each member's network takes them in: (S * B, H, W, C) bytes or (S * B, C, H, W) to the latter."""

    centre: Tensor
    scale: Tensor

    def forward(self, images: Tensor) -> Tensor:
        return ((self.apart(floats(images)) - self.centre[:, None]) / self.scale[:, None]).flatten(0, 1)


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
        every = [member.state_dict(keep_vars=True) for member in members]
        for name, value in every[0].items():
            own = [tensors[name] for tensors in every]
            put_in(self, name, trained(own) if isinstance(value, nn.Parameter) else side_by_side(own))
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
    nn.Conv1d: StackedConv,
    nn.Conv2d: StackedConv,
    Picture: StackedPicture,
    BatchNorm: StackedBatchNorm,
    ImageBatchNorm: StackedBatchNorm,
}
"""Layers that are put side by side without a detour."""


class MemberDraws(rng.Draws):
    """Draws of stacked members: of each one's rows those of its own seed, as if it were trained alone."""

    def __init__(self, seeds: Sequence[int]):
        super().__init__(seeds[0])
        self.seeds, self._random = seeds, torch.Generator()

    def keep_mask(self, path: str, like: Tensor, rate: float) -> Tensor:
        count = like.numel() // len(self.seeds)
        bits = self.bits(count, like.device, len(self.seeds))
        for member, own in enumerate(bits):
            self._draw(own, member, path)
        return (rng.sixteenths(bits, count) < rng.below(1 - rate)).to(like.dtype).view(like.shape)

    def token_mask(self, path: str, like: Tensor, rate: float) -> Tensor:
        if self.widths is None or all(width == like.shape[1] for width in self.widths):
            return self.keep_mask(path, like, rate)
        mask = torch.zeros_like(like)
        for member, (whole, width) in enumerate(
            zip(mask.unflatten(0, (len(self.seeds), -1)), self.widths, strict=True)
        ):
            own = whole[:, :width]
            bits = self._draw(self.bits(own.numel(), like.device), member, path)
            own.copy_((rng.sixteenths(bits, own.numel()) < rng.below(1 - rate)).view(own.shape))
        return mask

    def _draw(self, bits: Tensor, member: int, path: str) -> Tensor:
        """Fill bits with what a member draws at a place of its network."""
        if self._random.device != bits.device:
            self._random = torch.Generator(bits.device)
        random = self._random.manual_seed(rng.key(self.seeds[member], f"mask/{path}", self.step))
        return bits.random_(-(2**63), None, generator=random)


def matrix(parameter: Tensor, members: int) -> bool:
    """Whether a parameter is a matrix (or more) of each member, rather than a bias or the scale of a norm."""
    return parameter.ndim - (members > 1) >= 2
