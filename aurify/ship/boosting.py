"""Gradient-boosted trees as a member of a Bundle: fitted by scikit-learn, kept as tensors."""

# n training rows, C columns, P sums of trees, K outputs

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.recipe import Recipe
from aurify.core.run import Problem
from aurify.core.types import Layer
from aurify.data import prepare
from aurify.data.image_form import IMAGES
from aurify.data.schema import UNKNOWN
from aurify.data.store import Store
from aurify.data.trees import PLACES, TreeColumns, Trees
from aurify.measure.baselines import LEAF_PENALTY
from aurify.measure.encoding import merge_rare

SETTINGS: dict[str, Any] = {
    "learning_rate": 0.05,
    "max_iter": 2000,
    "max_leaf_nodes": 15,
    "max_depth": 6,
    "l2_regularization": LEAF_PENALTY,
    "early_stopping": True,
    "n_iter_no_change": 20,
}

UNWATCHED = 100
"""Trees of each class where no held-out row says when to stop."""

NEVER = -1e4
"""The output of a class that training lacks: its probability is 0."""

UNREAD = ("texts", IMAGES)
"""What trees do not split."""


def fit_trees(recipe: Recipe, store: Store, problem: Problem, held: np.ndarray) -> tuple[Layer, ...]:
    """Fit trees on the rows that the network learns from, with their weights and corrected targets.

    They stop growing by the ``held`` rows, as the network does; rows to be blended with others count as themselves.
    Returns layers from raw inputs to ``output``.
    """
    plan, classes, store = problem.plan, store.schema.classes, store.hiding(recipe.hidden)
    learnt = plan.weight > 0
    rows = problem.rows[plan.index[learnt]].numpy()
    target = np.array(store.target[rows]) if plan.target is None else plan.target[learnt].numpy()
    weight = plan.weight[learnt].numpy()
    if classes is not None:
        held = held[np.isin(store.target[held], target)]
    columns = _columns(store, rows)
    known, asked = (_split(columns, store.inputs, each) for each in (rows, held))
    stopping = {"X_val": asked, "y_val": store.target[held], "sample_weight_val": prepare.weights(store.roles, held)}
    seed = rng.key(recipe.seed, "trees") % 2**32
    model = _model(columns, classes=classes is not None, seed=seed, stopping=len(held) > 0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model.fit(known, target, sample_weight=weight / weight.mean(), **(stopping if len(held) else {}))
    return (columns, as_tensors(model, 1 if classes is None else len(classes)))


def _columns(store: Store, rows: np.ndarray) -> TreeColumns:
    """The columns in which the training rows hold any value; the rarest of too many categories share a code."""
    tables, inputs = [], {name: values for name, values in store.inputs.items() if name not in UNREAD}
    if not inputs:
        raise AurifyError(
            "blend.model = trees: every column holds texts or images, which trees do not read; leave it out"
        )
    for at, category in enumerate(store.schema.categories):
        known = np.array(inputs["codes"][rows, at], dtype=np.int64)
        tables.append(torch.from_numpy(merge_rare(known, np.arange(UNKNOWN, len(category.values)))[1]))
    starts = torch.tensor([0, *(len(table) for table in tables)]).cumsum(0)[:-1]
    fields: dict[str, Any] = {
        "tables": torch.cat([*tables, torch.zeros(0, dtype=torch.int64)]),
        "offsets": starts - UNKNOWN,
        "numeric": [name for name in ("numbers", "dates") if name in inputs],
    }
    width = sum(values.shape[1] for values in inputs.values())
    whole = TreeColumns(**fields, kept=torch.arange(width), coded=len(tables))
    filled = np.logical_not(np.isnan(_split(whole, inputs, rows)).all(0))
    if not filled.any():
        raise AurifyError("blend.model = trees: no column has a value in any training row")
    return TreeColumns(**fields, kept=torch.from_numpy(np.flatnonzero(filled)), coded=int(filled[: len(tables)].sum()))


def _split(columns: TreeColumns, inputs: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    return columns(prepare.raw_values(inputs, rows))["columns"].numpy()


def _model(columns: TreeColumns, *, classes: bool, seed: int, stopping: bool) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings = {
        **(SETTINGS if stopping else {**SETTINGS, "early_stopping": False, "max_iter": UNWATCHED}),
        "categorical_features": [at < columns.coded for at in range(len(columns.kept))],
        "random_state": seed,
    }
    return (HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor)(**settings)


def as_tensors(model: Any, outputs: int) -> Trees:
    """A fitted HistGradientBoosting model whose category columns come first, as a layer with K ``outputs``.

    Its classes are positions among the outputs; those it has not seen get probability 0.
    """
    trees = [tree for iteration in model._predictors for tree in iteration]
    nodes = np.concatenate([tree.nodes for tree in trees])
    sizes = [len(tree.nodes) for tree in trees]
    starts, here = np.cumsum([0, *sizes])[:-1], np.arange(len(nodes))
    own, leaf = np.repeat(starts, sizes), nodes["is_leaf"].astype(bool)
    assert (leaf | (nodes["left"] + own == here + 1)).all(), "scikit-learn puts a left child after its parent"
    by_set, missing_left = nodes["is_categorical"].astype(bool) & ~leaf, nodes["missing_go_to_left"].astype(bool)
    first = np.repeat(np.cumsum([0, *(len(tree.raw_left_cat_bitsets) for tree in trees)])[:-1], sizes)
    sets = np.where(by_set, nodes["bitset_idx"] + first + 1, 0)
    members = _members(np.concatenate([tree.raw_left_cat_bitsets for tree in trees]))
    members[sets[by_set], 0] = missing_left[by_set]
    # a split by missing alone has an infinite threshold, and everything that is there goes left
    threshold = np.where(leaf | by_set, -np.inf, nodes["num_threshold"].clip(max=np.finfo(np.float64).max))
    places, base = _places(model, outputs)
    fields = {
        "feature": nodes["feature_idx"] + np.where(missing_left, 0, model.n_features_in_),
        "threshold": threshold,
        "sets": sets,
        "members": members.ravel(),
        "right": np.where(leaf, here, nodes["right"] + own),
        "value": nodes["value"],
        "roots": starts,
        "places": places,
        "base": base,
    }
    kinds = {"i": np.int64, "u": np.int64, "f": np.float64, "b": np.bool_}
    tensors = {name: torch.from_numpy(values.astype(kinds[values.dtype.kind])) for name, values in fields.items()}
    return Trees(**tensors, depth=int(nodes["depth"].max()))


def _members(bits: np.ndarray) -> np.ndarray:
    """Sets (1 + S, 257) of categorical splits, from bit sets (S, 8): codes from place 1 on; the first is empty."""
    unpacked = (bits[:, :, None] >> np.arange(32, dtype=np.uint32) & 1).astype(bool).reshape(len(bits), 256)
    members = np.zeros((1 + len(bits), PLACES), dtype=bool)
    members[1:, 1:-1] = unpacked[:, : PLACES - 2]
    return members


def _places(model: Any, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """To which output (P, K) each sum of trees is added, and what the outputs (K,) start from."""
    start = model._baseline_prediction.ravel()
    classes = getattr(model, "classes_", np.arange(1))
    base = np.full(outputs, NEVER)
    base[classes] = 0.0
    places = np.zeros((len(start), outputs))
    places[np.arange(len(start)), classes[-len(start) :]] = 1.0  # of two classes only the second has trees
    return places, base + start @ places
