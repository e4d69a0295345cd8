"""The estimators keep scikit-learn's contract, and are the package's own models underneath."""

import doctest
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from torch import nn

import aurify
import aurify.sklearn
from aurify.core.archive import DamagedError
from aurify.sklearn import NetworkClassifier, NetworkRegressor

QUICK = {
    **{"network": "mlp", "network.width": 32, "network.depth": 2},
    **{"optimizer.learning_rate": 0.01, "budget.epochs": 20, "budget.batch_size": 32},
}
BRIEF = {**QUICK, "budget.epochs": 3}
OTHERWISE = {
    "check_sample_weight_equivalence_on_dense_data": "a weight of w counts as w rows in every loss, but rows are drawn"
    " into batches and held out one by one, so that w copies meet other batches than one row of that weight"
}
BY_DEFAULT = (
    *("check_classifiers_train", "check_regressors_train"),
    *("check_methods_subset_invariance", "check_methods_sample_order_invariance"),
)


@parametrize_with_checks(
    [NetworkClassifier(settings=QUICK), NetworkRegressor(settings=QUICK)],
    expected_failed_checks=lambda estimator: OTHERWISE,
)
def test_estimator_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [NetworkClassifier(), NetworkRegressor()])
def test_default_network_learns_and_answers_rows_alike_in_any_company(estimator):
    """The checks that look at numbers, of the recipe that users get."""
    every = list(estimator_checks_generator(estimator))
    found = [check for _, check in every if getattr(check.func, "__name__", "") in BY_DEFAULT and not check.keywords]
    found = [(each, check) for each, check in every if check in found]
    assert len(found) == 3
    for each, check in found:
        check(each)


@pytest.fixture(scope="module", params=["pandas", "polars"])
def table(request, frames):
    """A frame of numbers, categories, dates and gaps, and its targets."""
    frame = frames["classify"]
    X, y = frame.drop("y"), frame["y"]
    if request.param == "polars":
        return X, y
    columns = {name: X[name].to_list() for name in X.columns}
    X = pd.DataFrame(columns, index=np.arange(len(y)) + 1000).astype({"colour": "category"})
    return X, pd.Series(y.to_list(), index=X.index, name="y")


def test_saved_model_is_the_packages_own(table, tmp_path):
    X, y = table
    model = NetworkClassifier(settings=BRIEF, random_state=3).fit(X, y)
    model.save(tmp_path / "model.aurify")
    predicted = aurify.load(tmp_path / "model.aurify").predict(X)
    assert predicted.columns == ["prediction", "p_low", "p_mid", "p_top"]
    assert (predicted.select("p_low", "p_mid", "p_top").to_numpy() == model.predict_proba(X)).all()
    assert predicted["prediction"].to_list() == model.predict(X).tolist()


def test_frames_of_each_library_give_one_model(frames, table):
    X, y = table
    plain = frames["classify"]
    other = NetworkClassifier(settings=BRIEF, random_state=3).fit(plain.drop("y"), plain["y"])
    model = NetworkClassifier(settings=BRIEF, random_state=3).fit(X, y)
    assert (model.predict_proba(X) == other.predict_proba(plain.drop("y"))).all()
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "colour", "shape", "day"]


def test_frame_out_is_of_the_library_that_came_in(table):
    X, y = table
    framed = NetworkClassifier(settings=BRIEF, random_state=3).fit(X, y).predict_frame(X)
    assert type(framed) is type(X)
    assert list(framed.columns) == ["prediction", "p_low", "p_mid", "p_top"]
    if isinstance(X, pd.DataFrame):
        assert framed.index.equals(X.index)


def test_new_rows_may_hold_what_training_never_saw(frames):
    frame = frames["classify"]
    model = NetworkClassifier(settings=BRIEF, random_state=3).fit(frame.drop("y"), frame["y"])
    strange = frame.drop("y").head(3).with_columns(colour=pl.lit("ultraviolet"), a=pl.lit(None), b=pl.lit(np.inf))
    assert np.isfinite(model.predict_proba(strange)).all()


