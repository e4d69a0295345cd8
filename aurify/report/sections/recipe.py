"""What the model is made of: each part with its idea, and which settings are not the usual ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, ClassVar

from aurify.core.parts import Part
from aurify.core.words import Said, listed, said
from aurify.report.section import Block, Code, Folded, Paragraph, Played, Record, Rows, Section, Tested

BLENDS = {
    "trees": said(
        "Average the network's answers with those of gradient-boosted trees, by a share found on held-out rows."
    ),
    "ngrams": said(
        "Average the network's answers with those of a linear model on n-grams, by a share found on held-out rows."
    ),
}


class Recipe(Section):
    """Network, optimizer, budget and techniques."""

    order = 800
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("The recipe")

    def measure(self, tested: Tested | Played) -> dict[str, Any]:
        """The recipe that data like this would have had without a word of the user's."""
        usual = tested.recipe.task.defaults(tested.store)
        return {name: dict(usual[name]) for name in ("network", "optimizer", "techniques", "budget")}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        usual = {"network": {}, "optimizer": {}, "techniques": {}, "budget": {}} if measured is None else measured
        blocks: list[Block] = [Paragraph(_budget(record)), _parts(record, usual)]
        if measured is not None:
            blocks += [Paragraph(text) for text in _switched(record, usual["techniques"])]
        text = record.folder.recipe.read_text(encoding="utf-8")
        return [*blocks, Folded(said("The whole recipe, recipe.yaml"), [Code(text)])]


def _budget(record: Record) -> Said:
    budget = record.recipe.budget
    if record.recipe.task.examples == "episodes":
        return said(
            "Each agent does at most {steps:,} steps in its world. Techniques are listed in the order in which they"
            " act.",
            steps=record.recipe.task.settings()["steps"],
        )
    length = (
        said("{steps:,} steps", steps=budget.steps)
        if budget.steps is not None
        else said("{epochs:,} passes over the training rows", epochs=budget.epochs)
    )
    if budget.seconds is not None:
        length = said("{length} or {seconds:,.0f} seconds in all", length=length, seconds=budget.seconds)
    return said(
        "At most {length}, in batches of {rows:,} rows. Techniques are listed in the order in which they act.",
        length=length,
        rows=budget.batch_size,
    )


def _parts(record: Record, usual: Mapping[str, Any]) -> Rows:
    recipe = record.recipe
    rows: list[list[str]] = [
        [said("network {name}", name=recipe.network.name()), _idea(recipe.network, usual["network"])],
        [said("optimizer {name}", name=recipe.optimizer.name()), _idea(recipe.optimizer, usual["optimizer"])],
    ]
    if recipe.blend.model in BLENDS:
        rows.append([said("blend {name}", name=recipe.blend.model), BLENDS[recipe.blend.model]])
    for technique in recipe.techniques:
        settings = usual["techniques"].get(technique.name(), {})
        rows.append([technique.name(), _idea(technique, {"name": technique.name(), **settings})])
    return Rows([said("part of the recipe"), said("idea")], rows, said("The parts of this recipe"), numbers=False)


def _idea(part: Part, usual: Mapping[str, Any]) -> str:
    """What a part does, and the settings that are neither its own defaults nor what data like this gets by itself."""
    own = {f.name: f.default for f in fields(part) if f.init and f.default is not MISSING}
    own |= usual if usual.get("name") == part.name() else {}
    changed = {k: v for k, v in part.settings().items() if k not in own or _listed(own[k]) != _listed(v)}
    idea = Said(part.idea(), {})
    if not changed:
        return idea
    settings = ", ".join(f"{name} = {value}" for name, value in changed.items())
    return said("{idea} Set otherwise than usual: {settings}.", idea=idea, settings=settings)


def _listed(value: Any) -> Any:
    """As JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


def _switched(record: Record, usual: Mapping[str, Any]) -> list[Said]:
    """Which techniques are on or off against what data like this gets by itself."""
    here = [technique.name() for technique in record.recipe.techniques]
    added = [name for name in here if name not in usual]
    absent = [name for name in usual if name not in here]
    texts = [said("Added to what data like this gets by itself: {names}.", names=listed(added))] if added else []
    texts += [said("Left out of it: {names}.", names=listed(absent))] if absent else []
    return texts
