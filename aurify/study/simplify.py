"""A recipe that has earned its place: the smallest one that is as good as the best, measured again on fresh folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.core.recipe import Recipe
from aurify.measure.judges import greater_is_better
from aurify.measure.paired import Effect, effect, verdict
from aurify.study.ablate import Ablation, gains
from aurify.study.cells import Cells
from aurify.study.contrasts import FULL, Contrast, Contrasts

HELPS = "helps"


def simplify(study: Ablation, ledger: Mapping[str, Any], fresh: Cells) -> tuple[Recipe, dict[str, Any]]:
    """Take out, the worst first, every technique that does not measurably help; keep the smallest that is good enough.

    Good enough is a recipe whose interval of the difference to the best one on the way reaches 0. It was chosen by
    these very pairs, which flatters it: it is then compared with the full recipe on ``fresh`` cells, and where it is
    worse there, nothing is taken out.
    """
    metric, recipe = ledger["metric"], study.contrasts.recipe
    path = _road(study.contrasts, _idle(ledger, recipe))
    names, pilot = [FULL, *path], study.cells.first(study.cells.pilot)
    study.make(study.wanted(names, pilot), len(path), "simplifying")
    scores = {name: _gains(study, metric, study.cells, name) for name in names}
    usable = [name for name in names if scores[name] is not None]
    usable = usable if FULL in usable else [FULL]  # beside an undefined score nothing can be judged
    best = max(usable, key=lambda name: float(np.mean(scores[name] or [0.0])))
    chosen = next((name for name in reversed(usable) if _good_enough(study, metric, name, best)), FULL)
    remeasured = None if chosen == FULL else _remeasured(replace(study, cells=fresh), metric, chosen)
    earned = remeasured is not None and remeasured["verdict"] not in ("hurts", "failed")
    kept = study.contrasts.variants[chosen] if earned else recipe
    return kept, {
        "removed": path[chosen] if earned else [],
        "tried": path.get(chosen, []),
        "kept": [t.name() for t in kept.techniques],
        "picked": _brief(_effect(study, metric, chosen, FULL)),
        "remeasured": remeasured,
        "path": [_step(study, metric, name, path.get(name, [])) for name in usable],
    }


def _remeasured(study: Ablation, metric: str, chosen: str) -> dict[str, Any]:
    """What the chosen recipe has before the full one where nothing was chosen by."""
    pilot = study.cells.first(study.cells.pilot)
    study.make(study.wanted([FULL, chosen], pilot), 1, "measuring the simpler recipe again")
    found = _effect(study, metric, chosen, FULL)
    told = verdict(found, found.p) if np.isfinite(found.gain) else "failed"
    return {**_brief(found), "pairs": study.cells.pilot, "verdict": told}


def _step(study: Ablation, metric: str, name: str, removed: list[str]) -> dict[str, Any]:
    """A recipe on the road: its score in the metric's own direction, and what it has before the full one."""
    scores, turn = _gains(study, metric, study.cells, name), 1 if greater_is_better(metric) else -1
    score = None if scores is None else turn * float(np.mean(scores))
    return {"removed": removed, "score": score, **_brief(_effect(study, metric, name, FULL))}


def _idle(ledger: Mapping[str, Any], recipe: Recipe) -> list[str]:
    """Techniques that no row shows to help, what harms most first."""
    rows = [row for row in ledger["effects"] if row["design"] == "leave_one_out" and row["gain"] is not None]
    used = {t.name() for t in recipe.techniques}
    idle = [row for row in rows if row["verdict"] != HELPS and row["technique"] in used]
    return [row["technique"] for row in sorted(idle, key=lambda row: row["gain"])]


def _road(contrasts: Contrasts, idle: Sequence[str]) -> dict[str, list[str]]:
    """Ever smaller recipes, each a variant, and what is missing in each."""
    recipe, road = contrasts.recipe, dict[str, list[str]]()
    for at, name in enumerate(idle, 1):
        recipe = recipe.without(name)
        variant = f"without {name}" if at == 1 else f"without {at} techniques"
        contrasts.variants[variant] = recipe
        road[variant] = list(idle[:at])
    return road


def _gains(study: Ablation, metric: str, cells: Cells, name: str) -> list[float] | None:
    """The scores of a variant, better being greater; None where it could not be trained."""
    row = Contrast(name, "", study.contrasts.rows[0].reference, {name: 1})
    try:
        return gains(study, row, metric, cells.first(cells.pilot))
    except LookupError:
        return None


def _effect(study: Ablation, metric: str, name: str, other: str) -> Effect:
    """What a variant has before another; all NaN where a score of theirs is undefined."""
    one, two = (_gains(study, metric, study.cells, each) for each in (name, other))
    if one is None or two is None:
        return Effect(*[np.nan] * 5, p=1.0, sees=np.nan)
    return effect((np.array(one) - np.array(two)).tolist(), study.cells.pairing, 1, float(np.abs(two).mean()))


def _good_enough(study: Ablation, metric: str, name: str, best: str) -> bool:
    found = _effect(study, metric, name, best)
    return not found.high < 0 if np.isfinite(found.high) else found.gain >= 0


def _brief(found: Effect) -> dict[str, float | None]:
    numbers = {"gain": found.gain, "low": found.low, "high": found.high}
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}
