"""Keras models (on torch) as plain modules."""

from __future__ import annotations

import copy
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from aurify.core.errors import AurifyError

DRAWS = "seed_generator_state"


def is_keras(module: object) -> bool:
    """Say whether something is a Keras layer or model; without Keras loaded nothing is."""
    keras: Any = sys.modules.get("keras")
    return keras is not None and isinstance(module, keras.Layer)


def require_no_keras_inside(module: nn.Module) -> None:
    """Refuse a plain module around a Keras model: Keras's names for its weights differ from process to process."""
    if any(map(is_keras, module.modules())):
        raise AurifyError("a Keras model inside another module cannot be saved; pass the Keras model alone")


def cloned(model: Any) -> Any:
    """A copy of a Keras model with its present weights. Raises AurifyError where Keras cannot rebuild it."""
    import keras

    try:
        with warnings.catch_warnings(), following_torch(), keras.device("cpu"):
            # Keras's own: its variables do not know numpy 2's copy keyword
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
            clone = keras.models.clone_model(model)
    except (TypeError, ValueError, NotImplementedError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise AurifyError(
            f"Keras cannot copy the network ({reason}); pass a function that makes it: network=lambda signature: ..."
        ) from error
    for own, given in zip(clone.weights, model.weights, strict=True):
        own.assign(given.value.detach())
    return clone


@contextmanager
def following_torch() -> Iterator[None]:
    """Seed Python's generator, from which Keras draws its seeds, as torch's is; put it back after."""
    before = random.getstate()
    random.seed(torch.initial_seed())
    try:
        yield
    finally:
        random.setstate(before)


class KerasModel(nn.Module):
    """A Keras model called as torch modules are: (B, ``width``) to (B, ...), ``training`` as ``train()`` said last.

    Its weights are named by their place: Keras numbers its layers anew in every process. Its seed generators follow
    torch's global generator while training, and are no part of the state.
    """

    def __init__(self, model: Any, width: int):
        super().__init__()
        self._model = (model,)  # in a tuple: torch shall not find it, nor the names in it
        if not model.built:
            with following_torch():
                self._call(torch.zeros(2, width), training=False)
        self.weights = nn.ParameterList([w.value for w in model.weights])
        self._seeds = [v for v in model.variables if v.path.endswith(DRAWS)]
        self.register_load_state_dict_post_hook(_give_back)

    @property
    def in_features(self) -> int | None:
        """How many numbers a row it was built for, where Keras knows."""
        shape = getattr(self._model[0], "input_shape", None)
        return shape[-1] if isinstance(shape, tuple) and len(shape) == 2 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            for seed in self._seeds:
                seed.assign(torch.randint(2**31 - 1, (2,), dtype=torch.int32))
        return self._call(x, training=self.training)

    def _call(self, x: Tensor, *, training: bool) -> Tensor:
        import keras

        with keras.device(str(x.device)):
            return self._model[0](x, training=training)


def _give_back(module: KerasModel, _: Any) -> None:
    """After loading, which may have put new tensors in place: Keras computes with its own ones."""
    for at, weight in enumerate(module._model[0].weights):
        weight.assign(module.weights[at].detach())
        module.weights[at] = weight.value


def copied(module: nn.Module) -> nn.Module:
    """A deep copy of a module. Raises AurifyError where there can be none."""
    if is_keras(module):
        return cloned(module)
    require_no_keras_inside(module)
    try:
        return copy.deepcopy(module)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise AurifyError(
            f"the network cannot be copied ({reason}); pass a function that makes it: network=lambda signature: ..."
        ) from error
