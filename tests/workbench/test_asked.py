"""Words that verbs share: each documented, understood, and the same on the command line; others are refused."""

import inspect
from typing import get_args, get_type_hints

import polars as pl
import pytest

import aurify
from aurify import workbench
from aurify.cli import options
from aurify.workbench.asked import RecipeWords, SourceWords, asked_of

VERBS = {"fit": RecipeWords, "ablate": RecipeWords, "tune": RecipeWords, "inspect": SourceWords}
GIVEN = {
    "drop": ["a"],
    "test": "other.csv",
    "split": "time:when",
    "separator": ";",
    "encoding": "gb18030",
    "header": "no",
    "missing": ["?"],
    "task": "text",
    "text": ["a"],
    "image": "a",
    "size": 64,
    "aspect": "pad",
    "types": ["a=category"],
    "positive": "yes",
    "weight": "w",
    "recipe": {"budget": {"epochs": 7}},
    "settings": {"network.width": 8},
    "using": ["mixup"],
    "without": ["dropout"],
    "blend": "trees",
    "network": "mlp",
    "accept": ["target_leak:a"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_signature_and_help_name_every_word(verb):
    function = getattr(workbench, verb)
    named = inspect.signature(function).parameters
    assert not [p for p in named.values() if p.kind is p.VAR_KEYWORD]
    for word in get_type_hints(VERBS[verb]):
        assert named[word].kind is inspect.Parameter.KEYWORD_ONLY
        assert named[word].default in (None, ())
        assert f"``{word}``: " in function.__doc__
    assert function.__name__ == verb


@pytest.mark.parametrize("verb", VERBS)
def test_a_word_that_nobody_knows_is_refused_by_name(verb):
    with pytest.raises(
        TypeError, match=rf"{verb}\(\) got an unexpected keyword argument 'spilt'; did you mean 'split'"
    ):
        getattr(aurify, verb)("nowhere.csv", "y", spilt="random")


def test_inspect_refuses_what_only_training_needs():
    with pytest.raises(TypeError, match="'using'"):
        aurify.inspect("nowhere.csv", using=["mixup"])


def test_every_word_says_what_it_is():
    for word, hint in get_type_hints(RecipeWords, include_extras=True).items():
        assert isinstance(get_args(hint)[-1], str), word


def test_command_line_has_the_same_words():
    assert list(options.READING) == list(get_type_hints(SourceWords))
    assert set(options.RECIPE) == set(get_type_hints(RecipeWords)) - {"network"}


@pytest.mark.parametrize("word", sorted(set(get_type_hints(RecipeWords)) - {"parts"}))
def test_every_word_changes_what_is_asked_for(word):
    plain = asked_of("x.csv", "y", {}).wish()
    assert asked_of("x.csv", "y", {word: GIVEN[word]}).wish() != plain


def test_parts_are_loaded_into_the_catalog(tmp_path):
    (tmp_path / "own.py").write_text(
        '"""Mine."""\nfrom aurify.core.parts import Technique\n\n\nclass Mine(Technique):\n    """Mine."""\n'
    )
    assert "mine" in asked_of("x.csv", "y", {"parts": [tmp_path / "own.py"]}).catalog.parts["technique"]


def test_targets_beside_a_table_become_a_column_under_a_free_name():
    asked = asked_of(pl.DataFrame({"y": [1, 2]}), pl.Series("y", [3, 4]), {})
    assert asked.data.to_dict(as_series=False) == {"y": [1, 2], "y_2": [3, 4]}
    assert asked.roles == {"target": "y_2"}
    assert len(asked.notes) == 1


def test_given_words_are_those_that_are_for_a_source():
    assert asked_of("run", None, {"drop": [], "parts": [], "recipe": None}).given == []
    words = {"drop": ["a"], "split": "random", "using": ["mixup"], "without": ["dropout"]}
    assert asked_of("run", "y", words).given == ["target", "drop", 'split.by="random"', "mixup", "dropout"]


def test_a_recipe_in_the_place_of_the_source_is_the_recipe():
    assert options.parted("mine.yaml", {"drop": ["a"]}) == (None, {"drop": ["a"], "recipe": "mine.yaml"})
    assert options.parted("mine.csv", {}) == ("mine.csv", {})


def test_only_options_that_were_given_are_handed_on():
    handed = []

    @options.sharing(options.READING)
    def verb(source: options.Source = None, *, words: options.Words, force: options.Force = False) -> None:
        handed.append((source, words, force))

    assert list(inspect.signature(verb).parameters) == ["source", *options.READING, "force"]
    verb(source="x.csv", force=True, **{**dict.fromkeys(options.READING), "split": "random"})
    assert handed == [("x.csv", {"split": "random"}, True)]
