"""scikit-learn's network by width and depth, so that a grid and a Gaussian process can name its size alike."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier


class Perceptron(ClassifierMixin, BaseEstimator):
    """``MLPClassifier`` with ``depth`` layers of ``width``, and for the rest as it comes: it does not stop early."""

    def __init__(
        self,
        width: int = 100,
        depth: int = 1,
        alpha: float = 1e-4,
        learning_rate: float = 1e-3,
        batch_size: int = 200,
        activation: str = "relu",
        seed: int = 0,
    ):
        self.width = width
        self.depth = depth
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.activation = activation
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Perceptron:
        self.network_ = MLPClassifier(
            hidden_layer_sizes=(int(self.width),) * int(self.depth),
            alpha=self.alpha,
            learning_rate_init=self.learning_rate,
            batch_size=int(self.batch_size),
            activation=self.activation,
            random_state=self.seed,
        )
        self.network_.fit(X, y)
        self.classes_ = self.network_.classes_
        return self

    def predict_proba(self, X: Any) -> Any:
        return self.network_.predict_proba(X)

    def predict(self, X: Any) -> Any:
        return self.network_.predict(X)
