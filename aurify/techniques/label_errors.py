"""Techniques that mend what the targets of training rows say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from aurify.core.parts import Technique, Trait, knob
from aurify.core.pixels import Pixels
from aurify.core.ragged import Ragged
from aurify.core.types import RowPlan, View
from aurify.data.copies import row_keys
from aurify.data.image_copies import image_families
from aurify.data.image_rows import ImageRows
from aurify.measure.baselines import Examples
from aurify.measure.image_features import feature_answers, patch_features
from aurify.measure.label_errors import LEAST_ROWS, finder
from aurify.measure.out_of_fold import folds_of, out_of_fold
from aurify.measure.text_counts import counts_of, text_answers

UNLIKELY = 1e-9
"""Added to probabilities, so that none is 0."""


@dataclass(kw_only=True)
class CleanLabels(Technique):
    """Leave out or correct training rows whose class is probably wrong (Northcutt et al. 2021, Confident learning).

    A plain model says, out of fold, how likely each class is for each row, of texts a linear one on TF-IDF, of images
    one on responses to small patches (Coates & Ng 2012), whose near copies share a fold; cleanlab counts from that how
    often one class is mistaken for another, and names the rows. At most ``share`` of all rows and
    half of a class are touched, the surest errors first. Helps: labels from crowds, rules or tired eyes. Hurts: where
    classes truly overlap, or the plain model is too plain for them, hard rows are taken for errors and the network
    learns to be too sure.
    """

    family = "cleaning"
    method: str = knob("drop", "what happens to a probable error", choices=("drop", "relabel"))
    share: float = knob(0.1, "most rows that may be touched", low=0.01, high=0.3, log=True, legal=(0.0, 0.5))
    model: str = knob("linear", "the plain model that is asked about columns", choices=("linear", "boosting"))
    folds: int = knob(5, "parts that the plain model is fitted around", low=3, high=10, legal=(2, 50))
    needs = frozenset({Trait.CATEGORICAL, Trait.COLUMNS})
    neutral = {"share": 0.0}
    vivid = {"method": "relabel", "share": 0.3}
    stacks = True
    order = -8

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        if self.share == 0.0:
            return plan
        find = finder("clean_labels")
        target = plan.targets(view.target).numpy()
        counts = np.bincount(target)
        judged = np.flatnonzero(counts >= LEAST_ROWS * self.folds)
        rows = np.flatnonzero(np.isin(target, judged))
        if len(judged) < 2:
            return plan
        examples = _examples(view, plan, np.searchsorted(judged, target), rows)
        keys = _keys(view, plan.index.numpy()[rows])
        folds = folds_of(keys, examples.target, self.folds, view.seed, "clean_labels")
        likely = _likely(self.model, view, examples, folds, len(judged))
        suspects = _limited(find(examples.target, likely), examples.target, int(self.share * len(target)))
        if self.method == "relabel":
            corrected = target.copy()
            corrected[rows[suspects]] = judged[likely[suspects].argmax(1)]
            return replace(plan, target=torch.from_numpy(corrected))
        kept = torch.ones(len(target), dtype=torch.bool)
        kept[rows[suspects]] = False
        return plan.keep(kept)


def _likely(model: str, view: View, examples: Examples, folds: np.ndarray, classes: int) -> np.ndarray:
    """How likely each class is (n, K) out of fold: by the columns, the texts, the images, or the mean of those."""
    each = []
    if examples.numbers.shape[1] + examples.codes.shape[1]:
        each.append(out_of_fold(model, examples, folds, classes, view.seed))
    ragged = [v for v in view.values.values() if isinstance(v, Ragged)]
    if ragged:
        places = torch.from_numpy(examples.row)
        rows = zip(*(v[places].texts() for v in ragged), strict=True)
        texts = ["\n".join(text for part in row for text in part) for row in rows]
        each.append(text_answers(counts_of(texts), examples.target, folds, classes, weight=examples.weight))
    for images in _images(view):
        features = patch_features(images, examples.row, view.seed)
        likely = feature_answers(features, examples.target, folds, classes) + UNLIKELY
        each.append(likely / likely.sum(1, keepdims=True))
    if not each:  # no column at all: every class is as likely as it is common
        each.append(out_of_fold(model, examples, folds, classes, view.seed))
    return sum(each[1:], each[0]) / len(each)


def _examples(view: View, plan: RowPlan, target: np.ndarray, rows: np.ndarray) -> Examples:
    """The entries ``rows`` of a plan as plain models take them; the weight's unit does not matter to them."""
    index = plan.index[rows]
    kinds: dict[str, list[np.ndarray]] = {"numbers": [np.empty((len(rows), 0))], "codes": []}
    kinds["codes"].append(np.empty((len(rows), 0), dtype=np.int64))
    for name, values in view.table.items():
        kinds["codes" if view.inputs[name].kind == "codes" else "numbers"].append(values[index].numpy())
    return Examples(
        numbers=np.concatenate(kinds["numbers"], 1),
        codes=np.concatenate(kinds["codes"], 1),
        target=target[rows],
        row=index.numpy(),
        weight=(plan.weight[rows] / plan.weight[rows].mean()).numpy(),
    )


def _keys(view: View, index: np.ndarray) -> np.ndarray:
    """Rows with equal inputs share a key (M,), and so a fold: a copy would give the label away.

    So do rows whose images are near copies, whatever is beside them.
    """
    images = _images(view)
    return image_families(images[0])[index] if images else row_keys(view.values.values())[index]


def _images(view: View) -> list[ImageRows]:
    """The images there are to look at: those that are hidden are all one."""
    pixels = [values for values in view.values.values() if isinstance(values, Pixels)]
    return [ImageRows.of(each) for each in pixels if len(each.index.unique()) > 1]


def _limited(suspects: np.ndarray, target: np.ndarray, most: int) -> np.ndarray:
    """The first of ``suspects``: at most ``most`` in all and half of any class."""
    kept = []
    for code, count in enumerate(np.bincount(target)):
        kept.append(np.flatnonzero(target[suspects] == code)[: count // 2])
    return suspects[np.sort(np.concatenate(kept))[:most]]
