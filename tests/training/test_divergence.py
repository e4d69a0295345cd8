"""A loss that is no longer finite stops the run, names step and rows, and leaves the last good weights."""

import json

import polars as pl
import pytest
import torch
from small import KINDS, same

from aurify.core.archive import load, unpack
from aurify.core.errors import DivergedError

WILD = {"name": "sgd", "learning_rate": 1000.0}


def saved_weights(folder):
    newest = sorted(folder.checkpoints.glob("step-*.aurify"))[-1]
    tree = unpack(*load(newest, "checkpoint"))
    return tree["step"], tree["model"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "techniques", [{}, {"sam": {"radius": 10.0}}, {"weight_averaging": {}}], ids=["bare", "sam", "ema"]
)
def test_wild_learning_rate_stops_with_the_last_good_weights_saved(lab, frames, folder, kind, techniques):
    unscaled = frames[kind].with_columns(pl.col("b") * (1e6 if kind == "regress" else 1e30))
    store, recipe = lab.read(kind, unscaled), lab.recipe(kind, techniques, optimizer=WILD, budget={"steps": 200})
    with pytest.raises(DivergedError) as caught:
        lab.fit(recipe, folder, problem=lab.problem(recipe, store))
    record = json.loads((folder.path / "diverged.json").read_text())
    step, weights = saved_weights(folder)
    assert step == record["step"]
    assert all(torch.isfinite(v).all() for v in weights.values())
    text = str(caught.value)
    assert f"step {step}" in text
    assert "\n" not in text
    assert "learning_rate" in text
    assert len(record["rows"]) == 32


def poisoned(lab, recipe):
    """A problem with one row whose features are infinite, in the first batch, and the id of that row."""
    row = int(lab.problem(recipe).feed.next(None).rows[7])
    problem = lab.problem(recipe)
    problem.feed.inputs["numbers"][problem.feed.rows == row] = float("inf")
    return problem, row


def test_saved_weights_are_those_before_the_step_that_failed(lab, folder):
    """Sharpness-aware steps move the weights while they look around: that is not what may be saved."""
    before = []
    for radius in (0.0, 0.3):
        recipe = lab.recipe("regress", {"sam": {"radius": radius}})
        with pytest.raises(DivergedError):
            lab.fit(recipe, folder, problem=poisoned(lab, recipe)[0])
        before.append(saved_weights(folder))
        for path in folder.checkpoints.glob("*"):
            path.unlink()
    assert before[0][0] == before[1][0] == 0
    assert same(before[0][1], before[1][1])


@pytest.mark.parametrize("kind", KINDS)
def test_one_poisoned_row_is_named(lab, folder, kind):
    recipe = lab.recipe(kind)
    problem, row = poisoned(lab, recipe)
    with pytest.raises(DivergedError, match=rf"1 of them at fault: {row}\)"):
        lab.fit(recipe, folder, problem=problem)
    record = json.loads((folder.path / "diverged.json").read_text())
    assert record["bad_rows"] == [row]
    assert row in record["rows"]
    assert record["step"] == 0


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_one_absurd_cell_does_not_end_a_run(lab, frames, kind, default):
    """1e300 is a number in the file and infinite in float32."""
    absurd = frames[kind].with_columns(b=pl.when(pl.int_range(240) == 100).then(1e300).otherwise("b"))
    recipe = lab.default(kind) if default else lab.recipe(kind)
    fitted = lab.fit(recipe, problem=lab.problem(recipe, lab.read(kind, absurd)))
    assert all(torch.isfinite(v).all() for v in fitted.weights().values())


def test_resuming_after_divergence_fails_at_the_same_step(lab, frames, folder):
    store = lab.read("regress", frames["regress"].with_columns(pl.col("b") * 1e6))
    recipe = lab.recipe("regress", optimizer=WILD, budget={"steps": 200})
    said = []
    for _ in range(2):
        with pytest.raises(DivergedError) as caught:
            lab.fit(recipe, folder, problem=lab.problem(recipe, store))
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_held_out_row_that_spoils_the_score_is_named(lab, folder):
    recipe = lab.recipe("regress")
    problem = lab.problem(recipe)
    row = int(recipe.task.part(recipe, lab.store("regress")).held[3])
    problem.unseen[0]["numbers"][3] = float("inf")
    with pytest.raises(DivergedError) as caught:
        lab.fit(recipe, folder, problem=problem)
    text = str(caught.value)
    assert "held-out" in text
    assert str(row) in text
    assert "rows )" not in text
    step, weights = saved_weights(folder)
    assert step <= 4
    assert all(torch.isfinite(v).all() for v in weights.values())


def test_weights_saved_after_a_spoiled_score_are_the_run_s_own_not_their_average(lab, folder):
    """Averaged weights stand in for them while the held-out rows are scored."""
    averaging = lab.recipe("regress", {"weight_averaging": {"decay": 0.9}})
    problem = lab.problem(averaging)
    problem.unseen[0]["numbers"][3] = float("inf")
    with pytest.raises(DivergedError):
        lab.fit(averaging, folder, problem=problem)
    plain = lab.fit(lab.recipe("regress", budget={"steps": 4})).weights()
    assert same(saved_weights(folder), (4, plain))


def test_without_a_folder_the_error_is_the_same(lab, frames):
    store = lab.read("regress", frames["regress"].with_columns(pl.col("b") * 1e6))
    recipe = lab.recipe("regress", optimizer=WILD, budget={"steps": 200})
    with pytest.raises(DivergedError, match="the loss became"):
        lab.fit(recipe, problem=lab.problem(recipe, store))


@pytest.mark.parametrize("cell", [1e39, -1e300, float("inf")])
@pytest.mark.parametrize("kind", KINDS)
def test_one_absurd_cell_spoils_no_run(lab, frames, kind, cell):
    """float32 ends at 3e38: a cell beyond it must not end a training, nor make a prediction infinite."""
    frame = frames[kind].with_columns(b=pl.when(pl.int_range(240) % 40 == 3).then(cell).otherwise("b"))
    store, recipe = lab.read(kind, frame), lab.recipe(kind)
    fitted = lab.fit(recipe, problem=lab.problem(recipe, store))
    assert all(torch.isfinite(v).all() for v in fitted.weights().values())
    assert torch.isfinite(fitted.held()).all()
