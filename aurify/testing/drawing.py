"""Promises about random numbers: switching one technique on never shifts what another draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import SkipTest, mock

from torch import Tensor

from aurify.core import rng
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.techniques.mixing import Mixup
from aurify.testing.cases import Case, require
from aurify.testing.differences import first_difference, same
from aurify.testing.lab import Lab
from aurify.training import fit as loop

WATCHED: dict[str, dict[str, float]] = {"dropout": {"rate": 0.3}, "mixup": {"alpha": 0.5}}
OWN_STREAM = (
    "draw from run.random(NAME), whose numbers depend on seed, name and step alone; layers that draw in forward() are"
    " aurify.blocks.dropout.Dropout or made from aurify.core.rng.Stochastic"
)


def switching_it_on_shifts_no_other_draw(case: Case) -> None:
    """Dropout masks, mixup shares and the rows of each batch are the same with and without it."""
    others = {name: settings for name, settings in WATCHED.items() if name != case.part.name()}
    on = case.lab.using(case.lab.recipe(case.kind, others), case.group, case.part, case.part.vivid)
    if len(on.techniques) < len(others) + 1:
        others = {t.name(): WATCHED[t.name()] for t in on.techniques if t.name() in WATCHED}  # one slot, one technique
    off = replace(case.lab.recipe(case.kind, others), network=on.network)
    (before, epoch_before), (after, epoch_after) = (_draws(case.lab, recipe, set(others)) for recipe in (off, on))
    if epoch_before != epoch_after:
        raise SkipTest("it changes which rows are learnt from, and so the batches")
    places = {place[:-1] for place in before}  # the last is the step; its own draws are elsewhere
    after = {k: v for k, v in after.items() if k[:-1] in places}
    require(bool(after) or not others, "with it on, dropout and mixup no longer draw at all")
    lone = next((k for k in after if k not in before), None) or next(
        (k for k in after if not same(before[k], after[k])), None
    )
    require(lone is None, f"other draws are shifted, first {lone}; {OWN_STREAM}")


def _draws(lab: Lab, recipe: Recipe, watched: set[str]) -> tuple[dict[tuple[Any, ...], Any], int]:
    """What the watched techniques drew in a run, by where and when, and the steps of an epoch."""
    with _noting() as seen:
        fitted = lab.fit(recipe)
    of = {"mask": "dropout", "share": "mixup", "rows": "mixup"}
    return {k: v for k, v in seen.items() if of[k[0]] in watched}, fitted.problem.feed.steps_per_epoch


@contextmanager
def _noting() -> Iterator[dict[tuple[Any, ...], Any]]:
    """Note every dropout mask and mixup share by where and when it was drawn, and the rows served."""
    seen: dict[tuple[Any, ...], Any] = {}
    keep_mask, on_batch = rng.Draws.keep_mask, Mixup.on_batch

    def noting_mask(self: rng.Draws, path: str, like: Tensor, rate: float) -> Tensor:
        mask = keep_mask(self, path, like, rate)
        drawn = mask.clone()  # the layer scales it in place
        place = ("mask", path, self.step)
        require(place not in seen or same(seen[place], drawn), f"one place and step, two masks: {place}")
        seen[place] = drawn
        return mask

    def noting_share(self: Mixup, batch: Batch, run: Run) -> Batch:
        after = on_batch(self, batch, run)
        assert after.blend is not None
        seen["share", run.step], seen["rows", run.step] = after.blend.share, batch.rows
        return after

    with mock.patch.object(rng.Draws, "keep_mask", noting_mask), mock.patch.object(Mixup, "on_batch", noting_share):
        yield seen


def switching_it_on_leaves_the_first_weights_of_the_body_alone(case: Case) -> None:
    """Layers whose shapes it does not change begin with the same numbers."""
    on = case.vivid()
    off = on.without(case.part.name())
    one, other = (dict(loop.build(r, case.lab.problem(r).signature).named_parameters()) for r in (off, on))
    changed = {_layer(n) for n in {**one, **other} if n not in one or n not in other or one[n].shape != other[n].shape}
    shared = [name for name in one if _layer(name) not in changed]
    body = {"leave.weight", "body.1.linear.weight"} & set(one)
    kept = body <= set(shared) if body else 2 * len(shared) >= len(one)
    require(kept, f"it replaces layers of the body: {changed}")
    place = first_difference({n: one[n] for n in shared}, {n: other[n] for n in shared}, "weights")
    require(
        place is None,
        f"layers of the same shape begin with other numbers, first {place}; leave existing weights alone in begin()",
    )


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
