"""A network passed from Python: any module, or a function that makes one for the table at hand."""

# B rows, W width after encoding, K outputs

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from aurify.blocks.batch_norm import BatchNorm
from aurify.blocks.entries import Entries
from aurify.blocks.keras_model import KerasModel, copied, following_torch, is_keras, require_no_keras_inside
from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Signature

TRIED = 3
"""Rows of a dry run: no number of classes makes (B,) look like (B, K)."""

Maker = Callable[[Signature], nn.Module]


@dataclass(kw_only=True)
class _Given(Network):
    """A module passed from Python, or made for the signature by a function passed from Python.

    It takes all encoded inputs side by side, (B, W) float, and returns outputs before any softmax, (B, K), or (B,)
    for one number. With the attribute ``takes_inputs = True`` it is called as ``module(inputs, blend)`` instead. A
    module's present weights are the start; a copy is trained. Helps: a network of your own, with the same evidence.
    Hurts: random layers of its own draw anew for every micro-batch; losses of its own (Keras's regularisers) are not
    added (Keras: Chollet 2015).
    """

    needs = frozenset({Trait.COLUMNS})
    source: ClassVar[nn.Module | Maker]
    origin: str = knob("", "which network it is: its class and a digest of its first weights, or what makes it")

    def build(self, signature: Signature) -> nn.Module:
        with torch.device("cpu"):  # also where a saved model is rebuilt without memory: foreign code may not bear that
            model = _Around(self.fresh(signature), signature)
            _require_fit(model, signature)
        return model

    def first_weights(self, model: nn.Module) -> None:
        assert isinstance(model, _Around)
        start = self.fresh(model.signature).state_dict()
        model.network.load_state_dict({k: v for k, v in start.items() if not is_lazy(v)}, strict=False)

    def fresh(self, signature: Signature) -> nn.Module:
        """The network with its first weights, before any row has passed."""
        if isinstance(self.source, nn.Module):
            network = copied(self.source)
        else:
            with following_torch():
                network = _called(self.source, signature)
        if not is_keras(network):
            return _ready(network)
        with torch.device("meta"):
            width = Entries(signature).width
        return KerasModel(network, width)


def given(network: nn.Module | Maker) -> Network:
    """The part that recipes call ``given``, around a module or a function of the Signature that returns one."""
    source = copied(network) if isinstance(network, nn.Module) else network
    part = type("Given", (_Given,), {"source": source if isinstance(source, nn.Module) else staticmethod(source)})
    return part(origin=_origin(source))


