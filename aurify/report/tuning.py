"""What the page and the terminal say of a search alike: its trials by state, scores and settings in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.folder import RunFolder
from aurify.core.words import in_a_row, listed, said
from aurify.measure.names import metric_name
from aurify.measure.verdict import number
from aurify.report import tuning_agents as agents
from aurify.report.values import share, shown
from aurify.report.words import interval

Tuning = Mapping[str, Any]
Trial = Mapping[str, Any]

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"

STATES = {COMPLETE: said("finished"), PRUNED: said("stopped early"), FAILED: said("failed")}

ORIGINS = {
    "portfolio": said("portfolio"),
    "random": said("random"),
    "grid": said("grid"),
    "tpe": said("TPE"),
    "bayes": said("Bayesian"),
}
"""Who proposed a trial."""

METHODS = {
    "auto": said("auto"),
    "grid": said("grid"),
    "random": said("random search"),
    "bayes": said("Bayesian optimisation"),
    "tpe": said("TPE"),
    "hyperband": said("Hyperband"),
}

COSTS = {
    "latency": said("seconds per 1,000 rows answered"),
    "seconds": said("seconds of training"),
    "parameters": said("parameters"),
    "bytes": said("bytes"),
}
"""Objectives that are no metric; less is better in each."""

DASH = "–"

LONGEST_NAME, LONGEST_VALUE, LONGEST_REASON = 60, 40, 200
"""Letters that are shown."""


def objective_name(name: str) -> str:
    """A goal of the search as readers call it."""
    return COSTS.get(name) or metric_name(name)


def method_name(name: str) -> str:
    """A way of searching as readers call it."""
    return METHODS.get(name, shown(name))


def knob_name(name: str) -> str:
    """A knob, visible and not longer than can be read beside others."""
    return cut(shown(name), LONGEST_NAME)


def value_text(value: Any) -> str:
    """A setting's value, as a recipe has it and to four digits.

    >>> value_text(0.00123456), value_text(True), value_text(None), value_text(128), value_text("cosine")
    ('0.001235', 'true', 'null', '128', 'cosine')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:.4g}"
    return cut(shown(str(value)), LONGEST_VALUE)


def seconds_text(value: float) -> str:
    """Seconds as they are read: to a tenth below a hundred."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def cut(text: str, most: int) -> str:
    """A text, or its beginning where it is long."""
    return text if len(text) <= most else f"{text[:most]}…"


def changed(settings: Mapping[str, Any], space: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that differ from what the recipe has without a search; none of a technique that is switched off.

    >>> changed({"dropout.on": False, "dropout.rate": 0.3}, {})
    {'dropout.on': False}
    """
    off = {knob.removesuffix(".on") for knob, value in settings.items() if knob.endswith(".on") and value is False}
    used = {k: v for k, v in settings.items() if k.endswith(".on") or k.partition(".")[0] not in off}
    return {k: v for k, v in used.items() if k not in space or space[k]["default"] != v}


def settings_text(settings: Mapping[str, Any], space: Mapping[str, Mapping[str, Any]]) -> str:
    """``network.width=64, dropout.rate=0.1``: what differs from the defaults."""
    told = [f"{knob_name(knob)}={value_text(value)}" for knob, value in changed(settings, space).items()]
    return ", ".join(told) or said("all as by default")


def described(trial: Trial, tuning: Tuning) -> str:
    """The settings of a trial; of ``auto``, which tries whole recipes, its network and optimizer before them."""
    told, parts = settings_text(trial["settings"], tuning["space"]), trial.get("parts") or {}
    names = [shown(parts[kind]) for kind in ("network", "optimizer") if kind in parts and kind not in trial["settings"]]
    if tuning["method"] != "auto" or not names:
        return told
    return said("{parts}; {settings}", parts=", ".join(names), settings=told)


def whole_recipes(trials: Sequence[Trial]) -> str:
    """That settings are not all that trials differ in, where that is so."""
    if len({str(trial.get("parts")) for trial in trials if trial["origin"] == "portfolio"}) < 2:
        return ""
    return said(
        "The portfolio's recipes, and what was tried around the best of them, differ from the default in more than"
        " these settings: trials.json names the parts of each trial, recipe.yaml is that of the picked one."
    )


def finished(trials: Sequence[Trial]) -> list[Trial]:
    """Trials with a score of the whole training."""
    return [trial for trial in trials if trial["state"] == COMPLETE and trial["score"] is not None]


def ranked(tuning: Tuning, trials: Sequence[Trial]) -> list[Trial]:
    """Finished trials, the best first and of equal ones the first."""
    return sorted(finished(trials), key=lambda trial: trial["score"], reverse=tuning["greater_is_better"])


def best_so_far(tuning: Tuning, trials: Sequence[Trial]) -> list[float | None]:
    """After each trial the best score of a finished one; None before the first."""
    better = max if tuning["greater_is_better"] else min
    best: float | None = None
    found = []
    for trial in trials:
        if trial["state"] == COMPLETE and trial["score"] is not None:
            best = trial["score"] if best is None else better(best, trial["score"])
        found.append(best)
    return found


def last_score(trial: Trial) -> float | None:
    """What a trial scored where it ended, which of one that was stopped is less than a whole training."""
    if trial["score"] is not None:
        return trial["score"]
    return trial["rungs"][-1]["score"] if trial["rungs"] else None


