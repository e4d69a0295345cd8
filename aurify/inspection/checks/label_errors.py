"""Rows whose class is probably wrong, and whether so many are that the labels are noisy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.image_exhibits import images_exhibit
from aurify.inspection.inspected import FOLDS, Inspected
from aurify.inspection.seen_images import ImageAnswers, answers_to_images
from aurify.inspection.seen_texts import TextAnswers, answers_to_texts, text_names
from aurify.inspection.showing import rows_exhibit
from aurify.measure.baselines import Examples
from aurify.measure.label_errors import LEAST_ROWS, Floor, agree, finder, floor_of
from aurify.measure.out_of_fold import out_of_fold

LEAST_LABELS = 60
"""Different rows below which nothing can be said about single labels: copies are asked about unseen, all of them."""

MOST_ANSWERS = 200_000
"""Rows times classes that models are asked for here."""

MOST_LINEAR = 50_000
"""Rows times classes up to which a linear model is asked too: trees learn little from a few hundred rows."""

MOST_TREES = 30
"""Classes up to which trees are asked: they grow one a class and round."""

WORTH_A_LOOK = 25
MOST_CLASSES = 200
WEAK = 0.25
"""Share of the labels that a model of images disagrees with, from which on it says nothing of single ones."""

VIEW_COLUMNS = 4
"""Columns that two views of the rows need."""


class LabelErrors(Check):
    """Probable label errors by confident learning (Northcutt et al. 2021), the surest first.

    Where classes overlap it always names rows; labels are called noisy only where a model's surest rows disagree with
    their labels about as often as all rows do, or where models of different columns agree against them.
    """

    needs = frozenset({Trait.CATEGORICAL, Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is None or len(seen.classes) > MOST_CLASSES:
            return
        try:
            find = finder("the check label_errors")
        except AurifyError as error:
            yield self.found(NOTE, said("labels are not looked at: {reason}", reason=str(error)))
            return
        codes = np.bincount(seen.sampled.target, minlength=len(seen.classes))
        judged = np.flatnonzero(codes >= LEAST_ROWS * FOLDS)
        at = np.flatnonzero(np.isin(seen.sampled.target, judged))
        at = at[seen.drawn(len(at), max(MOST_ANSWERS // len(seen.classes), LEAST_LABELS), "inspect/labels")]
        if seen.images:  # the same for a model of images
            at = np.intersect1d(at, seen.once(answers_to_images).at)
        plain, texts = seen.sampled.numbers.shape[1] + seen.sampled.codes.shape[1], bool(text_names(seen))
        if texts:  # a model of texts was asked about some rows: of the others nothing is said
            at = np.intersect1d(at, seen.once(answers_to_texts).at)
        if len(judged) < 2 or len(np.unique(seen.keys[at])) < LEAST_LABELS or not (plain or texts or seen.images):
            return
        examples = seen.sampled.take(at)
        examples = replace(examples, target=np.searchsorted(judged, examples.target))
        likely = [_likely(seen, examples, seen.fold[at], len(judged))] if plain else []
        likely += [_of_model(seen.once(answers_to_texts), at, judged)] if texts else []
        likely += [_of_model(seen.once(answers_to_images), at, judged)] if seen.images else []
        likely = sum(likely[1:], likely[0]) / len(likely)
        floor = floor_of(examples.target, likely)
        suspects = np.empty(0, dtype=np.int64) if seen.images and floor.every > WEAK else find(examples.target, likely)
        if not len(suspects):
            return
        names = [seen.classes[code] for code in judged.tolist()]
        exhibit = partial(_exhibit, seen, examples, likely, names)
        if floor.flat or (floor.there and _views_agree(seen, examples, seen.fold[at], len(judged))):
            yield self._noisy(seen, floor, examples, suspects, exhibit(suspects))
        else:
            yield self._worth_a_look(examples, suspects[:WORTH_A_LOOK], len(suspects), exhibit(suspects[:WORTH_A_LOOK]))

    def _noisy(
        self, seen: Inspected, floor: Floor, examples: Examples, suspects: np.ndarray, exhibit: Exhibit
    ) -> Finding:
        text = said(
            "about {share:.1%} of the labels look wrong (95 % interval {low:.1%} to {high:.1%}): so many rows are"
            " labelled otherwise where a model that did not see them is surest; {count:,} of {rows:,} rows are named",
            share=floor.share,
            low=floor.low,
            high=floor.high,
            count=len(suspects),
            rows=len(examples),
        )
        return self.found(
            WARNING,
            text,
            fix=said("look at the rows named here and mend them at the source, or use --with clean_labels"),
            columns=[str(seen.schema.target)],
            rows=examples.row[suspects],
            weight=floor.share,
            evidence={**_evidence(floor), "looked_at": len(examples)},
            mend={"techniques": {"clean_labels": {}}},
            exhibits=[exhibit],
        )

    def _worth_a_look(self, examples: Examples, suspects: np.ndarray, count: int, exhibit: Exhibit) -> Finding:
        text = said(
            "{count:,} of {rows:,} labels look like another class to a model that did not see them: the {shown:,}"
            " surest are named; classes overlap, so most may well be right",
            shown=len(suspects),
            count=count,
            rows=len(examples),
        )
        evidence = {"suspects": count, "looked_at": len(examples)}
        return self.found(NOTE, text, rows=examples.row[suspects], evidence=evidence, exhibits=[exhibit])


def _evidence(floor: Floor) -> dict[str, float]:
    shares = {"share": floor.share, "low": floor.low, "high": floor.high, "surer": floor.surer}
    return {**shares, "all_rows": floor.every, "by_chance": floor.chance, "surest_rows": floor.rows}


def _likely(seen: Inspected, examples: Examples, fold: np.ndarray, classes: int) -> np.ndarray:
    """How likely each class is (n, K), out of fold: by trees, by a linear model, or by both where rows are few."""
    linear = classes > MOST_TREES or len(examples) * classes <= MOST_LINEAR
    models = [*(["boosting"] if classes <= MOST_TREES else []), *(["linear"] if linear else [])]
    each = [out_of_fold(model, examples, fold, classes, seen.seed, seen.check) for model in models]
    return sum(each[1:], each[0]) / len(each)


def _of_model(asked: TextAnswers | ImageAnswers, at: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """How likely each class that is judged is (n, K) by the texts or images of sampled rows ``at`` (n,) alone."""
    likely = asked.answers[np.searchsorted(asked.at, at)][:, judged] + 1e-9
    return likely / likely.sum(1, keepdims=True)


def _views_agree(seen: Inspected, examples: Examples, fold: np.ndarray, classes: int) -> bool:
    """Whether models of every other column and of the others call the rows alike, though not as they are labelled."""
    if examples.numbers.shape[1] + examples.codes.shape[1] < VIEW_COLUMNS:
        return False
    calls = []
    for start in range(2):
        view = replace(examples, numbers=examples.numbers[:, start::2], codes=examples.codes[:, start::2])
        calls.append(_likely(seen, view, fold, classes).argmax(1))
    return agree(calls[0], calls[1], examples.target)


def _exhibit(
    seen: Inspected, examples: Examples, likely: np.ndarray, names: list[str], suspects: np.ndarray
) -> Exhibit:
    given = [names[code] for code in examples.target[suspects].tolist()]
    other = [names[code] for code in likely[suspects].argmax(1).tolist()]
    if seen.images:
        rows = examples.row[suspects].tolist()
        beside = {row: said("likely {likely}", likely=name) for row, name in zip(rows, other, strict=True)}
        return images_exhibit(seen, said("Labels most worth a look, the surest first"), [rows], beside)
    beside = [(said("given class"), given), (said("likely class"), other)]
    return rows_exhibit(seen, said("Labels most worth a look, the surest first"), examples.row[suspects], beside)
