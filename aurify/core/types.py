"""The values that flow through the seams: batches, inputs, signatures, row plans and fitted layers."""

# B rows of a batch, N training rows, C columns, K classes

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Blend:
    """Partners to mix with after encoding: their inputs (B, ...) and each row's own share (B,)."""

    inputs: Mapping[str, Tensor]
    share: Tensor


@dataclass(frozen=True)
class Batch:
    """Rows the network learns from in one step.

    ``target`` is what the objective expects (class probabilities (B, K) or numbers (B,)); ``weight`` (B,) is None
    when every row weighs 1; ``rows`` (B,) are Store row ids on the CPU; ``extra`` holds what else an objective needs
    of each row (lengths, actions, ...), each (B, ...). ``other`` are ragged inputs of the same rows in other words,
    where a layer left some, for ``on_batch`` to take rows from; micro-batches are without it. ``counts`` are how many
    rows each of several models side by side has for its own, where they differ; rows after those fill up and weigh 0.
    ``widths`` are to how many tokens each of them would pad its own rows; they are padded to the most of these.
    """

    inputs: Mapping[str, Tensor]
    target: Tensor
    rows: Tensor
    weight: Tensor | None = None
    blend: Blend | None = None
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    other: Mapping[str, Tensor] = field(default_factory=dict)
    counts: Sequence[int] | None = None
    widths: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.target)

    def part(self, start: int, stop: int) -> Batch:
        """Rows ``start`` to ``stop`` as a batch of their own (a micro-batch)."""
        cut = slice(start, stop)
        blend = self.blend and Blend({k: v[cut] for k, v in self.blend.inputs.items()}, self.blend.share[cut])
        weight = None if self.weight is None else self.weight[cut]
        inputs, extra = ({k: v[cut] for k, v in given.items()} for given in (self.inputs, self.extra))
        target, rows = self.target[cut], self.rows[cut]
        return replace(self, inputs=inputs, target=target, rows=rows, weight=weight, blend=blend, extra=extra, other={})


Entry = Callable[["Input"], nn.Module]
"""Makes the module by which an input enters a network: (B, C) to (B, module.width)."""


@dataclass(frozen=True)
class Input:
    """One kind of input: its columns, what their values may be and how a network should take them in.

    ``kind`` is ``numbers`` (float), ``codes`` (int64 in ``[0, cardinality)`` per column), ``tokens`` (int64 ids in
    ``[0, cardinality)``, ``PAD`` after the end of a row) or, before any layer, ``dates`` (float64 seconds since 1970,
    NaN for missing) and ``texts`` (``Ragged`` code points, empty for missing). ``pixels`` are images (H, W, C) uint8,
    of which a network takes in value / 255, less ``centre`` and divided by ``scale`` (C numbers each, where there are
    some). ``shape`` is without the batch axis; -1 marks a variable axis. ``entry`` None leaves the choice to the bare
    conversion. ``vocabulary`` are the words that ids of tokens stand for; ``encoder`` is JSON that describes the
    pretrained encoder whose tokens they are.
    """

    kind: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    cardinalities: tuple[int, ...] = ()
    entry: Entry | None = None
    vocabulary: tuple[str, ...] = ()
    encoder: str = ""
    centre: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class Signature:
    """What a network must know to be built. Derived from schema and layers, never stored."""

    inputs: Mapping[str, Input]
    outputs: int


