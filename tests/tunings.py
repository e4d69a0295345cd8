"""Tunings as ``aurify tune`` writes them: trials of every state, rungs, two goals, an ensemble, methods compared."""

import json
import math
from pathlib import Path

import numpy as np

from aurify.core.folder import RunFolder
from aurify.core.recipe import Source
from aurify.core.words import keep, recall, said
from aurify.data.findings import Findings
from aurify.report.section import Inspection

HOSTILE = 'a.b[0]"<script>alert(1)</script>'
SPACE = {
    "optimizer.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True, "choices": None, "default": 0.002},
    "network.width": {"low": 16, "high": 512, "log": True, "choices": None, "default": 128},
    "network": {"low": None, "high": None, "log": False, "choices": ["tabm", "mlp", "resnet_table"], "default": "tabm"},
    "dropout.on": {"low": None, "high": None, "log": False, "choices": [False, True], "default": True},
    "dropout.rate": {"low": 0.0, "high": 0.5, "log": False, "choices": None, "default": 0.1},
    "weight_decay.strength": {"low": 1e-6, "high": 1e-1, "log": True, "choices": None, "default": 1e-4},
    "label_smoothing.on": {"low": None, "high": None, "log": False, "choices": [False, True], "default": False},
    "fill_missing.how": {"low": None, "high": None, "log": False, "choices": ["mean", "median"], "default": "mean"},
    "budget.batch_size": {"low": None, "high": None, "log": False, "choices": [64, 128, 256, 512], "default": 256},
    HOSTILE: {"low": None, "high": None, "log": False, "choices": ["很长的名称" * 8, "{0}", None], "default": None},
}
RUNGS = (1 / 9, 1 / 3, 1.0)


def drawn(random, space):
    found = {}
    for knob, range_ in space.items():
        if range_["choices"] is not None:
            found[knob] = range_["choices"][random.integers(len(range_["choices"]))]
        elif range_["log"]:
            found[knob] = float(np.exp(random.uniform(math.log(range_["low"]), math.log(range_["high"]))))
        else:
            found[knob] = float(random.uniform(range_["low"], range_["high"]))
    if isinstance(found.get("network.width"), float):
        found["network.width"] = round(found["network.width"])
    if found.get("dropout.on") is False:
        del found["dropout.rate"]
    return found


def worth(settings):
    """The score that settings would have without chance."""
    rate = settings.get("optimizer.learning_rate", 0.002)
    score = 0.86 - 0.02 * (math.log10(rate) + 2.3) ** 2
    score -= {"tabm": 0.0, "mlp": 0.012, "resnet_table": 0.006}.get(settings.get("network"), 0.0)
    return score - 0.03 * abs(settings.get("dropout.rate", 0.0) - 0.2)


def trials(count=40, *, seed=3, rungs=RUNGS, lower=False, space=SPACE):
    """Trials with the first in every third lost at the first rung and one in ten failed; ``lower``: an error."""
    random = np.random.default_rng(seed)
    return [trial(number, random, rungs, lower, space) for number in range(count)]


def trial(number, random, rungs, lower, space):
    settings = drawn(random, space) if number else {k: v["default"] for k, v in space.items()}
    state = "failed" if number % 10 == 7 else "pruned" if number % 3 == 1 and len(rungs) > 1 else "complete"
    reached = {"complete": len(rungs), "pruned": 1 + number % max(1, len(rungs) - 1), "failed": 0}[state]
    final = worth(settings) + 0.002 * random.normal()
    scores = [final - 0.02 * (1 - share) + 0.001 * random.normal() for share in rungs[:reached]]
    scores = [1000 * (1 - score) if lower else score for score in scores]
    width = settings.get("network.width", 128)
    latency = 0.01 + width / 9000
    whole = scores[-1] if state == "complete" else None
    values = {"roc_auc": whole, "latency": latency} if whole is not None else {}
    reason = said("diverged: {what}", what=f"loss nan <b>{HOSTILE}") if state == "failed" else None
    rows = [{"share": share, "score": score, "seconds": 3 * share} for share, score in zip(rungs, scores, strict=False)]
    return {
        **{"number": number, "settings": settings, "origin": "portfolio" if number < 8 else "tpe", "state": state},
        **{"reason": reason, "rungs": rows, "score": whole, "values": values},
        **{"seconds": sum(row["seconds"] for row in rows) + 0.3, "latency": latency if values else None},
        "parameters": 500 * width if values else None,
    }


