"""Planted slices are found and measured honestly, and where nothing is wrong little is found."""

import json
from dataclasses import replace

import numpy as np
import pytest

from aurify.data.columns import CATEGORY, DATE, NUMBER, Column
from aurify.data.schema import Schema
from aurify.measure.places import places
from aurify.measure.predictions import Predictions
from aurify.measure.slices import MOST_SLICES, worst_slices

COLUMNS = places(
    Schema(
        columns=(
            Column("region", CATEGORY, values=("north", "east", "south", "west")),
            Column("kind", CATEGORY, values=("a", "b", "c")),
            Column("age", NUMBER),
            Column("children", NUMBER),
            Column("since", DATE),
        ),
        target="y",
        classes=None,
    )
)


def table(count, seed):
    random = np.random.default_rng(seed)
    return {
        "numbers": np.column_stack([random.uniform(0, 80, count), random.integers(0, 3, count)]),
        "codes": random.integers(0, (4, 3), (count, 2)).astype(np.int32),
        "dates": random.integers(0, 1000, (count, 1)) * 86400.0,
    }


def regressed(spread, seed, weight=None):
    """Errors that are normal with standard deviations ``spread`` (n,): their mean size is 0.798 of it."""
    error = spread * np.random.default_rng(1000 + seed).normal(size=len(spread))
    return Predictions(
        row=np.arange(len(error)),
        target=error,
        prediction=np.zeros(len(error)),
        probabilities=None,
        classes=None,
        weight=weight,
    )


def classified(wrong, seed):
    """Says yes with 0.8; is wrong with chance ``wrong`` (n,)."""
    target = (np.random.default_rng(seed).random(len(wrong)) >= wrong).astype(np.int64)
    return Predictions(
        row=np.arange(len(wrong)),
        target=target,
        prediction=np.ones(len(wrong), dtype=np.int64),
        probabilities=np.tile([0.2, 0.8], (len(wrong), 1)),
        classes=("no", "yes"),
    )


def told(found):
    return [[(c["column"], c["value"] or (c["low"], c["high"])) for c in s["conditions"]] for s in found["slices"]]


def test_a_planted_category_is_found_first_and_its_size_is_covered():
    covered = 0
    for seed in range(40):
        inputs = table(1200, seed)
        south = inputs["codes"][:, 0] == 2
        found = worst_slices(regressed(np.where(south, 2.0, 1.0), seed), inputs, COLUMNS, draws=200, seed=seed)
        slices = {str(c): s for c, s in zip(told(found), found["slices"], strict=True)}
        planted = slices["[('region', 'south')]"]
        covered += planted["difference"]["low"] <= np.sqrt(2 / np.pi) <= planted["difference"]["high"]
        assert planted["outside"]["value"] == pytest.approx(np.sqrt(2 / np.pi), rel=0.2)
        assert found["score_name"] == "mae"
        assert planted["score"] == planted["loss"]
        assert len(slices) <= MOST_SLICES
    # 95% +- 4 standard errors of 3.4%
    assert covered >= 33


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (lambda i: i["numbers"][:, 0] > 60, "age"),
        (lambda i: np.isnan(i["numbers"][:, 0]), "age"),
        (lambda i: i["numbers"][:, 1] == 2, "children"),
        (lambda i: i["dates"][:, 0] < 250 * 86400, "since"),
        (lambda i: (i["codes"] == [1, 2]).all(axis=1), ("region", "kind")),
    ],
)
def test_ranges_missing_values_and_pairs_are_found(plant, expected):
    inputs = table(4000, 0)
    inputs["numbers"][:400, 0] = np.nan
    worse = plant(inputs)
    found = worst_slices(classified(np.where(worse, 0.5, 0.2), 1), inputs, COLUMNS)
    first = found["slices"][0]
    names = tuple(c["column"] for c in first["conditions"])
    assert set(names) == set(expected if isinstance(expected, tuple) else (expected,))
    for score, truth in ((first["score"], 0.5), (found["overall"], 0.2 + 0.3 * worse.mean())):
        # three standard errors
        assert score["value"] == pytest.approx(truth, abs=3 / 3.92 * (score["high"] - score["low"]))
    assert first["rows"] == pytest.approx(worse.sum() / 2, rel=0.2)
    assert found["score_name"] == "wrong"
    json.dumps(found, allow_nan=False)


def test_slices_are_named_as_people_write_them():
    inputs = table(4000, 0)
    inputs["numbers"][:600, 0] = np.nan
    empty, young = np.isnan(inputs["numbers"][:, 0]), inputs["numbers"][:, 0] < 20
    found = told(worst_slices(regressed(1.0 + 2 * empty + young, 0), inputs, COLUMNS))
    assert [("age", "(missing)")] in found
    low, high = next(c[0][1] for c in found if c[0][0] == "age" and isinstance(c[0][1], tuple))
    assert low is None
    assert float(high) == pytest.approx(20, abs=2)


