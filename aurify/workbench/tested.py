"""What a run's models say of rows: of those it was tested on, which its folds share between them, and of new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from aurify.catalog import Catalog
from aurify.core.folder import RunFolder
from aurify.data.copies import Overlap, overlap
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.predictions import Predictions
from aurify.ship.bundle import Bundle
from aurify.workbench.looks import looks_of


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


class Models:
    """The models that are tested: the shipped one, or of each row that of its fold, which did not see it."""

    def __init__(self, folder: RunFolder, bundle: Bundle, catalog: Catalog):
        folds = bundle.recipe.split.folds
        rooms = places(folder, folds)
        self.every = [bundle if folds is None else Bundle.load(room.bundle, catalog, bundle.device) for room in rooms]
        self.owner = np.repeat(np.arange(len(rooms)), [len(Parts.open(room.parts).test) for room in rooms])

    def respond(self, inputs: Mapping[str, Any], at: np.ndarray) -> np.ndarray:
        """How they answer for other inputs."""
        answers: np.ndarray | None = None
        for model, mine in self._shared(at):
            found = model.predictions(Asked(inputs, np.empty(0), mine), known=False)
            given = found.prediction if found.probabilities is None else found.probabilities
            answers = np.empty((len(at), *given.shape[1:])) if answers is None else answers
            answers[mine] = given
        assert answers is not None, "no row to answer for"
        return answers

    def looks(
        self, inputs: Mapping[str, Any], at: np.ndarray, of: np.ndarray | None
    ) -> list[tuple[np.ndarray, np.ndarray]] | None:
        """Where in images they see what speaks for the classes ``of`` (M,)."""
        told: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for model, mine in self._shared(at):
            found = looks_of(model, {k: v[mine] for k, v in inputs.items()}, None if of is None else of[mine])
            if found is None:
                return None
            told |= dict(zip(mine.tolist(), found, strict=True))
        return [told[row] for row in range(len(at))]

    def _shared(self, at: np.ndarray) -> Iterator[tuple[Bundle, np.ndarray]]:
        """Each model, and which of the rows (M,) at these positions are its own."""
        for number, model in enumerate(self.every):
            mine = np.flatnonzero(self.owner[at] == number)
            if len(mine):
                yield model, mine