@pytest.mark.parametrize(
    "labels", [["no", "yes", "Maybe"], ["1", "1.0", " 1"], [30, 7, -2], [True, False, True], [2.0, 0.0, -4.0]]
)
def test_classes_are_sorted_as_numpy_sorts_them_and_keep_their_type(labels):
    X, code = load_iris(return_X_y=True)
    y = np.array(labels)[code]
    model = NetworkClassifier(settings=QUICK, random_state=0).fit(X, y)
    assert model.classes_.tolist() == sorted(set(labels))
    assert model.predict(X).dtype == y.dtype
    assert (model.predict(X) == y).mean() > 0.9
    assert (model.classes_[model.predict_proba(X).argmax(1)] == model.predict(X)).all()


def test_whole_numbers_of_an_array_are_numbers_whatever_they_look_like():
    """In a file the first column would name the rows and the second would be a date."""
    X = np.column_stack([np.arange(200), 20_240_101 + np.arange(200) % 28])
    model = NetworkRegressor(settings={**QUICK, "budget.epochs": 80}, random_state=0).fit(X, 3.0 * X[:, 0])
    assert model.findings_ == []
    assert model.score(X, 3.0 * X[:, 0]) > 0.95


@pytest.mark.parametrize("make", [NetworkClassifier, NetworkRegressor])
def test_rows_of_no_weight_are_as_if_they_were_not_there(make):
    X, y = load_iris(return_X_y=True)
    weight = np.random.default_rng(0).integers(0, 2, len(y)).astype(float)
    with_all = make(settings=BRIEF, random_state=0).fit(X, y, weight)
    without = make(settings=BRIEF, random_state=0).fit(X[weight > 0], y[weight > 0])
    assert (with_all.predict(X) == without.predict(X)).all()


def test_weight_counts_as_so_many_rows():
    """Of rows that tell nothing, the weighted share of a class is its probability."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(400, 1)), random.integers(0, 2, 400)
    model = NetworkClassifier(settings=QUICK, random_state=0)
    shares = [model.fit(X, y, np.where(y == 1, weight, 1.0)).predict_proba(X)[:, 1].mean() for weight in (1, 4)]
    counts = np.bincount(y)
    wanted = [weight * counts[1] / (counts[0] + weight * counts[1]) for weight in (1, 4)]
    assert shares == pytest.approx(wanted, abs=0.06)


def test_pickled_model_is_the_bytes_of_its_file(tmp_path):
    X, y = load_iris(return_X_y=True)
    model = NetworkClassifier(settings=BRIEF, random_state=0).fit(X, y)
    model.save(tmp_path / "model.aurify")
    state = model.__getstate__()
    assert state["bundle_"] == (tmp_path / "model.aurify").read_bytes()
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(X) == model.predict_proba(X)).all()
    flipped = bytearray(state["bundle_"])
    flipped[-1] ^= 1
    with pytest.raises(DamagedError, match="the pickled model is damaged"):
        clone(model).__setstate__({**state, "bundle_": bytes(flipped)})


def linear(signature):
    """A network of one's own."""
    return nn.LazyLinear(signature.outputs)


def test_network_of_ones_own_is_cloned_and_pickled_with_its_estimator():
    X, y = load_iris(return_X_y=True)
    model = clone(NetworkClassifier(linear, settings={"budget.epochs": 3}, random_state=0)).fit(X, y)
    assert isinstance(model.bundle_.members[0].network.network, nn.Linear)
    assert (pickle.loads(pickle.dumps(model)).predict_proba(X) == model.predict_proba(X)).all()


def test_copies_of_a_row_count_unless_asked_otherwise():
    """Of 60 equal rows 50 are of one class; 50 copies learnt from once are one row."""
    X, y = np.repeat([[0.0], [1.0], [1.0]], [40, 50, 10], axis=0), np.repeat([0, 1, 0], [40, 50, 10])
    settings = {**QUICK, "budget.steps": 200}
    model = NetworkClassifier(settings=settings, without=["early_stopping"], random_state=0).fit(X, y)
    assert model.predict_proba([[1.0]])[0, 1] == pytest.approx(5 / 6, abs=0.1)
    model.set_params(using=["drop_duplicates"]).fit(X, y)
    assert model.predict_proba([[1.0]])[0, 1] == pytest.approx(1 / 2, abs=0.2)


