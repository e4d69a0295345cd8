"""A row of weight w counts as w rows, in scores, intervals and files."""

import numpy as np
import pytest
from sklearn import metrics

from aurify.measure.intervals import scores
from aurify.measure.predictions import Predictions

NAMES = ("a", "b", "c")


def predictions(kind, seed=0, count=120):
    random = np.random.default_rng(seed)
    weight = random.integers(0, 4, count).astype(float)
    if kind == "regress":
        target = random.normal(size=count)
        return Predictions(
            row=np.arange(count),
            target=target,
            prediction=target + random.normal(size=count),
            probabilities=None,
            classes=None,
            weight=weight,
        )
    probabilities = random.dirichlet(np.ones(int(kind)), count)
    return Predictions(
        row=np.arange(count),
        target=random.integers(0, int(kind), count),
        prediction=probabilities.argmax(1),
        probabilities=probabilities,
        classes=NAMES[: int(kind)],
        weight=weight,
    )


def values(table):
    return {name: score.value for name, score in table.items()}


@pytest.mark.parametrize("kind", ["2", "3", "regress"])
def test_weights_equal_repeated_rows(kind):
    weighed = predictions(kind)
    repeated = weighed.take(np.repeat(np.arange(len(weighed)), weighed.weight.astype(int)))
    plain = Predictions(**{**vars(repeated), "weight": None, "row": np.arange(len(repeated))})
    assert values(scores(weighed, draws=2)) == pytest.approx(values(scores(plain, draws=2)), rel=1e-12)


@pytest.mark.parametrize("kind", ["2", "3", "regress"])
def test_unit_of_the_weights_and_rows_of_weight_0_mean_nothing(kind):
    weighed = predictions(kind)
    doubled = Predictions(**{**vars(weighed), "weight": 2 * weighed.weight})
    one, other = (scores(p, draws=50) for p in (weighed, doubled))
    for name, score in one.items():
        ends = [(s.value, s.low, s.high) for s in (score, other[name])]
        assert ends[0] == pytest.approx(ends[1], rel=1e-12, nan_ok=True)
    without = weighed.take(weighed.weight > 0)
    assert values(scores(without, draws=2)) == pytest.approx(values(one), rel=1e-12)


def test_weighted_scores_are_scikit_learns():
    weighed = predictions("2")
    found, weight = values(scores(weighed, draws=2)), {"sample_weight": weighed.weight}
    chance = weighed.probabilities[:, 1]
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(weighed.target, chance, **weight))
    assert found["average_precision"] == pytest.approx(
        metrics.average_precision_score(weighed.target, chance, **weight)
    )
    assert found["log_loss"] == pytest.approx(metrics.log_loss(weighed.target, chance, **weight))
    assert found["f1"] == pytest.approx(metrics.f1_score(weighed.target, weighed.prediction, **weight))
    number = predictions("regress")
    found, weight = values(scores(number, draws=2)), {"sample_weight": number.weight}
    assert found["r2"] == pytest.approx(metrics.r2_score(number.target, number.prediction, **weight))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(number.target, number.prediction, **weight))


@pytest.mark.parametrize("kind", ["2", "regress"])
def test_weights_survive_a_file(kind, tmp_path):
    weighed = predictions(kind)
    weighed.write(tmp_path / "p.parquet")
    np.testing.assert_array_equal(Predictions.read(tmp_path / "p.parquet").weight, weighed.weight)
    plain = Predictions(**{**vars(weighed), "weight": None})
    assert "weight" not in plain.to_frame().columns
    plain.write(tmp_path / "q.parquet")
    assert Predictions.read(tmp_path / "q.parquet").weight is None
