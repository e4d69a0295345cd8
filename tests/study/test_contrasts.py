"""Contrasts compare exactly what they say: each variant differs from the recipe in the ingredient it is named after."""

from dataclasses import dataclass, replace

import pytest

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Technique, Trait, fills, knob
from aurify.core.recipe import flat
from aurify.study.contrasts import BARE, FULL, Contrasts, families, ingredients


@dataclass(kw_only=True)
class Jitter(Technique):
    """Shake inputs a little."""

    size: float = knob(0.1, "how much", low=0.01, high=1.0, log=True)
    times: int = knob(3, "how often", low=1, high=9)
    neutral = {"size": 0.0}

    def on_batch(self, batch, run):
        return batch


@dataclass(kw_only=True)
class Prepared(Technique):
    """Prepare rows, with no family and nothing to set."""

    neutral = {}

    def layer(self, view):
        return None


@pytest.fixture
def recipe(lab):
    return lab.default("classify")


@pytest.fixture
def contrasts(recipe, catalog):
    return lambda of=recipe, among=catalog: Contrasts(of, among)


def changed(one, other):
    """Which settings of two recipes differ, ``off`` where one lacks it."""
    before, after = flat(one.plain()), flat(other.plain())
    names = {**before, **after}
    return {n for n in names if before.get(n, "off") != after.get(n, "off")}


def names(recipe):
    return [t.name() for t in recipe.techniques]


@pytest.mark.parametrize("kind", ["classify", "regress"])
def test_leaving_one_out_takes_exactly_that_ingredient(kind, lab, contrasts):
    recipe = lab.default(kind)
    made = contrasts(recipe)
    made.leave_one_out()
    rows = {row.technique: row for row in made.rows}
    assert list(rows) == [*names(recipe), "adamw"]  # the lab's network is the plainest already
    for name, row in rows.items():
        without = f"without {name}"
        assert dict(row.terms) == {FULL: 1, without: -1}
        assert row.design == "leave_one_out"
        other = made.variants[without]
        if name == "adamw":
            assert other.optimizer.name() == recipe.task.plainest["optimizer"]
            assert "sgd" in row.reference
            assert {n.partition(".")[0] for n in changed(recipe, other)} == {"optimizer"}
        else:
            assert {n.split(".")[1] for n in changed(recipe, other)} == {name}
            assert names(other) == [n for n in names(recipe) if n != name]
    assert made.variants[FULL] is recipe


def test_what_is_plain_already_is_no_ingredient(lab, catalog):
    plain = lab.recipe("classify", {}, network={"name": "mlp"}, optimizer={"name": "sgd"})
    assert ingredients(plain, catalog) == []
    rich = lab.recipe("classify", {}, network={"name": "tabm"}, blend={"model": "trees"})
    found = {one.name: one for one in ingredients(rich, catalog)}
    assert list(found) == ["tabm", "adamw", "trees"]
    assert found["tabm"].off(rich).network == catalog.part("network", {"name": "mlp"})
    assert found["trees"].off(rich).blend.model == "none"
    assert found["trees"].off(rich).network == rich.network


def test_techniques_that_need_what_the_network_offers_go_with_it(lab, catalog, contrasts):
    recipe = lab.recipe("classify", {"stochastic_depth": {}, "dropout": {}}, network={"name": "resnet_table"})
    made = contrasts(recipe)
    made.leave_one_out()
    without = made.variants["without resnet_table"]
    assert without.network.name() == "mlp"
    assert names(without) == ["dropout"]
    assert Trait.RESIDUAL not in without.network.offers


