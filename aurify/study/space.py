"""What a search may change of a recipe: knobs with their ranges, and from settings to the recipe they mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, suggest
from aurify.core.knobs import Knob
from aurify.core.parts import Part, fits
from aurify.core.recipe import Budget, Recipe, misfit
from aurify.study.axis import Axis

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Settings = Mapping[str, Any]
"""Values by knob: ``{"network.width": 64, "mixup.on": True}``."""

EVERY = "all"
"""The word that takes in every knob there is."""

ON = ".on"
"""``mixup.on`` says whether a technique is used."""


@dataclass(frozen=True)
class Space:
    """The axes of a search around a recipe."""

    recipe: Recipe
    catalog: Catalog
    axes: tuple[Axis, ...]

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        return {axis.name: axis.distribution for axis in self.axes}

    @property
    def defaults(self) -> dict[str, Any]:
        """The recipe itself, or what comes nearest to it."""
        return {axis.name: axis.default for axis in self.axes}

    def made(self, settings: Settings) -> Recipe:
        """The recipe that settings mean; a knob of something that is not used changes nothing.

        Where two techniques with one slot are switched on, the one that the recipe lacks is used, or the first by name.
        """
        plain = self.recipe.plain()
        for kind in ("network", "optimizer"):
            if settings.get(kind, plain[kind]["name"]) != plain[kind]["name"]:
                plain[kind] = {"name": settings[kind]}
        switched = {name.removesuffix(ON): on for name, on in sorted(settings.items()) if name.endswith(ON)}
        plain["techniques"] = self._switched(plain, switched)
        for name, value in settings.items():
            first, _, rest = name.partition(".")
            if rest in ("", "on"):
                continue
            holder = plain["techniques"] if first in self.catalog.parts["technique"] else plain
            if first in holder and _legal(self._known(first, plain).get(rest), value):
                holder[first] = {**(holder[first] or {}), rest: value}
        return self.catalog.recipe(plain)

    def _switched(self, plain: Mapping[str, Any], switched: Mapping[str, bool]) -> dict[str, Any]:
        """The techniques that are used: none that does not fit the network, one a slot."""
        network: Any = self.catalog.part("network", plain["network"])
        using: list[str] = []
        for name in (name for name, on in switched.items() if on and name not in plain["techniques"]):
            if not self.catalog.displaced(using, [name]):
                using.append(name)
        off = {name for name, on in switched.items() if not on}
        off |= set(self.catalog.displaced(plain["techniques"], using))
        kept = {name: given for name, given in plain["techniques"].items() if name not in off}
        kept |= {name: {} for name in using}
        return {n: v for n, v in kept.items() if fits(self.catalog.find("technique", n), self.recipe.task, network)}

    def _known(self, first: str, plain: Mapping[str, Any]) -> Mapping[str, Knob]:
        """The settings of what a knob's first word means."""
        if first in ("network", "optimizer", "task"):
            return self.catalog.find(first, plain[first]["name"]).knobs()
        return Budget.knobs() if first == "budget" else self.catalog.find("technique", first).knobs()

    def near(self, recipe: Recipe) -> dict[str, Any] | None:
        """The settings that come nearest to a recipe; None where it has other parts than the space is about."""
        if (recipe.network.name(), recipe.optimizer.name()) != (
            self.recipe.network.name(),
            self.recipe.optimizer.name(),
        ):
            return None
        return {
            axis.name: axis.default if (v := axis.inside(_value(recipe, axis.name))) is None else v
            for axis in self.axes
        }

    def around(self, recipe: Recipe) -> Space:
        """The same space around another recipe: axes of parts that it lacks fall away, defaults are its own."""
        known = {**self.catalog.search_space(recipe), **_choices(recipe, self.catalog)}
        axes = [axis for axis in self.axes if axis.name in known]
        moved = [replace(axis, default=_default(recipe, axis)) for axis in axes]
        return Space(recipe, self.catalog, tuple(moved))

    def plain(self) -> dict[str, Any]:
        return {axis.name: axis.plain() for axis in self.axes}


def space_of(
    recipe: Recipe,
    catalog: Catalog,
    knobs: Sequence[str] = (),
    written: Mapping[str, Any] | None = None,
) -> Space:
    """The knobs named, else those that the task says are worth it first; ``written`` widens and narrows them.

    A knob is ``network.width``, ``mixup.on``, a technique (its switch and all it has), ``network`` or ``optimizer``
    (which one), or ``all``; its range is widened where the recipe lies outside. ``written`` says which values a knob
    may have: ``{"network.width": {"low": 16, "high": 256}, "dropout.rate": [0, 0.1], "mixup.on": True}``, and None that
    one is left alone. Raises AurifyError for a knob that there is not, or a range that means nothing.
    """
    known = {**catalog.search_space(recipe), **_choices(recipe, catalog)}
    chosen = _chosen(knobs, known, recipe, catalog) if knobs or not written else {}
    chosen = {name: _holding(knob, _value(recipe, name)) for name, knob in chosen.items()}
    for name, text in (written or {}).items():
        if text is None:
            chosen.pop(name, None)
            continue
        if name not in known:
            raise AurifyError(f"space: {_unknown(name, known, recipe, catalog)}")
        chosen[name] = _narrowed(name, known[name], text)
    if not chosen:
        raise AurifyError(
            "the space of the search is empty: name knobs with --knobs, such as network.width,dropout.rate"
        )
    return Space(recipe, catalog, tuple(_axis(recipe, catalog, name, knob) for name, knob in sorted(chosen.items())))


