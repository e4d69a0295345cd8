"""How to repeat the run and what makes it the same one; and how to use what came of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, said
from aurify.report.section import Block, Code, Paragraph, Played, Record, Rows, Section, Tested

OUTSIDE = "aurify_parts."
"""How the modules of parts begin that came with ``--parts``."""


class Reproduce(Section):
    """Commands to repeat and to use the run."""

    order = 900
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("Repeat it, use it")

    def measure(self, tested: Tested | Played) -> dict[str, Any]:
        if isinstance(tested, Played):
            return {"fingerprint": tested.world.fingerprint}
        return {"fingerprint": tested.store.fingerprint, "rows": len(tested.store)}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        facts = [[said("seed"), str(record.recipe.seed)]]
        if "threads" in record.environment:
            facts.append([said("threads"), str(record.environment["threads"])])
        if measured is not None:
            facts.insert(0, [said("fingerprint of the data, SHA-256"), measured["fingerprint"]])
        if measured is not None and "rows" in measured:
            facts.insert(0, [said("rows read"), f"{measured['rows']:,}"])
        given = record.recipe.network.name() == "given"
        return [
            Paragraph(_what(record)),
            Code(_again(record)),
            *(Paragraph(text) for text in _same(record)),
            Rows([said("what"), said("value")], facts, said("What must be equal"), numbers=False),
            Paragraph(
                said("And this lets the agent that came of it play new episodes, or act elsewhere:")
                if _acts(record)
                else said("And this uses the model that came of it, on new rows:")
            ),
            Code(_use(record, network=", network=..." if given else "")),
        ]


def _acts(record: Record) -> bool:
    return record.recipe.task.examples == "episodes"


def _what(record: Record) -> Said:
    if record.folder.tuned():
        return said(
            "This trains one network with the settings that the search found, in a new run folder; the model here"
            " averages several that were trained in the search:"
        )
    return said("This trains the same model again, in a new run folder:")


def _again(record: Record) -> str:
    """One command, or lines of Python where the data or the network came from there."""
    recipe, run = record.recipe, record.summary["run"]
    threads, path = record.environment.get("threads", 1), f"{run}/recipe.yaml"
    if recipe.source.path is None or recipe.network.name() == "given":
        data = "frame" if recipe.source.path is None else repr(recipe.source.path)
        network = ", network=network" if recipe.network.name() == "given" else ""
        return f"import aurify\n\naurify.fit({data}, recipe={path!r}{network}, threads={threads})"
    return _command("fit", path, "--threads", str(threads), *_parts(record))


def _same(record: Record) -> list[Said]:
    recipe, texts = record.recipe, list[Said]()
    if recipe.source.path is None:
        texts.append(said("Here frame is the data frame that was passed, with the same rows in the same order."))
    if recipe.network.name() == "given":
        texts.append(said("Here network is the network that was passed; it is in no file."))
    if _parts(record):
        texts.append(said("The files given with --parts are those of the parts that aurify does not bring along."))
    if record.folder.tuned():
        return [*texts, said("The new run looks at the test rows once more, and that look is counted.")]
    if _acts(record):
        texts.append(
            said(
                "With the same versions and as many threads on the same kind of processor every bit of the agents is"
                " the same; otherwise they may differ, for what is acted decides what is learnt from. The new run plays"
                " the test episodes once more, and that look is counted."
            )
        )
        return texts
    texts.append(
        said(
            "With the same data, the same versions and as many threads on the same kind of processor every bit of the"
            " model is the same; otherwise the last digits may differ. The new run looks at the test rows once more,"
            " and that look is counted."
        )
    )
    if recipe.budget.seconds is not None:
        texts.append(
            said("The time limit is measured again and may buy another number of steps: then it is another model.")
        )
    if recipe.budget.find_rate:
        texts.append(said("The learning rate is measured again."))
    return texts


def _use(record: Record, network: str) -> str:
    run = record.summary["run"]
    python = f"import aurify\n\naurify.load({run!r}{network}).predict(frame)"
    if network:
        return python
    parts = _parts(record)
    commands = [
        _command("predict", run, "new.csv", "--out", "predictions.csv", *parts),
        _command("evaluate", run, "labelled.csv", *parts),
    ]
    if _acts(record):
        commands = [_command("play", run, "--episodes", "3", "--record", "episodes.gif", *parts), commands[0]]
    if not any(part.why_unexportable() for part in (record.recipe.network, *record.recipe.techniques)):
        commands.append(_command("export", run, "model.onnx", *parts))
    return "\n".join(commands)


def _parts(record: Record) -> list[str]:
    """The words that bring in parts from outside the package."""
    recipe = record.recipe
    modules = {type(part).__module__ for part in (recipe.task, recipe.network, recipe.optimizer, *recipe.techniques)}
    stems = sorted(name.removeprefix(OUTSIDE) for name in modules if name.startswith(OUTSIDE))
    return [word for stem in stems for word in ("--parts", f"{stem}.py")]


def _command(*words: str) -> str:
    return shlex.join(["aurify", *words])