def test_adding_one_tries_every_technique_that_fits_and_says_of_the_others_why_not(recipe, catalog, contrasts):
    made = contrasts()
    made.add_one()
    tried = {row.technique: row for row in made.rows}
    left = dict(made.left_out)
    fitting = {
        n for n, k in catalog.parts["technique"].items() if k.needs <= recipe.task.traits | recipe.network.offers
    }
    assert set(tried) | set(left) == fitting - set(names(recipe))
    assert not set(tried) & set(left)
    for name, row in tried.items():
        other = made.variants[f"with {name}"]
        assert dict(row.terms) == {f"with {name}": 1, FULL: -1}
        gone = set(names(recipe)) - set(names(other))
        assert set(names(other)) - set(names(recipe)) == {name}
        assert len(gone) <= 1
        assert (min(gone) in row.reference) if gone else row.reference == "the recipe"
        own = next(t for t in other.techniques if t.name() == name)
        assert any(own.settings()[k] != v for k, v in own.neutral.items()), f"{name} changes nothing"
    assert any("in its place" in row.reference for row in tried.values())
    for name, reason in left.items():
        assert reason, name


def test_technique_that_cannot_be_made_without_words_is_left_out_with_its_reason(lab, contrasts):
    @dataclass(kw_only=True)
    class Demanding(Jitter):
        """Needs a column."""

        column: str = knob(help="a column", column=True)

    made = contrasts(among=with_parts(lab, Demanding))
    made.add_one()
    assert "column" in dict(made.left_out)["demanding"]


def test_the_road_begins_bare_adds_one_a_step_and_ends_at_the_full_recipe(lab, catalog, contrasts):
    extra = {"stochastic_depth": {}, "mixup": {}, "dropout": {}, "scale_numbers": {}, "drop_duplicates": {}}
    recipe = lab.recipe("classify", extra, network={"name": "resnet_table"}, blend={"model": "trees"})
    made = contrasts(recipe)
    made.cumulative()
    bare = made.variants[BARE]
    assert (bare.network.name(), bare.optimizer.name(), names(bare)) == ("mlp", "sgd", [])
    assert bare.blend.model == "none"
    assert ingredients(bare, catalog) == []
    before = BARE
    for row in made.rows:
        (after, plus), (start, minus) = row.terms.items()
        assert (plus, minus, start) == (1, -1, before)
        differ = {n.split(".")[0 if not n.startswith("techniques") else 1] for n in changed(*pair(made, start, after))}
        expected = {"resnet_table": "network", "adamw": "optimizer", "trees": "blend"}.get(row.technique, row.technique)
        assert differ == {expected}
        before = after
    assert before == FULL
    assert made.variants[before] == recipe
    assert {row.technique for row in made.rows} == {one.name for one in ingredients(recipe, catalog)}


def pair(made, *variants):
    return [made.variants[name] for name in variants]


def test_road_of_a_bare_recipe_has_no_steps(lab, contrasts):
    made = contrasts(lab.recipe("classify", {}, optimizer={"name": "sgd"}))
    made.cumulative()
    made.leave_one_out()
    assert made.rows == []


def test_families_are_taken_out_whole(recipe, catalog, contrasts):
    made = contrasts()
    made.families(["all"])
    known = families(recipe.techniques)
    assert {row.technique for row in made.rows} == set(known) > {"preprocessing", "training", "regularisation"}
    for row in made.rows:
        (full, plus), (without, minus) = row.terms.items()
        assert (full, plus, minus) == (FULL, 1, -1)
        assert set(names(recipe)) - set(names(made.variants[without])) == set(known[row.technique])
        assert changed(made.variants[FULL], made.variants[without])
        for name in known[row.technique]:
            assert name in row.reference
    broad = set(known["preprocessing"]), set(known["training"])
    assert broad[0] | broad[1] == set(names(recipe))
    assert not broad[0] & broad[1]
    for technique in recipe.techniques:
        assert (technique.name() in broad[0]) == any(fills(technique, s) for s in ("rows", "layer", "target"))


def test_unknown_family_is_named_with_those_there_are(contrasts):
    with pytest.raises(AurifyError, match=r"--families regularization: .*did you mean 'regularisation'"):
        contrasts().families(["regularization"])