def only_compared(tuning: Tuning) -> bool:
    """Say whether methods were compared and no model was looked for."""
    return tuning["compare"] is not None and tuning["best"] is None


def picked(tuning: Tuning) -> str:
    """``Trial 17: picked at 0.861 in ROC AUC, re-measured 0.853 [0.847, 0.859] ...`` and what nesting says."""
    best, again, nested = tuning["best"], tuning["remeasured"], tuning["nested"]
    if best is None:
        return said("No trial was finished: nothing could be picked.")
    trial, score, metric = best["number"], number(tuning["picked"]), metric_name(tuning["metric"])
    sentences: list[str] = [
        said("Trial {trial}: picked at {picked} in {metric}.", trial=trial, picked=score, metric=metric)
        if again is None
        else said(
            "Trial {trial}: picked at {picked} in {metric}, re-measured {again}.",
            trial=trial,
            picked=score,
            metric=metric,
            again=interval(again),
        )
    ]
    if nested is not None:
        sentences.append(
            said(
                "Nested, the whole search again in each of {folds} outer folds: {nested}.",
                folds=len(nested["folds"]),
                nested=interval(nested),
            )
        )
    return in_a_row(sentences)


def corrected(tuning: Tuning) -> str:
    """What the numbers of ``picked`` correct for, and what they do not."""
    if tuning["best"] is None:
        return ""
    sentences: list[str] = [
        said("A score that was picked for being the best is too good on average: luck was picked with it.")
    ]
    if tuning["remeasured"] is not None and agents.in_world(tuning):
        sentences.append(agents.remeasured(tuning))
    elif tuning["remeasured"] is not None:
        sentences.append(
            said(
                "Re-measuring takes the luck of the folds and seeds out with fresh ones. The rows are those that the"
                " settings were chosen on, so that some optimism stays. It is the mean over single fold models; the"
                " model that is shipped averages several and is not itself measured before the run is evaluated."
            )
        )
    if tuning["nested"] is not None:
        sentences.append(said("Nesting takes that out too: each outer fold scores rows that its own search never saw."))
    elif tuning["remeasured"] is not None and not agents.in_world(tuning):
        sentences.append(said("--nested takes that out too."))
    return in_a_row(sentences)


def effort(tuning: Tuning, trials: Sequence[Trial]) -> str:
    """How many trials there were, of which kind, what they took and why they ended."""
    count = Counter(trial["state"] for trial in trials)
    kinds = [
        said("{count:,} {state}", count=count[state], state=word) for state, word in STATES.items() if count[state]
    ]
    return in_a_row(
        [
            said(
                "Trials by {method}: {kinds}.",
                method=method_name(tuning["method"]),
                kinds=listed(kinds) or said("none"),
            ),
            agents.scored(tuning) if agents.in_world(tuning) else _scored(tuning),
            said(
                "The search took {wall} s with {workers} at a time, {seconds} core seconds of training, and ended so:"
                " {why}.",
                wall=seconds_text(tuning["wall"]),
                workers=tuning["workers"],
                seconds=seconds_text(sum(trial["seconds"] for trial in trials)),
                why=tuning["stopped"],
            ),
            *filter(None, [whole_recipes(trials)]),
        ]
    )


def _scored(tuning: Tuning) -> str:
    return said(
        "Each was scored on {folds} folds of {rows:,} rows, learning from {learnt:,} and scored on {scored:,},"
        " by the mean of {metric}.",
        folds=tuning["folds"],
        rows=tuning["rows"],
        learnt=tuning["learnt"],
        scored=tuning["tested"],
        metric=metric_name(tuning["metric"]),
    )


def shipped(tuning: Tuning) -> str:
    """What the model is made of."""
    together = tuning["ensemble"]
    if tuning["best"] is None:
        return ""
    if agents.in_world(tuning):
        return agents.shipped(tuning)
    if together is None:
        return said("The model is the mean of the {folds} fold models of that trial.", folds=tuning["folds"])
    members = [
        said("trial {number} ({weight})", number=each["number"], weight=share(each["weight"]))
        for each in together["members"]
    ]
    return said(
        "The model is a weighted mean of the fold models of {members} (greedy selection, Caruana 2004), which together"
        " score {score} on the rows of the folds; that number was picked too.",
        members=listed(members),
        score=number(together["score"]),
    )


def looked(tuning: Tuning) -> str:
    """That the winner was chosen after others had been measured on the test part; nothing where it was not."""
    if not (looks := tuning.get("looked")):
        return ""
    return said(
        "The winner was chosen after the test part had been looked at ({looks:,}): whoever chose to search on may have"
        " been led by what was seen there, so that a score on it is no longer an honest one. openings.jsonl says when.",
        looks=looks,
    )


def sealed(folder: RunFolder, tuning: Tuning) -> str:
    """What the search did not look at; and that others looked at it, where ``openings.jsonl`` says so."""
    looks = len(folder.read_openings())
    if not looks:
        return said("The test part was not touched: it stays sealed until the run is evaluated.")
    if only_compared(tuning):
        return said(
            "The search did not touch the test part, but it was opened before ({looks:,}): openings.jsonl says when.",
            looks=looks,
        )
    return looked(tuning) or said(
        "The test part was opened when the winner had been chosen ({looks:,}): openings.jsonl says when.", looks=looks
    )
