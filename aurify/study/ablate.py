"""What each ingredient of a recipe was worth: pairs of trainings, collected without a look at what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError, suggest
from aurify.core.recipe import Recipe
from aurify.measure.judges import RETURNS, greater_is_better, has_a_unit
from aurify.measure.paired import Effect, effect, holm, pairs_needed, verdict
from aurify.measure.verdict import telling
from aurify.study.cells import Cell, Cells, Size
from aurify.study.contrasts import FULL, Contrast, Contrasts
from aurify.study.seeds import Steps
from aurify.study.trainings import Trainings, Wanted

WORTH = 0.005
"""The smallest difference worth knowing of a metric that ends at 1."""

WORTH_SHARE = 0.01
"""The same, as a share of the recipe's own score, of a metric that does not."""

WORTH_RETURN = 0.05
"""The same of what agents return, as a share of what the recipe returns more than acting at random."""

COSTS = ("seconds", "latency", "parameters", "bytes")

Progress = Callable[[int, int, int, str], None]
"""Is told how many trainings are done, of how many are planned so far, how many rows are open, and what is going on."""


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """All that a ledger is made from. ``metric`` and ``worth`` are settled by the data where nothing is said.

    ``floor`` is what can be had for nothing of a score that begins nowhere.
    """

    contrasts: Contrasts
    cells: Cells
    size: Size | Steps
    trainings: Trainings
    check: Callable[[], None]
    progress: Progress
    metric: str | None = None
    worth: float | None = None
    floor: float = 0.0
    _keys: dict[tuple[str, str, int], str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def wanted(self, variants: list[str], cells: Sequence[Cell]) -> list[Wanted]:
        """Trainings of variants in cells, those of one cell one after another, each cell beginning with another one.

        What comes first in a process is slower: that shall not be the same variant's cost each time.
        """
        turned = [
            (cell, variants[at % len(variants) :] + variants[: at % len(variants)]) for at, cell in enumerate(cells)
        ]
        return [self.one(name, cell) for cell, names in turned for name in names]

    def one(self, variant: str, cell: Cell) -> Wanted:
        """The training of a variant in a cell."""
        beside = self.cells.beside(self.cells.all.index(cell))
        return Wanted(self.capped(self.contrasts.variants[variant]), cell, beside=beside)

    def finished(self) -> int:
        """Trainings that these rows may need and that are made already."""
        wanted = self.wanted(list(self.contrasts.variants), self.cells.all)
        return len({one.key for one in wanted}) - len(self.trainings.missing(wanted))

    def capped(self, recipe: Recipe) -> Recipe:
        return self.size.capped(recipe, self.cells.rows("fit"))

    def make(self, wanted: Sequence[Wanted], open_rows: int, what: str) -> None:
        self.trainings.make(wanted, self.check, lambda done, of: self.progress(done, of, open_rows, what))

    def of(self, variant: str, cell: Cell) -> Mapping[str, Any]:
        """What was measured of a variant in a cell."""
        at = (variant, cell.path, cell.seed)
        if at not in self._keys:  # asked for each row and metric: what it takes to tell a recipe's key adds up
            self._keys[at] = Wanted(self.capped(self.contrasts.variants[variant]), cell).key
        return self.trainings.known(self._keys[at])


def ablate(study: Ablation) -> dict[str, Any]:
    """Collect a pilot, decide by its spread alone how many pairs each row takes, collect those, and draw up the ledger.

    The rows are fixed before the first training: every one of them counts among the tests that are corrected for.
    """
    rows, cells = study.contrasts.rows, study.cells
    if not rows:
        raise AurifyError("there is nothing to compare: the recipe has no ingredient of the kind asked for")
    pilot = cells.first(cells.pilot)
    study.make(study.wanted([FULL], pilot[:1]), len(rows), "pilot")
    metric = _metric(study, pilot[0])  # a recipe that cannot be trained, or a wrong name, is said after one training
    study.make(study.wanted(list(study.contrasts.variants), pilot), len(rows), "pilot")
    worth = study.worth if study.worth is not None else _worth(study, metric, pilot)
    counts = [_pairs(study, row, metric, worth) for row in rows]
    more = [study.one(name, cell) for at, cell in enumerate(cells.all) for name in _needed(study, counts, at)]
    study.make(more, sum(count > cells.pilot for count in counts), "more pairs")
    effects = _effects(study, metric, counts)
    return {
        **_about(study, metric, worth),
        "effects": effects,
        "variants": _variants(study, metric),
        "trainings": _trainings(study, counts),
        "paces": list(study.trainings.paces.known.values()),
        "left_out": [list(each) for each in study.contrasts.left_out],
        "simplified": None,
    }


def _needed(study: Ablation, counts: Sequence[int], at: int) -> list[str]:
    """The variants of rows that take more than ``at`` pairs."""
    rows = zip(study.contrasts.rows, counts, strict=True)
    names = {name for row, count in rows if at < count for name in row.terms}
    return [name for name in study.contrasts.variants if name in names]


def gains(study: Ablation, row: Contrast, metric: str, cells: Sequence[Cell]) -> list[float]:
    """The differences of a row (J,), better being positive. Raises LookupError, saying why, where one is unknown."""
    sign, found = (1 if greater_is_better(metric) else -1), []
    for cell in cells:
        total = 0.0
        for name, times in row.terms.items():
            record = study.of(name, cell)
            if "refused" in record:
                raise LookupError(str(record["refused"]))
            score = record["scores"].get(metric)
            if score is None:
                raise LookupError(f"{metric} is undefined in {cell.place}")
            total += times * score
        found.append(sign * total)
    return found


def _metric(study: Ablation, cell: Cell) -> str:
    record = study.of(FULL, cell)
    if "refused" in record:
        what = "on a part of the rows" if study.contrasts.recipe.task.examples == "rows" else "so"
        raise AurifyError(f"the recipe cannot be trained {what}: {record['refused']}")
    known = list(record["scores"])
    if study.metric is not None and study.metric not in known:
        raise AurifyError(f"--metric {study.metric}: there is no such metric here{suggest(study.metric, known)}")
    return study.metric or telling(known)


def _worth(study: Ablation, metric: str, pilot: Sequence[Cell]) -> float:
    """What would be worth knowing: by the kind of the metric and the recipe's own score, never by a difference."""
    returned = metric in RETURNS
    if greater_is_better(metric) and not returned:
        return WORTH
    own = [study.of(FULL, cell) for cell in pilot]
    mean = _mean([r["scores"][metric] for r in own if "refused" not in r])
    if mean is None:
        return WORTH
    return WORTH_RETURN * (abs(mean - study.floor) or abs(mean)) if returned else WORTH_SHARE * abs(mean)


def _pairs(study: Ablation, row: Contrast, metric: str, worth: float) -> int:
    """How many pairs a row takes; no more where it cannot be measured anyway."""
    try:
        differences = gains(study, row, metric, study.cells.first(study.cells.pilot))
    except LookupError:
        return study.cells.pilot
    return pairs_needed(differences, study.cells.pairing, len(study.contrasts.rows), worth, len(study.cells.all))


def _effects(study: Ablation, metric: str, counts: Sequence[int]) -> list[dict[str, Any]]:
    """The rows of the ledger; Holm's p over all of them, those that failed with p = 1 among them."""
    rows, found = study.contrasts.rows, list[tuple[Effect | None, list[float], str | None]]()
    for row, count in zip(rows, counts, strict=True):
        try:
            differences = gains(study, row, metric, study.cells.first(count))
            one = effect(differences, study.cells.pairing, len(rows), _scale(study, metric))
            found.append((one, differences, None))
        except LookupError as error:
            found.append((None, [], str(error.args[0])))
    adjusted = holm([1.0 if one is None else one.p for one, _, _ in found])
    return [
        {
            "technique": row.technique,
            "design": row.design,
            "family": row.family,
            "value": row.value,
            "reference": row.reference,
            "terms": dict(row.terms),
            **_plain(one),
            "p_adjusted": p,
            "verdict": "failed" if one is None else verdict(one, p),
            "pairs": len(differences),
            **_costs(study, row, len(differences)),
            "differences": differences,
            "others": _others(study, row, metric, len(differences)),
            "reason": reason,
        }
        for row, (one, differences, reason), p in zip(rows, found, adjusted, strict=True)
    ]


def _scale(study: Ablation, metric: str) -> float:
    """How large scores are, in the target's unit where they have one: what is small beside that is rounding."""
    scores = study.of(FULL, study.cells.all[0])["scores"]
    return abs(scores[metric] or 1.0) if has_a_unit(metric, scores) else 1.0


def _plain(found: Effect | None) -> dict[str, Any]:
    """An effect as JSON knows it."""
    names = ("gain", "low", "high", "simultaneous_low", "simultaneous_high", "p", "bound", "sees")
    values = {} if found is None else {**asdict(found), "bound": found.bound}
    return {name: values[name] if name in values and np.isfinite(values[name]) else None for name in names}


def _others(study: Ablation, row: Contrast, metric: str, pairs: int) -> dict[str, Any]:
    """Gains in the other metrics, with plain intervals: looked at, not tested."""
    found: dict[str, Any] = {}
    for other in study.of(FULL, study.cells.all[0])["scores"] if pairs else ():
        try:
            differences = gains(study, row, other, study.cells.first(pairs))
            one = effect(differences, study.cells.pairing, 1, _scale(study, other))
        except LookupError:
            continue
        if other != metric:
            found[other] = {k: v for k, v in _plain(one).items() if k in ("gain", "low", "high")}
    return found


def _costs(study: Ablation, row: Contrast, pairs: int) -> dict[str, Any]:
    """What the ingredient costs, with minus without, on average; and how many trainings diverged."""
    records = [{name: study.of(name, cell) for name in row.terms} for cell in study.cells.first(pairs)]
    found: dict[str, Any] = {"stopped": sum(bool(r["diverged"]) for each in records for r in each.values())}
    for cost in COSTS:
        known = [each for each in records if all(r[cost] is not None for r in each.values())]
        found[cost] = _mean([sum(times * each[name][cost] for name, times in row.terms.items()) for each in known])
    return found


def _variants(study: Ablation, metric: str) -> dict[str, Any]:
    """The mean score of each variant over the pilot, which all of them have."""
    found: dict[str, Any] = {}
    for name in study.contrasts.variants:
        records = [study.of(name, cell) for cell in study.cells.first(study.cells.pilot)]
        found[name] = {"score": _mean([r["scores"][metric] for r in records if "refused" not in r])}
    return found


def _trainings(study: Ablation, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Every training that the ledger rests on: both sides of every pair. One that was refused is none."""
    found = []
    for at, cell in enumerate(study.cells.all):
        for name in _needed(study, counts, at):
            place = {"variant": name, "repeat": cell.repeat, "fold": cell.fold, "seed": cell.seed}
            if "refused" not in (record := study.of(name, cell)):
                found.append({**place, **record})
    return found


def _about(study: Ablation, metric: str, worth: float) -> dict[str, Any]:
    """What the ledger is about, and at what size it was measured."""
    recipe, cells = study.contrasts.recipe, study.cells
    own = [study.of(FULL, cell) for cell in cells.first(cells.pilot)]
    known = [r for r in own if "refused" not in r]
    scores = {name: _mean([r["scores"][name] for r in known]) for name in known[0]["scores"]}
    return {
        "metric": metric,
        "examples": recipe.task.examples,
        "greater_is_better": greater_is_better(metric),
        "worth": worth,
        **study.size.about(recipe, cells),
        "folds": cells.pairing.folds,
        "ratio": cells.pairing.ratio,
        "apart": cells.pairing.apart,
        "by": recipe.split.by,
        "seed": recipe.seed,
        "pilot": cells.pilot,
        "most": len(cells.all),
        "curve_metric": next((name for name in ("return", "rmse") if name in scores), "log_loss"),
        "reference": {
            "recipe": recipe.plain(),
            "score": scores[metric],
            "scores": scores,
            **{cost: _mean([r[cost] for r in known]) for cost in COSTS},
        },
    }


def _mean(values: Sequence[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
