"""A technique that learns from texts in other words: translated into another language and back."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.token_edits import draws
from aurify.core.errors import AurifyError
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.ragged import PAD, from_texts
from aurify.core.run import Run
from aurify.core.types import Batch, Layer, View
from aurify.data.edited import token_inputs
from aurify.data.hub_files import local_files
from aurify.data.translating import Translate, Translations, file_of, function_of, models_of, share_of

CACHE = "translations.jsonl"


class Unchanged(Layer):
    """New rows as they are: only rows of training come in other words."""

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


@dataclass(kw_only=True)
class BackTranslation(Technique):
    """Learn from texts that were translated into another language and back, in some steps (Sennrich et al. 2016).

    A ``function`` of yours (a list of texts in, as many out) or two ``models`` of transformers do it once, before
    training, for a share of the training texts that the text alone decides, so that folds, seeds and studies ask for
    the same ones; answers are kept in ``cache`` as JSON lines (hash, text, translation), and what is there is never
    asked for again. With a cache alone what it holds is used. The saved model needs none of these. A recipe with a
    function runs that code when it is fitted. Helps: little data; a good translator says the same in other words.
    Hurts: short or noisy texts that translation spoils; words that only translations have are unknown to the network.
    """

    family = "augmentation"
    function: str = knob("", "module:function or file.py:function that translates there and back", file=True)
    models: tuple[str, ...] = knob((), "two translation models, folders or hub names: there and back", file=True)
    cache: str = knob(CACHE, "file of JSON lines that keeps every translation", file=True)
    share: float = knob(0.5, "share of the training texts that are translated", low=0.1, high=1.0, legal=(0.0, 1.0))
    rate: float = knob(0.5, "chance in each step to see one's translation", low=0.1, high=0.9, legal=(0.0, 1.0))
    needs = frozenset({Trait.TEXTS})
    neutral = {"share": 0.0}
    vivid = {"function": "aurify.testing.shouting:shouted", "cache": os.devnull, "share": 1.0}
    stage = Stage.PARSE
    order = -10

    @property
    def files(self) -> tuple[str, ...]:
        """The function's or the models'; the cache, which grows by itself, where nothing else translates."""
        if self.function:
            file = file_of(self.function.rpartition(":")[0])
            return () if file is None else (str(file),)
        return tuple(file for model in self.models for file in local_files(model)) if self.models else (self.cache,)

    @property
    def idle(self) -> str:
        named = self.function or self.models or self.share == 0.0 or self.rate == 0.0
        if named or self.cache != CACHE or Path(CACHE).exists():
            return ""
        return (
            "has nothing to translate with: name one with back_translation.function=FILE.py:NAME, two models or a cache"
            " of translations; or leave it out with --without back_translation"
        )

    def layer(self, view: View) -> Layer | None:
        translate = self._translator()
        if self.share == 0.0 or self.rate == 0.0 or (translate is None and not self._has_cache()):
            return None
        known = Translations(Path(self.cache))
        given = view.values["texts"]
        texts = given.flat_texts()
        chosen = {text for text in texts if text.strip() and share_of(text) < self.share}
        if translate is not None:
            known.through(translate, self.function or " and ".join(self.models), sorted(chosen))
        layer = Unchanged()
        said = {text: text for text in texts} | {text: known.known[text] for text in chosen if text in known.known}
        layer.other = {**view.values, "texts": from_texts([said[text] for text in texts], given.columns)}
        return layer

    def _translator(self) -> Translate | None:
        if self.share == 0.0 or self.rate == 0.0:
            return None
        if self.function and self.models:
            raise AurifyError("back_translation has a function and models: name one of the two")
        if self.function:
            return function_of(self.function)
        return models_of(self.models) if self.models else None

    def _has_cache(self) -> bool:
        there = Path(self.cache).exists()
        if not there and self.cache != CACHE:
            raise AurifyError(
                f"back_translation.cache = {self.cache!r}: there is no such file; name a function that translates, or"
                " a file of translations"
            )
        return there

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if not any(isinstance(layer, Unchanged) for layer in run.problem.layers):
            return batch
        token_inputs(run, "back_translation")
        random = run.random("back_translation")
        rows = draws((len(batch),), random, batch.target.device) < self.rate
        inputs = {name: _either(ids, batch.other.get(name), rows) for name, ids in batch.inputs.items()}
        return replace(batch, inputs=inputs, other={})


def _either(ids: Tensor, other: Tensor | None, rows: Tensor) -> Tensor:
    """The ``other`` of some rows (B,), side by side with the ids of the rest: (B, L), as wide as the wider."""
    if other is None:
        return ids
    width = max(ids.shape[1], other.shape[1])
    own, other = (torch.nn.functional.pad(t, (0, width - t.shape[1]), value=PAD) for t in (ids, other))
    return torch.where(rows[:, None], other, own)
