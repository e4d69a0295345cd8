"""Explanations agree with what is known of simple models, ask no more than they may, and say how sure they are."""

import json
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression

from aurify.data.columns import CATEGORY, DATE, NUMBER, Column
from aurify.data.schema import Schema
from aurify.measure import explain
from aurify.measure.contributions import contributions, losses
from aurify.measure.explain import CELLS, MOST_CELLS, NARROW, dependence, importance
from aurify.measure.places import places
from aurify.measure.predictions import Predictions

SCHEMA = Schema(
    columns=(
        Column("plan", CATEGORY, values=("basic", "plus", "pro")),
        Column("age", NUMBER),
        Column("since", DATE),
        Column("useless", NUMBER),
        Column("sum", NUMBER),
    ),
    target="sum",
    classes=None,
)
WORTH = np.array([0.0, 1.0, 3.0, -2.0])
"""Of each plan; the last is for a missing one."""


def table(count, seed=0):
    random = np.random.default_rng(seed)
    return {
        "numbers": random.normal(size=(count, 2)),
        "codes": random.integers(-1, 3, (count, 1)).astype(np.int32),
        "dates": random.integers(0, 100, (count, 1)) * 86400.0,
    }


def answer(inputs):
    """Additive, apart from one product."""
    age, since = inputs["numbers"][:, 0], np.nan_to_num(inputs["dates"][:, 0]) / 86400 / 100
    return WORTH[inputs["codes"][:, 0]] + 2 * age + age * since


class Model:
    """Answers, and remembers what it was asked."""

    def __init__(self, function=answer):
        self.function, self.asked = function, []

    def __call__(self, inputs, at):
        self.asked.append((inputs, at))
        return self.function(inputs)

    @property
    def rows(self):
        return sum(len(at) for _, at in self.asked)


def regressed(inputs, noise=1.0, weight=None, seed=1):
    told = answer(inputs)
    return Predictions(
        row=np.arange(len(told)) + 100,
        target=told + noise * np.random.default_rng(seed).normal(size=len(told)),
        prediction=told,
        probabilities=None,
        classes=None,
        weight=weight,
    )


def chances(inputs):
    yes = 1 / (1 + np.exp(-answer(inputs)))
    return np.column_stack([1 - yes, yes])


def classified(inputs, classes=("no", "yes")):
    told = chances(inputs)
    target = (np.random.default_rng(3).random(len(told)) < told[:, 1]).astype(np.int64)
    return Predictions(
        row=np.arange(len(told)),
        target=target,
        prediction=told.argmax(1),
        probabilities=told,
        classes=classes,
    )


def by_name(found):
    return {row["column"]: row for row in found["columns"]}


def test_columns_are_found_where_they_lie_in_the_order_of_the_source():
    every = {place.name: place for place in places(SCHEMA)}
    assert list(every) == ["plan", "age", "since", "useless"]
    assert [(p.input, p.at) for p in every.values()] == [("codes", 0), ("numbers", 0), ("dates", 0), ("numbers", 1)]
    inputs = table(5)
    np.testing.assert_array_equal(every["useless"].values(inputs), inputs["numbers"][:, 1])


def test_values_are_named_as_people_write_them():
    every = {place.name: place for place in places(SCHEMA)}
    assert [every["plan"].words(code) for code in (0, 2, -1, -2)] == ["basic", "pro", "(missing)", "(unknown)"]
    numbers = (2019.0, -0.5, 1 / 3, 1e20, float("nan"))
    assert [every["age"].words(v) for v in numbers] == ["2019", "-0.5", "0.333333", "1e+20", "(missing)"]
    moments = (86400.0 * 365, 3600.0, -86400.0, float("nan"))
    assert [every["since"].words(v) for v in moments] == [
        "1971-01-01",
        "1970-01-01 01:00:00",
        "1969-12-31",
        "(missing)",
    ]


