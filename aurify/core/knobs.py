"""Settings: what one means, which values are legal, and how plain data becomes one."""

from __future__ import annotations

import math
import types
import typing
from dataclasses import MISSING, Field, dataclass, field
from typing import Any

from aurify.core.errors import AurifyError, suggest


@dataclass(frozen=True)
class Knob:
    """What a setting means, which values are legal and which are worth searching.

    ``low``/``high`` bound the search (``log``: on a logarithmic scale); ``legal`` bounds what a user may set and
    is ``(low, high)`` when not given; ``choices`` are both. A ``column`` or a ``file`` (or a function in one) is named
    by who has it, not searched, and so is what is written in ``signs`` that only a user can know (a separator).
    """

    help: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] | None = None
    legal: tuple[float, float] | None = None
    column: bool = False
    file: bool = False
    signs: str = ""

    @property
    def named(self) -> bool:
        """Whether a user has to name it: nothing to search."""
        return self.column or self.file or bool(self.signs)

    @property
    def searchable(self) -> bool:
        return self.choices is not None or self.low is not None

    @property
    def bounds(self) -> tuple[float, float] | None:
        if self.legal is not None or self.low is None or self.high is None:
            return self.legal
        return (self.low, self.high)

    def rule(self) -> str:
        """Say in words which values are legal."""
        if self.choices is not None:
            return "one of " + ", ".join(str(c) for c in self.choices)
        if self.column:
            return "the name of a column"
        if self.file:
            return "the name of a file"
        if self.signs:
            return self.signs
        return "any value" if self.bounds is None else f"from {self.bounds[0]:g} to {self.bounds[1]:g}"


def knob(
    default: Any = MISSING,
    help: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
    choices: tuple[Any, ...] | None = None,
    legal: tuple[float, float] | None = None,
    column: bool = False,
    file: bool = False,
    signs: str = "",
) -> Any:
    """A setting: documented, validated, saved, settable from YAML and the command line and, with a range, tunable."""
    if choices is None and isinstance(default, bool):
        choices = (False, True)
    return field(default=default, metadata={"knob": Knob(help, low, high, log, choices, legal, column, file, signs)})


def state(factory: Any = None) -> Any:
    """A field that belongs to one run: never in the recipe, always in the checkpoint."""
    return field(default_factory=factory or (lambda: None), init=False, repr=False, compare=False)


def checked(part: str, setting: Field[Any], wanted: Any, value: Any) -> Any:
    """Return ``value`` as the setting's type, inside its legal range, or raise a one-line error."""
    rule: Knob = setting.metadata.get("knob", Knob(""))
    label = f"{part}.{setting.name} = {value!r}"
    try:
        value = coerce(value, wanted)
    except (TypeError, ValueError, OverflowError):
        raise AurifyError(f"{label} is not {_spoken(wanted)}; allowed: {rule.rule()}") from None
    if rule.choices is not None and value not in rule.choices:
        hint = suggest(value, map(str, rule.choices)) if isinstance(value, str) else ""
        raise AurifyError(f"{label} is not allowed: {rule.rule()}{hint if 'mean' in hint else ''}")
    if rule.bounds is not None and value is not None:
        low, high = rule.bounds
        if math.isnan(value) or not low <= value <= high:
            raise AurifyError(f"{label} is out of range: allowed {rule.rule()}")
    return value


def coerce(value: Any, wanted: Any) -> Any:
    """Turn plain data (YAML, command line) into the annotated type; raise ValueError or TypeError if it cannot be.

    >>> coerce("1e-3", float), coerce(3, float), coerce(["a"], tuple[str, ...])
    (0.001, 3.0, ('a',))
    """
    if isinstance(wanted, types.UnionType):
        options = typing.get_args(wanted)
        if value is None and type(None) in options:
            return None
        wanted = next(o for o in options if o is not type(None))
    if typing.get_origin(wanted) is tuple:
        if isinstance(value, str) or not isinstance(value, (list, tuple)):
            value = [value]
        return tuple(coerce(v, typing.get_args(wanted)[0]) for v in value)
    if wanted is bool:
        if not isinstance(value, bool):
            raise TypeError
        return value
    if wanted is str:
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise TypeError
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    if wanted is int:
        number = float(value) if isinstance(value, str) else value
        if number != int(number):
            raise ValueError
        return int(number)
    if wanted is float:
        return float(value)
    raise TypeError(f"settings of type {wanted!r} are not supported")


def _spoken(wanted: Any) -> str:
    if isinstance(wanted, types.UnionType):
        return " or ".join("nothing" if o is type(None) else _spoken(o) for o in typing.get_args(wanted))
    if typing.get_origin(wanted) is tuple:
        return f"a list, each {_spoken(typing.get_args(wanted)[0])}"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return words.get(wanted, str(wanted))