def _choices(recipe: Recipe, catalog: Catalog) -> dict[str, Knob]:
    """Which network and which optimizer, as knobs."""
    found = {}
    for kind in ("network", "optimizer"):
        every = [name for name, part in catalog.parts[kind].items() if fits(part, recipe.task) and _whole(part)]
        found[kind] = Knob(f"which {kind}", choices=tuple(sorted({*every, getattr(recipe, kind).name()})))
    return found


def _whole(part: type[Part]) -> bool:
    """Whether a part can be made of its name alone."""
    try:
        part.make({})
    except AurifyError:
        return False
    return True


def _chosen(knobs: Sequence[str], known: Mapping[str, Knob], recipe: Recipe, catalog: Catalog) -> dict[str, Knob]:
    if not knobs:
        return {n: _first(k, recipe.task.first_knobs[n]) for n, k in known.items() if n in recipe.task.first_knobs}
    found: dict[str, Knob] = {}
    for word in knobs:
        of = {n: k for n, k in known.items() if n == word or (word + ON in known and n.startswith(f"{word}."))}
        if word == EVERY:
            of = {n: k for n, k in known.items() if n != "exclude_columns.on"}
        if not of:
            raise AurifyError(f"--knobs {word}: {_unknown(word, [*known, EVERY], recipe, catalog)}")
        found |= of
    return found


def _unknown(name: str, known: Iterable[str], recipe: Recipe, catalog: Catalog) -> str:
    """Why there is no knob of this name."""
    part = catalog.parts["technique"].get(name.partition(".")[0])
    why = part is not None and misfit(part, recipe.task, recipe.network)
    return why or f"there is no knob {name!r} here{suggest(name, known)}"


def _first(knob: Knob, limits: tuple[float, float] | None) -> Knob:
    return knob if limits is None else replace(knob, low=limits[0], high=limits[1])


def _narrowed(name: str, knob: Knob, text: Any) -> Knob:
    """A knob with the values that a user wrote; raises AurifyError where they mean nothing."""
    if text is True:
        return knob
    if isinstance(text, list) and text:
        wrong = [v for v in text if knob.choices is not None and v not in knob.choices]
        if wrong:
            raise AurifyError(f"space: {name} = {wrong[0]!r} is not allowed: {knob.rule()}")
        return replace(knob, choices=tuple(dict.fromkeys(text)), low=None, high=None)
    if not isinstance(text, Mapping) or not set(text) <= {"low", "high", "log"} or knob.low is None:
        like = "a list of values" if knob.choices is not None else "a list of values or low, high and log"
        raise AurifyError(f"space: {name} is written as {like}, not {text!r}")
    made = replace(knob, **text)
    for end in (made.low, made.high):
        if isinstance(end, bool) or not isinstance(end, (int, float)) or not math.isfinite(end):
            raise AurifyError(f"space: {name} needs numbers as low and high, not {end!r}")
    assert made.low is not None
    assert made.high is not None
    if not made.low < made.high or (made.log and made.low <= 0):
        raise AurifyError(f"space: {name} from {made.low} to {made.high} is no range{' on a log scale' * made.log}")
    if (bounds := knob.bounds) is not None and not bounds[0] <= made.low <= made.high <= bounds[1]:
        raise AurifyError(f"space: {name} from {made.low:g} to {made.high:g} is not allowed: {knob.rule()}")
    return made


def _legal(knob: Knob | None, value: Any) -> bool:
    """Whether a part has the setting at all, and may have that value of another part's."""
    if knob is None:
        return False
    if knob.choices is not None:
        return value in knob.choices
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return knob.bounds is None or (number and knob.bounds[0] <= value <= knob.bounds[1])


def _holding(knob: Knob, value: Any) -> Knob:
    """A knob whose range holds the recipe's own value."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if knob.choices is not None or not number or knob.low is None or knob.high is None or (knob.log and value <= 0):
        return knob
    return replace(knob, low=min(knob.low, value), high=max(knob.high, value))


def _axis(recipe: Recipe, catalog: Catalog, name: str, knob: Knob) -> Axis:
    limits = (knob.low, knob.high) if knob.choices is None else (None, None)
    bare = Axis(name, None, *limits, log=knob.log, choices=knob.choices, whole=_whole_numbers(recipe, catalog, name))
    return replace(bare, default=_default(recipe, bare))


def _default(recipe: Recipe, axis: Axis) -> Any:
    """The recipe's own value, or where the axis has none near it the middle of the axis."""
    near = axis.inside(_value(recipe, axis.name))
    levels = axis.levels(3)
    return levels[len(levels) // 2] if near is None else near


def _value(recipe: Recipe, name: str) -> Any:
    """What a recipe says of a knob; of a technique that it lacks, what that has by itself."""
    first, _, rest = name.partition(".")
    if first == "task":
        return recipe.task.setting(rest)
    if first in ("network", "optimizer", "budget"):
        part: Part = getattr(recipe, first)
        return part.settings().get(rest) if rest else part.name()
    own = {technique.name(): technique for technique in recipe.techniques}
    if rest == "on":
        return first in own
    return own[first].settings().get(rest) if first in own else None


def _whole_numbers(recipe: Recipe, catalog: Catalog, name: str) -> bool:
    import typing

    first, _, rest = name.partition(".")
    own: Part | None = getattr(recipe, first) if first in ("network", "optimizer", "budget", "task") else None
    kind = type(own) if own is not None else catalog.parts["technique"].get(first)
    wanted = typing.get_type_hints(kind).get(rest) if kind is not None and rest else None
    return wanted is int or int in typing.get_args(wanted)