def test_a_slice_of_forty_among_some_two_hundred_rows_is_found():
    found = 0
    for seed in range(20):
        inputs = table(180, seed)
        south = inputs["codes"][:, 0] == 2
        slices = told(worst_slices(regressed(np.where(south, 8.0, 1.0), seed), inputs, COLUMNS, draws=200, seed=seed))
        found += [("region", "south")] in slices
    assert found >= 17


def test_where_nothing_is_wrong_false_alarms_are_as_rare_as_the_interval_promises():
    alarms, looked_at, silent = 0, 0, 0
    for seed in range(150):
        inputs = table(600, seed)
        found = worst_slices(regressed(np.ones(600), seed), inputs, COLUMNS, draws=200, seed=seed)
        alarms += len(found["slices"])
        looked_at += found["looked_at"]
        silent += not found["slices"]
    assert looked_at > 50
    # 2.5% of what was measured, and 3 standard errors of about 1.2%
    assert alarms / looked_at < 0.065
    assert silent >= 138


def test_searching_does_not_flatter():
    # measured where it was found, the worst of many equal slices would differ by two standard errors or more
    differences = []
    for seed in range(60):
        inputs = table(600, seed)
        # every row is wrong by chance alone, a little more where it matters, so that some are told
        found = worst_slices(regressed(1 + 0.6 * (inputs["codes"][:, 1] == 1), seed), inputs, COLUMNS, draws=200)
        kind = [s for s in found["slices"] if [c["value"] for c in s["conditions"]] == ["b"]]
        differences += [s["difference"]["value"] for s in kind]
    assert len(differences) > 50
    assert np.mean(differences) == pytest.approx(0.6 * np.sqrt(2 / np.pi), rel=0.08)


def test_no_two_slices_are_nearly_the_same_rows_or_too_few():
    inputs = table(3000, 0)
    inputs["codes"][:, 1] = np.where(inputs["codes"][:, 0] == 2, 2, inputs["codes"][:, 1] % 2)
    inputs["codes"][:20, 0] = -1
    spread = np.where(inputs["codes"][:, 0] == 2, 3.0, 1.0)
    spread[:20] = 50.0
    found = worst_slices(regressed(spread, 0), inputs, COLUMNS)
    names = told(found)
    # the same rows by either column
    assert ([("region", "south")] in names) != ([("kind", "c")] in names)
    assert all(s["rows"] >= found["fewest"] for s in found["slices"])
    assert "(missing)" not in str(names)


def test_clusters_are_kept_whole_and_weights_count():
    few = table(60, 0)
    inputs = {name: np.repeat(values, 20, axis=0) for name, values in few.items()}
    clusters = np.repeat(np.arange(60), 20)
    # clusters that are wrong as a whole, by chance: rows alone would find a lot
    spread = np.repeat(np.random.default_rng(0).permutation(60) % 2 * 2.0 + 1, 20)
    error = Predictions(**{**vars(regressed(spread, 0)), "target": spread})
    apart = worst_slices(error, inputs, COLUMNS)
    together = [worst_slices(error, inputs, COLUMNS, clusters=clusters, seed=seed) for seed in range(10)]
    assert len(apart["slices"]) > np.mean([len(found["slices"]) for found in together])
    assert all(found["rows"] == 600 for found in together)
    inputs = table(1200, 0)
    south = inputs["codes"][:, 0] == 2
    weight = np.where(south & (np.arange(1200) % 2 == 0), 0.0, 2.0)
    spread = np.where(south & (weight == 0), 5.0, 1.0)
    weighed = worst_slices(regressed(spread, 0, weight=weight), inputs, COLUMNS)
    assert [("region", "south")] not in told(weighed)
    assert weighed["rows"] == pytest.approx((weight > 0).sum() / 2, abs=1)
    assert [("region", "south")] in told(worst_slices(regressed(spread, 0), inputs, COLUMNS))


def test_few_rows_or_one_cluster_say_nothing():
    inputs = table(50, 0)
    predictions = classified(np.full(50, 0.5), 0)
    for found in (
        worst_slices(predictions, inputs, COLUMNS),
        worst_slices(replace(predictions), inputs, COLUMNS, clusters=np.zeros(50, dtype=np.int64)),
    ):
        assert found["slices"] == []
        assert found["overall"] == {"value": None, "low": None, "high": None}


def test_the_same_seed_finds_the_same():
    inputs = table(1200, 0)
    predictions = regressed(np.where(inputs["codes"][:, 0] == 2, 2.0, 1.0), 0)
    assert worst_slices(predictions, inputs, COLUMNS) == worst_slices(predictions, inputs, COLUMNS)
    assert worst_slices(predictions, inputs, COLUMNS) != worst_slices(predictions, inputs, COLUMNS, seed=1)
