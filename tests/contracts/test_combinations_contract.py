"""Parts together: networks with optimizers, and pairs of techniques drawn anew for every commit."""

import random
import subprocess
from pathlib import Path

import pytest
import torch
from small import network_for, same, variants

from aurify.core.folder import RunFolder
from aurify.training.fit import build

PAIRS = 12


def commit() -> str:
    """The commit seeds the sample: fixed for one commit, another one for the next."""
    try:
        words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "no repository"


def test_every_network_learns_with_every_optimizer(lab, network, optimizer, kind):
    techniques = {"fill_missing": {}, "scale_numbers": {}, "encode_categories": {}, "gradient_clipping": {}}
    if kind == "regress":
        techniques["scale_target"] = {}
    recipe = lab.recipe(
        kind,
        techniques,
        network={"name": network.name()},
        optimizer={"name": optimizer.name()},
        budget={"steps": 60, "validate_every": 10},
    )
    fitted = lab.fitted(recipe)
    scores = [entry[fitted.problem.score_name] for entry in fitted.run.log]
    assert all(torch.isfinite(v).all() for v in fitted.weights().values())
    assert min(scores) < 0.9 * scores_untrained(lab, recipe), scores


def scores_untrained(lab, recipe):
    problem = lab.problem(recipe)
    return problem.score(build(recipe, problem.signature).eval())


@pytest.mark.parametrize("at", range(PAIRS))
@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_sampled_pair_of_techniques_trains_and_resumes(lab, catalog, tmp_path, kind, at):
    draw = random.Random(f"{commit()}/{kind}/{at}")
    names = sorted(n for n, t in catalog.parts["technique"].items() if network_for(t, lab.task(kind)))
    while True:
        one, two = (catalog.parts["technique"][n] for n in draw.sample(names, 2))
        if one.slot is None or one.slot != two.slot:
            break
    settings = {t.name(): draw.choice(list(variants(t).values())) for t in (one, two)}
    recipe = lab.recipe(kind, network={"name": "mlp", "width": 16, "norm": draw.choice(["none", "batch", "layer"])})
    for technique in (one, two):
        recipe = lab.using(recipe, "technique", technique, settings[technique.name()])
    stops = sorted(draw.sample(range(12), 3))
    resumed = lab.fit_in_sittings(recipe, RunFolder(tmp_path), stops)
    assert all(torch.isfinite(v).all() for v in resumed.weights().values()), settings
    assert same(resumed.trace(), lab.fit(recipe).trace()), (settings, stops)