def compared(methods=("grid", "random", "bayes"), repeats=5, count=20, seed=0):
    random = np.random.default_rng(seed)
    runs = []
    for at, method in enumerate(methods):
        for repeat in range(repeats):
            found = 0.84 + 0.004 * at + 0.008 * random.normal(size=count)
            best = [None if n == 0 and repeat == 1 else float(b) for n, b in enumerate(np.maximum.accumulate(found))]
            seconds = np.cumsum(random.uniform(1, 4 + at, size=count)).tolist()
            runs.append(
                {"method": method, "repeat": repeat, "best": best, "seconds": seconds}
                | {"picked": best[-1], "remeasured": best[-1] - 0.006}
            )
    reference = "random" if "random" in methods else methods[0]
    table = []
    for at, method in enumerate(methods):
        value = 0.853 + 0.003 * at
        differs = {
            "difference": 0.003 * at,
            "difference_low": 0.003 * at - 0.002,
            "difference_high": 0.003 * at + 0.002,
        }
        table.append(
            {"method": method, "picked": value, "low": value - 0.003, "high": value + 0.003, "seconds": 61.0 + at}
            | {"remeasured": value - 0.006, "remeasured_low": value - 0.010, "remeasured_high": value - 0.002}
            | (dict.fromkeys(differs) if method == reference else differs)
        )
    return {"methods": list(methods), "repeats": repeats, "trials": count, "runs": runs, "table": table}


def tuning(made=None, **words):
    """What a search over these trials found, as it is read back from its file."""
    made = trials() if made is None else made
    finished = [each for each in made if each["state"] == "complete"]
    greater = words.get("greater_is_better", True)
    best = (max if greater else min)(finished, key=lambda each: each["score"]) if finished else None
    score = None if best is None else best["score"]
    shares = [0.42, 0.18, 0.11, 0.05, 0.03, 0.02, 0.01, 0.004, 0.001, 0.0]
    found = {
        **{"aurify": "0.1.0", "method": "auto", "metric": "roc_auc", "greater_is_better": greater},
        **{
            "objectives": ["roc_auc"],
            "seed": 0,
            "workers": 2,
            "folds": 3,
            "rows": 5634,
            "learnt": 3380,
            "tested": 1878,
        },
        **{"space": SPACE, "rungs": list(RUNGS), "stopped": said("all {count:,} trials are done", count=len(made))},
        "wall": 281.4,
        "best": best and {"number": best["number"], "settings": best["settings"], "score": score},
        "picked": score,
        "remeasured": score and {"value": score - 0.008, "low": score - 0.014, "high": score - 0.002, "folds": 9},
        **{"nested": None, "ensemble": None, "front": None, "compare": None},
        "importance": [
            {"knob": knob, "share": share, "low": max(0.0, share - 0.06), "high": share + 0.07}
            for knob, share in zip(SPACE, shares, strict=True)
        ],
        "seconds": 512.3,
    }
    return recall(json.loads(json.dumps(keep(found | words), allow_nan=False)))


def whole(made=None):
    """A search with everything that one can have."""
    made = trials() if made is None else made
    finished = [each for each in made if each["state"] == "complete"]
    ordered = sorted(finished, key=lambda each: -each["score"])
    members = [
        {"number": each["number"], "weight": weight} for each, weight in zip(ordered, (0.5, 0.3, 0.2), strict=False)
    ]
    return tuning(
        made,
        objectives=["roc_auc", "latency"],
        nested={"value": 0.848, "low": 0.839, "high": 0.857, "folds": [0.842, 0.851, 0.851]},
        ensemble={"score": 0.864, "members": members},
        front=[each["number"] for each in finished if not any(beats(other, each) for other in finished)],
        compare=compared(),
    )


def beats(one, other):
    pairs = [(one["values"]["roc_auc"], other["values"]["roc_auc"]), (other["latency"], one["latency"])]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def inspection(found, made, language="en"):
    """A folder without a finished run, and its search."""
    return Inspection(
        folder=RunFolder(Path("searched")),
        source=Source(path="data.csv"),
        findings=Findings([]),
        evidence={},
        tuning=found,
        trials=[recall(json.loads(json.dumps(keep(each), allow_nan=False))) for each in made],
        language=language,
    )
