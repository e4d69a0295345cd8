"""A recipe is complete, frozen, in one order, and its YAML holds plain values only."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from aurify.core.errors import AurifyError
from aurify.core.parts import Technique
from aurify.core.recipe import LIMIT_BYTES, load_yaml, read_yaml, seconds

GOOD = "task: {name: table}\nnetwork: {name: mlp}\noptimizer: {name: adamw}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x 1\nnetwork: *x\n", "aliases are not used"),
        ("network: &all [*all]\n", "aliases are not used"),
        ("seed: 1\nseed: 2\n", "line 1: 'seed' is written twice"),
        ("seed: 1\nnetwork:\n  width: 1\n  depth: 2\n  width: 3\n", "line 3: 'width' is written twice"),
        ("seed: !!python/object/apply:os.system ['true']\n", "is not YAML"),
        ("!!python/name:os.system\n", "is not YAML"),
        ("network: !!python/tuple [1]\n", "is not YAML"),
        ("seed: [1, 2\n", "is not YAML"),
        ("\tseed: 1\n", "is not YAML"),
        ("seed: 1\n---\nseed: 2\n", "is not YAML"),
        ("- a\n- b\n", "is not a recipe: expected settings such as 'network:', found list"),
        ("just words\n", "found str"),
        ("", "found NoneType"),
        ("5: 1\n", "must be a name"),
        ("null: 1\n", "must be a name"),
        ("netwrok: {name: mlp}\n", "no section 'netwrok'; did you mean 'network'"),
        ("aurify: 2\n", "is of format 2; this version reads format 1"),
        ("network: {<<: {width: 1}}\n", ""),
        ("? [a, b]\n: 1\n", ""),
        ("seed: 2001-01-01\n", ""),
        ("\x00", "is not YAML"),
        ("[" * 2000, ""),
        ("{a: " * 800, ""),
    ],
)
def test_yaml_that_is_no_recipe_is_refused_in_one_line(catalog, text, said):
    with pytest.raises(AurifyError) as caught:
        catalog.recipe(read_yaml(text, "mine.yaml"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_huge_file_is_refused_unread(tmp_path):
    with pytest.raises(AurifyError, match="a recipe has at most"):
        read_yaml("a" * (LIMIT_BYTES + 1), "mine.yaml")
    (tmp_path / "latin.yaml").write_bytes("ä".encode("latin-1"))
    places = {
        tmp_path / "latin.yaml": "cannot be read",
        tmp_path / "no.yaml": "no recipe at",
        tmp_path: "cannot be read",
    }
    for path, said in places.items():
        with pytest.raises(AurifyError, match=said):
            load_yaml(path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("techniques: {mixpu: {}}\n", "no technique is called 'mixpu'; did you mean 'mixup'"),
        ("techniques: {mixup: {alhpa: 1}}\n", "mixup has no setting 'alhpa'; did you mean 'alpha'"),
        ("techniques: {mixup: {alpha: 1000}}\n", "mixup.alpha = 1000 is out of range: allowed from 0 to 100"),
        ("techniques: {mixup: 5}\n", "techniques.mixup: expected settings"),
        ("techniques: 5\n", "techniques: expected names"),
        ("techniques: {5: {}}\n", "must be a name"),
        ("split: 5\n", "split: expected settings"),
        ("split: {tset: 0.1}\n", "split has no setting 'tset'; did you mean 'test'"),
        ("budget: {epochs: 0}\n", "budget.epochs = 0 is out of range"),
        ("precision: float16\n", "precision = 'float16' is not allowed: one of float32, bfloat16"),
        ("precision: [1]\n", "precision"),
        ("seed: -1\n", "seed = -1 is not allowed"),
        ("seed: 1.5\n", "seed = 1.5 is not allowed"),
        ("seed: true\n", "seed = True is not allowed"),
        ("seed: 9223372036854775808\n", "not allowed"),
    ],
)
def test_wrong_recipe_is_refused_saying_what_is_right(catalog, more, said):
    with pytest.raises(AurifyError) as caught:
        catalog.recipe(read_yaml(GOOD + more, "mine.yaml"))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "plain", [{"network": 5}, {"network": {}}, {"network": {"name": 7}}, {"network": None}, {"network": "mpl"}]
)
def test_part_without_a_name_is_refused(catalog, plain):
    good = {"task": "table", "network": "mlp", "optimizer": "adamw"}
    assert catalog.recipe(good)
    with pytest.raises(AurifyError, match="network"):
        catalog.recipe({**good, **plain})
    for section in good:
        with pytest.raises(AurifyError, match=f"lacks the section '{section}'"):
            catalog.recipe({k: v for k, v in good.items() if k != section})


def test_techniques_may_be_listed_by_name_alone(catalog):
    good = {"task": "table", "network": "mlp", "optimizer": "adamw"}
    one = catalog.recipe({**good, "techniques": ["mixup", "dropout"]})
    two = catalog.recipe({**good, "techniques": {"dropout": None, "mixup": True}})
    assert one == two


def test_order_of_writing_does_not_matter(lab):
    names = ["weight_averaging", "encode_categories", "early_stopping", "fill_missing", "dropout", "scale_numbers"]
    recipes = [lab.recipe("classify", dict.fromkeys(n)) for n in (names, names[::-1], sorted(names))]
    assert recipes[0] == recipes[1] == recipes[2]
    assert recipes[0].to_yaml() == recipes[1].to_yaml()
    order = [t.name() for t in recipes[0].techniques]
    assert order.index("fill_missing") < order.index("scale_numbers") < order.index("encode_categories")
    assert order.index("weight_averaging") < order.index("early_stopping")


def test_misfit_technique_is_refused_with_the_way_out(lab):
    with pytest.raises(AurifyError, match=r"'focal' does not fit: it needs categorical.*--without focal"):
        lab.recipe("regress", {"focal": {}})
    with pytest.raises(AurifyError, match=r"'scale_target' does not fit: it needs continuous"):
        lab.recipe("classify", {"scale_target": {}})


def test_technique_takes_the_place_of_the_one_in_its_slot(lab, catalog):
    recipe = lab.recipe("classify", {"cosine": {}, "mixup": {}, "warm_up": {}})
    used = recipe.using(catalog.part("technique", "one_cycle"))
    assert {t.name() for t in used.techniques} == {"one_cycle", "mixup", "warm_up"}
    assert used.using(catalog.part("technique", {"name": "one_cycle", "dip": 0.2})).techniques[1].dip == 0.2


def test_two_techniques_of_one_slot_are_refused(lab):
    @dataclass(kw_only=True)
    class OtherScaler(Technique):
        slot = "scaler"

    recipe = lab.recipe("classify", {"scale_numbers": {}})
    with pytest.raises(AurifyError, match=r"'other_scaler' and 'scale_numbers' both fill the slot 'scaler'.*--without"):
        replace(recipe, techniques=(*recipe.techniques, OtherScaler()))
    with pytest.raises(AurifyError, match="'scale_numbers' is listed twice"):
        replace(recipe, techniques=(*recipe.techniques, *recipe.techniques))


def test_recipe_is_frozen_and_changes_make_new_ones(lab):
    recipe = lab.recipe("classify", {"mixup": {}, "dropout": {}})
    with pytest.raises(FrozenInstanceError):
        recipe.seed = 5
    assert [t.name() for t in recipe.without("mixup").techniques] == ["dropout"]
    louder = lab.catalog.find("technique", "dropout")(rate=0.4)
    assert recipe.using(louder).plain()["techniques"]["dropout"] == {"rate": 0.4}
    assert recipe.plain()["techniques"]["dropout"] == {"rate": 0.1}
    assert hash(recipe.seed) is not None


def test_every_default_is_written_down(lab):
    """A later version with other defaults repeats the run all the same."""
    plain = read_yaml(lab.default("classify").to_yaml(), "r.yaml")
    for section in ("source", "split", "budget"):
        assert set(plain[section]) == set(getattr(lab.default("classify"), section).knobs())
    for name, settings in plain["techniques"].items():
        assert set(settings) == set(lab.catalog.find("technique", name).knobs())


@pytest.mark.parametrize(
    "target", ["yes", "null", "1e3", "no: really", "'quoted\"", "ünï 中文", " spaced ", "- a", "#", "", "~", "12:30"]
)
def test_names_of_columns_survive_yaml(lab, target):
    recipe = lab.recipe("classify", source={"target": target, "drop": [target, "other"], "path": "a\\b"})
    assert lab.catalog.recipe(read_yaml(recipe.to_yaml(), "r.yaml")) == recipe


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("2d", 172800), (" 7 m ", 420)]
)
def test_durations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "5x", "-5", "m", "1e3", "inf", "5 m s", "0.0h"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(AurifyError, match="a duration is written as"):
        seconds(text)
