"""Words that sections share: names of models and metrics, numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.core.words import said
from aurify.measure.names import metric_name as metric_name  # sections take all of their words from here
from aurify.measure.places import IMAGE_WORD, MISSING_WORD, UNKNOWN_WORD
from aurify.measure.verdict import number

MODELS = {
    "network": said("network"),
    "blend": said("blend"),
    "trees": said("its trees alone"),
    "ngrams": said("its n-grams alone"),
    "tfidf": said("linear model of n-grams (TF-IDF)"),
    "majority": said("majority class"),
    "mean": said("mean"),
    "linear": said("linear model"),
    "boosting": said("gradient boosting"),
    "agents": said("agents"),
    "random": said("random policy"),
    "optimal": said("optimum"),
}

VALUES = {MISSING_WORD: said("(missing)"), UNKNOWN_WORD: said("(unknown)"), IMAGE_WORD: said("(its image)")}


def model_name(name: str) -> str:
    """A model as readers call it; one that is not known here keeps its own name."""
    return MODELS.get(name, name)


def value_name(word: str) -> str:
    """A column's value as it is told: a user's own, or one of those that stand for none."""
    return VALUES.get(word, word)


def interval(score: Mapping[str, Any] | None, *, signed: bool = False) -> str:
    """``0.862 [0.839, 0.883]``; a dash where there is no value."""
    if score is None or score["value"] is None:
        return "–"
    value = number(score["value"], signed=signed)
    if score["low"] is None:
        return value
    return f"{value} [{number(score['low'], signed=signed)}, {number(score['high'], signed=signed)}]"


def main_score(scores: Mapping[str, Any], summary: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The score in the metric that the model is judged by, where it has one with an interval."""
    score = scores.get(summary["main_metric"])
    return None if score is None or score["value"] is None or score["low"] is None else score


def better(summary: Mapping[str, Any]) -> str:
    """Which way the metric goes that the model is judged by."""
    higher = summary["greater_is_better"][summary["main_metric"]]
    return said("higher is better") if higher else said("lower is better")
