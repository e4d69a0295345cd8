"""What a run's models say of rows: of those it was tested on, which its folds share between them, and of new ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aurify.catalog import Catalog
from aurify.core.folder import RunFolder
from aurify.data.copies import Overlap, overlap
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.predictions import Predictions
from aurify.ship.bundle import Bundle


def sealed_rows(folder: RunFolder, store: Store, folds: int | None) -> Asked:
    """The test part of a run, or those of its folds one after another."""
    return _asked(store, np.concatenate([Parts.open(place.parts).test for place in places(folder, folds)]))


def sealed_answers(
    folder: RunFolder, store: Store, bundle: Bundle, catalog: Catalog, check: Callable[[], None]
) -> dict[str, Predictions]:
    """What the network and the baselines say of ``sealed_rows``; of a fold's rows, those that did not see them."""
    folds, every = bundle.recipe.split.folds, []
    for place in places(folder, folds):
        own = bundle if folds is None else Bundle.load(place.bundle, catalog, bundle.device)
        parts = Parts.open(place.parts)
        every.append(answers(own, store, parts, _asked(store, parts.test), check))
    if folds is None:
        return every[0]
    return {name: Predictions.of_folds([each[name] for each in every]) for name in every[0]}


def answers(
    bundle: Bundle, store: Store | None, parts: Parts | None, asked: Asked, check: Callable[[], None]
) -> dict[str, Predictions]:
    """What the model and its members say of the rows asked about, and the baselines (none without training rows)."""
    sets = {name: alone.predictions(asked) for name, alone in bundle.apart().items()}
    if store is not None:
        sets |= bundle.recipe.task.baselines(bundle.recipe, store, parts, asked, check)
    return sets


def learnt_from(store: Store, parts: Parts, asked: Asked) -> Overlap:
    """Which of the rows asked about repeat a row that was learnt from: their scores flatter."""
    return overlap(_asked(store, np.concatenate([parts.fit, parts.held])), asked)


def places(folder: RunFolder, folds: int | None) -> list[RunFolder]:
    """Where the models that are tested lie: the run itself, or its folds."""
    return [folder] if folds is None else [folder.fold(number) for number in range(1, folds + 1)]


def _asked(store: Store, rows: np.ndarray) -> Asked:
    return Asked(store.inputs, store.target, rows, store.roles)
