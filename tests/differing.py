"""How two recipes differ, for tests of what is compared with what."""

from aurify.core.recipe import flat


def changed(one, other):
    """Which settings of two recipes differ, ``off`` where one lacks it."""
    before, after = flat(one.plain()), flat(other.plain())
    names = {**before, **after}
    return {n for n in names if before.get(n, "off") != after.get(n, "off")}


def names(recipe):
    return [t.name() for t in recipe.techniques]