def _origin(source: nn.Module | Maker) -> str:
    if not isinstance(source, nn.Module):
        return f"made by {getattr(source, '__qualname__', type(source).__name__)}"
    digest = hashlib.blake2b(digest_size=8)
    values = [w.value for w in source.weights] if is_keras(source) else source.state_dict().values()  # pyright: ignore
    for value in values:
        if isinstance(value, Tensor) and not is_lazy(value):
            digest.update(f"{value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return f"{type(source).__name__} {digest.hexdigest()}"


def _called(make: Maker, signature: Signature) -> nn.Module:
    try:
        network = make(signature)
    except Exception as error:
        raise AurifyError(f"the function that makes the network failed: {_said(error)}") from error
    if not isinstance(network, nn.Module):
        raise AurifyError(
            f"the function that makes the network returned a {type(network).__name__}, needed is a torch module"
            " (Keras: set KERAS_BACKEND=torch before it is imported)"
        )
    return network


def _ready(network: nn.Module) -> nn.Module:
    require_no_keras_inside(network)
    for module in network.modules():
        if type(module) is nn.BatchNorm1d and module.track_running_stats:
            module.__class__ = BatchNorm  # a last batch of one row is legal here
    strange = [k for k, v in network.state_dict().items() if not isinstance(v, Tensor)]
    if strange:
        raise AurifyError(f"the network's state {strange[0]!r} is no tensor and cannot be saved; make it a buffer")
    return network


class _Around(rng.Stochastic):
    """Inputs encoded, blended and joined for a network that knows nothing of them; its draws keyed as ours are."""

    def __init__(self, network: nn.Module, signature: Signature):
        super().__init__()
        self.network, self.signature = network, signature
        self.enter = None if getattr(network, "takes_inputs", False) else Entries(signature)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        with self._keyed(inputs):
            output = self.network(inputs, blend) if self.enter is None else self.network(self.enter(inputs, blend))
        return output[:, None] if isinstance(output, Tensor) and output.ndim == 1 else output

    @contextmanager
    def _keyed(self, inputs: Mapping[str, Tensor]) -> Iterator[None]:
        """Random layers that are not ours draw from torch's global generator: key it, and put it back."""
        if not self.training or self.draws is None:
            yield
            return
        device = next(iter(inputs.values())).device
        with rng.seeded(self.draws.seed, f"given/{self.draws.start}", self.draws.step, device):
            yield

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        was = {k: tuple(v.shape) for k, v in state_dict.items()}
        now = {k: tuple(v.shape) for k, v in self.state_dict().items()}
        changed = [k for k in {**was, **now} if was.get(k) != now.get(k)]
        if changed:
            name = min(changed, key=lambda k: (k not in was or k not in now, k))  # rather one of another shape
            raise AurifyError(
                f"the network passed is not the one that was trained: {name} is {now.get(name, 'not in it')},"
                f" it was {was.get(name, 'not in it')}; pass that one"
            )
        return super().load_state_dict(state_dict, strict, assign)


def _require_fit(model: _Around, signature: Signature) -> None:
    """Let a few rows pass, so that a misfit is found before training; lazy layers take their sizes from them."""
    dtypes = {"numbers": torch.float32, "codes": torch.int64}
    rows = {n: torch.zeros(TRIED, len(i.names), dtype=dtypes[i.kind]) for n, i in signature.inputs.items()}
    entered: list[tuple[nn.Module, Any]] = []
    hooks = [
        m.register_forward_pre_hook(lambda module, given: entered.append((module, given)))
        for m in model.network.modules()
    ]
    try:
        with torch.no_grad():
            output = model.eval()(rows)
    except Exception as error:
        raise AurifyError(_misfit(model, entered, error)) from error
    finally:
        for hook in hooks:
            hook.remove()
    _require_outputs(output, signature.outputs)


def _misfit(model: _Around, entered: list[tuple[nn.Module, Any]], error: Exception) -> str:
    if model.enter is None or not entered:
        return f"the network cannot take the inputs: {_said(error)}"
    width = model.enter.width
    module, given = entered[-1]
    names = ("in_features", "num_features", "in_channels")
    takes = next((n for name in names if isinstance(n := getattr(module, name, None), int)), width)
    if takes != width and given and isinstance(given[0], Tensor) and given[0].shape[-1] == width:
        return (
            f"the network takes {takes} inputs, the prepared table has {width}: begin with a layer of {width} or with"
            " nn.LazyLinear, or pass a function of the signature"
        )
    return f"the network cannot take the prepared table, {width} inputs a row: {_said(error)}"


def _require_outputs(output: Any, outputs: int) -> None:
    needed = f"the task needs ({TRIED}, {outputs})" + (f" or ({TRIED},)" if outputs == 1 else ": one for each class")
    if not isinstance(output, Tensor):
        raise AurifyError(f"the network returns a {type(output).__name__} for {TRIED} rows, {needed}")
    if output.shape != (TRIED, outputs):
        raise AurifyError(f"the network returns outputs {tuple(output.shape)} for {TRIED} rows, {needed}")
    if not output.is_floating_point():
        raise AurifyError(f"the network returns {output.dtype} outputs; needed are floating-point numbers")
    if outputs > 1 and (output >= 0).all() and torch.allclose(output.sum(1), torch.ones(TRIED).to(output)):
        raise AurifyError("the network returns probabilities; leave its last softmax out: the loss brings its own")


def _said(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)[:300]}"
