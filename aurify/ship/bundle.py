"""The Bundle: Schema, prepare, network, answer. One file, no pickle, and nothing runs because of what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from aurify.catalog import Catalog
from aurify.core import archive
from aurify.core.archive import DamagedError
from aurify.core.errors import AurifyError
from aurify.core.recipe import Recipe, read_yaml
from aurify.core.types import Layer, Signature
from aurify.data import prepare
from aurify.data.schema import Schema
from aurify.data.store import Asked
from aurify.measure.predictions import Predictions

if TYPE_CHECKING:
    import polars as pl

PREDICT_ROWS = 16_384


@dataclass(frozen=True, eq=False)
class Answer:
    """Predictions for new data, its id columns as they came, and what was noticed about it."""

    predictions: Predictions
    ids: Mapping[str, Any]
    notes: tuple[str, ...]

    def to_frame(self) -> pl.DataFrame:
        """What users get, one row per example: ids, ``prediction`` and ``p_<class>``."""
        import polars as pl

        frame = self.predictions.to_frame().drop("row", "target", "fold", "seed")
        # an id column may be called as an answer is: the answer keeps its name
        ids = {f"{c} (id)" if c in frame.columns else c: values for c, values in self.ids.items()}
        return pl.DataFrame({**ids, **{c: frame[c] for c in frame.columns}})


@dataclass(frozen=True, eq=False)
class Bundle:
    """A fitted model with everything that belongs to it, on one device."""

    recipe: Recipe
    schema: Schema
    layers: tuple[Layer, ...]
    network: nn.Module
    answers: tuple[Layer, ...]
    device: torch.device

    def predict(self, data: Any) -> pl.DataFrame:
        """Predict a CSV path or data frame: ids, ``prediction`` and ``p_<class>``, one row per example, in order."""
        return self.answer(data).to_frame()

    def answer(self, data: Any) -> Answer:
        """Predict every row of a CSV path or data frame, and say what was noticed about it.

        Column order is free and the target is not needed. Raises AurifyError naming columns that are missing.
        """
        asked = self.recipe.task.ask(self.schema, data, labelled=False)
        return Answer(self.predictions(asked, known=False), asked.ids, asked.notes)

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
        classes = self.schema.classes
        return Predictions(
            row=np.asarray(asked.rows, dtype=np.int64),
            target=np.array(asked.target[asked.rows]) if known else None,
            prediction=answered if classes is None else answered.argmax(1).astype(np.int64),
            probabilities=None if classes is None else answered,
            classes=classes,
            seed=self.recipe.seed,
        )

    def _answered(self, asked: Asked) -> np.ndarray:
        """Class probabilities (M, K) or numbers (M,), float64."""
        self.network.eval()
        pieces = []
        for start in range(0, max(1, len(asked.rows)), PREDICT_ROWS):
            values = prepare.apply(self.layers, asked.inputs, asked.rows[start : start + PREDICT_ROWS])
            output = self.network({k: v.to(self.device) for k, v in values.items()}).double()
            for layer in self.answers:
                output = layer(output)
            pieces.append(self.recipe.task.answers(output).cpu().numpy())
        answered = np.concatenate(pieces)
        if not np.isfinite(answered).all():
            raise ValueError("its answers are not finite")
        return answered

    @property
    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.network.parameters())

    def save(self, path: Path, catalog: Catalog) -> None:
        """Write one file, atomically."""
        tensors = {f"network/{k}": v for k, v in self.network.state_dict().items()}
        document: dict[str, Any] = {"recipe": self.recipe.to_yaml(), "schema": self.schema.to_plain()}
        for group, layers in (("layers", self.layers), ("answers", self.answers)):
            document[group] = [
                {"name": catalog.layer_names[type(layer)], "config": layer.config, "tensors": list(layer.tensors())}
                for layer in layers
            ]
            tensors |= {f"{group}/{i}/{k}": v for i, layer in enumerate(layers) for k, v in layer.tensors().items()}
        archive.save(path, "model", document, tensors)

    @classmethod
    def load(cls, path: Path, catalog: Catalog, device: torch.device) -> Bundle:
        """Read and rebuild; raises AurifyError in one line for anything that is not a sound model.

        The network is built without memory and takes the file's own tensors, so a file never costs more than its size.
        """
        document, tensors = archive.load(path, "model")
        try:
            recipe = catalog.recipe(read_yaml(document["recipe"], f"the recipe in {path}"))
            schema = Schema.from_plain(document["schema"])
            layers = _rebuild(document, "layers", tensors, catalog)
            answers = _rebuild(document, "answers", tensors, catalog)
            inputs = prepare.raw_inputs(schema)
            for layer in layers:
                inputs = layer.inputs(inputs)
            signature = Signature(inputs, 1 if schema.classes is None else len(schema.classes))
            weights = {k.removeprefix("network/"): v for k, v in tensors.items() if k.startswith("network/")}
            with torch.device("meta"):
                network = recipe.network.build(signature)
                for technique in recipe.techniques:
                    technique.begin(network, recipe)
            network.load_state_dict(weights, strict=True, assign=True)
        except AurifyError as error:
            raise AurifyError(f"{path}: {error}") from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, AssertionError) as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise DamagedError(f"{path} does not hold a sound model ({reason})") from None
        for module in (network, *answers):
            module.to(device).eval()
        network.requires_grad_(False)
        return cls(recipe, schema, layers, network, answers, device)


def _rebuild(
    document: Mapping[str, Any], group: str, tensors: Mapping[str, Tensor], catalog: Catalog
) -> tuple[Layer, ...]:
    """Fitted layers from their names, settings and tensors; only classes that the catalog knows."""
    layers: list[Layer] = []
    for at, plain in enumerate(document[group]):
        name, config, names = plain["name"], plain["config"], plain["tensors"]
        if name not in catalog.layers:
            raise AurifyError(f"its step {name!r} is unknown here; if it is from your own parts, give --parts")
        fields = {**config, **{k: tensors[f"{group}/{at}/{k}"] for k in names}}
        _refuse_strange(fields)
        layers.append(catalog.layers[name](**fields))
    return tuple(layers)


def _refuse_strange(fields: Mapping[str, Any]) -> None:
    """A file may fill a layer's fields, never replace what the layer does."""
    for name in fields:
        if not name.isidentifier() or name.startswith("_") or hasattr(Layer, name):
            raise AurifyError(f"its step has a field {name!r} that no step may have")
