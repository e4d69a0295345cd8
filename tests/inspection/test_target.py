"""Slips, codes and caps in a target of numbers are found with their rows; honest tails and spikes are no alarm."""

import numpy as np
import polars as pl
import pytest
from seeing import found_by

from aurify.measure.target_errors import normal_scores, of_scores


def table(seed=0, count=1200, noise=0.15):
    """A positive target that four numbers tell well, over a factor of about thirty."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(count, 4))
    target = 100 * np.exp(0.6 * numbers[:, 0] + 0.3 * numbers[:, 1] + noise * random.normal(size=count))
    return pl.DataFrame(numbers, schema=list("abcd")), target.round(2)


def slipped(kind, share, seed):
    frame, target = table(seed)
    wrong = np.random.default_rng(seed + 100).permutation(len(target)) < share * len(target)
    slip = {"x100": target * 100, "/100": target / 100, "x10": target * 10, "sign": -target}[kind]
    return frame.with_columns(y=np.where(wrong, slip, target)), wrong


@pytest.mark.parametrize("kind", ["x100", "/100", "x10", "sign"])
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_slips_are_found_with_their_rows(monkeypatch, kind, share):
    for seed in range(2):
        frame, wrong = slipped(kind, share, seed)
        found = found_by(monkeypatch, "target_outliers", frame, "y", seed=seed)
        (finding,) = [finding for finding in found if finding.severity == "warning"]
        rows = list(finding.rows)
        assert finding.columns == ("y",)
        assert wrong[rows].mean() > 0.9
        assert len(rows) > 0.5 * 0.8 * wrong.sum()  # the test part is not looked at
        assert finding.exhibits[0].data["rows"][0][0] == str(rows[0])


@pytest.mark.parametrize("value", [99999.0, -999.0, -9999.0])
def test_codes_far_from_all_others_are_found_and_can_be_named_as_missing(monkeypatch, value):
    frame, target = table(count=300)
    target = np.minimum(target, 900.0)
    target[:8] = value
    (finding,) = found_by(monkeypatch, "target_outliers", frame.with_columns(y=target), "y")
    assert finding.severity == "warning"
    assert finding.mend == {"source": {"missing": [f"{value:.0f}"]}}
    assert set(finding.rows) <= set(range(8))


@pytest.mark.parametrize("noise", [0.05, 0.5, 1.5])
def test_honest_targets_are_no_alarm_however_long_their_tail(monkeypatch, noise):
    random = np.random.default_rng(0)
    for seed in range(2):
        frame, target = table(seed, noise=noise)
        tails = random.standard_t(2, len(target)) * 20
        for honest in (target, target - np.median(target), tails, 100 + tails):
            found = found_by(monkeypatch, "target_outliers", frame.with_columns(y=honest), "y", seed=seed)
            assert all(finding.severity == "note" for finding in found)


def test_normal_scores_are_undone_and_no_gross_error_reaches_far():
    values = np.random.default_rng(0).lognormal(size=500)
    np.testing.assert_allclose(of_scores(normal_scores(values), values), values, rtol=1e-9)
    values[0] = 1e300
    assert normal_scores(values)[0] < 4
    assert of_scores(np.zeros(1), values)[0] == pytest.approx(np.median(values))


@pytest.mark.parametrize("share", [0.02, 0.1])
@pytest.mark.parametrize("above", [True, False])
def test_a_target_that_is_cut_is_found_with_its_limit(monkeypatch, share, above):
    frame, target = table()
    limit = np.quantile(target, 1 - share if above else share)
    cut = np.minimum(target, limit) if above else np.maximum(target, limit)
    (finding,) = found_by(monkeypatch, "capped_target", frame.with_columns(y=cut), "y")
    assert finding.severity == "warning"
    assert finding.evidence["limit"] == limit
    assert (cut[list(finding.rows)] == limit).all()
    assert finding.evidence["share"] == pytest.approx(share, abs=0.02)


def test_spikes_that_are_natural_are_no_cap(monkeypatch):
    frame, target = table()
    random = np.random.default_rng(0)
    claims = np.where(random.random(len(target)) < 0.6, 0.0, target)
    (zeros,) = found_by(monkeypatch, "capped_target", frame.with_columns(y=claims), "y")
    assert zeros.severity == "note"
    assert "exactly 0" in zeros.text
    ratings = random.choice(np.linspace(1, 10, 37), len(target), p=np.r_[np.full(36, 0.5 / 36), 0.5])
    for natural in (
        target,
        (target / 50).round() * 50,
        random.poisson(3, len(target)) * 1.0,
        random.uniform(0, 1, len(target)),
        ratings,
        np.where(random.random(len(target)) < 0.05, -999.0, target),  # a code, which target_outliers names
    ):
        words = {"recipe": {"task": {"name": "table", "kind": "regress"}}}
        found = found_by(monkeypatch, "capped_target", frame.with_columns(y=natural), "y", **words)
        assert all(finding.severity == "note" for finding in found)


def test_a_long_tail_that_a_logarithm_shortens_is_noted(monkeypatch):
    frame, target = table()
    heavy = np.exp(3 * np.random.default_rng(0).normal(size=len(target)))
    (note,) = found_by(monkeypatch, "skewed_target", frame.with_columns(y=heavy), "y")
    assert note.severity == "note"
    assert note.evidence["share"] > 0.5
    assert not found_by(monkeypatch, "skewed_target", frame.with_columns(y=target), "y")
    assert not found_by(monkeypatch, "skewed_target", frame.with_columns(y=heavy - 1), "y")


def test_ratings_learnt_as_classes_are_noted_and_names_that_are_numbers_are_not(monkeypatch):
    frame, target = table(noise=0.6)
    rating = np.digitize(target, np.quantile(target, [0.2, 0.4, 0.6, 0.8])) + 1
    (note,) = found_by(monkeypatch, "target_kind", frame.with_columns(y=rating), "y")
    assert "task.kind=regress" in note.fix
    names = np.array([3, 5, 1, 4, 2])[rating - 1]
    assert not found_by(monkeypatch, "target_kind", frame.with_columns(y=names), "y")


def test_codes_learnt_as_a_number_are_noted_and_counts_are_not(monkeypatch):
    frame, _ = table()
    random = np.random.default_rng(0)
    (note,) = found_by(monkeypatch, "target_kind", frame.with_columns(y=np.arange(1200) % 30), "y")
    assert "task.kind=classify" in note.fix
    for count in (random.poisson(12, 1200), random.geometric(0.1, 1200), random.integers(17, 90, 1200)):
        assert not found_by(monkeypatch, "target_kind", frame.with_columns(y=count), "y")


@pytest.mark.parametrize("name", ["target_outliers", "capped_target", "skewed_target", "target_kind", "label_errors"])
def test_odd_tables_are_no_trouble(monkeypatch, name):
    random = np.random.default_rng(0)
    one = pl.DataFrame({"x": [None, *random.normal(size=99)], "e": [None] * 100})
    targets = (
        np.r_[1e300, -1e300, random.normal(size=98)],
        np.r_[np.nan, np.full(50, 7.0), np.arange(49)],
        np.zeros(100) + (np.arange(100) == 3),
        np.arange(100.0),
    )
    for target in targets:
        with np.errstate(over="ignore"):
            found_by(monkeypatch, name, one.with_columns(y=pl.Series(target, nan_to_null=True)), "y")
    found_by(monkeypatch, name, one.with_columns(y=np.arange(100) % 2).head(4), "y")
