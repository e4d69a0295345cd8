"""Importance of knobs, on functions whose shares are known."""

import numpy as np
import pytest

from aurify.study.importance import LEAST, Axis, importance

NUMBER = {"low": 0.0, "high": 1.0, "log": False, "choices": None, "default": 0.5}
POWERS = {"low": 1e-5, "high": 1e-1, "log": True, "choices": None, "default": 1e-3}
WORDS = {"low": None, "high": None, "log": False, "choices": ["a", "b", None, 4], "default": "a"}
SWITCH = {"low": None, "high": None, "log": False, "choices": [False, True], "default": False}


def drawn(how, random):
    if how["choices"] is not None:
        return how["choices"][random.integers(len(how["choices"]))]
    value = random.random()
    return float(how["low"] * (how["high"] / how["low"]) ** value if how["log"] else value)


def tried(space, score, count=200, seed=0):
    random = np.random.default_rng(seed)
    rows = [{knob: drawn(how, random) for knob, how in space.items()} for _ in range(count)]
    return [
        {"number": n, "settings": row, "state": "complete", "score": float(score(row, random))}
        for n, row in enumerate(rows)
    ]


def shares(space, score, **words):
    return {each["knob"]: each for each in importance(tried(space, score, **words), space, 7)}


def test_a_sum_is_shared_by_the_variances_of_its_terms():
    space = {"x": NUMBER, "y": NUMBER, "z": NUMBER}
    found = shares(space, lambda row, _: 3 * row["x"] + 1.5 * row["y"], count=300)
    assert list(found) == ["x", "y", "z"]
    assert found["x"]["share"] == pytest.approx(0.8, abs=0.08)
    assert found["y"]["share"] == pytest.approx(0.2, abs=0.08)
    assert found["z"]["share"] < 0.01


def test_a_knob_on_a_scale_of_powers_is_even_along_its_powers():
    space = {"rate": POWERS, "y": NUMBER}
    found = shares(space, lambda row, _: np.log10(row["rate"]) + 2 * row["y"], count=300)
    assert found["rate"]["share"] == pytest.approx(0.8, abs=0.08)


def test_choices_are_even_and_any_kind_of_value():
    effect = {"a": 1.0, "b": -1.0, None: 0.0, 4: 0.0}
    space = {"how": WORDS, "x": NUMBER, "on": SWITCH}
    found = shares(space, lambda row, _: effect[row["how"]] + row["on"] + row["x"], count=300)
    whole = 0.5 + 0.25 + 1 / 12
    assert found["how"]["share"] == pytest.approx(0.5 / whole, abs=0.08)
    assert found["on"]["share"] == pytest.approx(0.25 / whole, abs=0.08)
    assert found["x"]["share"] == pytest.approx(1 / 12 / whole, abs=0.05)


def test_what_two_do_only_together_is_nobodys_alone():
    space = {"x": SWITCH, "y": SWITCH, "z": NUMBER}
    found = shares(space, lambda row, _: row["x"] != row["y"], count=300)
    assert found["x"]["share"] < 0.1
    assert found["y"]["share"] < 0.1


def test_of_chance_alone_next_to_nothing_is_anybodys():
    space = dict.fromkeys("abcdef", NUMBER)
    for seed in range(5):
        found = shares(space, lambda row, random: random.normal(), count=60, seed=seed)
        assert max(each["share"] for each in found.values()) < 0.08


def test_chance_takes_its_share_of_the_variance():
    space = {"x": NUMBER, "y": NUMBER}
    found = shares(space, lambda row, random: row["x"] + random.normal() / np.sqrt(12), count=400)
    assert found["x"]["share"] == pytest.approx(0.5, abs=0.15)
    assert found["y"]["share"] < 0.1


def test_intervals_hold_the_share_and_shrink_with_trials():
    space = {"x": NUMBER, "y": NUMBER, "z": NUMBER}
    spans = []
    for count in (24, 400):
        found = shares(space, lambda row, random: row["x"] + 0.3 * row["y"] + 0.05 * random.normal(), count=count)
        for each in found.values():
            assert 0 <= each["low"] <= each["share"] <= each["high"] <= 1
        spans.append(found["x"]["high"] - found["x"]["low"])
    assert spans[1] < spans[0] / 1.5


def test_the_one_that_matters_is_found_among_many_in_few_trials():
    space = {"rate": POWERS} | dict.fromkeys("abcdefg", NUMBER) | {"how": WORDS}
    first = [
        next(iter(shares(space, lambda row, _: -((np.log10(row["rate"]) + 3) ** 2), count=30, seed=seed)))
        for seed in range(5)
    ]
    assert first.count("rate") >= 4


def test_one_training_that_went_wrong_is_not_all_of_the_variance():
    space = {"x": NUMBER, "y": NUMBER}
    made = tried(space, lambda row, _: row["x"], count=100)
    made[3]["score"] = -1000.0
    found = {each["knob"]: each["share"] for each in importance(made, space, 7)}
    assert found["x"] > 0.5 > 5 * found["y"]


def test_only_finished_trials_with_every_knob_count():
    space = {"x": NUMBER, "y": NUMBER}
    made = tried(space, lambda row, _: row["x"], count=LEAST)
    assert importance(made, space, 1)
    assert importance(made[1:], space, 1) == []
    lost = {"number": 0, "settings": {"x": 0.1}, "state": "complete", "score": 99.0}
    failed = {"number": 0, "settings": {"x": 0.1, "y": 0.2}, "state": "failed", "score": None}
    diverged = {"number": 0, "settings": {"x": 0.1, "y": 0.2}, "state": "complete", "score": float("nan")}
    strange = {"number": 0, "settings": {"x": "auto", "y": 0.2}, "state": "complete", "score": 1.0}
    assert importance([*made, lost, failed, diverged, strange], space, 1) == importance(made, space, 1)


def test_nothing_is_said_where_every_score_is_the_same_or_no_knob_is_there():
    made = tried({"x": NUMBER}, lambda row, _: 0.5, count=40)
    assert importance(made, {"x": NUMBER}, 1) == []
    assert importance(made, {}, 1) == []


def test_the_same_seed_says_the_same():
    made = tried({"x": NUMBER, "how": WORDS}, lambda row, random: row["x"] + random.normal(), count=40)
    space = {"x": NUMBER, "how": WORDS}
    assert importance(made, space, 3) == importance(made, space, 3)
    assert importance(made, space, 3) != importance(made, space, 4)


def test_true_and_one_are_not_the_same_choice():
    axis = Axis.of("how", {"low": None, "high": None, "log": False, "choices": [1, True], "default": 1})
    assert [axis.place(value) for value in (1, True, 1.0, "1")] == [0.25, 0.75, 0.25, None]
