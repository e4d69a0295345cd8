"""Switching one technique on never shifts what another draws: masks, shares, the order of rows, first weights."""

from dataclasses import replace

import pytest
import torch
from small import same

from aurify.core import rng
from aurify.techniques.mixing import Mixup
from aurify.training import fit as loop

WATCHED = {"dropout": {"rate": 0.3}, "mixup": {"alpha": 0.5}}


@pytest.fixture
def drawn(monkeypatch):
    """Every dropout mask and mixup share by where and when it was drawn, and the hash of the rows served."""
    seen = {}
    keep_mask, on_batch = rng.Draws.keep_mask, Mixup.on_batch

    def noting_mask(self, path, like, rate):
        mask = keep_mask(self, path, like, rate)
        drawn = mask.clone()  # the layer scales it in place
        place = ("mask", path, self.step)
        assert place not in seen or same(seen[place], drawn), "one place and step, two masks"
        seen[place] = drawn
        return mask

    def noting_share(self, batch, run):
        after = on_batch(self, batch, run)
        seen["share", run.step], seen["rows", run.step] = after.blend.share, batch.rows
        return after

    monkeypatch.setattr(rng.Draws, "keep_mask", noting_mask)
    monkeypatch.setattr(Mixup, "on_batch", noting_share)
    return seen


def test_switching_it_on_shifts_no_other_draw(lab, drawn, technique, kind):
    others = {name: settings for name, settings in WATCHED.items() if name != technique.name()}
    on = lab.using(lab.recipe(kind, others), "technique", technique, technique.vivid)
    if len(on.techniques) < len(others) + 1:
        others = {t.name(): WATCHED[t.name()] for t in on.techniques if t.name() in WATCHED}  # one slot, one technique
    draws = []
    for recipe in (replace(lab.recipe(kind, others), network=on.network), on):
        drawn.clear()
        fitted = lab.fit(recipe)
        draws.append(({k: v for k, v in drawn.items() if _of(k) in others}, fitted.problem.feed.steps_per_epoch))
    (off, epoch_off), (now, epoch_now) = draws
    if epoch_off != epoch_now:
        pytest.skip("it changes which rows are learnt from, and so the batches")
    places = {place[:-1] for place in off}  # the last is the step; its own draws are elsewhere
    now = {k: v for k, v in now.items() if k[:-1] in places}
    assert same({k: off[k] for k in now}, now)
    assert now or not others


def _of(place):
    return "dropout" if place[0] == "mask" else "mixup"


def test_switching_it_on_leaves_the_first_weights_of_the_body_alone(lab, technique, kind):
    """Layers whose shapes it does not change begin with the same numbers."""
    on = lab.using(lab.recipe(kind), "technique", technique, technique.vivid)
    off = on.without(technique.name())
    one, other = (loop.build(r, lab.problem(r).signature).state_dict() for r in (off, on))
    changed = {_layer(n) for n in {**one, **other} if n not in one or n not in other or one[n].shape != other[n].shape}
    shared = [name for name in one if _layer(name) not in changed]
    assert {"leave.weight", "body.1.linear.weight"} <= set(shared)
    for name in shared:
        assert torch.equal(one[name], other[name]), name


def _layer(name):
    return name.rpartition(".")[0]
