"""What dates tell: how far along in time a row is, and where in the year, the week and the day."""

# N rows, D date columns, F features of one date

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View
from aurify.data.dates import DAY_SECONDS

CYCLES = {"day of year": 365.25, "day of week": 7.0, "hour": 1.0}
"""Lengths in days."""
CYCLE_NAMES = tuple(f"{cycle} {wave}" for cycle in CYCLES for wave in ("sine", "cosine"))
NAMES = (*CYCLE_NAMES, "day of month", "weekend")


@dataclass(kw_only=True)
class Calendar(Technique):
    """Give the network the season, the weekday and the hour of a date, beside the days since the first one.

    Cycles enter as sine and cosine, so that December is next to January (London 2016, Encoding cyclical continuous
    features); day of month and weekend as numbers. Only what varies in training is added. Hours are UTC for times that
    tell their zone, else as written. Helps: seasons and weekly or daily habits. Hurts: a few months of data, where the
    season is nothing but the trend. The days since the first date are held within the training range, as a network
    extrapolates them to anything (``free`` lets it). Bare: the days alone.
    """

    family = "features"
    elapsed: str = knob("clamp", "days since the first date in training", choices=("clamp", "free", "off"))
    cycles: bool = knob(True, "sine and cosine of the day of the year, the day of the week and the hour")
    days: bool = knob(True, "day of the month, and whether it is a weekend")
    needs = frozenset({Trait.COLUMNS})
    neutral = {"elapsed": "free", "cycles": False, "days": False}
    stage = Stage.PARSE
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "dates" not in view.values or self == Calendar.make(self.neutral):
            return None
        dates = view.values["dates"]
        known = ~torch.isnan(dates)
        first = _extreme(dates, torch.inf)
        last = -_extreme(-dates, torch.inf)
        features = calendar(dates)
        asked = torch.tensor([self.cycles] * len(CYCLE_NAMES) + [self.days] * (len(NAMES) - len(CYCLE_NAMES)))
        present = known.repeat_interleave(len(NAMES), 1)
        low = torch.where(present, features, torch.inf).amin(0)
        high = torch.where(present, features, -torch.inf).amax(0)
        kept = torch.nonzero((high - low > 1e-9) & asked.repeat(dates.shape[1]))[:, 0]
        if self.elapsed == "off" and not len(kept) and len(view.inputs) == 1:
            return None  # nothing would be left to learn from
        filling = torch.where(present, features, torch.nan).nanmean(0)[kept].nan_to_num()
        names = [f"{n} {feature}" for n in view.inputs["dates"].names for feature in NAMES]
        added = [names[at] for at in kept.tolist()]
        numbered = "numbers" in view.inputs
        return Dates(
            first=first, last=last, kept=kept, filling=filling, added=added, elapsed=self.elapsed, numbered=numbered
        )


def _extreme(dates: Tensor, stand_in: float) -> Tensor:
    """The least of each column (N, D), missing left out; 0 for an empty one."""
    least = dates.nan_to_num(nan=stand_in).amin(0)
    return torch.where(torch.isfinite(least), least, 0.0)


class Dates(Layer):
    """Fitted range (D,) of the dates, which features are kept of all, and what stands in for those of a missing date.

    That a date is missing is left to its elapsed days to tell: one flag, not one a feature.
    """

    first: Tensor
    last: Tensor
    kept: Tensor
    filling: Tensor
    added: list[str]
    elapsed: str
    numbered: bool

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        dates = values["dates"]
        pieces = [values["numbers"]] if self.numbered else []
        if self.elapsed != "off":
            moments = torch.minimum(torch.maximum(dates, self.first), self.last) if self.elapsed == "clamp" else dates
            pieces.append((moments - self.first) / DAY_SECONDS)
        if self.added:
            features = calendar(dates)[:, self.kept]
            pieces.append(torch.where(torch.isnan(features), self.filling, features))
        after = {k: v for k, v in values.items() if k != "dates"}
        return {**after, "numbers": torch.cat(pieces, 1)} if pieces else after

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        old = before["numbers"].names if self.numbered else ()
        days = before["dates"].names if self.elapsed != "off" else ()
        names = (*old, *days, *self.added)
        after = {k: v for k, v in before.items() if k != "dates"}
        return {**after, "numbers": Input("numbers", (len(names),), names)} if names else after


def calendar(dates: Tensor) -> Tensor:
    """Every feature of each date: (N, D) float64 seconds since 1970 to (N, D F), NaN where there is no date.

    Days to year, month and day by whole divisions (Hinnant 2021, chrono-compatible low-level date algorithms), in
    float64, where they are exact and every runtime can do them. Years begin in March here.
    """
    days = torch.floor(dates / DAY_SECONDS)
    hour = dates / DAY_SECONDS - days
    since = days + 719_468.0  # 1 March of the year 0
    of_era = since - torch.floor(since / 146_097.0) * 146_097.0
    leaps = torch.floor(of_era / 1_460.0) - torch.floor(of_era / 36_524.0) + torch.floor(of_era / 146_096.0)
    year = torch.floor((of_era - leaps) / 365.0)
    of_year = of_era - (365.0 * year + torch.floor(year / 4.0) - torch.floor(year / 100.0))
    month = torch.floor((5.0 * of_year + 2.0) / 153.0)
    of_month = of_year - torch.floor((153.0 * month + 2.0) / 5.0) + 1.0
    of_week = days + 3.0 - torch.floor((days + 3.0) / 7.0) * 7.0  # Monday is 0
    weekend = torch.floor(of_week / 5.0)
    turns = [at / length for at, length in zip((of_year, of_week, hour), CYCLES.values(), strict=True)]
    waves = [torch.sin(2 * math.pi * (turn + shift)) for turn in turns for shift in (0.0, 0.25)]
    return torch.stack([*waves, of_month, weekend], 2).flatten(1)
