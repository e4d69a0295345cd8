"""Put a whole Bundle into one ONNX graph, and prove that the graph answers as torch does before a file appears."""

# N rows, C columns, K classes

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import aurify
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes
from aurify.core.recipe import Recipe
from aurify.core.types import Input
from aurify.data import prepare
from aurify.data.store import Asked
from aurify.measure.predictions import Predictions
from aurify.ship.bundle import Bundle
from aurify.ship.graph import PREFIX, Graph, required
from aurify.ship.pipeline import Pipeline

MOST_DIFFERENCE = 1e-4
"""Between the graph's and torch's answers: in probabilities, or as a share of the target's spread."""

EXAMPLE_ROWS = 3
LIMIT_BYTES = 2**31 - 1
"""One protobuf holds no more; weights in a second file beside it would make two files of one model."""

MEANINGS = {
    "numbers": "float64, NaN for missing",
    "codes": "positions among the column's values in the schema, -1 for missing, -2 for any other value",
    "pixels": "uint8, rows of pixels of channels, brought into the form that the schema names",
    "dates": "float64 seconds since 1970 in UTC, NaN for missing",
}


def export(bundle: Bundle, path: Path, rows: Mapping[str, np.ndarray], spread: float | None) -> dict[str, Any]:
    """Write one ONNX file: raw typed columns in, ``probabilities`` (N, K) and ``prediction`` (N,) out.

    Of several labels ``prediction`` is (N, K), 1 where one is held.
    Numbers have ``prediction`` alone. Before anything is written the graph is checked, and run on ``rows``
    {name: (N, C)}: it may differ from torch by 1e-4 in probabilities or, for numbers, by 1e-4 of ``spread`` (None: of
    the answers' own deviation). Returns a plain record with the largest ``difference``. Raises AurifyError for a part
    that no graph can hold and for a graph that differs.
    """
    refuse_unexportable(bundle.recipe)
    onnx, *_ = (required(name) for name in ("onnx", "onnxscript", "onnxruntime"))
    count = len(next(iter(rows.values())))
    # before the graph is traced: layers that make something when they are first asked make it of real tensors
    expected = bundle.predictions(Asked(rows, np.empty(0), np.arange(count)), known=False)
    model = _traced(bundle)
    if model.ByteSize() > LIMIT_BYTES:
        raise AurifyError(f"the model has {model.ByteSize():,} bytes; one ONNX file holds at most {LIMIT_BYTES:,}")
    data = model.SerializeToString()
    onnx.checker.check_model(data, full_check=True)
    difference = _difference(expected, Graph(data), rows, spread)
    if not difference <= MOST_DIFFERENCE:
        raise AurifyError(
            f"the graph's answers differ from the model's by {difference:.2g}, more than {MOST_DIFFERENCE:g};"
            f" {path} is not written"
        )
    write_bytes(path, data)
    return {
        "path": str(path),
        "bytes": len(data),
        "opset": model.opset_import[0].version,
        "inputs": {i.name: _columns(prepare.raw_inputs(bundle.schema)[i.name]) for i in model.graph.input},
        "outputs": [o.name for o in model.graph.output],
        "rows": count,
        "difference": difference,
        "most_difference": MOST_DIFFERENCE,
    }


def refuse_unexportable(recipe: Recipe) -> None:
    """Raise AurifyError naming the first part that no ONNX graph can hold, and why."""
    for part in (recipe.task, recipe.network, *recipe.techniques):
        reason = part.why_unexportable()
        if reason:
            raise AurifyError(f"{part.name()} cannot be exported: {reason}")


class _Exported(nn.Module):
    """What the graph does: the whole pipeline and the most probable class, or which labels are held."""

    def __init__(self, pipeline: Pipeline, *, classes: bool, labels: bool):
        super().__init__()
        self.pipeline, self.classes, self.labels = pipeline, classes, labels
        self.thresholds = pipeline.thresholds

    def forward(self, raw: dict[str, Tensor]) -> Tensor | tuple[Tensor, Tensor]:
        answer = self.pipeline(raw)
        if self.labels:
            return answer, (answer >= self.thresholds).long()
        return (answer, answer.argmax(1)) if self.classes else answer


