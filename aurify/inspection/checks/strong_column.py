"""Columns that say so much more of the target than all others that they may be known only afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.data.findings import WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.suspects import Suspect, evidence, left_out, score_bars


class StrongColumn(Check):
    """Columns with nearly all of the skill, alone, against a model of all columns and one of the others.

    An honest column may be as strong: the finding asks whether it is known in time. What is a leak for sure is told
    by ``target_leak`` and ``sibling_target`` and not repeated.
    """

    needs = frozenset({Trait.COLUMNS})
    of_target = True
    of_labels = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for suspect in seen.suspects:
            if suspect.check == self.name():
                yield self.found(
                    WARNING,
                    _text(suspect, seen.schema.target or "", seen.classes is not None),
                    fix=said(
                        "make sure that it is known when you predict; if not, {leave}", leave=left_out(suspect.name)
                    ),
                    columns=[suspect.name],
                    weight=suspect.scores["alone"][0],
                    evidence=evidence(suspect),
                    exhibits=[score_bars(suspect, seen.classes is not None)],
                )


def _text(suspect: Suspect, target: str, classes: bool) -> Said:
    alone, low, high = suspect.scores["alone"]
    score = said("balanced accuracy") if classes else said("R2")
    if "rest" not in suspect.scores:
        return said(
            "column {column!r} alone says nearly all of the target {target!r}, and there is no other column: "
            "{score} {alone:.3f} (95% interval {low:.3f} to {high:.3f})",
            column=suspect.name,
            target=target,
            score=score,
            alone=alone,
            low=low,
            high=high,
        )
    return _against_others(suspect, target, score)


def _against_others(suspect: Suspect, target: str, score: Said) -> Said:
    alone, low, high = suspect.scores["alone"]
    every, rest = suspect.scores["all"][0], suspect.scores["rest"][0]
    if suspect.label:
        return said(
            "column {column!r} alone says which rows of {target!r} are {label!r}: {score} {alone:.3f} "
            "(95% interval {low:.3f} to {high:.3f}), all columns {every:.3f}, all others without it {rest:.3f}",
            column=suspect.name,
            target=target,
            score=score,
            alone=alone,
            low=low,
            high=high,
            every=every,
            rest=rest,
            label=suspect.label,
        )
    return said(
        "column {column!r} is suspiciously strong: alone it says {target!r} with {score} {alone:.3f} "
        "(95% interval {low:.3f} to {high:.3f}), all columns with {every:.3f}, all others without it with {rest:.3f}",
        column=suspect.name,
        target=target,
        score=score,
        alone=alone,
        low=low,
        high=high,
        every=every,
        rest=rest,
    )