def test_random_state_is_the_seed_or_what_draws_it():
    X, y = load_iris(return_X_y=True)

    def seeds(state):
        model = NetworkClassifier(settings={**BRIEF, "budget.epochs": 1}, random_state=state)
        return [model.fit(X, y).bundle_.recipe.seed for _ in range(2)]

    assert seeds(7) == [7, 7]
    one, other = seeds(np.random.RandomState(0))
    assert one != other
    assert seeds(np.random.RandomState(0)) == [one, other]
    assert len({*seeds(None), *seeds(None)}) == 4


@pytest.mark.slow
def test_works_inside_the_tools_of_scikit_learn():
    X, y = load_wine(return_X_y=True, as_frame=True)
    scaled = make_column_transformer((StandardScaler(), ["alcohol", "proline"]), remainder="passthrough")
    piped = make_pipeline(scaled, NetworkClassifier(settings=QUICK, random_state=0)).set_output(transform="pandas")
    grid = {"networkclassifier__settings": [QUICK, {**QUICK, "network.width": np.int64(32), "budget.steps": 1}]}
    search = GridSearchCV(piped, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_["networkclassifier__settings"] == QUICK
    assert search.best_score_ > 0.9
    calibrated = CalibratedClassifierCV(NetworkClassifier(settings=QUICK, random_state=0), cv=2).fit(X, y)
    assert np.allclose(calibrated.predict_proba(X).sum(1), 1)
    assert cross_val_score(NetworkClassifier(settings=QUICK, random_state=0), X, y, cv=3).mean() > 0.9


@pytest.mark.slow
def test_search_in_two_processes_finds_what_one_finds():
    X, y = load_wine(return_X_y=True)
    grid = {"settings": [BRIEF, {**BRIEF, "network.width": 48}]}
    searches = [
        GridSearchCV(NetworkClassifier(random_state=0), grid, cv=2, n_jobs=jobs, error_score="raise").fit(X, y)
        for jobs in (1, 2)
    ]
    one, two = (search.cv_results_["mean_test_score"] for search in searches)
    assert (one == two).all()


def test_numbers_are_predicted_better_than_by_their_mean():
    X, y = load_diabetes(return_X_y=True)
    assert cross_val_score(NetworkRegressor(settings=QUICK, random_state=0), X, y, cv=3).mean() > 0.3


def test_fit_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    NetworkClassifier(settings=BRIEF, blend="trees").fit(*load_iris(return_X_y=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"settings": {"network.widht": 3}}, "no setting 'widht'; did you mean 'width'"),
        ({"network": "tabn"}, "no network is called 'tabn'; did you mean 'tabm'"),
        ({"using": ["nonsense"]}, "no technique is called 'nonsense'"),
        ({"blend": "forest"}, "'forest' is not allowed"),
        ({"device": "mars"}, "device 'mars'"),
        ({"seconds": 0}, "out of range"),
        ({"settings": {"split.folds": 3}}, "split.folds"),
    ],
)
def test_mistakes_are_value_errors_in_one_line(options, said):
    with pytest.raises(ValueError, match=said) as raised:
        NetworkClassifier(**options).fit(*load_iris(return_X_y=True))
    assert "\n" not in str(raised.value)


def test_what_cannot_be_learnt_or_asked_is_refused():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = NetworkClassifier(settings=BRIEF)
    with pytest.raises(NotFittedError):
        model.predict_frame(X)
    with pytest.raises(NotFittedError):
        model.save("model.aurify")
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        model.fit(X, y, -np.ones(len(y)))
    with pytest.raises(ValueError, match="holds only"):
        NetworkRegressor(settings=BRIEF).fit(X, np.ones(len(y)))
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(X, y).predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="no column is left to learn"):
        model.fit(X.assign(**dict.fromkeys(X.columns, 1.0)), y)


def test_examples_in_the_docstrings_run():
    assert doctest.testmod(aurify.sklearn) == (0, 8)
