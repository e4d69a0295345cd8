"""Texts with the words that an answer hangs on: highlighted, and as a table of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.measure.pieces import shortened
from aurify.measure.verdict import number
from aurify.report.section import Block, Folded, Marked, Paragraph, Rows
from aurify.report.values import share

FAINT = 0.1
"""Log-odds below which even the strongest word of a text is not shown as strong."""

LEVELS = (0.12, 0.4, 0.75)
"""Shares of the strongest effect in a text from which on words have one, two or three marks."""

TOLD = 60
"""Characters of a piece in the table."""

OPPOSED, HELPED = -3, 3


def legend() -> Sequence[Block]:
    """How the marks are to be read."""
    return [
        Marked(
            [(said("speaks for the answer"), HELPED), (" \u00b7 ", 0), (said("speaks against it"), OPPOSED)],
            said("What the marks mean"),
        )
    ]


def how(of_classes: bool) -> Said:
    """What is measured."""
    if of_classes:
        return said(
            "Each word was left out in turn and the model asked again (occlusion): a word speaks for the answer where"
            " the answer is less likely without it. The strength is the change of the log-odds; the stronger, the"
            " darker, the thicker the line, bold at the most. In long texts words are left out several at a time. Of"
            " two words of which one is enough, neither seems to matter. It explains the model, not the world."
        )
    return said(
        "Each word was left out in turn and the model asked again (occlusion): a word speaks for the answer where the"
        " number is lower without it. The stronger, the darker, the thicker the line, bold at the most. In long texts"
        " words are left out several at a time. Of two words of which one is enough, neither seems to matter. It"
        " explains the model, not the world."
    )


def marked(found: Mapping[str, Any], *, of_classes: bool) -> list[Block]:
    """The texts of one row, each with its words marked and a table of their numbers behind."""
    effects = [abs(piece["effect"] or 0.0) for text in found["texts"] for piece in text["pieces"] if "effect" in piece]
    strongest = max([*effects, FAINT if of_classes else 0.0])
    blocks: list[Block] = []
    for text in found["texts"]:
        name = text["column"]
        if len(found["texts"]) > 1:
            blocks.append(Paragraph(said("{column}:", column=name)))
        pieces = [(_written(piece), _level(piece.get("effect"), strongest)) for piece in text["pieces"]]
        if not pieces:
            blocks.append(Paragraph(said("The text is empty.")))
            continue
        blocks.append(Marked(pieces, said("What {column} says, its words marked", column=name)))
        if any("effect" in piece for piece in text["pieces"]):
            blocks.append(Folded(said("The numbers of these words"), [_table(text["pieces"], of_classes)]))
    return blocks


def _written(piece: Mapping[str, Any]) -> str:
    if "more" in piece:
        return said("\u2026 ({count:,} more characters)", count=piece["more"])
    return piece["text"]


def _level(effect: float | None, strongest: float) -> int:
    """How strongly a piece is marked, below 0 where it speaks against the answer."""
    if not effect or strongest <= 0:
        return 0
    level = sum(abs(effect) >= least * strongest for least in LEVELS)
    return level if effect > 0 else -level


def _table(pieces: Sequence[Mapping[str, Any]], of_classes: bool) -> Rows:
    """The strongest first."""
    known = sorted((p for p in pieces if "effect" in p), key=lambda p: -abs(p["effect"] or 0.0))
    moved = said("log-odds it adds") if of_classes else said("what it adds")
    return Rows(
        header=[said("word"), moved, said("answer without it")],
        rows=[
            [
                _written(piece) if "more" in piece else shortened(piece["text"], TOLD),
                "\u2013" if piece["effect"] is None else number(piece["effect"], signed=True),
                share(piece["without"]) if of_classes else number(piece["without"]),
            ]
            for piece in known
        ],
    )