def test_importance_is_scikit_learns():
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 2))
    model = LinearRegression().fit(x, 2 * x[:, 0] + 0.5 * x[:, 1] + random.normal(size=3000))
    inputs = {"numbers": x, "codes": np.zeros((3000, 1), np.int32), "dates": np.zeros((3000, 1))}
    predictions = replace(
        regressed(inputs), target=2 * x[:, 0] + 0.5 * x[:, 1] + random.normal(size=3000), prediction=model.predict(x)
    )
    found = by_name(
        importance(predictions, Model(lambda i: model.predict(i["numbers"])), inputs, places(SCHEMA), "rmse")
    )
    theirs = permutation_importance(
        model, x, predictions.target, scoring="neg_root_mean_squared_error", n_repeats=20, random_state=0
    )
    for name, at in (("age", 0), ("useless", 1)):
        assert found[name]["value"] == pytest.approx(theirs.importances_mean[at], rel=0.05)
        assert found[name]["low"] < theirs.importances_mean[at] < found[name]["high"]


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_a_column_that_helps_is_above_zero_in_every_metric_and_one_that_is_not_used_is_zero(metric):
    inputs = table(600)
    found = importance(classified(inputs), Model(chances), inputs, places(SCHEMA), metric)
    order = [row["column"] for row in found["columns"]]
    assert set(order[:2]) == {"age", "plan"}
    assert all(row["low"] > 0 for row in found["columns"][:2])
    unused = by_name(found)["useless"]
    assert (unused["value"], unused["low"], unused["high"]) == (0.0, 0.0, 0.0)
    assert "NaN" not in json.dumps(found)


def test_only_changed_values_are_asked_about_once_each_and_within_the_budget():
    inputs, model = table(9000), Model()
    found = importance(regressed(inputs), model, inputs, places(SCHEMA), "rmse", draws=200)
    assert (found["rows"], found["shuffles"]) == (9000, 1)
    assert model.rows * NARROW <= CELLS
    for place, (asked, at) in zip(places(SCHEMA), model.asked, strict=True):
        # -1 and three plans: a quarter is given its own
        given, own = place.values(asked), place.values(inputs)[at]
        assert (given != own).all()
        assert len(np.unique(at * 1000.0 + given)) == len(at) or not place.is_category
        for other in places(SCHEMA):
            if other.name != place.name:
                np.testing.assert_array_equal(other.values(asked), other.values(inputs)[at])


def test_a_shuffle_gives_every_value_to_exactly_one_row():
    inputs, model = table(5000), Model()
    importance(regressed(inputs), model, inputs, places(SCHEMA)[1:2], "rmse", draws=200)
    found = importance(regressed(inputs), Model(), inputs, places(SCHEMA)[1:2], "rmse", draws=200)
    assert found["shuffles"] == 10
    given = np.sort(places(SCHEMA)[1].values(model.asked[0][0]))
    counts = np.unique(given, return_counts=True)[1]
    # ten shuffles less the rows that kept their own
    assert counts.max() == 10
    assert counts.sum() > 49_900


def test_large_tables_are_sampled_and_too_many_columns_are_refused():
    inputs = table(50_000)
    found = importance(regressed(inputs), Model(), inputs, places(SCHEMA), "rmse", draws=200)
    assert (found["rows"], found["shuffles"]) == (15_000, 1)
    many = places(SCHEMA) * 200
    refused = importance(regressed(inputs), Model(), inputs, many, "rmse")
    assert refused == {"why_not": "too many columns", "given": 800, "most": 300}
    assert contributions(regressed(inputs), Model(), inputs, many, inputs)["why_not"] == "too many columns"


def test_work_is_bounded_in_cells_however_wide_a_table_is():
    inputs = table(2000)
    for copies in (1, 10, 75):
        columns, model = places(SCHEMA) * copies, Model()
        found = importance(regressed(inputs), model, inputs, columns, "rmse", draws=200)
        assert found["rows"] >= 60
        assert model.rows * len(columns) <= MOST_CELLS


def test_rows_without_weight_are_neither_asked_nor_give_their_values_and_others_give_as_often_as_they_weigh():
    inputs = table(400)
    weight = np.repeat([0.0, 1.0, 3.0, 0.0], 100)
    inputs["numbers"][:, 0] = np.repeat([-9.0, 1.0, 3.0, 9.0], 100)
    model = Model()
    importance(regressed(inputs, weight=weight), model, inputs, places(SCHEMA)[1:2], "rmse", draws=200)
    asked, at = model.asked[0]
    assert set(at) <= set(range(100, 300))
    assert set(places(SCHEMA)[1].values(asked)) == {1.0, 3.0}
    # a row of weight 3 that is given 1, in a quarter of the cases: each row is asked unless all ten shuffles missed it
    lonely = importance(
        regressed(inputs, weight=np.repeat([0.0, 0.0, 1.0, 0.0], 100)), Model(), inputs, places(SCHEMA)[1:2], "rmse"
    )
    assert lonely["columns"][0]["value"] == 0.0


