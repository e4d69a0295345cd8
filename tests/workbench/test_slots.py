"""A technique that is asked for takes the place of the recipe's own in its slot, and that is said."""

import json

import pytest

from aurify import workbench
from aurify.core.errors import AurifyError

SMALL = {"network.width": 8, "network.depth": 1, "budget.steps": 2}


@pytest.fixture
def fit(frames, tmp_path):
    def run(name="run", **words):
        notes = []
        fitted = workbench.fit(frames["classify"], "y", settings=SMALL, out=tmp_path / name, note=notes.append, **words)
        return fitted, [note for note in notes if "takes the place" in note]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("word", ["one_cycle", "one_cycle.dip=0.05", "reduce_on_plateau", "decay.shape=steps"])
def test_schedule_asked_for_takes_the_place_of_the_default_one(fit, word):
    run, said = fit(using=[word])
    name = word.partition(".")[0]
    assert said == [f"{name} takes the place of cosine (slot schedule)"]
    assert said[0] in [f["text"] for f in json.loads(run.folder.findings.read_text())]
    names = {t.name() for t in run.recipe.techniques}
    assert name in names
    assert "cosine" not in names
    assert "weight_averaging" in names, "it has no slot"


@pytest.mark.slow
def test_recipe_of_a_run_gives_way_too(fit):
    one, _ = fit("one", using=["decay"])
    run, said = fit("two", recipe=one.folder.recipe, using=["cosine"])
    assert said == ["cosine takes the place of decay (slot schedule)"]
    assert "decay" not in {t.name() for t in run.recipe.techniques}


@pytest.mark.slow
def test_settings_of_what_the_recipe_uses_displace_nothing(fit):
    _, said = fit(using=["cosine.floor=0.1", "weight_averaging"])
    assert said == []


@pytest.mark.slow
def test_what_is_left_out_anyway_is_not_said(fit):
    _, said = fit(without=["cosine"], using=["one_cycle"])
    assert said == []


@pytest.mark.slow
def test_resumed_run_takes_the_same_words(fit, frames, tmp_path):
    fit(using=["one_cycle"])
    notes = []
    workbench.fit(
        frames["classify"],
        "y",
        settings=SMALL,
        using=["one_cycle"],
        out=tmp_path / "run",
        resume=True,
        note=notes.append,
    )
    assert notes == [f"{tmp_path / 'run'} is finished already: nothing to resume"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"using": ["one_cycle", "decay"]}, "'decay' and 'one_cycle' both fill the slot 'schedule'.*--without"),
        ({"using": ["cosine.floor=0.1", "decay"]}, "'cosine' and 'decay' both fill the slot 'schedule'.*--without"),
        ({"using": ["one_cylce"]}, "no technique is called 'one_cylce'; did you mean 'one_cycle'"),
        ({"using": ["one_cycle.dip"]}, "--with one_cycle.dip: write a technique"),
        ({"using": ["stochastic_depth"]}, "it needs residual branches, which the network 'tabm' lacks"),
    ],
)
def test_what_cannot_be_placed_is_refused_in_one_line(fit, words, said):
    with pytest.raises(AurifyError, match=said) as caught:
        fit(**words)
    assert "\n" not in str(caught.value)
