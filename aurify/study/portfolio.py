"""Recipes that were strong on other tables: where a search begins that has seen nothing of this one yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Task, Technique, Trait, fits
from aurify.core.recipe import Recipe

FILE = "portfolio.yaml"

READ = {Trait.TEXTS, Trait.IMAGES}
"""What recipes for tables would not look at."""

LARGE_ROWS = 10_000
"""From here on one training takes long, and the tables that entries were chosen by were smaller."""

TOGETHER = {"blend": {"model": "trees"}}
"""What comes first where rows are many: a network beside boosted trees, which err otherwise (docs/log.md)."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a user said of a recipe and every entry keeps: settings, techniques to use, techniques to leave out."""

    settings: Sequence[str] = ()
    using: Sequence[str] = ()
    without: Sequence[str] = ()

    def beside(self, free: Collection[str]) -> Held:
        """The words about what is no knob of a search: a knob's value is where the search begins, and may change."""
        return Held(
            settings=[word for word in self.settings if word.partition("=")[0] not in free],
            using=[word for word in self.using if f"{word.partition('.')[0]}.on" not in free],
            without=[name for name in self.without if f"{name}.on" not in free],
        )

    def applied(self, recipe: Recipe, catalog: Catalog) -> Recipe | None:
        """The recipe with these words; None where they mean nothing there."""
        plain = recipe.plain()
        settings = [word for word in self.settings if not _same_part(word, plain)]
        without = [name for name in self.without if name in plain["techniques"]]
        try:
            gone = catalog.displaced(plain["techniques"], self.using)
            plain = catalogs.override(plain, settings=settings, using=self.using, without=[*without, *gone])
            return catalog.recipe(plain)
        except AurifyError:
            return None


NOTHING = Held()


def _same_part(word: str, plain: Mapping[str, Any]) -> bool:
    kind, _, name = word.partition("=")
    return kind in ("network", "optimizer") and plain[kind]["name"] == catalogs.value(name)


def portfolio(recipe: Recipe, catalog: Catalog, held: Held = NOTHING, rows: int = 0) -> list[Recipe]:
    """Complete recipes for a recipe's task, what helps soonest first, no two of them equal; the recipe itself is one.

    Of many ``rows``, of which few recipes may be tried in the time there is, the first are the cheap one and the recipe
    itself, both beside boosted trees.

    Beside the recipe itself and a cheap one, each was chosen because it helped most, beside those chosen before, on
    public tables (Feurer et al. 2022, Auto-sklearn 2.0; ``portfolio.yaml`` says which). Source, split, seed, precision
    and hidden columns are always the recipe's own, and what is ``held`` is as the user said. Where the task is no
    table, or one with texts or images, the recipe is all there is.
    """
    known = list(entries(recipe.task))
    if rows >= LARGE_ROWS and len(known) > 1:
        known = [{**known[0], **TOGETHER}, TOGETHER, *known]
    found = [entered(recipe, entry, catalog) for entry in known]
    kept = [None if one is None else held.applied(one, catalog) for one in found]
    return list({str(one.plain()): one for one in (*kept, recipe) if one is not None}.values())


def entries(task: Task) -> Sequence[Mapping[str, Any]]:
    """What each entry for a task's kind changes of a recipe, as plain data; nothing: the recipe itself."""
    if Trait.COLUMNS not in task.traits or READ & task.traits:
        return ({},)
    return _read()["regress" if Trait.CONTINUOUS in task.traits else "classify"]


def entered(recipe: Recipe, entry: Mapping[str, Any], catalog: Catalog) -> Recipe | None:
    """The recipe with the parts of an entry in place of its own; None where that cannot be.

    ``budget`` changes single settings and never lengthens a training: the recipe's epochs are few where rows are many.
    ``techniques`` are all there are, but for those that hide columns and those that do not fit. A network that was
    passed from Python stays.
    """
    plain = recipe.plain()
    changed = {**plain, **{k: v for k, v in entry.items() if k != "budget"}}
    changed["budget"] = plain["budget"] | dict(entry.get("budget", {}))
    changed["budget"]["epochs"] = min(changed["budget"]["epochs"], recipe.budget.epochs)
    if plain["network"]["name"] == "given":
        changed["network"] = plain["network"]
    try:
        network: Any = catalog.part("network", changed["network"])
        changed["techniques"] = _techniques(recipe, changed["techniques"], network, catalog)
        return catalog.recipe(changed)
    except AurifyError:
        return None


def _techniques(recipe: Recipe, wanted: Mapping[str, Any], network: Network, catalog: Catalog) -> dict[str, Any]:
    """Settings by name of the techniques that fit, and of the recipe's own that hide columns."""
    hiding = {t.name(): recipe.plain()["techniques"][t.name()] for t in recipe.techniques if t.hidden}
    kinds = {name: catalog.find("technique", name) for name in wanted}
    fitting = [n for n, kind in kinds.items() if issubclass(kind, Technique) and fits(kind, recipe.task, network)]
    return {name: wanted[name] for name in fitting} | hiding


@cache
def _read() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    import yaml

    return yaml.safe_load(files("aurify.study").joinpath(FILE).read_text(encoding="utf-8"))
