"""What a check is tried on: a part and, where it needs them, a kind of table, settings and a part beside it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, groupby, product
from typing import Any

from aurify.core.parts import Part, Technique, fills
from aurify.core.recipe import Recipe
from aurify.testing.lab import Lab, variants
from aurify.testing.tables import EVERY, IMAGE, KINDS, TEXT, WORLDS

TRAINED = ("technique", "network", "optimizer")
MODEL_SEAMS = ("layer", "target", "begin", "answer")
"""What a technique does elsewhere acts on rows and steps alone and leaves no trace in a model's graph."""

LEARNT = (*KINDS, TEXT, IMAGE)
"""Kinds of rows on which networks are seen to learn."""

PARTNERS = 2
"""Techniques that one technique is tried beside, on each kind of table."""


class Broken(AssertionError):
    """A promise that a part does not keep; its words say what the author has to do."""


def require(kept: bool, words: str) -> None:
    """Raise Broken unless a promise is kept; unlike ``assert`` it holds under ``python -O`` too."""
    if not kept:
        raise Broken(words)


@dataclass(frozen=True)
class Case:
    """A part to try; ``variant`` names its settings, ``other`` is used beside it, ``draw`` tells drawn cases apart."""

    lab: Lab
    group: str
    part: Any
    kind: str = ""
    variant: str = ""
    other: Any = None
    draw: str = ""

    def __str__(self) -> str:
        names = [self.part.name(), self.other.name() if self.other else "", self.kind, self.variant, self.draw]
        return "-".join(name for name in names if name)

    @property
    def settings(self) -> dict[str, Any]:
        return variants(self.part)[self.variant]

    def recipe(self) -> Recipe:
        """A bare recipe with only the part in question in it."""
        return self.lab.using(self.lab.recipe(self.kind), self.group, self.part, self.settings)

    def pair(self, base: Recipe, settings: Any) -> tuple[Recipe, Recipe]:
        """The recipe without the technique (and without what it clashes with), and with it."""
        on = self.lab.using(base, self.group, self.part, settings)
        return on.without(self.part.name()), on

    def vivid(self) -> Recipe:
        """A bare recipe with the technique at its vivid settings."""
        return self.lab.using(self.lab.recipe(self.kind), self.group, self.part, self.part.vivid)


Named = tuple[str, type[Part]]
"""A group of parts, such as ``technique``, and one of its parts."""

Cases = Callable[[Lab, Sequence[Named]], Iterable[Case]]