@dataclass(frozen=True)
class View:
    """Training rows as earlier stages left them; a technique never sees any other row.

    ``values`` maps input names to (N, C) tensors: float64 with NaN for missing, int64 codes with -1 for missing
    and -2 for a value unknown to the schema; texts and tokens are ``Ragged``, images ``Pixels``. ``target`` (N,) is
    class codes (int64) or numbers (float64), or which of several labels each row holds (N, K), ``weight`` (N,) float64
    how many rows each row stands for. ``other`` are the values of the same rows in other words, where an earlier layer
    left some: nothing is fitted on them.
    """

    inputs: Mapping[str, Input]
    values: Mapping[str, Any]
    target: Tensor
    classes: tuple[str, ...] | None
    seed: int
    weight: Tensor
    other: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.target)

    @property
    def several(self) -> bool:
        """Whether a row may hold several of the classes."""
        return self.target.ndim == 2

    @property
    def table(self) -> dict[str, Tensor]:
        """The values that are columns of numbers, dates and codes."""
        return {name: v for name, v in self.values.items() if isinstance(v, Tensor)}

    def take(self, index: Tensor) -> View:
        """The rows at ``index`` (U,)."""
        values = {name: v[index] for name, v in self.values.items()}
        other = self.other and {name: v[index] for name, v in self.other.items()}
        return replace(self, values=values, target=self.target[index], weight=self.weight[index], other=other)


@dataclass(frozen=True)
class RowPlan:
    """Which training rows to learn from; positions are within the View (0 to N - 1), never feature values.

    ``weight`` (M,) float64; ``partner`` (M,) positions to blend with and ``share`` (M,) each row's own share;
    ``target`` (M,) replaces the targets.
    """

    index: Tensor
    weight: Tensor
    partner: Tensor | None = None
    share: Tensor | None = None
    target: Tensor | None = None

    def keep(self, chosen: Tensor) -> RowPlan:
        """The entries ``chosen``: a mask (M,), or positions in the plan, some perhaps twice."""
        return replace(self, **{k: v[chosen] for k, v in vars(self).items() if v is not None})

    def targets(self, target: Tensor) -> Tensor:
        """What each entry is to learn (M,), corrections included, of a View's ``target`` (N,)."""
        return target[self.index] if self.target is None else self.target

    def renumbered(self, used: Tensor) -> RowPlan:
        """The plan with positions within ``used`` (U,), ascending, which holds all of its rows."""
        partner = None if self.partner is None else torch.searchsorted(used, self.partner)
        return replace(self, index=torch.searchsorted(used, self.index), partner=partner)


@dataclass(frozen=True)
class Held:
    """What the network says of the held-out training rows, without gradients.

    ``output`` (N, K), ``target`` and ``weight`` (N,) are on the model's device, the Store row ids ``rows`` (N,) on the
    CPU.
    """

    output: Tensor
    target: Tensor
    rows: Tensor
    weight: Tensor


class Layer(nn.Module):
    """A fitted step outside the network: named tensors (saved) and plain settings (saved as JSON).

    Subclasses only annotate what ``__init__`` received, so that ``type(layer)(**layer.config, **layer.tensors())``
    is the same layer again. Preparing layers map ``{name: (B, C)}`` to the same kind of mapping and say with
    ``inputs`` what comes out; answering and target layers map one tensor (B, ...) to another.

    ``own`` are the values of the very rows a layer was fitted on, where those differ from what it makes of new rows;
    used once, never saved. ``other`` are a second version of these rows (the same rows in other words), which goes
    through all later layers beside the first and, of ragged inputs, into ``Batch.other``; never saved either.
    """

    config: dict[str, Any]
    own: dict[str, Tensor] | None = None
    other: dict[str, Any] | None = None

    def __init__(self, **fields: Any):
        super().__init__()
        self.config = {k: v for k, v in fields.items() if not isinstance(v, Tensor)}
        for name, value in fields.items():
            if isinstance(value, Tensor):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def tensors(self) -> dict[str, Tensor]:
        return dict(self.named_buffers())

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        """Describe the inputs after this layer."""
        return dict(before)

    def encode(self, target: Tensor) -> Tensor:
        """For target layers: from the target's own units to what the network learns."""
        raise NotImplementedError


def widened(before: Input, **changes: Any) -> Input:
    """An input with changed fields whose shape follows its names."""
    after = replace(before, **changes)
    return replace(after, shape=(len(after.names),))
