"""The Bundle: Schema, prepare, network, answer. One file, no pickle, and nothing runs because of what is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from aurify.catalog import Catalog
from aurify.core import archive
from aurify.core.archive import DamagedError
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes
from aurify.core.recipe import Recipe, read_yaml
from aurify.core.types import Layer, Signature
from aurify.data import prepare
from aurify.data.schema import Schema
from aurify.data.store import Asked
from aurify.measure.predictions import Predictions
from aurify.ship.answer import Answer
from aurify.ship.pipeline import WHOLE_ROWS, Member, Pipeline

if TYPE_CHECKING:
    import polars as pl


MEMBERS = ("network", "trees", "ngrams")
"""What a blend is made of, measured apart as well."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A fitted model with everything that belongs to it, on one device; of several members the answers are averaged.

    Members without weight are kept to be looked at: they have no say in the answer, and are not exported.
    """

    recipe: Recipe
    schema: Schema
    members: tuple[Member, ...]
    device: torch.device

    @cached_property
    def pipeline(self) -> Pipeline:
        """From raw typed columns to answers, all members included."""
        return Pipeline(self.recipe.task, self.members, self.device).eval()

    def apart(self) -> dict[str, Bundle]:
        """What can be measured by itself: the whole, called after what it is, and of a blend each kind of member."""
        networks = [m for m in self.members if m.network is not None]
        others = [m for m in self.members if m.network is None]
        if not networks or not others:
            return {"network": self}
        return {"blend": self, "network": self._only(networks), others[0].name.split(" ")[0]: self._only(others)}

    def _only(self, members: Sequence[Member]) -> Bundle:
        total = sum(m.weight for m in members)
        shares = [m.weight / total if total else 1 / len(members) for m in members]
        return replace(self, members=tuple(replace(m, weight=w) for m, w in zip(members, shares, strict=True)))

    def predict(self, data: Any, top: int | None = None) -> pl.DataFrame:
        """Predict a path, a data frame, a text, images: ids, ``prediction`` and ``p_<class>``, one row per example.

        With ``top`` the probabilities are those of as many classes, the most probable ones.
        """
        return self.answer(data).to_frame(top)

    def answer(self, data: Any) -> Answer:
        """Predict every row of a path or data frame, or texts as ``data.asking`` takes them, and say what was noticed.

        Column order is free and the target is not needed. Raises AurifyError naming columns that are missing.
        """
        asked = self.recipe.task.ask(self.schema, data, self.recipe.source, labelled=False)
        return Answer(
            self.predictions(asked, known=False),
            asked.ids,
            asked.notes,
            self.schema.labels,
            asked.count,
            name=self.recipe.task.answer_name,
        )

    @torch.no_grad()
    def predictions(self, asked: Asked, *, known: bool = True) -> Predictions:
        """Predict rows through the whole pipeline, in chunks; their targets go along where they are ``known``."""
        try:
            answered = self._answered(asked)
        except (RuntimeError, IndexError, KeyError, AttributeError, TypeError, ValueError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise DamagedError(f"the model cannot predict; its parts do not fit each other ({reason})") from error
        return Predictions.of_answer(
            answered,
            row=asked.rows,
            target=np.array(asked.target[asked.rows]) if known else None,
            classes=self.schema.classes,
            several=self.schema.labels is not None,
            thresholds=self.pipeline.thresholds.cpu().numpy(),
            seed=self.recipe.seed,
            weight=prepare.weights(asked.roles, asked.rows) if "weight" in asked.roles else None,
        )

    def _answered(self, asked: Asked) -> np.ndarray:
        """Class probabilities (M, K) or numbers (M,), float64."""
        step = prepare.rows_at_once(self.device)
        starts = range(0, max(1, len(asked.rows)), step)
        answered = np.concatenate([self._together(asked, asked.rows[start : start + step]) for start in starts])
        if not np.isfinite(answered).all():
            raise ValueError("its answers are not finite")
        # a mean of ones over several members may be above 1 by the last bit
        return answered if self.schema.classes is None else answered.clip(0.0, 1.0)

    def _together(self, asked: Asked, rows: np.ndarray) -> np.ndarray:
        """What is answered to a chunk of rows: the same to each, whichever and however many are beside it."""
        # products with a few rows are summed in another order than those with many: float32 tells them apart
        filled = np.concatenate([rows, np.repeat(rows[:1], -len(rows) % WHOLE_ROWS)])
        return self.pipeline(prepare.raw_values(asked.inputs, filled)).cpu().numpy()[: len(rows)]

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.pipeline.parameters())

    def save(self, path: Path, catalog: Catalog) -> None:
        """Write one file, atomically."""
        write_bytes(path, self.to_bytes(catalog))

    def to_bytes(self, catalog: Catalog) -> bytes:
        """The bytes of the file that ``save`` writes."""
        tensors: dict[str, Tensor] = {}
        members = [_taken_apart(m, f"members/{at}", tensors, catalog) for at, m in enumerate(self.members)]
        document = {"recipe": self.recipe.to_yaml(), "schema": self.schema.to_plain(), "members": members}
        return archive.to_bytes("model", document, tensors)

    @classmethod
    def load(cls, path: Path, catalog: Catalog, device: torch.device) -> Bundle:
        """Read and rebuild; raises AurifyError in one line for anything that is not a sound model.

        The network is built without memory and takes the file's own tensors, so a file never costs more than its size.
        """
        return cls._put_together(*archive.load(path, "model"), str(path), catalog, device)

    @classmethod
    def from_bytes(cls, data: bytes, name: str, catalog: Catalog, device: torch.device) -> Bundle:
        """Rebuild from what ``to_bytes`` made, as ``load`` does from a file; errors say ``name``."""
        return cls._put_together(*archive.from_bytes(data, "model", name), name, catalog, device)

    @classmethod
    def _put_together(
        cls,
        document: Mapping[str, Any],
        tensors: Mapping[str, Tensor],
        name: str,
        catalog: Catalog,
        device: torch.device,
    ) -> Bundle:
        try:
            recipe = catalog.recipe(read_yaml(document["recipe"], f"the recipe in {name}"))
            schema = Schema.from_plain(document["schema"])
            plain = document["members"]
            members = tuple(
                _rebuilt(m, f"members/{at}", recipe, schema, tensors, catalog) for at, m in enumerate(plain)
            )
            bundle = cls(recipe, schema, members, device)
            if not all(m.weight >= 0 for m in members) or abs(sum(m.weight for m in members) - 1) > 1e-6:
                raise ValueError("the weights of its members do not sum to 1")
        except AurifyError as error:
            raise AurifyError(f"{name}: {error}") from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, AssertionError) as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise DamagedError(f"{name} does not hold a sound model ({reason})") from None
        for member in members:
            for module in (*([member.network] if member.network else []), *member.answers):
                module.to(device).eval().requires_grad_(False)
        return bundle


def _taken_apart(member: Member, prefix: str, tensors: dict[str, Tensor], catalog: Catalog) -> dict[str, Any]:
    """A member as plain data; its tensors go into ``tensors`` under names that begin with ``prefix``."""
    plain: dict[str, Any] = {"name": member.name, "weight": member.weight, "network": member.network is not None}
    if member.recipe is not None:
        plain["recipe"] = member.recipe.to_yaml()
    if member.network is not None:
        tensors |= {f"{prefix}/network/{k}": v for k, v in member.network.state_dict().items()}
    for group, layers in (("layers", member.layers), ("answers", member.answers)):
        plain[group] = [
            {"name": catalog.layer_names[type(layer)], "config": layer.config, "tensors": list(layer.tensors())}
            for layer in layers
        ]
        for at, layer in enumerate(layers):
            tensors |= {f"{prefix}/{group}/{at}/{k}": v for k, v in layer.tensors().items()}
    return plain


def _rebuilt(
    plain: Mapping[str, Any],
    prefix: str,
    recipe: Recipe,
    schema: Schema,
    tensors: Mapping[str, Tensor],
    catalog: Catalog,
) -> Member:
    """The member that ``_taken_apart`` took apart, its network built without memory around the file's tensors."""
    layers = _layers(plain["layers"], f"{prefix}/layers", tensors, catalog)
    answers = _layers(plain["answers"], f"{prefix}/answers", tensors, catalog)
    network, own = None, None
    if "recipe" in plain:
        recipe = own = catalog.recipe(read_yaml(plain["recipe"], f"the recipe of {prefix}"))
    if plain["network"]:
        inputs = prepare.raw_inputs(schema)
        for layer in layers:
            inputs = layer.inputs(inputs)
        signature = Signature(inputs, recipe.task.outputs(schema))
        start = f"{prefix}/network/"
        weights = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
        with torch.device("meta"), _Unfilled():
            network = recipe.network.build(signature)
            for technique in recipe.techniques:
                technique.begin(network, recipe)
        last = {name for name, tensor in network.state_dict().items() if archive.channels_last(tensor)}
        for name in last & set(weights):
            weights[name] = weights[name].contiguous(memory_format=torch.channels_last)
        network.load_state_dict(weights, strict=True, assign=True)
    return Member(layers, network, answers, float(plain["weight"]), str(plain["name"]), own)


class _Unfilled(TorchFunctionMode):
    """Tensors without memory are not filled at random: for that alone torch would import its compiler, two seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__name__", "") == "normal_":
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def _layers(
    every: Sequence[Mapping[str, Any]], prefix: str, tensors: Mapping[str, Tensor], catalog: Catalog
) -> tuple[Layer, ...]:
    """Fitted layers from their names, settings and tensors; only classes that the catalog knows."""
    layers: list[Layer] = []
    for at, plain in enumerate(every):
        name, config, names = plain["name"], plain["config"], plain["tensors"]
        if name not in catalog.layers:
            raise AurifyError(f"its step {name!r} is unknown here; if it is from your own parts, give --parts")
        fields = {**config, **{k: tensors[f"{prefix}/{at}/{k}"] for k in names}}
        _refuse_strange(fields)
        layers.append(catalog.layers[name](**fields))
    return tuple(layers)


def _refuse_strange(fields: Mapping[str, Any]) -> None:
    """A file may fill a layer's fields, never replace what the layer does."""
    for name in fields:
        if not name.isidentifier() or name.startswith("_") or hasattr(Layer, name):
            raise AurifyError(f"its step has a field {name!r} that no step may have")
