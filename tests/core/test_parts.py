"""Settings are typed, bounded, documented fields; a wrong one is refused in one line that says what is allowed."""

import math
from dataclasses import dataclass

import pytest

from aurify.core.errors import AurifyError, listing, suggest
from aurify.core.knobs import coerce
from aurify.core.parts import Part, Technique, knob, state


@dataclass(kw_only=True)
class ManyKinds(Part):
    """One setting of every kind. And more."""

    rate: float = knob(0.1, "a number", low=0.0, high=0.5)
    count: int = knob(3, "a whole number", low=1, high=8, legal=(0, 100))
    most: int | None = knob(None, "a whole number or nothing", legal=(1, 9))
    flag: bool = knob(False, "true or false")
    method: str = knob("one", "a choice", choices=("one", "two"))
    names: tuple[str, ...] = knob((), "a list of texts")
    beside: str = knob("", "a column", column=True)
    memory: int = state(int)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rate": "1e-3"}, 1e-3),
        ({"rate": 0}, 0.0),
        ({"rate": "0.5"}, 0.5),
        ({"count": 4.0}, 4),
        ({"count": "1e1"}, 10),
        ({"most": None}, None),
        ({"most": 9}, 9),
        ({"flag": True}, True),
        ({"method": "two"}, "two"),
        ({"names": "one"}, ("one",)),
        ({"names": ["a", 5]}, ("a", "5")),
        ({"names": []}, ()),
        ({"beside": 2020}, "2020"),
    ],
)
def test_plain_values_become_the_type_of_the_setting(settings, expected):
    name = next(iter(settings))
    value = getattr(ManyKinds.make(settings), name)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rate": 0.6}, "out of range: allowed from 0 to 0.5"),
        ({"rate": math.nan}, "out of range"),
        ({"rate": True}, "not a number"),
        ({"rate": "fast"}, "not a number"),
        ({"rate": None}, "not a number"),
        ({"rate": [0.1]}, "not a number"),
        ({"count": 2.5}, "not a whole number; allowed: from 0 to 100"),
        ({"count": "inf"}, "not a whole number"),
        ({"count": math.nan}, "not a whole number"),
        ({"count": 101}, "allowed from 0 to 100"),
        ({"most": 0}, "allowed from 1 to 9"),
        ({"most": "none"}, "a whole number or nothing"),
        ({"flag": "yes"}, "not true or false"),
        ({"flag": 1}, "not true or false"),
        ({"method": "tow"}, "one of one, two; did you mean 'two'?"),
        ({"method": True}, "not a text"),
        ({"names": [["a"]]}, "a list, each a text"),
        ({"names": {"a": 1}}, "a list"),
        ({"beside": ["a"]}, "not a text; allowed: the name of a column"),
    ],
)
def test_wrong_value_is_refused_naming_value_and_rule(settings, said):
    name, value = next(iter(settings.items()))
    with pytest.raises(AurifyError) as caught:
        ManyKinds.make(settings)
    assert said in str(caught.value)
    assert f"many_kinds.{name} = {value!r}" in str(caught.value)


def test_unknown_setting_is_refused_with_the_nearest():
    with pytest.raises(AurifyError, match="many_kinds has no setting 'raet'; did you mean 'rate'"):
        ManyKinds.make({"raet": 1})
    with pytest.raises(AurifyError, match="no setting 'memory'"):
        ManyKinds.make({"memory": 3})
    with pytest.raises(AurifyError):
        ManyKinds.make({5: 1})


def test_settings_cannot_change_and_state_can():
    part = ManyKinds()
    with pytest.raises(AttributeError, match="make a new part"):
        part.rate = 0.2
    part.memory = 5
    assert part == ManyKinds(), "state is not part of what a part is"
    assert "memory" not in part.settings()


def test_direct_construction_checks_like_plain_data():
    with pytest.raises(AurifyError, match="out of range"):
        ManyKinds(rate=0.9)
    assert ManyKinds(rate=0).rate == 0.0


def test_names_are_the_words_of_the_class():
    class GradientClipping2(Technique):
        pass

    assert ManyKinds.name() == "many_kinds"
    assert GradientClipping2.name() == "gradient_clipping2"


def test_idea_is_the_first_sentence():
    assert ManyKinds.idea() == "One setting of every kind."


def test_coercion_refuses_what_it_cannot_hold():
    with pytest.raises(TypeError):
        coerce({}, dict)


def test_suggestions():
    assert suggest("mixpu", ["mixup", "sam"]) == "; did you mean 'mixup'?"
    assert suggest("SAM", ["mixup", "sam"]) == "; did you mean 'sam'?"
    assert suggest("zzz", ["b", "a"]) == "; known: a, b"
    assert suggest("zzz", []) == ""
    assert suggest("zzz", map(str, range(30))).endswith(", ...")
    assert listing(range(7), 2) == "0, 1 and 5 more"
    assert listing(["a"]) == "'a'"
