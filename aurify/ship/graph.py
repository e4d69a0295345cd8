"""An exported model as it is used: ONNX Runtime and the Schema inside the file, without torch."""

# N rows, C columns, K classes

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.schema import Schema

PREFIX = "aurify."
"""Names of the file's own metadata begin with it: version, schema, classes, recipe."""

CHUNK_ROWS, CHUNK_PIXELS = 512, 2**18
"""Rows to answer together: what stays in a CPU's cache is faster, and trees and images need memory for every row."""


class Graph:
    """A model that ``aurify export`` wrote: a path, or the bytes of the file.

    ``schema`` parses raw data into what ``answer`` takes. Raises AurifyError for a file that is no such model, and
    where ONNX Runtime is not installed.
    """

    def __init__(self, model: Path | bytes):
        ort = required("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # it warns of every weight that it folds away
        try:
            source = model if isinstance(model, bytes) else str(model)
            self._session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
            self.metadata = {
                name.removeprefix(PREFIX): value
                for name, value in self._session.get_modelmeta().custom_metadata_map.items()
                if name.startswith(PREFIX)
            }
            self.schema = Schema.from_plain(json.loads(self.metadata["schema"]))
        except AurifyError:
            raise
        except Exception as error:  # its classes have no common base of their own
            name = "the graph" if isinstance(model, bytes) else model
            raise AurifyError(f"{name} is not an exported model ({_first_line(error)})") from error
        self.output = "prediction" if self.schema.classes is None else "probabilities"

    def answer(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """From typed columns {name: (N, C)} and images, as the schema parses them, to probabilities or numbers."""
        kinds = {"f": np.float64, "u": np.uint8}
        fed = {n: np.asarray(values, dtype=kinds.get(values.dtype.kind, np.int64)) for n, values in inputs.items()}
        pixels = max(values[0, ..., 0].size if len(values) else 1 for values in fed.values())
        step = max(1, min(CHUNK_ROWS, CHUNK_PIXELS // pixels))
        starts = range(0, max(1, len(next(iter(fed.values())))), step)
        pieces = [{name: values[start : start + step] for name, values in fed.items()} for start in starts]
        return np.concatenate([self._session.run([self.output], piece)[0] for piece in pieces])


def required(name: str) -> Any:
    """Import one of the packages that exporting needs, which are not installed with aurify itself."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise AurifyError(f"export needs {name}, which is not installed: pip install 'aurify[export]'") from None


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
