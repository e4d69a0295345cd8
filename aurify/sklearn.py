"""scikit-learn estimators over the package: thin adapters that turn its arrays and frames into tables, and back."""

# n rows, c columns, K classes

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, assert_all_finite, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, validate_data

from aurify.core.errors import AurifyError
from aurify.data.frames import frame_of, free_name
from aurify.ship.bundle import Bundle
from aurify.training import device as devices
from aurify.workbench.learning import learn
from aurify.workbench.passed import Passed, catalog_with

if TYPE_CHECKING:
    import polars as pl

FRAMES = ("pandas", "polars", "pyarrow")
COPIES = "drop_duplicates"


class _Network(BaseEstimator):
    """What both estimators share: parameters, tables in, a Bundle inside, its file's bytes when it is pickled."""

    bundle_: Bundle
    findings_: list[str]
    n_features_in_: int

    def __init__(
        self,
        network: Passed = None,
        *,
        settings: Mapping[str, Any] | Sequence[str] = (),
        using: Sequence[str] = (),
        without: Sequence[str] = (),
        blend: str | None = None,
        seconds: float | None = None,
        parts: Sequence[str | Path] = (),
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.network = network
        self.settings = settings
        self.using = using
        self.without = without
        self.blend = blend
        self.seconds = seconds
        self.parts = parts
        self.device = device
        self.random_state = random_state

    def _learn(self, frame: pl.DataFrame, target: np.ndarray, weight: np.ndarray | None, kind: str) -> None:
        """Add targets (n,) and weights (n,) to the table and learn from it."""
        import polars as pl

        name = free_name("target", frame)
        frame = frame.with_columns(pl.Series(name, target))
        heavy = None if weight is None else free_name("weight", frame)
        if heavy is not None:
            frame = frame.with_columns(pl.Series(heavy, weight))
        self.bundle_, self.findings_ = learn(
            frame,
            name,
            kind=kind,
            weight=heavy,
            network=self.network,
            settings=self.settings,
            using=self.using,
            without=self._without(),
            parts=self.parts,
            blend=self.blend,
            seconds=self.seconds,
            seed=self._seed(),
            device=self.device,
        )

    def _without(self) -> list[str]:
        """Copies of a row count as often as they are there, as everywhere in scikit-learn, unless asked otherwise."""
        asked = [*self.without, *self.using, *self.settings]
        return [*self.without] if any(word.startswith(COPIES) for word in asked) else [*self.without, COPIES]

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _checked(self, X: Any, y: Any, sample_weight: Any) -> tuple[pl.DataFrame, np.ndarray, np.ndarray | None]:
        """The table, its targets (n,) and their weights (n,), each of a kind that can be learnt from."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        frame = self._table(X, reset=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(frame, y)
        weight = sample_weight
        if weight is not None:
            weight = _check_sample_weight(weight, y, dtype=np.float64, ensure_non_negative=True)
        return frame, y, weight

    def _table(self, X: Any, *, reset: bool) -> pl.DataFrame:
        """Rows as a table: a frame as it is, an array or a list of lists checked as scikit-learn does."""
        if type(X).__module__.split(".")[0] in FRAMES and len(getattr(X, "shape", ())) == 2:
            validate_data(self, X, reset=reset, skip_check_array=True)
            return frame_of(X)
        least = 2 if reset else 1
        values: Any = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False, ensure_min_samples=least)
        # whole numbers in an array are numbers, never ids or dates
        return frame_of(values.astype(np.float64) if values.dtype.kind in "biuf" else values)

    def _answers(self, X: Any) -> Any:
        """What the model says of rows (n, c), told apart by the place of their columns as scikit-learn does."""
        check_is_fitted(self)
        with _as_value_errors():
            frame = self._table(X, reset=False)
            schema = self.bundle_.schema
            names = [c.name for c in schema.columns if c.name not in (*schema.aims, schema.weight)]
            answer = self.bundle_.answer(frame.rename(dict(zip(frame.columns, names, strict=True))))
            if len(answer.predictions) < frame.height:
                raise ValueError(answer.notes[-1])  # here each row must have an answer
            return answer.predictions

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one file without pickle: ``aurify predict`` and ``aurify export`` read it."""
        check_is_fitted(self)
        self.bundle_.save(Path(path), catalog_with(self.parts, self.network)[0])

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(vars(self))
        if "bundle_" in state:
            state["bundle_"] = self.bundle_.to_bytes(catalog_with(self.parts, self.network)[0])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "bundle_" in state:
            catalog, device = catalog_with(self.parts, self.network)[0], devices.choose(self.device)
            self.bundle_ = Bundle.from_bytes(state["bundle_"], "the pickled model", catalog, device)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


class NetworkClassifier(ClassifierMixin, _Network):
    """Classify rows with the network that ``aurify fit`` would train.

    Takes tables as they are: pandas, polars or Arrow frames with texts, categories, dates and missing values, or arrays
    (n, c). A tenth of the rows (a twentieth of 10,000 or more) is held out to stop training and to calibrate by; no
    test part is set aside, for that is what ``cross_val_score`` and its like do. Other than in ``aurify fit``, equal
    rows all count: a resampled table is taken as it is, unless you say ``using=["drop_duplicates"]``.

    Parameters
    ----------
    network : str, Network, torch.nn.Module or function, default=None
        Name of a network (``aurify techniques`` lists them) or one of your own; the task's own network by default.
    settings : mapping or sequence of str, default=()
        Settings by dotted name, ``{"network.width": 256, "budget.epochs": 20}`` or ``["network.width=256"]``.
    using, without : sequence of str, default=()
        Techniques to switch on (``"mixup"``, ``"mixup.alpha=0.4"``) and off.
    blend : {"trees", "ngrams"}, default=None
        What to average the network's answers with.
    seconds : float, default=None
        Wall-clock limit of ``fit``; the same seed then need not give the same model.
    parts : sequence of paths, default=()
        Files or folders with parts of your own.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where to compute. CPU threads are those of ``OMP_NUM_THREADS``; by default one, of convolutions all cores.
    random_state : int, RandomState or None, default=None
        The recipe's seed, or what draws it.

    Attributes
    ----------
    classes_ : ndarray (K,)
        The classes in sorted order, of the type that ``y`` had.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray (c,)
        Their names, where ``X`` was a frame.
    findings_ : list of str
        What was noticed about the table, such as columns that are left out.
    bundle_ : Bundle
        The fitted model: schema, preparing, network, calibration. Pickling stores its safetensors bytes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NetworkClassifier(settings={"budget.epochs": 5}, random_state=0).fit(X, y)
    >>> model.predict_proba(X[:2]).shape
    (2, 3)
    """

    classes_: np.ndarray

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn classes ``y`` (n,) from rows ``X`` (n, c); a ``sample_weight`` (n,) of w counts as w rows.

        Raises ValueError for anything that you can mend: targets of one class, columns that tell nothing, settings
        that do not exist.
        """
        with _as_value_errors():
            frame, y, weight = self._checked(X, y, sample_weight)
            check_classification_targets(y)
            self.classes_, codes = np.unique(y, return_inverse=True)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y holds one class, {self.classes_.tolist()[0]!r}; a classifier needs at least two classes"
                )
            self._learn(frame, codes, weight, "classify")
            self.bundle_ = _with_classes(self.bundle_, tuple(map(str, self.classes_.tolist())))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities (n, K) float64 of the classes, in the order of ``classes_``."""
        return self._answers(X).probabilities

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each row (n,)."""
        answers = self._answers(X)
        return self.classes_[answers.prediction]

    def predict_frame(self, X: Any) -> Any:
        """``prediction`` and ``p_<class>`` of each row: pandas with the index of ``X`` for pandas, else polars."""
        answers = self._answers(X)
        probabilities = {
            f"p_{c}": answers.probabilities[:, at] for at, c in enumerate(self.bundle_.schema.classes or ())
        }
        return _framed(X, {"prediction": self.classes_[answers.prediction], **probabilities})


class NetworkRegressor(RegressorMixin, _Network):
    """Predict a number per row with the network that ``aurify fit`` would train.

    Parameters and attributes are those of ``NetworkClassifier``, without ``classes_``.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = NetworkRegressor(settings={"budget.epochs": 5}, random_state=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn numbers ``y`` (n,) from rows ``X`` (n, c); a ``sample_weight`` (n,) of w counts as w rows.

        Raises ValueError for anything that you can mend: targets that are all the same, columns that tell nothing,
        settings that do not exist.
        """
        with _as_value_errors():
            frame, y, weight = self._checked(X, y, sample_weight)
            self._learn(frame, y.astype(np.float64), weight, "regress")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """A number for each row (n,) float64, in the unit of ``y``."""
        return self._answers(X).prediction

    def predict_frame(self, X: Any) -> Any:
        """``prediction`` of each row: pandas with the index of ``X`` for pandas, else polars."""
        return _framed(X, {"prediction": self.predict(X)})


def _with_classes(bundle: Bundle, names: tuple[str, ...]) -> Bundle:
    """The Bundle, which learnt codes, with the names of the classes, for those who read its file."""
    schema = bundle.schema
    columns = tuple(replace(c, values=names) if c.name == schema.target else c for c in schema.columns)
    return replace(bundle, schema=replace(schema, columns=columns, classes=names))


def _framed(X: Any, columns: Mapping[str, np.ndarray]) -> Any:
    """Columns (n,) as a frame of the library that X came from."""
    if type(X).__module__.split(".")[0] == "pandas":
        import pandas as pd

        return pd.DataFrame(columns, index=X.index)
    import polars as pl

    return pl.DataFrame(columns)


@contextmanager
def _as_value_errors() -> Iterator[None]:
    """What the user can mend, as the ValueError that scikit-learn's tools expect."""
    try:
        yield
    except AurifyError as error:
        raise ValueError(str(error)) from error
