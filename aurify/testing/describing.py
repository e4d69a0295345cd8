"""Promises about words and settings: a part explains itself, and all about it is written down and read back exactly."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from typing import Any

from aurify.catalog import describe, override
from aurify.core.errors import AurifyError, listing
from aurify.core.knobs import Knob
from aurify.core.parts import SEAMS, Part, Technique
from aurify.core.recipe import read_yaml
from aurify.testing.cases import Case, require

YEAR = re.compile(r"\([^()]*\b(?:1[5-9]|20)\d\d\b[^()]*\)")


def every_setting_has_a_help_text(case: Case) -> None:
    """Every setting says what it is."""
    bare = [name for name, knob in case.part.knobs().items() if not knob.help.strip()]
    require(not bare, f'no help text: {listing(bare)}; write knob(DEFAULT, "what it is", low=..., high=...)')


def every_setting_is_searchable(case: Case) -> None:
    """Every setting has a range or choices to search; one that names a column or a file needs none."""
    fixed = [name for name, knob in case.part.knobs().items() if not knob.searchable and not knob.named]
    require(
        not fixed,
        f"nothing to search: {listing(fixed)}; give knob() low= and high=, or choices=, or column=True or file=True",
    )


def search_ranges_are_legal(case: Case) -> None:
    """The ends of a search range and all choices are legal, low is below high, and above 0 for log=True."""
    for name, knob in case.part.knobs().items():
        for value in (knob.low, knob.high, *(knob.choices or ())):
            if value is not None:
                case.part.make({name: value})
        if knob.low is not None or knob.high is not None:
            ordered = knob.low is not None and knob.high is not None and knob.low < knob.high
            require(ordered, f"{name}: low={knob.low} is not below high={knob.high}")
        require(not knob.log or (knob.low or 0) > 0, f"{name}: log=True needs low above 0, found low={knob.low}")


def no_setting_is_called_as_a_seam_is(case: Case) -> None:
    """No setting has the name of a seam, which it would hide."""
    hidden = sorted(set(case.part.knobs()) & set(SEAMS))
    require(not hidden, f"settings called as seams are: {listing(hidden)}; rename them")


def docstring_says_when_it_helps_and_when_it_hurts_and_names_its_source(case: Case) -> None:
    """The docstring says when it helps, when it hurts and where the idea comes from; of a task, when it helps."""
    wanted = ("Helps:",) if case.group == "task" else ("Helps:", "Hurts:")
    text = case.part.__doc__ or ""
    lacking = [word for word in wanted if word not in text]
    require(not lacking, f"the docstring lacks {listing(lacking)}")
    sourced = case.group == "task" or YEAR.search(text) is not None
    require(sourced, "name the source with its year in parentheses in the docstring, such as (Hinton et al. 2012)")


def idea_is_one_line(case: Case) -> None:
    """The docstring's first sentence is one line that ends with a full stop, and is what people read first."""
    idea = case.part.idea()
    require(idea.endswith("."), f"the docstring's first sentence does not end with a full stop: {idea!r}")
    require("\n" not in idea, f"the docstring's first sentence is more than one line: {idea!r}")
    require(idea in describe(case.part, case.group), f"what is printed of it leaves out its idea: {idea!r}")


def part_and_every_setting_are_described(case: Case) -> None:
    """What ``aurify techniques NAME`` prints names the part, every setting with its help text and what equals off."""
    text = describe(case.part, case.group)
    wanted = [f"# {case.part.name()} ({case.group})"]
    for name, knob in case.part.knobs().items():
        wanted += [f"`{name}`", knob.help]
    wanted += ["Equal to off with"] if issubclass(case.part, Technique) else []
    lacking = [words for words in wanted if words not in text]
    require(not lacking and text.startswith(wanted[0]), f"what is printed of it lacks {listing(lacking)}")


