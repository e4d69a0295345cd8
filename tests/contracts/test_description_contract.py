"""Every part explains itself, and everything about it can be written down and read back exactly."""

import json
import os
import re

import pytest

from aurify.catalog import describe, override
from aurify.core.errors import AurifyError
from aurify.core.parts import SEAMS, Technique, _types
from aurify.core.recipe import SECTIONS, read_yaml

YEAR = re.compile(r"\([^()]*\b(?:19|20)\d\d\b[^()]*\)")


def test_every_setting_has_a_help_text(group, part):
    assert not [name for name, knob in part.knobs().items() if not knob.help.strip()]


def test_every_setting_is_searchable(group, part):
    if group != "task":  # what a task predicts is given, not searched; so is what names a column
        assert not [name for name, knob in part.knobs().items() if not knob.searchable and not knob.column]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_of_a_section_has_a_help_text(section):
    assert not [name for name, knob in SECTIONS[section].knobs().items() if not knob.help.strip()]


def test_search_ranges_are_legal(group, part):
    for name, knob in part.knobs().items():
        for value in (knob.low, knob.high, *(knob.choices or ())):
            if value is not None:
                part.make({name: value})
        assert knob.low is None or knob.low < knob.high, name
        assert not knob.log or knob.low > 0, name


def test_no_setting_is_called_as_a_seam_is(group, part):
    assert not set(part.knobs()) & set(SEAMS)


def test_docstring_says_when_it_helps_and_when_it_hurts_and_names_its_source(group, part):
    text = part.__doc__ or ""
    assert "Helps:" in text
    if group == "task":
        return
    assert "Hurts:" in text
    assert YEAR.search(text), "name the source with its year in parentheses"


def test_idea_is_one_line(group, part):
    assert part.idea().endswith(".")
    assert "\n" not in part.idea()
    assert part.idea() in describe(part, group)


def test_part_and_every_setting_are_described(group, part):
    text = describe(part, group)
    assert text.startswith(f"# {part.name()} ({group})")
    for name, knob in part.knobs().items():
        assert f"`{name}`" in text
        assert knob.help in text
    if issubclass(part, Technique):
        assert "Equal to off with" in text


def test_command_line_explains_every_part(catalog, words):
    extra = [p for p in os.environ.get("AURIFY_PARTS", "").split(os.pathsep) if p]
    shown = words("techniques", "--all", *(w for p in extra for w in ("--parts", p))).out
    for group, known in catalog.parts.items():
        for part in known.values():
            assert describe(part, group) in shown


def test_search_space_contains_it(lab, group, part, fitting_kind):
    if group == "task":
        return
    space = lab.catalog.search_space(lab.using(lab.recipe(fitting_kind), group, part, {}))
    prefix = part.name() if group == "technique" else group
    assert set(space) >= {f"{prefix}.{name}" for name, knob in part.knobs().items() if not knob.column}
    assert group != "technique" or f"{prefix}.on" in space


def settings_to_write(part):
    """Every setting with a value that is not its default, one at a time, and the two ends of its range."""
    yield {}
    yield from (dict(getattr(part, name, {})) for name in ("vivid", "neutral"))
    for name, knob in part.knobs().items():
        yield from ({name: choice} for choice in knob.choices or ())
        ends = {knob.low, knob.high, *(knob.bounds or ())} - {None}
        yield from ({name: end} for end in sorted(ends))
        if knob.low is not None and "int" not in str(_types(part)[name]):
            yield {name: knob.low + (knob.high - knob.low) / 3}


def test_recipe_survives_yaml_exactly(lab, group, part, fitting_kind):
    for settings in settings_to_write(part):
        recipe = lab.using(lab.recipe(fitting_kind), group, part, settings)
        text = recipe.to_yaml()
        again = lab.catalog.recipe(read_yaml(text, "recipe.yaml"))
        assert again == recipe, settings
        assert again.to_yaml() == text, settings


def test_settings_survive_the_command_line(lab, group, part, fitting_kind):
    """What ``--set`` reads is what YAML reads."""
    if group == "task":
        return
    for settings in settings_to_write(part):
        wanted = lab.using(lab.recipe(fitting_kind), group, part, settings)
        plain = lab.using(lab.recipe(fitting_kind), group, part, {}).plain()
        prefix = part.name() if group == "technique" else group
        words = [f"{prefix}.{name}={json.dumps(value)}" for name, value in settings.items()]
        assert lab.catalog.recipe(override(plain, settings=words)) == wanted, settings


def test_out_of_range_is_refused_saying_what_is_allowed(group, part):
    for name, knob in part.knobs().items():
        low, high = knob.bounds or (0.0, float("inf"))
        wrong = (
            ["no such choice"] if knob.choices else [v for v in (low - 1, high * 2 + 1) if knob.bounds and v != high]
        )
        for value in (*wrong, float("nan"), [], {}, "a text that is no number or choice"):
            if value != value and knob.bounds is None:
                continue
            if knob.column and isinstance(value, str):
                continue  # whether there is such a column, the data says
            with pytest.raises(AurifyError) as caught:
                part.make({name: value})
            assert f"{part.name()}.{name}" in str(caught.value)
            assert knob.rule() in str(caught.value)
            assert "\n" not in str(caught.value)


def test_settings_are_keyword_only_and_fixed(group, part):
    made = part()
    with pytest.raises(TypeError):
        part("positional")
    for name in part.knobs():
        with pytest.raises(AttributeError, match="setting"):
            setattr(made, name, getattr(made, name))


@pytest.mark.parametrize("seam", SEAMS)
def test_every_seam_is_filled_by_a_technique(catalog, seam):
    known = catalog.parts["technique"].values()
    assert [t for t in known if getattr(t, seam) is not getattr(Technique, seam)]
