"""The ledger can be trusted: its formulas by hand, its errors by counting, its verdicts on what is known."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # benchmarks are no part of the package

from aurify.measure.paired import LEVEL, Pairing, effect, holm, pairs_needed, verdict
from aurify.study.cells import FOLDS, MOST, PILOT
from benchmarks.proving import coverage, placebo, power
from benchmarks.proving.closed_form import FULL, VARIANTS, WORLDS
from benchmarks.proving.ledgers import ledger
from benchmarks.proving.shares import share
from benchmarks.proving.tables import ROWS, Kind
from benchmarks.proving.verdicts import Case, Row, dealt

SAME, APART = Pairing(5, 0.25, apart=False), Pairing(5, 0.25, apart=True)
DIFFERENCES = [0.01, 0.03, -0.02, 0.04, 0.00, 0.02, 0.01, 0.05, -0.01, 0.02]

DRAWS = 6_000
MOST_ERRORS = 0.06
"""Four standard errors above what 6,000 draws of a 5 % error show."""


@pytest.mark.parametrize(("pairing", "spread"), [(SAME, 1 / 10 + 1 / 4), (APART, (1 / 5 + 1 / 4) / 2)])
def test_effect_is_what_the_formula_says(pairing, spread):
    found, error = effect(DIFFERENCES, pairing, rows=4), np.std(DIFFERENCES, ddof=1) * math.sqrt(spread)
    plain, joint = stats.t.ppf(0.975, 9) * error, stats.t.ppf(1 - 0.05 / 8, 9) * error
    assert found.gain == pytest.approx(0.015)
    assert (found.low, found.high) == pytest.approx((0.015 - plain, 0.015 + plain))
    assert (found.simultaneous_low, found.simultaneous_high) == pytest.approx((0.015 - joint, 0.015 + joint))
    assert found.p == pytest.approx(2 * stats.t.sf(0.015 / error, 9))
    assert stats.nct.sf(joint / error, 9, found.sees / error) == pytest.approx(0.9)


def test_without_resemblance_effect_is_the_plain_t_test():
    found = effect(DIFFERENCES, Pairing(5, 0.0, apart=False), rows=1)
    known: Any = stats.ttest_1samp(DIFFERENCES, 0)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))


def test_holm_is_what_was_worked_out_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]


@pytest.mark.slow
@pytest.mark.parametrize("pairing", [SAME, APART])
@pytest.mark.parametrize("pairs", [PILOT, MOST])
def test_error_rate_where_folds_resemble_one_another(pairing, pairs):
    """Differences as the correction assumes them: correlated by n2/(n1 + n2) wherever training sets overlap."""
    random, alike = np.random.default_rng(pairs), pairing.ratio / (1 + pairing.ratio)
    groups = pairs // FOLDS if pairing.apart else 1
    shared = np.repeat(random.standard_normal((DRAWS, groups)), pairs // groups, axis=1)
    drawn = math.sqrt(alike) * shared + math.sqrt(1 - alike) * random.standard_normal((DRAWS, pairs))
    found = [effect(one, pairing, rows=1) for one in drawn.tolist()]
    assert np.mean([one.p <= LEVEL for one in found]) <= MOST_ERRORS
    assert np.mean([not one.low <= 0 <= one.high for one in found]) <= MOST_ERRORS


@pytest.mark.slow
def test_verdicts_of_a_whole_ledger_rarely_err():
    random, rows = np.random.default_rng(0), 8
    false = 0
    for _ in range(DRAWS // rows):
        shared = math.sqrt(0.2) * random.standard_normal((rows, 1))
        drawn = shared + math.sqrt(0.8) * random.standard_normal((rows, PILOT))
        found = [effect(one, SAME, rows) for one in drawn.tolist()]
        adjusted = holm([one.p for one in found])
        false += any(verdict(one, p) in ("helps", "hurts") for one, p in zip(found, adjusted, strict=True))
    assert share(false, DRAWS // rows)["at_least"] <= LEVEL


@pytest.mark.parametrize("pairing", [SAME, APART])
def test_number_of_pairs_depends_on_the_spread_alone(pairing):
    random, chosen = np.random.default_rng(1), set[int]()
    for _ in range(60):
        pilot = random.standard_normal(PILOT) * random.uniform(0.5, 1.5)
        numbers = {pairs_needed((pilot + shift).tolist(), pairing, 5, 1.7, MOST) for shift in (0.0, -0.3, 5.0)}
        assert len(numbers) == 1, "the mean of the pilot had a say"
        chosen |= numbers
    assert chosen == {10, 15, 20}


def test_more_spread_takes_more_pairs():
    numbers = [pairs_needed((s * np.array(DIFFERENCES)).tolist(), APART, 3, 0.03, MOST) for s in (0.1, 1.0, 1.15, 9.0)]
    assert numbers == sorted(numbers)
    assert {numbers[0], numbers[-1]} == {PILOT, MOST}


@pytest.mark.slow
@pytest.mark.parametrize("apart", [False, True])
def test_intervals_hold_the_true_effect_when_data_sets_are_redrawn(apart):
    """Small: ``benchmarks/ledger.py --coverage`` counts 2,000 ledgers a setting."""
    setting = coverage.Setting("classes", apart)
    drawn = [coverage.draw_ledger(setting, at, [0.01] * len(coverage.NAMES)) for at in range(60)]
    other = coverage.NAMES.index("other weights")
    held = sum(one.effects[other].low <= 0 <= one.effects[other].high for one in drawn)
    assert share(held, len(drawn))["at_most"] >= 0.95
    assert all(pairs in (10, 15, 20) for one in drawn for pairs in one.pairs)


def test_true_effects_of_the_closed_form_have_the_signs_they_must(monkeypatch):
    monkeypatch.setattr(coverage, "FRESH", 60)
    truth, error = coverage.true_effects(WORLDS["numbers"], 400, "signs")
    found = dict(zip((name for name in VARIANTS if name != FULL), zip(truth, error, strict=True), strict=True))
    assert found["no squares"][0] > 5 * found["no squares"][1]
    assert found["no noise"][0] < -5 * found["no noise"][1]
    assert abs(found["other weights"][0]) < 4 * found["other weights"][1]


@pytest.mark.slow
def test_a_ledger_knows_placebos_and_what_changes_nothing():
    """Neutral ones are identical bit by bit; the others change every training, and nothing is made of that."""
    kind = Kind("classes", ROWS)
    sweeps = ["other_weights.key=1", "other_order.key=0", "other_masks.key=0", "shuffled_column.key=2"]
    techniques = {"shuffled_column": {"key": 1}}
    made = ledger(kind.frame("tests", 0, 0), "y", sweeps, seed=3, techniques=techniques, worth=1.0)
    found = {row["technique"]: row for row in made["effects"]}
    assert {row["pairs"] for row in made["effects"]} == {PILOT}
    for name in ("other_order.key", "other_masks.key"):
        assert found[name]["verdict"] == "identical"
        assert found[name]["gain"] == found[name]["bound"] == 0
    for name in ("other_weights.key", "shuffled_column.key"):
        assert found[name]["verdict"] == "no measurable difference"
        assert any(found[name]["differences"]), "it must change something"


@pytest.mark.slow
def test_a_ledger_finds_what_a_column_is_worth():
    """Of two columns of which one must be hidden, the telling one was: the other way round is better, and worse."""
    frame, techniques = Kind("classes", 4 * ROWS).frame("tests", 0, 1), {"exclude_columns": {"columns": ["x7"]}}
    hurt = ledger(frame, "y", ["exclude_columns.columns=[x0]"], seed=3, techniques=techniques)
    techniques = {"exclude_columns": {"columns": ["x0"]}}
    help_ = ledger(frame, "y", ["exclude_columns.columns=[x7]"], seed=3, techniques=techniques)
    assert hurt["apart"]
    assert [row["verdict"] for row in hurt["effects"]] == ["hurts"]
    assert [row["verdict"] for row in help_["effects"]] == ["helps"]


def test_shares_are_exact():
    assert share(0, 59)["at_most"] == pytest.approx(1 - 0.05 ** (1 / 59), abs=1e-4)
    assert share(59, 59)["at_least"] == pytest.approx(0.05 ** (1 / 59), abs=1e-4)
    assert share(5, 100)["low"] == pytest.approx(0.0164, abs=1e-4)
    assert share(5, 100)["high"] == pytest.approx(0.1128, abs=1e-4)


def test_placebo_verdicts_are_counted_as_they_should():
    row = Row("k", 0, "other_weights.key=1", gain=0.1, p=0.001, verdict="helps", sees=0.2, pairs=10)
    right = replace(row, number=1, p=0.5, verdict="no measurable difference")
    shown = replace(row, name="shuffled_column.key=0", gain=0.2, verdict="helps")
    found = placebo.counted([row, right, shown, replace(shown, number=1, p=0.5, verdict="no measurable difference")])
    assert found["unadjusted_errors"]["found"] == 1, "the column that is not there is counted by itself"
    assert found["ledgers_with_a_false_verdict"]["found"] == 1
    wrong, fine = replace(shown, number=1, gain=-0.01), replace(row, verdict="identical")
    against = placebo.counted([fine, right, shown, wrong])["ledgers_with_a_false_verdict"]
    assert against["found"] == 1, "a verdict against the sign of its mean"


def test_power_counts_effects_that_are_seen():
    row = Row("k", 0, "exclude_columns.columns=['x0']", gain=-0.2, p=0.001, verdict="hurts", sees=0.15, pairs=10)
    missed = replace(row, number=1, verdict="no measurable difference")
    unseen = replace(row, number=2, sees=0.5, verdict="no measurable difference")
    found = power.counted([row, missed, unseen])["right_verdicts_of_effects_seen"]
    assert (found["found"], found["count"]) == (1, 2)


def test_no_row_of_the_weather_is_in_two_data_sets():
    cases = dealt(placebo.KINDS, 200, "tests")
    spans = sorted((c.first + c.number * c.kind.rows, c.kind.rows) for c in cases if c.kind.base == "weather")
    assert all(start + rows <= later for (start, rows), (later, _) in pairwise(spans))
    assert len(cases) == 200


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_coverage_of_many_ledgers(world):
    setting = coverage.Setting(world, apart=True)
    drawn = [coverage.draw_ledger(setting, at, [0.01] * len(coverage.NAMES)) for at in range(400)]
    other = coverage.NAMES.index("other weights")
    assert share(sum(one.effects[other].low <= 0 <= one.effects[other].high for one in drawn), 400)["rate"] >= 0.93


@pytest.mark.slow
def test_placebos_of_a_few_data_sets():
    cases = [Case(Kind(base, ROWS), at, 0, "tests", worth=1.0) for base in ("classes", "numbers") for at in range(5)]
    found = placebo.counted([row for case in cases for row in placebo.case_rows(case)])
    assert found["met"]
    assert found["unadjusted_errors"]["count"] == 40
