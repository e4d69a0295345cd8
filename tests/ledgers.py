"""Ledgers as ``aurify ablate`` writes them: every design, every verdict, hostile names, rows without numbers."""

import json
import math
from pathlib import Path

import numpy as np

from aurify.core.folder import RunFolder
from aurify.core.recipe import Source
from aurify.core.words import keep, recall, said
from aurify.data.findings import Findings
from aurify.measure.paired import Pairing, effect, holm, verdict
from aurify.report.section import Inspection

HOSTILE = ['a.b[0]"<script>alert(1)</script>', "很长的技术名称" * 12, "x" * 200, "two\nlines {0}", "\u202eright\\"]
PLANTED = {
    "dropout": 0.0004,
    "weight_decay": 0.0008,
    "label_smoothing": -0.006,
    "early_stopping": 0.012,
    "stochastic_depth": 0.0001,
    "mixup": -0.0011,
    "weight_averaging": 0.0049,
    "scale_numbers": 0.031,
    "cosine": 0.0031,
    "exclude_columns": 0.0,
}
REGULARISERS = ("dropout", "weight_decay", "label_smoothing", "early_stopping", "stochastic_depth", "mixup", HOSTILE[0])
PAIRING = Pairing(folds=5, ratio=0.25, apart=False)
NUMBERS = ("gain", "low", "high", "simultaneous_low", "simultaneous_high", "p", "p_adjusted", "bound", "sees", "pairs")
COSTS = ("seconds", "latency", "parameters", "bytes")


class Maker:
    """Rows of a ledger with planted gains, in the order in which they are asked for."""

    def __init__(self, names):
        self.random = np.random.default_rng(11)
        self.names = names
        self.effects = []

    def row(self, name, design, reference, planted, terms, *, value=None, same=False):
        differences = np.full(10, planted) if same else planted + 0.0025 * self.random.normal(size=10)
        cost = abs(hash_of(name)) % 100 / 50
        family = "regularisation" if name in REGULARISERS else "preparing"
        self.effects.append(
            {"technique": name, "design": design, "reference": reference, "terms": terms, "value": value}
            | {"differences": differences.tolist(), "stopped": 0, "reason": None, "family": family, "pairs": 10}
            | {"seconds": cost - 0.2, "latency": cost / 1000, "parameters": int(1000 * cost), "bytes": int(9000 * cost)}
            | {"others": {"log_loss": {"gain": planted / 2, "low": planted / 2 - 0.003, "high": planted / 2 + 0.003}}}
        )

    def failed(self, name, design):
        nothing = dict.fromkeys((*NUMBERS, *COSTS))
        self.effects.append(
            {"technique": name, "design": design, "reference": said("the recipe"), "terms": {"full": 1, "x": -1}}
            | nothing
            | {"differences": [], "others": {}, "stopped": 0, "value": None, "family": "other", "verdict": "failed"}
            | {"reason": "RuntimeError: <b>no</b> room for {0}"}
        )

    def finished(self):
        rows = [row for row in self.effects if row["differences"]]
        found = [effect(row["differences"], PAIRING, max(1, len(rows)), scale=0.84) for row in rows]
        for row, each, p in zip(rows, found, holm([each.p for each in found]) if found else [], strict=True):
            told = {name: getattr(each, name) for name in NUMBERS if hasattr(each, name)}
            told |= {"p_adjusted": p, "verdict": verdict(each, p)}
            row |= {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in told.items()}
        return self.effects


def hash_of(name):
    return sum(ord(letter) * (at + 7) for at, letter in enumerate(name))


