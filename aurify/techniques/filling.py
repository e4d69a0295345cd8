"""Fill missing numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View
from aurify.data.prepare import column_quantiles


@dataclass(kw_only=True)
class FillMissing(Technique):
    """Replace missing numbers by the training rows' median or mean, and say where with a flag column.

    Source: Little & Rubin (1987); the flag is the missing-indicator method (Cohen & Cohen 1975). Helps: nearly
    always when cells are missing; the flag when that a value is missing tells something. Hurts: a filled value is
    a guess, and flags of many columns add noise to small tables. Bare: missing becomes the mean, without a flag.
    """

    strategy: str = knob("median", "what stands in for a missing number", choices=("median", "mean", "none"))
    flag: bool = knob(True, "add a column that says where a value was missing")
    needs = frozenset({Trait.COLUMNS})
    neutral = {"strategy": "none", "flag": False}
    stage = Stage.FILL
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or self == FillMissing.make(self.neutral):
            return None
        numbers = view.values["numbers"]
        gone = torch.isnan(numbers)
        flagged = torch.nonzero(gone.any(0))[:, 0] if self.flag else torch.zeros(0, dtype=torch.int64)
        match self.strategy:
            case "median":
                filling = column_quantiles(numbers, 0.5)
            case "mean":
                filling = numbers.nanmean(0)
            case _:
                filling = torch.full((numbers.shape[1],), torch.nan, dtype=torch.float64)
        if self.strategy != "none":
            filling = torch.nan_to_num(filling)
        return Fill(filling=filling, flagged=flagged, flag_names=[f"{n} missing" for n in _picked(view, flagged)])


def _picked(view: View, flagged: Tensor) -> list[str]:
    return [view.inputs["numbers"].names[at] for at in flagged.tolist()]


class Fill(Layer):
    """Fitted fillings (C,) for the numbers, and which columns get a flag in the input ``missing``."""

    filling: Tensor
    flagged: Tensor
    flag_names: list[str]

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        gone = torch.isnan(values["numbers"])
        after = {**values, "numbers": torch.where(gone, self.filling, values["numbers"])}
        if self.flag_names:
            after["missing"] = gone[:, self.flagged].double()
        return after

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        if not self.flag_names:
            return dict(before)
        return {**before, "missing": Input("numbers", (len(self.flag_names),), tuple(self.flag_names))}
