"""A linear model on the n-grams of texts as tensors: it answers from raw texts, and needs no pickle."""

# N rows, V n-grams, K outputs

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core.types import Layer
from aurify.data.packed import Packed
from aurify.data.tfidf import Matrix, Tfidf


class NgramScores(Layer):
    """Raw texts to outputs (N, K) in the value ``output``: TF-IDF of their n-grams times ``weights``, plus ``base``.

    ``keys`` and ``rarity`` (V,), ``kinds``, ``sizes`` and ``length`` are as in ``Tfidf``; ``weights`` (V, K) float32,
    ``base`` (K,) float64; ``blank`` are the positions of the columns that nothing may be learnt from.
    """

    keys: Tensor
    rarity: Tensor
    weights: Tensor
    base: Tensor
    kinds: list[str]
    sizes: list[int]
    length: int
    blank: list[int]

    @classmethod
    def of(cls, ngrams: Tfidf, weights: np.ndarray, base: np.ndarray, blank: list[int]) -> NgramScores:
        return cls(
            keys=torch.from_numpy(ngrams.keys),
            rarity=torch.from_numpy(ngrams.rarity),
            weights=torch.from_numpy(weights),
            base=torch.from_numpy(base),
            kinds=list(ngrams.kinds),
            sizes=list(ngrams.sizes),
            length=ngrams.length,
            blank=blank,
        )

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        given = values["texts"]
        texts = Packed(given.values.cpu().numpy(), given.ends.numpy(), given.columns)
        texts = texts.blanked(self.blank) if self.blank else texts
        ngrams = Tfidf(
            tuple(self.kinds), tuple(self.sizes), self.keys.cpu().numpy(), self.rarity.cpu().numpy(), self.length
        )
        sums = _product(ngrams.matrix(texts), self.weights.cpu().numpy())
        return {**values, "output": torch.from_numpy(sums) + self.base.cpu()}


def _product(matrix: Matrix, weights: np.ndarray) -> np.ndarray:
    """``matrix`` (N, V) times ``weights`` (V, K), float64; of the weights only those in use are made so wide."""
    from scipy.sparse import csr_matrix

    used, place = np.unique(matrix.indices, return_inverse=True)
    narrow = csr_matrix((matrix.data.astype(np.float64), place, matrix.indptr), shape=(matrix.shape[0], len(used)))
    return np.asarray(narrow @ weights[used].astype(np.float64))
