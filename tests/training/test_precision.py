"""Half the digits: bfloat16 trains near float32, repeats and resumes to the bit."""

import pytest
import torch
from small import KINDS, same


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_repeats_resumes_and_stays_near_float32(lab, folder, kind):
    # steep curves, and many inputs of which a few have gradients near 0: a digit more or less shows
    plain = lab.default(kind).without("piecewise_linear").without("calendar")
    recipe = lab.using(plain, "technique", lab.catalog.find("technique", "mixup"), {})
    low = lab.recipe(kind, recipe.plain()["techniques"], precision="bfloat16")
    fitted = lab.fit(low)
    assert same(lab.fit_in_sittings(low, folder, [1, 3, 7]).trace(), fitted.trace())
    full = lab.fitted(recipe)
    assert not same(fitted.weights(), full.weights())
    for name, weight in full.weights().items():
        assert fitted.weights()[name].dtype == weight.dtype, "weights stay float32"
        if weight.is_floating_point():
            torch.testing.assert_close(fitted.weights()[name], weight, rtol=0.1, atol=0.05)


def test_losses_are_taken_in_float32(lab):
    """A mean of small differences is lost in eight bits."""
    recipe = lab.recipe("regress", precision="bfloat16", budget={"validate_every": 1})
    losses = [entry["loss"] for entry in lab.fit(recipe).run.log]
    assert any(loss != float(torch.tensor(loss).bfloat16()) for loss in losses)
