"""Simplifying: what does nothing goes, what helps stays, and other folds than those of the choice confirm it."""

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.study.simplify import simplify


@pytest.fixture(scope="module")
def simplified(ablate, tmp_path_factory):
    """A table whose telling column is tiny, which scaling is needed for, and a dropout that does nothing."""
    place = tmp_path_factory.mktemp("simplify")
    random = np.random.default_rng(0)
    x, z = random.normal(size=400), random.normal(size=400)
    frame = pl.DataFrame({"x": 1e5 * x, "z": 1e-4 * z, "y": np.where(z > 0, "a", "b")})
    frame.write_csv(place / "table.csv")
    recipe = {
        "network": {"name": "mlp", "width": 8, "depth": 2},
        "optimizer": {"name": "adamw", "learning_rate": 0.02},
        "techniques": {"scale_numbers": {}, "dropout": {"rate": 0.0}, "weight_decay": {"amount": 0.0}},
        "budget": {"steps": 30, "batch_size": 64},
    }
    words = {"recipe": recipe, "simplify": True, "rows": None, "steps": 30}
    return place / "table.csv", ablate(place / "table.csv", out=place / "run", **words)


def test_what_does_nothing_goes_and_what_helps_stays(simplified):
    found = simplified[1].plain["simplified"]
    verdicts = {row["technique"]: row["verdict"] for row in simplified[1].plain["effects"]}
    assert verdicts["scale_numbers"] == "helps"
    assert verdicts["dropout"] == verdicts["weight_decay"] == "identical"
    assert set(found["removed"]) == {"dropout", "weight_decay"}
    assert found["kept"] == ["scale_numbers"]
    assert [step["removed"] for step in found["path"]] == [[], found["removed"][:1], found["removed"]]
    assert found["remeasured"]["gain"] == 0
    assert found["remeasured"]["pairs"] == 10


def test_recipe_that_is_left_can_be_fitted(simplified, tmp_path):
    source, ledger = simplified
    file = ledger.path / ledger.plain["simplified"]["file"]
    run = workbench.fit(source, "y", recipe=file, out=tmp_path / "run", inspect=False, device="cpu")
    assert [t.name() for t in run.recipe.techniques] == ["scale_numbers"]
    from_recipe = workbench.fit(recipe=file, out=tmp_path / "again", inspect=False, device="cpu")
    assert from_recipe.scores.equals(run.scores)


def test_simpler_recipe_is_measured_again_on_other_folds_with_other_seeds(simplified, lines):
    chosen = {(t["repeat"], t["fold"]): t["seed"] for t in simplified[1].plain["trainings"]}
    parts = list((simplified[1].path / "ablation" / "parts").iterdir())
    assert len(parts) == 40, "20 of the ledger and 20 others"
    assert len(chosen) == 10
    ledgers = {t["variant"] for t in simplified[1].plain["trainings"]}
    assert len(ledgers) == 5  # the recipe, and without each of three techniques and of an optimizer
    keys = {line["key"] for line in lines(simplified[1].path)}
    assert len(keys) == 10 * len(ledgers) + 10 * 1 + 10 * 2, "the road has one more recipe, measured again are two"


@pytest.mark.parametrize(("shift", "removed"), [(0.0, ["dropout"]), (-0.5, [])])
def test_recipe_that_is_measured_worse_afresh_is_never_written(shift, removed, lab, catalog, tmp_path):
    """Scores are planted: without dropout it is as good on the ledger's folds, and ``shift`` better on fresh ones."""
    from aurify.study.ablate import Ablation
    from aurify.study.cells import WHOLE, cells
    from aurify.study.contrasts import Contrasts

    recipe, store = lab.recipe("regress", {"dropout": {}}), lab.store("regress")
    made = {fresh: cells(recipe, store, np.arange(240), WHOLE, tmp_path, fresh=fresh) for fresh in (False, True)}
    seeds = {cell.seed for cell in made[True].all}
    random = np.random.default_rng(0)

    class Planted:
        """A training's scores are settled when it is wanted."""

        found: dict = {}

        def make(self, wanted, check, show):
            for one in wanted:
                worse = -shift if one.cell.seed in seeds and not one.recipe.techniques else 0.0
                self.found[one.key] = {"scores": {"rmse": 1.0 + worse + 1e-3 * random.normal()}}

        def known(self, key):
            return self.found[key]

    contrasts = Contrasts(recipe, catalog)
    contrasts.leave_one_out()
    study = Ablation(
        contrasts=contrasts,
        cells=made[False],
        size=WHOLE,
        trainings=Planted(),
        check=lambda: None,
        progress=lambda *told: None,
    )
    row = {"design": "leave_one_out", "technique": "dropout", "gain": 0.0, "verdict": "no measurable difference"}
    kept, told = simplify(study, {"metric": "rmse", "greater_is_better": False, "effects": [row]}, made[True])
    assert told["removed"] == removed
    assert [step["score"] for step in told["path"]] == pytest.approx([1.0, 1.0], abs=0.01)
    assert told["tried"] == ["dropout"]
    assert [t.name() for t in kept.techniques] == ([] if removed else ["dropout"])
    assert (told["remeasured"]["verdict"] == "hurts") == (not removed)
