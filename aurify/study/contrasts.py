"""Which recipes to compare, and what each comparison says about which ingredient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, suggest
from aurify.core.knobs import Knob
from aurify.core.parts import SEAMS, Technique, fills, fits
from aurify.core.recipe import Blending, Recipe
from aurify.core.words import Said, listed, said

DESIGNS = ("leave_one_out", "add_one", "cumulative")
"""Those that need no further words; families, interactions and sweeps are asked for by name."""

FULL, BARE = "full", "bare"

POINTS = 5
"""Values of a setting that a sweep tries, where it is not told which."""

PREPROCESSING = ("rows", "layer", "target")


@dataclass(frozen=True)
class Contrast:
    """One row of a ledger: the gain is the sum of the scores of variants, each times its sign in ``terms``."""

    technique: str
    design: str
    reference: Said
    terms: Mapping[str, int]
    family: str = ""
    value: Any = None


@dataclass
class Contrasts:
    """Variants of one recipe by name, the comparisons between them, and what was left out and why."""

    recipe: Recipe
    catalog: Catalog
    variants: dict[str, Recipe] = field(default_factory=dict)
    rows: list[Contrast] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.variants[FULL] = self.recipe

    def leave_one_out(self) -> None:
        """The recipe against the recipe without each of its ingredients in turn."""
        for ingredient in ingredients(self.recipe, self.catalog):
            without = f"without {ingredient.name}"
            self.variants[without] = ingredient.off(self.recipe)
            self._add(ingredient.name, "leave_one_out", ingredient.reference, {FULL: 1, without: -1}, ingredient.family)

    def add_one(self) -> None:
        """The recipe with each technique that it does not use, and that fits, against the recipe."""
        used = {t.name() for t in self.recipe.techniques}
        for name, kind in sorted(self.catalog.parts["technique"].items()):
            if name in used or not issubclass(kind, Technique) or not fits(kind, self.recipe.task, self.recipe.network):
                continue
            try:
                technique = kind.make({})
            except AurifyError as error:
                self.left_out.append((name, str(error)))
                continue
            if all(technique.settings()[k] == v for k, v in kind.neutral.items()):
                self.left_out.append((name, said("nothing to switch on: its own settings change nothing")))
                continue
            using = self.recipe.using(technique)
            gone = used - {t.name() for t in using.techniques}
            self.variants[f"with {name}"] = using
            reference = said("the recipe")
            if gone:
                reference = said("the recipe, which has {other} in its place", other=min(gone))
            self._add(name, "add_one", reference, {f"with {name}": 1, FULL: -1}, family_of(technique))

    def cumulative(self) -> None:
        """The road from the bare recipe to the full one, one ingredient a step, as a run meets them."""
        road = sorted(ingredients(self.recipe, self.catalog), key=lambda one: one.place)
        before = BARE
        for at, ingredient in enumerate(road, 1):
            self.variants.setdefault(BARE, self._without(road))
            name = FULL if at == len(road) else f"up to {ingredient.name}"
            self.variants[name] = self._without(road[at:])
            reference = said("the step before")
            self._add(ingredient.name, "cumulative", reference, {name: 1, before: -1}, ingredient.family)
            before = name

    def _without(self, gone: Sequence[Ingredient]) -> Recipe:
        """The recipe without some ingredients, the last of them taken out first."""
        recipe = self.recipe
        for ingredient in reversed(gone):
            recipe = ingredient.off(recipe)
        return recipe

    def families(self, names: Sequence[str]) -> None:
        """The recipe against the recipe without all techniques of a family; ``all`` are all families it has."""
        known = families(self.recipe.techniques)
        for name in known if "all" in names else dict.fromkeys(names):
            if name not in known:
                raise AurifyError(f"--families {name}: the recipe has no such techniques{suggest(name, known)}")
            recipe = self.recipe
            for technique in known[name]:
                recipe = recipe.without(technique)
            without = f"without the family {name}"  # it may be called as a technique is
            self.variants[without] = recipe
            reference = said("the recipe without {names}", names=listed(known[name]))
            self._add(name, "family", reference, {FULL: 1, without: -1}, name)

    def interactions(self, names: Sequence[str]) -> None:
        """Of each two of some ingredients: what one gains with the other, less what it gains without it."""
        known = {one.name: one for one in ingredients(self.recipe, self.catalog)}
        for name in names:
            if name not in known:
                raise AurifyError(f"--interactions {name}: the recipe does not use it{suggest(name, known)}")
        if len(set(names)) < 2:
            raise AurifyError("--interactions needs two ingredients or more, such as dropout,weight_decay")
        for first, second in combinations(dict.fromkeys(names), 2):
            one, other, both = f"without {first}", f"without {second}", f"without {first} and {second}"
            self.variants[one] = known[first].off(self.recipe)
            self.variants[other] = known[second].off(self.recipe)
            self.variants[both] = self._without([known[second], known[first]])
            terms = {FULL: 1, one: -1, other: -1, both: 1}
            self._add(f"{first}, {second}", "interaction", said("what each gains without the other"), terms)

    def sweep(self, word: str) -> None:
        """The recipe with other values of a setting (``dropout.rate`` or ``dropout.rate=0,0.1,0.3``) against itself."""
        path, _, given = word.partition("=")
        knob, own = self._setting(path)
        texts = given.split(",") if given else [str(point) for point in _points(path, knob, own)]
        reference = said("the recipe") if own is None else said("the recipe's own {value}", value=str(own))
        tried = [own]
        for text in texts:
            name, other = f"{path}={text}", self._with(path, text)
            value = Contrasts(other, self.catalog)._setting(path)[1]  # as the setting has it: YAML takes 1e-3 for text
            if value not in tried:
                tried.append(value)
                self.variants[name] = other
                self._add(path, "sweep", reference, {name: 1, FULL: -1}, value=value)
        if len(tried) == 1:
            raise AurifyError(f"--sweep {word}: the recipe has {path} = {own} already; give other values")

    def _setting(self, path: str) -> tuple[Knob, Any]:
        """A setting's knob and the recipe's own value; None where the technique that has it is off."""
        first, _, setting = path.partition(".")
        recipe = self.recipe
        holders: dict[str, Any] = {"network": recipe.network, "optimizer": recipe.optimizer, "budget": recipe.budget}
        holders |= {t.name(): t for t in recipe.techniques}
        if recipe.task.varied:
            holders["task"] = recipe.task
        holder = holders.get(first)
        kind = type(holder) if holder is not None else self.catalog.parts["technique"].get(first)
        if kind is None:
            known = {**holders, **self.catalog.parts["technique"]}
            raise AurifyError(f"--sweep {path}: there is no part {first!r}{suggest(first, known)}")
        settings = recipe.task.varied if first == "task" else tuple(kind.knobs())
        if not setting:
            known = ", ".join(f"{first}.{name}" for name in settings) or "none"
            raise AurifyError(f"--sweep {path}: say which of its settings; known: {known}")
        if setting not in settings:
            raise AurifyError(f"--sweep {path}: {first} has no setting {setting!r}{suggest(setting, settings)}")
        return kind.knobs()[setting], None if holder is None else holder.settings()[setting]

    def _with(self, path: str, text: str) -> Recipe:
        """The recipe with a setting at a value, of a technique that is off too."""
        plain, word, first = self.recipe.plain(), f"{path}={text}", path.partition(".")[0]
        if first not in self.catalog.parts["technique"] or first in plain["techniques"]:
            return self.catalog.recipe(catalogs.override(plain, settings=[word]))
        gone = list(self.catalog.displaced(plain["techniques"], [word]))
        return self.catalog.recipe(catalogs.override(plain, using=[word], without=gone))

    def _add(
        self,
        technique: str,
        design: str,
        reference: Said,
        terms: Mapping[str, int],
        family: str = "",
        value: Any = None,
    ) -> None:
        self.rows.append(Contrast(technique, design, reference, terms, family, value))


@dataclass(frozen=True)
class Ingredient:
    """What a recipe could be without: its name, how to take it out, and what is there then."""

    name: str
    family: str
    reference: Said
    kind: str
    place: tuple[int, int]
    catalog: Catalog

    def off(self, recipe: Recipe) -> Recipe:
        """The recipe without it; techniques that need what it offered go too."""
        match self.kind:
            case "technique":
                return recipe.without(self.name)
            case "blend":
                return replace(recipe, blend=Blending())
            case "network":
                network: Any = self.catalog.part("network", recipe.task.plainest["network"])
                kept = tuple(t for t in recipe.techniques if fits(t, recipe.task, network))
                return replace(recipe, network=network, techniques=kept)
        optimizer: Any = self.catalog.part("optimizer", recipe.task.plainest["optimizer"])
        return replace(recipe, optimizer=optimizer)


def ingredients(recipe: Recipe, catalog: Catalog) -> list[Ingredient]:
    """Techniques in their order, then network and optimizer where there are plainer ones, and what is blended in."""
    without = said("the recipe without it")
    found = [Ingredient(t.name(), family_of(t), without, "technique", _place(t), catalog) for t in recipe.techniques]
    for kind, part in (("network", recipe.network), ("optimizer", recipe.optimizer)):
        plain = recipe.task.plainest.get(kind)
        if plain is not None and plain != part.name():
            reference = said("the recipe with {name} in its place", name=plain)
            found.append(Ingredient(part.name(), kind, reference, kind, (SEAMS.index("begin"), -1), catalog))
    if recipe.blend.model != "none":
        found.append(Ingredient(recipe.blend.model, "blend", without, "blend", (len(SEAMS), 0), catalog))
    return found


def family_of(technique: Technique) -> str:
    """What its author calls techniques of its kind, or the broad one of the two it must belong to."""
    return technique.family or ("preprocessing" if _prepares(technique) else "training")


def families(techniques: Iterable[Technique]) -> dict[str, list[str]]:
    """Names of techniques by family; all that prepare rows are the family ``preprocessing`` too."""
    found: dict[str, list[str]] = {}
    for technique in techniques:
        broad = "preprocessing" if _prepares(technique) else "training"
        for name in dict.fromkeys((broad, family_of(technique))):
            found.setdefault(name, []).append(technique.name())
    return found


def _prepares(technique: Technique) -> bool:
    return any(fills(technique, seam) for seam in PREPROCESSING)


def _place(technique: Technique) -> tuple[int, int]:
    """Where a run meets a technique first; one without a seam, which only hides columns, is met when rows are read."""
    return next(((at, technique.stage or 0) for at, seam in enumerate(SEAMS) if fills(technique, seam)), (0, 0))


def _points(path: str, knob: Knob, own: Any) -> list[Any]:
    """Values spread over what is worth searching."""
    import numpy as np

    if knob.choices is not None:
        return list(knob.choices)
    if isinstance(own, bool):
        return [False, True]
    if knob.low is None or knob.high is None:
        raise AurifyError(f"--sweep {path}: say which values to try, such as {path}=VALUE,VALUE")
    spread = np.geomspace if knob.log else np.linspace
    values = spread(knob.low, knob.high, POINTS).tolist()
    whole = isinstance(own, int) or (own is None and isinstance(knob.low, int) and isinstance(knob.high, int))
    return list(dict.fromkeys(round(v) if whole else float(f"{v:.3g}") for v in values))