def search_space_contains_it(case: Case) -> None:
    """The search space holds every setting of it but names of columns and files, and of a technique a switch."""
    space = case.lab.catalog.search_space(case.lab.using(case.lab.recipe(case.kind), case.group, case.part, {}))
    prefix = _prefix(case)
    wanted = {f"{prefix}.{name}" for name, knob in case.part.knobs().items() if not knob.named}
    wanted |= {f"{prefix}.on"} if case.group == "technique" else set()
    require(wanted <= set(space), f"the search space lacks {listing(sorted(wanted - set(space)))}")


def recipe_survives_yaml_exactly(case: Case) -> None:
    """A recipe with any legal value in it is written to YAML and read back the same."""
    for settings in _settings_to_write(case.part):
        recipe = case.lab.using(case.lab.recipe(case.kind), case.group, case.part, settings)
        text = recipe.to_yaml()
        again = case.lab.catalog.recipe(read_yaml(text, "recipe.yaml"))
        require(again == recipe and again.to_yaml() == text, f"{settings} comes back from YAML as something else")


def settings_survive_the_command_line(case: Case) -> None:
    """What ``--set`` reads is what YAML reads."""
    for settings in _settings_to_write(case.part):
        wanted = case.lab.using(case.lab.recipe(case.kind), case.group, case.part, settings)
        plain = case.lab.using(case.lab.recipe(case.kind), case.group, case.part, {}).plain()
        words = [f"{_prefix(case)}.{name}={json.dumps(value)}" for name, value in settings.items()]
        read = case.lab.catalog.recipe(override(plain, settings=words))
        require(read == wanted, f"--set {' --set '.join(words)} is read as something else")


def _prefix(case: Case) -> str:
    return case.part.name() if case.group == "technique" else case.group


def _settings_to_write(part: type[Part]) -> Iterator[dict[str, Any]]:
    """Every setting with a value that is not its default, one at a time, and the two ends of its range."""
    yield {}
    yield from (dict(getattr(part, name, {})) for name in ("vivid", "neutral"))
    for name, knob in part.knobs().items():
        yield from ({name: choice} for choice in knob.choices or ())
        ends = {knob.low, knob.high, *(knob.bounds or ())} - {None}
        yield from ({name: end} for end in sorted(ends))
        whole = "int" in str(typing.get_type_hints(part)[name])
        if knob.low is not None and knob.high is not None and not whole:
            yield {name: knob.low + (knob.high - knob.low) / 3}


def out_of_range_is_refused_saying_what_is_allowed(case: Case) -> None:
    """A value out of range, of the wrong type or no number is refused in one line with the setting and its rule."""
    for name, knob in case.part.knobs().items():
        for value in _wrong_values(knob, several=isinstance(getattr(case.part, name, None), tuple)):
            try:
                case.part.make({name: value})
            except AurifyError as error:
                said = str(error)
            else:
                said = "nothing"
            label = f"{case.part.name()}.{name}"
            plain = label in said and knob.rule() in said and "\n" not in said
            require(plain, f"{name}={value!r} should be refused naming {label} and {knob.rule()!r}; it says {said!r}")


def _wrong_values(knob: Knob, *, several: bool) -> Iterator[Any]:
    if knob.choices:
        yield "no such choice"
    elif knob.bounds:
        low, high = knob.bounds
        yield from (value for value in (low - 1, high * 2 + 1) if value != high)
    if knob.bounds is not None:
        yield float("nan")
    yield from ([[]] if several else [], {})
    if not knob.named:  # whether there is such a column or file, its owner says
        yield "a text that is no number or choice"


def settings_are_keyword_only_and_fixed(case: Case) -> None:
    """Settings are given by name, all have defaults, and none changes once the part is made."""
    made = case.part()
    try:
        case.part("positional")
    except Exception as error:  # a setting that takes it may find it wrong
        named_only = isinstance(error, TypeError)
    else:
        named_only = False
    require(named_only, "its settings may be given by position; write @dataclass(kw_only=True)")
    for name in case.part.knobs():
        try:
            setattr(made, name, getattr(made, name))
        except AttributeError as error:
            require("setting" in str(error), f"{name}: refused to change, but with other words: {error}")
        else:
            require(False, f"{name} can be changed in a part; leave Part.__setattr__ and __post_init__ as they are")
