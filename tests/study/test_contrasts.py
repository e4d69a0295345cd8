"""Contrasts compare exactly what they say: each variant differs from the recipe in the ingredient it is named after."""

from dataclasses import dataclass, replace

import pytest
from differing import changed, names

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Technique, Trait, fills, knob
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
    assert [row.value for row in used.rows][3:] == [1, 5, 7, 9]


def test_all_families_stay_all_beside_one_of_them(contrasts):
    alone, beside = contrasts(), contrasts()
    alone.families(["all"])
    beside.families(["all", "preprocessing"])
    assert [row.technique for row in beside.rows] == [row.technique for row in alone.rows]


def test_a_sweep_without_a_setting_names_the_settings(contrasts):
    with pytest.raises(AurifyError, match=r"--sweep dropout: say which of its settings; known: dropout\.rate"):
        contrasts().sweep("dropout")