def _traced(bundle: Bundle) -> Any:
    """The ONNX model of a Bundle on the CPU, with its metadata and without the traces of where it was made."""
    inputs = prepare.raw_inputs(bundle.schema)
    empty = {n: torch.zeros(EXAMPLE_ROWS, *_shape(i), dtype=_dtype(i.kind)) for n, i in inputs.items()}
    classes, labels, several = bundle.schema.classes, bundle.schema.labels is not None, len(bundle.pipeline.members) > 1
    try:
        with _quiet():
            program = torch.onnx.export(
                _Exported(bundle.pipeline, classes=classes is not None, labels=labels).eval(),
                kwargs={"raw": empty},
                dynamic_shapes={"raw": {name: {0: "rows"} for name in empty}},
                input_names=list(empty),
                output_names=["prediction"] if classes is None else ["probabilities", "prediction"],
                dynamo=True,
                optimize=not several,
                verbose=False,
            )
            assert program is not None
            if several:
                _lighten(program.model)
    except Exception as error:  # torch's exporter fails in many ways
        cause = error.__cause__ or error
        raise AurifyError(
            f"the model cannot be put into an ONNX graph: {str(cause).strip().splitlines()[0]}"
        ) from error
    model = program.model_proto
    for each in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        del each.metadata_props[:]  # source lines and paths of the machine it was made on
    del model.graph.value_info[:]
    fixed = [i.name for i in model.graph.input if not i.type.tensor_type.shape.dim[0].dim_param]
    if fixed:
        raise AurifyError(f"a layer fixes the graph's input {fixed[0]!r} to {EXAMPLE_ROWS} rows: it cannot be exported")
    for each in model.graph.input:
        each.doc_string = f"{', '.join(inputs[each.name].names)} ({MEANINGS[inputs[each.name].kind]})"
    _describe(model, bundle)
    return model


def _lighten(model: Any) -> None:
    """Inline functions and fold constants: what torch has optimized but for its rewriting.

    That calls the bounds of a clip after what is clipped, so those of members that clip one input would be the same.
    """
    from onnxscript import optimizer

    optimizer.inline(model)
    optimizer.fold_constants(model)
    optimizer.remove_unused_nodes(model)


def _dtype(kind: str) -> torch.dtype:
    return {"codes": torch.int64, "pixels": torch.uint8}.get(kind, torch.float64)


def _shape(given: Input) -> tuple[int, ...]:
    """Of one row."""
    return given.shape if given.kind == "pixels" else (len(given.names),)


def _columns(given: Input) -> int | list[int]:
    """How many columns a row has in an input; of an image height, width and channels."""
    return list(given.shape) if given.kind == "pixels" else len(given.names)


def _describe(model: Any, bundle: Bundle) -> None:
    """Say in the file itself how raw values become its inputs, and what made it."""
    model.producer_name, model.producer_version = "aurify", aurify.__version__
    described = {
        "version": aurify.__version__,
        "schema": json.dumps(bundle.schema.to_plain(), ensure_ascii=False),
        "classes": json.dumps(bundle.schema.classes, ensure_ascii=False),
        "recipe": bundle.recipe.to_yaml(),
    }
    for name, text in described.items():
        model.metadata_props.add(key=f"{PREFIX}{name}", value=text)


def _difference(expected: Predictions, graph: Graph, rows: Mapping[str, np.ndarray], spread: float | None) -> float:
    """The largest difference between the graph's answers and torch's, all rows at once and the first one alone."""
    answers = expected.prediction if expected.probabilities is None else expected.probabilities
    one = graph.answer({name: values[:1] for name, values in rows.items()})
    largest = max(np.abs(graph.answer(rows) - answers).max(), np.abs(one - answers[:1]).max())
    if expected.probabilities is not None:
        return float(largest)
    return float(largest / (spread or answers.std() or 1.0))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's warnings and its log from the user: what counts is checked afterwards."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
