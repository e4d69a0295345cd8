"""Mixup blends what was encoded, never codes or gaps."""

import torch
from small import same

from aurify.techniques.mixing import Mixup
from aurify.training import fit as loop


def mixed(lab, kind, techniques=None):
    recipe = lab.recipe(kind, {"encode_categories": {"method": "one_hot"}, **(techniques or {"mixup": {"alpha": 1.0}})})
    problem = lab.problem(recipe)
    run = loop.begin(recipe, problem, torch.device("cpu"), 12)
    batch = problem.feed.next(run.model)
    for technique in recipe.techniques:
        after = technique.on_batch(batch, run)
        batch, before = after, batch
        if technique.name() == "mixup":
            return recipe, run, before, after  # the batch as mixup got it and as it left it
    raise AssertionError


def test_codes_are_never_averaged(lab):
    _, _, before, after = mixed(lab, "classify")
    assert same(dict(before.inputs), dict(after.inputs))
    assert after.blend.inputs["codes"].dtype == torch.int64
    rows = {tuple(r.tolist()) for r in before.inputs["codes"]}
    assert {tuple(r.tolist()) for r in after.blend.inputs["codes"]} <= rows


def test_blend_enters_after_encoding_and_targets_follow_with_the_same_share(lab):
    _, run, before, after = mixed(lab, "classify")
    entries = run.model.enter
    own, partner = entries(after.inputs), entries(after.blend.inputs)
    share = after.blend.share[:, None]
    torch.testing.assert_close(entries(after.inputs, after.blend), share * own + (1 - share) * partner)
    partner_target = before.target[[row_of(before, after, i) for i in range(len(after))]]
    torch.testing.assert_close(after.target, share * before.target + (1 - share) * partner_target)
    assert torch.allclose(after.target.sum(1), torch.ones(len(after)))


def row_of(before, after, at):
    """Which row of the batch is the partner of another."""
    same_row = [
        i
        for i in range(len(before))
        if all(torch.equal(before.inputs[n][i], after.blend.inputs[n][at]) for n in before.inputs)
    ]
    return same_row[0]


def test_shares_are_beta_distributed(lab):
    _, run, before, _ = mixed(lab, "regress", {"mixup": {"alpha": 0.4}})
    shares = []
    for run.step in range(400):
        shares.append(Mixup(alpha=0.4).on_batch(before, run).blend.share)
    share = torch.cat(shares)
    expected = torch.distributions.Beta(0.4, 0.4)
    assert abs(float(share.mean()) - 0.5) < 0.02
    assert abs(float(share.var()) - float(expected.variance)) < 0.01
    assert 0 <= float(share.min()) <= float(share.max()) <= 1


def test_tiny_alpha_gives_whole_shares_and_no_nan(lab):
    _, run, before, _ = mixed(lab, "regress")
    for run.step in range(50):
        share = Mixup(alpha=1e-3).on_batch(before, run).blend.share
        assert torch.isfinite(share).all()


def test_weights_of_rows_are_blended_like_their_targets(lab):
    """A pair's target is a mix of two classes, so its weight is the mix of their weights."""
    _, _, before, after = mixed(lab, "classify", {"balance_classes": {}, "mixup": {"alpha": 1.0}})
    partners = [row_of(before, after, i) for i in range(len(after))]
    share = after.blend.share
    torch.testing.assert_close(after.weight, share * before.weight + (1 - share) * before.weight[partners])
