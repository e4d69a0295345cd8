"""Promises of parts together: networks learn with optimizers, and two techniques train and resume in one recipe."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import torch

from aurify.core.errors import listing
from aurify.core.folder import RunFolder
from aurify.testing.cases import Case, require
from aurify.testing.differences import first_difference
from aurify.testing.lab import STEPS, variants
from aurify.testing.training import IN_STATE
from aurify.training.fit import build

TECHNIQUES = ("fill_missing", "scale_numbers", "encode_categories", "gradient_clipping")
BUDGET = {"steps": 60, "validate_every": 10}


def network_learns_with_every_optimizer(case: Case) -> None:
    """In 60 steps the held-out error falls by a tenth and more below that of the first weights."""
    names = TECHNIQUES + (("scale_target",) if case.kind == "regress" else ())
    network, optimizer = {"name": case.part.name()}, {"name": case.other.name()}
    recipe = case.lab.recipe(
        case.kind, {name: {} for name in names}, network=network, optimizer=optimizer, budget=dict(BUDGET)
    )
    fitted = case.lab.fitted(recipe)
    wild = [name for name, value in fitted.weights().items() if not torch.isfinite(value).all()]
    require(not wild, f"with {case.other.name()} weights are not finite: {listing(wild)}")
    problem = case.lab.problem(recipe)
    first = problem.score(build(recipe, problem.signature).eval())
    best = min(entry[fitted.problem.score_name] for entry in fitted.run.log)
    require(best < 0.9 * first, f"{case.part.name()} with {case.other.name()} goes from {first:.3g} to {best:.3g} only")


def pair_of_techniques_trains_and_resumes(case: Case) -> None:
    """Beside another technique, with drawn settings of both, weights stay finite and a resumed run ends the same."""
    draw = random.Random(str(case))
    network = {"name": "mlp", "width": 16, "norm": draw.choice(["none", "batch", "layer"])}
    recipe = case.lab.recipe(case.kind, network=network)
    for technique in (case.part, case.other):
        recipe = case.lab.using(recipe, "technique", technique, draw.choice(list(variants(technique).values())))
    stops = sorted(draw.sample(range(STEPS), 3))
    said = f"{[(t.name(), t.settings()) for t in recipe.techniques]} stopped after {stops}"
    with tempfile.TemporaryDirectory(prefix="aurify-") as folder:
        resumed = case.lab.fit_in_sittings(recipe, RunFolder(Path(folder)), stops)
    wild = [name for name, value in resumed.weights().items() if not torch.isfinite(value).all()]
    require(not wild, f"{said}: weights are not finite: {listing(wild)}")
    place = first_difference(case.lab.fit(recipe).trace(), resumed.trace())
    require(place is None, f"{said}: a resumed run ends otherwise, first {place}; {IN_STATE}")