def effects_of(names):
    made = Maker(names)
    for name in names:
        without = {"full": 1, f"without {name}": -1}
        made.row(
            name,
            "leave_one_out",
            said("the recipe without it"),
            PLANTED.get(name, 0.0),
            without,
            same=name == "exclude_columns",
        )
    if len(names) < 2:
        return made.finished()
    made.row("odd", "leave_one_out", said("the recipe without it"), 2**-9, {"full": 1, "without odd": -1}, same=True)
    made.failed("broken", "leave_one_out")
    for name, planted in (("focal", -0.004), ("sam", 0.006), (HOSTILE[0], 0.0)):
        place = said("the recipe with {name} in its place", name=name)
        made.row(name, "add_one", place, planted, {f"with {name}": 1, "full": -1})
    before = "bare"
    for name in ("network tabm", *names[:6]):
        step = f"step {name}"
        planted = 0.05 if name == "network tabm" else PLANTED.get(name, 0.0)
        made.row(name, "cumulative", said("the step before"), planted, {step: 1, before: -1})
        before = step
    made.row("regularisation", "family", said("the recipe without {names}", names="dropout, mixup"), 0.008, {"full": 1})
    made.row("dropout × mixup", "interaction", said("what each gains without the other"), -0.002, {"full": 1})
    for value in (0.0, 0.05, 0.2, 0.3, 0.5):
        own = said("the recipe's own {value}", value=0.1)
        made.row(
            "dropout.rate", "sweep", own, -0.02 * (value - 0.1) ** 2, {f"rate={value}": 1, "full": -1}, value=value
        )
    for value in (1e-5, 1e-3, 1e-2):
        own = said("the recipe's own {value}", value="0.0001")
        made.row("weight_decay.strength", "sweep", own, 0.001, {f"s={value}": 1, "full": -1}, value=value)
    for value in ("linear", 'a"</script>', True):
        made.row("cosine.shape", "sweep", said("the recipe's own {value}", value="cosine"), 0.0, {"x": 1}, value=value)
    made.failed("cosine.shape", "sweep")
    return made.finished()


def trainings_of(variants):
    random = np.random.default_rng(4)
    for variant in variants:
        bad = 0.15 if variant.startswith("without") else 0.05
        for pair in range(10):
            epochs = np.linspace(0.5, 12 + pair % 4, 18 + pair % 3)
            held = 0.42 + 0.25 * np.exp(-epochs / 2) + bad / 100 * epochs + 0.01 * random.normal()
            learnt = 0.40 + 0.27 * np.exp(-epochs / 2) - bad / 20 * epochs
            lost = variant == "full" and pair == 3
            yield (
                {"variant": variant, "repeat": 1 + pair // 5, "fold": 1 + pair % 5, "seed": 2**63 + pair}
                | {"scores": {"roc_auc": 0.84 + 0.01 * random.normal(), "log_loss": 0.42}, "seconds": 3.5}
                | {"latency": 0.03, "parameters": 71234, "bytes": 300000, "steps": 313}
                | {"diverged": lost, "stopped": "loss is nan" if lost else None}
                | {"curve": [list(point) for point in zip(epochs, held, learnt, strict=True)]}
            )


def ledger(names=None, **words):
    """A ledger of these ingredients, as it is read back from its file."""
    names = [*PLANTED, *HOSTILE] if names is None else names
    effects = effects_of(names)
    variants = ["full", *dict.fromkeys(v for row in effects for v in row["terms"] if v != "full")]
    made = {
        "aurify": "0.1.0",
        "metric": "roc_auc",
        "greater_is_better": True,
        "worth": 0.005,
        **{"learnt": 2160, "held": 240, "tested": 600, "rows": 5634, "steps": 313, "planned": 1600, "full": False},
        **{"folds": 5, "by": "random", "seed": 0, "ratio": 0.25, "apart": False, "pilot": 10, "most": 20},
        "reference": {"recipe": {}, "score": 0.842, "scores": {"roc_auc": 0.842}, "seconds": 3.9, "latency": 0.036}
        | {"parameters": 71234, "bytes": 300000},
        "effects": effects,
        "variants": {name: {"score": 0.79 if name == "bare" else 0.842, "pairs": 10} for name in variants},
        "trainings": list(trainings_of(variants[:8])) if names else [],
        "curve_metric": "log_loss",
        "left_out": [
            ["calendar", said("nothing to switch on: its own settings change nothing")],
            [HOSTILE[0], "why <b>"],
        ],
        "simplified": simplified() if len(names) > 1 else None,
        "seconds": 412.0,
    }
    return recall(json.loads(json.dumps(keep(made | words), allow_nan=False)))


def simplified():
    removed = ["label_smoothing", HOSTILE[0]]
    step = {"score": 0.843, "gain": 0.001, "low": -0.001, "high": 0.003}
    return {
        "removed": removed,
        "kept": ["dropout"],
        "picked": {"gain": 0.0065, "low": 0.001, "high": 0.012},
        "remeasured": {
            "gain": 0.0052,
            "low": -0.0004,
            "high": 0.011,
            "pairs": 10,
            "verdict": "no measurable difference",
        },
        "path": [{"removed": [], **step, "gain": None, "low": None, "high": None}, {"removed": removed[:1], **step}],
        "file": "simplified.yaml",
    }


def inspection(kept, language="en"):
    """A folder without a finished run, and its ledger."""
    return Inspection(
        folder=RunFolder(Path("studied")),
        source=Source(path="data.csv"),
        findings=Findings([]),
        evidence={},
        ledger=kept,
        language=language,
    )
