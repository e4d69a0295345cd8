"""Promises about answers: each row by itself, and ONNX Runtime's as torch's, or the part says why not."""

# N rows, C columns, K classes

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.store import Asked
from aurify.ship import trial
from aurify.ship.bundle import Bundle
from aurify.ship.export import export
from aurify.ship.graph import Graph
from aurify.testing.cases import Case, require
from aurify.testing.scratch import scratch_folder

CLOSE = 1e-5
NEEDED = ("onnx", "onnxscript", "onnxruntime")


def row_is_answered_alike_alone_and_among_others(case: Case) -> None:
    """What is said of a row does not depend on the rows it is asked with."""
    bundle = case.lab.bundle(case.lab.fitted(case.recipe()))
    rows = _rows(case)
    answers = _answers(bundle, rows)
    for start, some in _excerpts(rows):
        difference = _difference(_answers(bundle, some), answers[start:])
        require(
            difference <= CLOSE,
            f"rows asked by {_count(some)} get other answers, by {difference:.2g}, than among {len(answers)};"
            " in forward() use a row's own values and what was fitted, no mean or maximum over the batch",
        )


def graph_answers_as_torch_does(case: Case) -> None:
    """The ONNX graph answers as torch does, whatever the rows and gaps, or the part says why there is none."""
    made = (case.part.make(case.settings), case.lab.task(case.kind))
    part, reason = next(((p, why) for p in made if (why := p.why_unexportable())), (made[0], ""))
    bundle, rows = case.lab.bundle(case.lab.fitted(case.recipe())), _rows(case)
    with scratch_folder() as folder:
        path = folder / "model.onnx"
        if reason:
            _require_refusal(part.name(), bundle, rows, path, reason)
            return
        absent = [package for package in NEEDED if importlib.util.find_spec(package) is None]
        if absent:
            raise SkipTest(f"export needs {' and '.join(absent)}, not installed: pip install 'aurify[export]'")
        try:
            export(bundle, path, rows, spread=1.0)
        except AurifyError as error:
            require(False, f"{error}; mend forward(), or say why with unexportable = 'REASON'")
        graph = Graph(path)
    answers = _answers(bundle, rows)
    for start, some in [(0, rows), *_excerpts(rows)]:
        difference = _difference(graph.answer(some), answers[start:])
        require(difference <= CLOSE, f"the graph's answers to {_count(some)} rows differ by {difference:.2g}")


def _require_refusal(name: str, bundle: Bundle, rows: Mapping[str, Any], path: Path, reason: str) -> None:
    try:
        export(bundle, path, rows, spread=1.0)
    except AurifyError as error:
        said = str(error)
    else:
        said = "nothing"
    named = name in said and reason in said and not path.exists()
    require(named, f"export should refuse naming {name} and {reason!r}; it says {said!r}")


def _rows(case: Case) -> dict[str, np.ndarray]:
    """All rows {name: (N, C)} of a kind, and copies of them with cells missing and unknown."""
    return trial.with_gaps(case.lab.rows(case.kind), seed=0)


def _excerpts(rows: Mapping[str, np.ndarray]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """A few rows and one, of the whole ones and of those with gaps, each with its place in ``rows``."""
    whole = _count(rows) // 2
    for size in (7, 1):
        for start in (0, whole):
            yield start, {name: values[start : start + size] for name, values in rows.items()}


def _answers(bundle: Bundle, rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """Probabilities (N, K) or numbers (N,)."""
    count = _count(rows)
    said = bundle.predictions(Asked(rows, np.empty(0), np.arange(count)), known=False)
    return said.prediction if said.probabilities is None else said.probabilities


def _count(rows: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(rows.values())))


def _difference(some: np.ndarray, answers: np.ndarray) -> float:
    return float(np.abs(some - answers[: len(some)]).max())