def every_part(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each part once."""
    return (Case(lab, group, part) for group, part in parts)


def every_unfit_kind(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each kind of rows that a part is not for, and each task that is not one of theirs."""
    for group, part in parts:
        if group in TRAINED:
            yield from (Case(lab, group, part, kind) for kind in lab.kinds_for(part) if not lab.fits(part, kind))
        elif not any(isinstance(lab.task(kind), part) for kind in (*KINDS, TEXT, IMAGE)):
            yield Case(lab, group, part)


def every_written_part(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each part with the first kind of table that it is for."""
    for group, part in parts:
        kind = next((k for k in lab.kinds_for(part) if lab.fits(part, k)), None)
        if kind is not None:
            yield Case(lab, group, part, kind)


def every_searched_part(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """The same without tasks: what a task predicts is given, not searched."""
    return every_written_part(lab, [(group, part) for group, part in parts if group != "task"])


def every_technique(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each technique once."""
    return (case for case in every_part(lab, parts) if case.group == "technique")


def every_technique_and_kind(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each technique on each kind of table that it is for."""
    return (case for case in every_trained_part(lab, parts) if case.group == "technique")


def every_stacking_technique(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each technique that says it stacks, in each kind of world that it is for."""
    for group, part in parts:
        if issubclass(part, Technique) and part.stacks:
            yield from (Case(lab, group, part, kind) for kind in WORLDS if lab.fits(part, kind))


def every_stacking_part_of_rows(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each part that says it stacks, on one kind of rows that it is for, the kinds in turn."""
    stacking = [(group, part) for group, part in parts if group in TRAINED and getattr(part, "stacks", False)]
    tables = 0
    for group, part in stacking:
        kinds = [kind for kind in lab.kinds_for(part) if kind in EVERY and lab.fits(part, kind)]
        if kinds:
            yield Case(lab, group, part, kinds[tables % len(kinds)])
            tables += kinds[0] not in (TEXT, IMAGE)


def every_trained_part(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each part that is trained with, on each kind of table that it is for."""
    for group, part in parts:
        if group in TRAINED:
            yield from (Case(lab, group, part, kind) for kind in lab.kinds_for(part) if lab.fits(part, kind))


def every_variant(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """The same with its defaults; its vivid settings and every other choice, one at a time, on each kind in turn."""
    for _, cases in groupby(every_trained_part(lab, parts), lambda case: case.part):
        tried = [replace(case, variant="default") for case in cases]
        yield from tried
        others = [variant for variant in variants(tried[0].part) if variant != "default"]
        yield from (replace(case, variant=variant) for case, variant in zip(cycle(tried), others, strict=False))


def every_model(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Of these the ones another graph comes of: neutral settings, and what acts on rows and steps, leave it be."""
    return (case for case in every_variant(lab, parts) if _changes_the_model(case))


def every_graph(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """The same, but techniques that neither change targets nor answer on one kind: nothing else of theirs differs."""
    models = every_model(lab, parts)
    for at, ((part, _), cases) in enumerate(groupby(models, lambda case: (case.part, case.variant))):
        tried = list(cases)
        kindless = issubclass(part, Technique) and not any(fills(part, seam) for seam in ("target", "answer"))
        yield from [tried[at % len(tried)]] if kindless else tried


def _changes_the_model(case: Case) -> bool:
    if case.group != "technique":
        return case.group == "network"
    part = case.part
    off = case.variant != "default" and part.make(case.settings) == part.make(part.neutral)
    return not off and any(fills(part, seam) for seam in MODEL_SEAMS)


def every_network_and_optimizer(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each network with each optimizer of the catalog, where one of the two is under test, on each kind in turn."""
    tested = {part for _, part in parts}
    networks, optimizers = (enumerate(lab.catalog.parts[group].values()) for group in ("network", "optimizer"))
    for (row, network), (column, optimizer) in product(networks, optimizers):
        kinds = [k for k in lab.kinds_for(network) if k in LEARNT and lab.fits(network, k) and lab.fits(optimizer, k)]
        if kinds and tested & {network, optimizer}:
            yield Case(lab, "network", network, kinds[(row + column) % len(kinds)], other=optimizer)


def every_technique_among_others(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each technique that needs no texts and no images, where there are some."""
    return (case for case in _among_others(lab, parts) if case.group == "technique")


def every_network_among_others(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each network that needs no texts and no images, where there are some."""
    return (replace(case, variant="default") for case in _among_others(lab, parts) if case.group == "network")


def _among_others(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    for group, part in parts:
        if lab.kinds_for(part) == KINDS and group in ("technique", "network"):
            yield from (Case(lab, group, part, kind) for kind in (TEXT, IMAGE) if lab.fits(part, kind))


def every_technique_beside_another(lab: Lab, parts: Sequence[Named]) -> Iterator[Case]:
    """Each technique and kind of table with a few techniques of the catalog, the same ones every time."""
    for case in every_technique_and_kind(lab, parts):
        others = [t for t in lab.catalog.parts["technique"].values() if goes_beside(case, t)]
        chosen = random.Random(str(case)).sample(others, min(PARTNERS, len(others)))
        yield from (replace(case, other=other) for other in chosen)


def goes_beside(case: Case, other: type[Part]) -> bool:
    """Say whether another technique can be used in the same recipe: no slot is shared, and the table suits it."""
    assert issubclass(other, Technique)
    shared = case.part.slot is not None and case.part.slot == other.slot
    return other is not case.part and not shared and case.lab.fits(other, case.kind)