def test_a_weighted_shuffle_draws_from_the_weighted_column():
    # one row in ten of weight 9: the mean square of a shuffled answer is that of the repeated table
    inputs = {"numbers": np.zeros((2000, 2)), "codes": np.zeros((2000, 1), np.int32), "dates": np.zeros((2000, 1))}
    inputs["numbers"][:200, 0] = 1.0
    weight = np.where(np.arange(2000) < 200, 9.0, 1.0)
    target = answer(inputs)
    weighed = replace(regressed(inputs, weight=weight), target=target)
    found = importance(weighed, Model(), inputs, places(SCHEMA)[1:2], "rmse")["columns"][0]
    # both values with probability one half: half of the rows are off by 2
    assert found["value"] == pytest.approx(2 * np.sqrt(0.5), rel=0.03)


def test_importance_by_clusters_has_wider_intervals_where_rows_repeat():
    few = table(60)
    inputs = {name: np.repeat(values, 10, axis=0) for name, values in few.items()}
    predictions = regressed(inputs)
    predictions = replace(predictions, target=np.repeat(predictions.target[::10], 10))
    apart = importance(predictions, Model(), inputs, places(SCHEMA), "rmse")["columns"][0]
    together = importance(predictions, Model(), inputs, places(SCHEMA), "rmse", clusters=np.arange(600) // 10)
    row = together["columns"][0]
    assert row["value"] == apart["value"]
    assert row["high"] - row["low"] > 1.5 * (apart["high"] - apart["low"])


@pytest.mark.slow
@pytest.mark.parametrize("shuffles", [1, 10])
def test_the_interval_of_importance_is_as_wide_as_importance_varies_between_tables(shuffles, monkeypatch):
    monkeypatch.setattr(explain, "MOST_SHUFFLES", shuffles)
    truth, covered, widths, values = 3 - 1, 0, [], []
    for trial in range(200):
        # y = 2 age + noise of 1, shuffled: the mean square grows from 1 to 1 + 2 * 4
        inputs = {"numbers": np.random.default_rng(trial).normal(size=(400, 2))}
        told = 2 * inputs["numbers"][:, 0]
        target = told + np.random.default_rng(1000 + trial).normal(size=400)
        predictions = replace(regressed(table(400)), prediction=told, target=target)
        model = Model(lambda i: 2 * i["numbers"][:, 0])
        found = importance(predictions, model, inputs, places(SCHEMA)[1:2], "rmse", draws=200, seed=trial)
        row = found["columns"][0]
        covered += row["low"] <= truth <= row["high"]
        widths.append(row["high"] - row["low"])
        values.append(row["value"])
    # the standard deviation of 200 values is known to 5%; of ten shuffles the interval is that of one, a little wide
    assert 0.85 < np.mean(widths) / (3.92 * np.std(values)) < 1.25
    # 95% +- 4 standard errors of 1.5%
    assert covered / 200 >= 0.89


def test_dependence_on_a_number_is_scikit_learns_at_its_points():
    random = np.random.default_rng(0)
    x = random.normal(size=(150, 2))
    model = LinearRegression().fit(np.column_stack([x, x[:, 0] * x[:, 1]]), random.normal(size=150))

    class Product(LinearRegression):
        def predict(self, X):
            return model.predict(np.column_stack([X, X[:, 0] * X[:, 1]]))

    inputs = {"numbers": x}
    predictions = replace(regressed(table(150)), prediction=Product().predict(x))
    asked = Model(lambda i: Product().predict(i["numbers"]))
    found = dependence(predictions, asked, inputs, places(SCHEMA)[1:2], draws=200)[0]
    fitted = Product().fit(x, x[:, 0])
    theirs = partial_dependence(fitted, x, [0], custom_values={0: np.array(found["at"])}, method="brute")
    np.testing.assert_allclose(found["answers"][0]["y"], theirs["average"][0], rtol=1e-5)
    assert len(found["at"]) == 12
    assert sum(found["share"]) == pytest.approx(1, abs=1e-4)
    assert max(found["share"]) < 2 / 12
    each = found["answers"][0]
    assert each["of"] is None
    assert all(low < y < high for low, y, high in zip(each["low"], each["y"], each["high"], strict=True))


def test_dependence_on_categories_and_dates_names_values_and_counts_missing():
    inputs = table(5000)
    inputs["dates"][:1000] = np.nan
    predictions = classified(inputs)
    model = Model(chances)
    plan, since = dependence(predictions, model, inputs, [places(SCHEMA)[0], places(SCHEMA)[2]], draws=200)
    told = dict(zip(plan["words"], plan["answers"][0]["y"], strict=True))
    assert plan["answers"][0]["of"] == "yes"
    assert told["pro"] > told["plus"] > told["basic"] > told["(missing)"]
    counts = dict(zip(("(missing)", "basic", "plus", "pro"), np.bincount(inputs["codes"][:, 0] + 1), strict=True))
    shares = dict(zip(plan["words"], plan["share"], strict=True))
    assert shares == pytest.approx({k: v / 5000 for k, v in counts.items()}, rel=1e-5)
    assert (since["words"][-1], since["at"][-1], since["share"][-1]) == ("(missing)", None, pytest.approx(0.2))
    assert all(word.startswith("1970-") for word in since["words"][:-1])
    assert all(at % 86400 == 0 for at in since["at"][:-1])
    # 200 rows at 4 values, and at 12 and missing
    assert [len(at) for _, at in model.asked] == [800, 2600]
    json.dumps([plan, since], allow_nan=False)


def test_of_many_classes_the_most_common_are_told_and_of_many_values_too():
    random = np.random.default_rng(0)
    told = random.dirichlet(np.ones(8), 300)
    target = np.minimum(random.geometric(0.3, 300) - 1, 7)
    predictions = Predictions(
        row=np.arange(300), target=target, prediction=told.argmax(1), probabilities=told, classes=tuple("abcdefgh")
    )
    wide = Schema((Column("many", CATEGORY, values=tuple(map(str, range(40)))),), "t", tuple("abcdefgh"))
    inputs = {"codes": np.minimum(random.geometric(0.1, (300, 1)) - 1, 39).astype(np.int32)}
    found = dependence(predictions, Model(lambda i: np.full((len(i["codes"]), 8), 1 / 8)), inputs, places(wide))[0]
    common = np.argsort(-np.bincount(target), kind="stable")[:5]
    assert [row["of"] for row in found["answers"]] == [predictions.classes[code] for code in sorted(common)]
    assert len(found["words"]) == 10
    assert found["words"][0] == str(np.bincount(inputs["codes"][:, 0]).argmax())
    assert found["at"] == [None] * 10


def test_the_most_wrong_rows_are_explained_and_all_contributions_sum_to_the_answer():
    inputs, background = table(300), table(1000, seed=9)
    predictions = classified(inputs)
    found = contributions(predictions, Model(chances), inputs, places(SCHEMA), background)
    loss = losses(predictions)
    assert [row["row"] for row in found["rows"]] == np.argsort(-loss, kind="stable")[:6].tolist()
    for row in found["rows"]:
        at = row["row"]
        assert row["loss"] == pytest.approx(-np.log(predictions.probabilities[at, predictions.target[at]]), rel=1e-4)
        assert row["answer"] == pytest.approx(row["prediction_probability"], rel=1e-5)
        assert row["prediction_probability"] == pytest.approx(predictions.probabilities[at].max(), rel=1e-5)
        assert (row["target"], row["prediction"]) == tuple(
            predictions.classes[codes[at]] for codes in (predictions.target, predictions.prediction)
        )
        total = row["base"] + sum(c["contribution"] for c in row["columns"]) + row["rest"]
        assert total == pytest.approx(row["answer"], abs=1e-5)
        assert "useless" not in [c["column"] for c in row["columns"] if c["contribution"]]
    json.dumps(found, allow_nan=False)


def test_contributions_are_the_shapley_values_within_their_standard_errors():
    inputs, background = table(40), table(500, seed=9)
    predictions = regressed(inputs, noise=5.0)
    columns = places(SCHEMA)
    misses = []
    for seed in range(12):
        found = contributions(predictions, Model(), inputs, columns, background, seed=seed)
        for row in found["rows"][:2]:
            exact = shapley({k: v[row["row"] - 100] for k, v in inputs.items()}, background, columns)
            misses += [
                (c["contribution"] - exact[c["column"]]) / c["error"]
                for c in row["columns"]
                if c["column"] != "useless"
            ]
    # standard normal were the background infinite and the orders many: 25 orders have heavier tails
    assert np.sqrt(np.mean(np.square(misses))) < 1.5
    assert np.abs(misses).max() < 5


def shapley(row, background, columns):
    """Over every order of the columns and every row of the background."""
    total = dict.fromkeys([c.name for c in columns], 0.0)
    orders = list(permutations(columns))
    for order in orders:
        now = {k: v.copy() for k, v in background.items()}
        before = answer(now)
        for column in order:
            now[column.input][:, column.at] = row[column.input][column.at]
            after = answer(now)
            total[column.name] += (after - before).mean() / len(orders)
            before = after
    return total


def test_each_row_is_asked_as_itself_between_the_background_and_its_own_values():
    inputs, background, model = table(50), table(80, seed=9), Model()
    predictions = regressed(inputs, weight=np.r_[np.zeros(45), np.ones(5)])
    found = contributions(predictions, model, inputs, places(SCHEMA), background)
    assert found["permutations"] == 25
    assert {row["row"] - 100 for row in found["rows"]} == {45, 46, 47, 48, 49}
    for asked, at in model.asked:
        assert len(set(at)) == 1
        for name, values in asked.items():
            ways = values.reshape(25, 5, -1)
            np.testing.assert_array_equal(ways[:, -1], np.repeat(inputs[name][at[:1]], 25, axis=0))
            assert (ways[:, 0, None] == background[name]).all(axis=2).any(axis=1).all()
    weighed = contributions(
        predictions, model, inputs, places(SCHEMA), background, background_weight=(np.arange(80) == 7).astype(float)
    )
    only = answer({k: v[[7]] for k, v in background.items()})[0]
    assert [row["base"] for row in weighed["rows"]] == pytest.approx([only] * 5, rel=1e-5)


def test_what_no_test_row_can_tell_is_none():
    inputs = table(60)
    alone = replace(classified(inputs), target=np.ones(60, dtype=np.int64))
    found = importance(alone, Model(chances), inputs, places(SCHEMA), "roc_auc", draws=200)
    assert {(row["value"], row["low"], row["high"]) for row in found["columns"]} == {(None, None, None)}
    inputs["numbers"][:, 0] = np.nan
    inputs["codes"][:5] = -2
    plan, age = dependence(
        alone, Model(lambda i: chances({**i, "numbers": np.nan_to_num(i["numbers"])})), inputs, places(SCHEMA)[:2]
    )
    assert (age["words"], age["at"], age["share"]) == (["(missing)"], [None], [1.0])
    assert "(unknown)" in plan["words"]
    assert dependence(alone, Model(chances), inputs, []) == []


def test_explanations_are_a_pure_function_of_their_seed():
    inputs = table(300)
    predictions, columns = classified(inputs), places(SCHEMA)
    for ask in (
        lambda seed: importance(predictions, Model(chances), inputs, columns, "roc_auc", seed=seed, draws=200),
        lambda seed: dependence(predictions, Model(chances), inputs, columns, seed=seed, draws=200),
        lambda seed: contributions(predictions, Model(chances), inputs, columns, inputs, seed=seed),
    ):
        assert ask(1) == ask(1)
        assert ask(1) != ask(2)


def test_whoever_stops_is_heard():
    def stop():
        raise InterruptedError

    inputs = table(50)
    with pytest.raises(InterruptedError):
        importance(regressed(inputs), Model(), inputs, places(SCHEMA), "rmse", check=stop)
    with pytest.raises(InterruptedError):
        contributions(regressed(inputs), Model(), inputs, places(SCHEMA), inputs, check=stop)
