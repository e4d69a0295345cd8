"""Sweeps: other values of a setting, each once, against the recipe's own."""

import pytest
from differing import changed, names

from aurify.core.errors import AurifyError
from aurify.core.recipe import flat
from aurify.study.contrasts import FULL


def swept(made):
    return [row.value for row in made.rows]


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("dropout.rate=0,0.3,0.1", [0, 0.3]),  # the recipe's own is what they are compared with
        ("dropout.rate=0.3,0.3,0.30", [0.3]),
        ("scale_numbers.method", ["quantile", "robust"]),
        ("mixup.alpha=0.2,0.4", [0.2, 0.4]),
        ("budget.steps=3,6", [3, 6]),
        ("budget.batch_size=16,64", [16, 64]),
        ("optimizer.learning_rate=1e-3,0.001,1e-2", [0.001]),
        ("network.width=8", [8]),
        ("early_stopping.keep_best", [False]),
    ],
)
def test_a_sweep_tries_each_value_once_and_not_the_recipes_own(word, values, recipe, contrasts):
    made = contrasts()
    made.sweep(word)
    path = word.partition("=")[0]
    assert sorted(swept(made)) == sorted(values) if word != "scale_numbers.method" else len(swept(made)) >= 1
    for row in made.rows:
        (variant, plus), (full, minus) = row.terms.items()
        assert (plus, full, minus) == (1, FULL, -1)
        assert row.technique == path
        other = flat(made.variants[variant].plain())
        key = path if path.split(".")[0] in ("network", "optimizer", "budget") else f"techniques.{path}"
        assert other[key] == row.value
        assert changed(recipe, made.variants[variant]) >= {key}
        if path.partition(".")[0] in names(recipe):
            assert changed(recipe, made.variants[variant]) == {key}
            assert str(flat(recipe.plain())[key]) in row.reference


@pytest.mark.parametrize(
    "path", ["dropout.rate", "weight_decay.amount", "network.depth", "optimizer.learning_rate", "mixup.alpha"]
)
def test_values_that_are_not_given_are_spread_over_the_range_worth_searching(path, lab, catalog, contrasts):
    made = contrasts()
    made.sweep(path)
    setting = catalog.search_space(lab.default("classify"))[path]
    values = swept(made)
    assert 3 <= len(values) <= 5
    assert values == sorted(set(values))
    assert min(values) >= setting.low
    assert max(values) <= setting.high * 1.001
    if "depth" in path:
        assert all(isinstance(v, int) for v in values)


def test_sweep_of_a_technique_that_is_off_switches_it_on_in_place_of_what_fills_its_slot(recipe, contrasts):
    made = contrasts()
    assert "cosine" in names(recipe)
    made.sweep("one_cycle.rising=0.2")
    (row,) = made.rows
    other = made.variants["one_cycle.rising=0.2"]
    assert set(names(other)) == {*names(recipe), "one_cycle"} - {"cosine"}
    assert row.reference == "the recipe"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("dropout.rate=2", r"dropout.rate = 2 is out of range"),
        ("dropout.rate=a", r"dropout.rate = 'a' is not a number"),
        ("dropout.rate=nan", r"dropout.rate"),
        ("dropout.rate=0.1", r"dropout.rate = 0.1 already"),
        ("dropout.rate=,", r"dropout.rate"),
        ("dropout", r"--sweep dropout: .*rate"),
        ("dropout.", r"--sweep dropout"),
        ("dropout=0.1", r"--sweep dropout"),
        ("dropout.rat", r"did you mean 'rate'"),
        ("dropuot.rate", r"did you mean 'dropout'"),
        ("seed=1", r"no part 'seed'"),
        ("", r"--sweep"),
        (".", r"--sweep"),
        ("=", r"--sweep"),
        ("network.width=0", r"out of range"),
        ("budget.steps", r"say which values"),
        ("scale_target.method", r"does not fit|no setting"),
    ],
)
def test_nonsense_to_sweep_is_said_in_a_line(word, said, contrasts):
    with pytest.raises(AurifyError, match=said) as error:
        contrasts().sweep(word)
    assert "\n" not in str(error.value)