def test_family_of_the_same_name_as_a_technique_does_not_take_its_place(lab, contrasts):
    @dataclass(kw_only=True)
    class Dropouts(Jitter):
        """Of a family that is called as a technique is."""

        family = "dropout"

    catalog = with_parts(lab, Dropouts)
    made = contrasts(
        catalog.recipe({**lab.default("classify").plain(), "techniques": {"dropout": {}, "dropouts": {}}}), catalog
    )
    made.leave_one_out()
    made.families(["dropout"])
    rows = {row.design: row for row in made.rows if row.technique == "dropout"}
    one, family = (made.variants[list(rows[design].terms)[1]] for design in ("leave_one_out", "family"))
    assert names(one) == ["dropouts"]
    assert names(family) == ["dropout"]


def test_interactions_are_what_two_gain_together_beyond_each_alone(recipe, contrasts):
    made = contrasts()
    made.interactions(["dropout", "adamw", "weight_decay", "dropout"])
    assert [row.technique for row in made.rows] == ["dropout, adamw", "dropout, weight_decay", "adamw, weight_decay"]
    for row in made.rows:
        first, second = row.technique.split(", ")
        both = f"without {first} and {second}"
        assert dict(row.terms) == {FULL: 1, f"without {first}": -1, f"without {second}": -1, both: 1}
    both = made.variants["without dropout and adamw"]
    assert "dropout" not in names(both)
    assert both.optimizer.name() == "sgd"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["dropuot", "adamw"], "did you mean 'dropout'"),
        (["mixup", "adamw"], "does not use it"),
        (["dropout"], "two ingredients"),
        (["dropout", "dropout"], "two ingredients"),
    ],
)
def test_interactions_that_cannot_be_are_refused(given, said, contrasts):
    with pytest.raises(AurifyError, match=said):
        contrasts().interactions(given)


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
        ("optimizer.learning_rate=0.001", [0.001]),
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


def test_every_technique_of_the_package_has_a_family(catalog):
    own = {n: k for n, k in catalog.parts["technique"].items() if k.__module__.startswith("aurify.techniques")}
    assert len(own) > 25
    assert not [name for name, kind in own.items() if not kind.family]
    assert not {k.family for k in own.values()} & set(own), "a family is called as a technique is"


def with_parts(lab, *parts):
    """The package's parts and these."""
    known = {group: dict(named) for group, named in lab.catalog.parts.items()}
    for part in parts:
        known["network" if issubclass(part, Network) else "technique"][part.name()] = part
    return replace(lab.catalog, parts=known) if hasattr(lab.catalog, "__dataclass_fields__") else Catalog(known)


def test_technique_of_ones_own_takes_part(lab, contrasts):
    catalog = with_parts(lab, Jitter, Prepared)
    made = contrasts(among=catalog)
    made.add_one()
    rows = {row.technique: row for row in made.rows}
    assert rows["jitter"].family == "training"
    assert dict(made.left_out)["prepared"].startswith("nothing to switch on")
    recipe = catalog.recipe({**lab.default("classify").plain(), "techniques": {"jitter": {}, "prepared": {}}})
    used = Contrasts(recipe, catalog)
    used.leave_one_out()
    assert [row.family for row in used.rows] == ["training", "preprocessing", "optimizer"]
    used.sweep("jitter.times")
    assert swept(used)[3:] == [1, 5, 7, 9]


def test_all_families_stay_all_beside_one_of_them(contrasts):
    alone, beside = contrasts(), contrasts()
    alone.families(["all"])
    beside.families(["all", "preprocessing"])
    assert [row.technique for row in beside.rows] == [row.technique for row in alone.rows]


def test_a_sweep_without_a_setting_names_the_settings(contrasts):
    with pytest.raises(AurifyError, match=r"--sweep dropout: say which of its settings; known: dropout\.rate"):
        contrasts().sweep("dropout")
