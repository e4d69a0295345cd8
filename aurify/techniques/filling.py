"""Fill missing numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aurify.blocks.search import place_after
from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View
from aurify.data.prepare import column_quantiles, place_of

STRATEGIES = ("median", "mean", "most_frequent", "constant", "forward", "local_polynomial", "none")


@dataclass(kw_only=True)
class FillMissing(Technique):
    """Replace missing numbers by what the training rows suggest, and say where with a flag column.

    Source: Little & Rubin (1987); the flag is the missing-indicator method (Cohen & Cohen 1975). ``median``, ``mean``
    and ``most_frequent`` (the least of equally frequent ones) are those of the training rows; where ``by`` names a
    column, of those with the same category, or of all where that category has none. ``forward`` is the last value of a
    training row at or before this row's ``order_by`` (a date or number column), of the same category if there is
    ``by``; ``local_polynomial`` carries a polynomial through the last ``points`` of them on to this row (Savitzky &
    Golay 1964, but from the past alone), never beyond the training range. Rows without a past, and all rows without
    ``order_by``, get the median. Weights of rows are not looked at. Helps: nearly always when cells are missing; the
    flag when that a value is missing tells something; ``forward`` for readings that change slowly. Hurts: a filled
    value is a guess, and flags of many columns add noise to small tables; a time that is clipped no longer orders rows
    (``clip_outliers.spare``). Bare: missing becomes the mean, without a flag.
    """

    family = "cleaning"
    strategy: str = knob("median", "what stands in for a missing number", choices=STRATEGIES)
    flag: bool = knob(True, "add a column that says where a value was missing")
    by: str = knob("", "a category column: fill from rows with the same value", column=True)
    order_by: str = knob("", "forward, local_polynomial: the date or number column that orders rows", column=True)
    constant: float = knob(0.0, "constant: the number", low=-1.0, high=1.0, legal=(-1e12, 1e12))
    degree: int = knob(1, "local_polynomial: its degree", low=0, high=3, legal=(0, 8))
    points: int = knob(8, "local_polynomial: past values it goes through", low=2, high=32, log=True, legal=(1, 1000))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"strategy": "none", "flag": False}
    stage = Stage.FILL
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if "numbers" not in view.values or (self.strategy == "none" and not self.flag):
            return None
        numbers = view.values["numbers"]
        by = place_of(self.by, view.inputs.get("codes"), "fill_missing.by") if self.by else None
        codes = view.values["codes"][:, by] if by is not None else torch.full((len(numbers),), -2)
        groups = 1 if by is None else view.inputs["codes"].cardinalities[by] + 2
        flagged = torch.nonzero(torch.isnan(numbers).any(0))[:, 0] if self.flag else torch.zeros(0, dtype=torch.int64)
        fields = {
            "filling": self._filling(numbers, codes + 2, groups),
            "by": by,
            "flagged": flagged,
            "flag_names": [f"{view.inputs['numbers'].names[at]} missing" for at in flagged.tolist()],
        }
        if self.strategy not in ("forward", "local_polynomial") or not self.order_by:
            return Fill(**fields)
        time = place_of(self.order_by, view.inputs["numbers"], "fill_missing.order_by")
        points, degree = (1, 0) if self.strategy == "forward" else (self.points, self.degree)
        return FillFromPast(**fields, **_past(numbers, codes + 2, groups, time), points=points, degree=degree)

    def _filling(self, numbers: Tensor, group: Tensor, groups: int) -> Tensor:
        """What stands in for a missing number of each group and column (groups, C)."""
        match self.strategy:
            case "none":
                return torch.full((groups, numbers.shape[1]), torch.nan, dtype=torch.float64)
            case "constant":
                return torch.full((groups, numbers.shape[1]), self.constant, dtype=torch.float64)
            case "mean" | "most_frequent":
                statistic = _mean if self.strategy == "mean" else _most_frequent
            case _:
                statistic = _median
        filling = np.zeros((groups, numbers.shape[1]))
        for at, column in enumerate(numbers.numpy().T):
            there = np.isfinite(column)
            if not there.any():
                continue
            present, place = column[there], group.numpy()[there]
            filling[:, at] = statistic(present, np.zeros_like(place))[1]
            if groups > 1:
                found, values = statistic(present, place)
                known = found >= 2  # a missing or unknown category is no group
                filling[found[known], at] = values[known]
        return torch.from_numpy(filling)


def _mean(values: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which groups there are, ascending, and the mean of each."""
    found, place = np.unique(group, return_inverse=True)
    return found, np.bincount(place, values) / np.bincount(place)


def _median(values: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ordered = values[np.lexsort((values, group))]
    found, count = np.unique(group, return_counts=True)
    begin = np.cumsum(count) - count
    return found, ordered[begin + (count - 1) // 2] / 2 + ordered[begin + count // 2] / 2


def _most_frequent(values: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((values, group))
    values, group = values[order], group[order]
    first = np.flatnonzero(np.r_[True, (np.diff(values) != 0) | (np.diff(group) != 0)])  # of each value of each group
    count = np.diff(np.r_[first, len(values)])
    first = first[np.lexsort((-count, group[first]))]
    found, at = np.unique(group[first], return_index=True)
    return found, values[first[at]]


def _past(numbers: Tensor, group: Tensor, groups: int, time: int) -> dict[str, Tensor | int]:
    """The training rows' values in order of time, of one column and group after the other."""
    times, values, lengths = [], [], []
    when = numbers[:, time]
    for column in numbers.T:
        known = torch.nonzero(torch.isfinite(column) & torch.isfinite(when))[:, 0]
        known = known[np.lexsort((when[known].numpy(), group[known].numpy()))]
        times.append(when[known])
        values.append(column[known])
        lengths.append(torch.bincount(group[known], minlength=groups))
    length = torch.stack(lengths, 1)  # (groups, C)
    end = length.T.reshape(-1).cumsum(0).reshape(len(lengths), groups).T.contiguous()
    last = torch.tensor(
        [torch.inf], dtype=torch.float64
    )  # so that there is something to look at where nothing is known
    kept = {"times": torch.cat([*times, last]), "values": torch.cat([*values, last])}
    low, high = column_quantiles(numbers, 0.0), column_quantiles(numbers, 1.0)
    places = {"begin": end - length, "end": end, "time": time, "longest": int(length.max())}
    return {**kept, **places, "low": low.nan_to_num(), "high": high.nan_to_num()}


class Fill(Layer):
    """Fitted fillings (groups, C) for the numbers, and which columns get a flag in the input ``missing``.

    A row's group is its code in the category column ``by`` + 2, so that missing and unknown ones are 1 and 0.
    """

    filling: Tensor
    flagged: Tensor
    flag_names: list[str]
    by: int | None

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        gone = torch.isnan(values["numbers"])
        after = {**values, "numbers": torch.where(gone, self.guess(values), values["numbers"])}
        if self.flag_names:
            after["missing"] = gone[:, self.flagged].double()
        return after

    def guess(self, values: dict[str, Tensor]) -> Tensor:
        """What would stand in for each number (B, C), or (1, C)."""
        return self.of_group(self.filling, values)

    def of_group(self, table: Tensor, values: dict[str, Tensor]) -> Tensor:
        """Each row's line of a table (groups, C)."""
        return table[:1] if self.by is None else table[values["codes"][:, self.by] + 2]

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        if not self.flag_names:
            return dict(before)
        return {**before, "missing": Input("numbers", (len(self.flag_names),), tuple(self.flag_names))}


class FillFromPast(Fill):
    """Fillings from the training rows' ``values`` (M,) up to a row's ``time``, a column.

    Those of one group and column are at ``begin`` (groups, C) to before ``end``, ascending in ``times`` (M,); those of
    a column are from ``low`` to ``high`` (C,).
    """

    times: Tensor
    values: Tensor
    begin: Tensor
    end: Tensor
    low: Tensor
    high: Tensor
    time: int
    longest: int
    points: int
    degree: int

    def guess(self, values: dict[str, Tensor]) -> Tensor:
        when = values["numbers"][:, [self.time]]
        filling, begin, end = (self.of_group(t, values) for t in (self.filling, self.begin, self.end))
        after = place_after(self.times, begin, end, when.expand_as(values["numbers"]), self.longest)
        # one column at a time: all columns times all points would not fit into memory
        columns = [self._carried(after[:, [c]], begin[:, [c]], when, c) for c in range(after.shape[1])]
        return torch.where(after > begin, torch.cat(columns, 1), filling)

    def _carried(self, after: Tensor, begin: Tensor, when: Tensor, column: int) -> Tensor:
        """What the last points before the places ``after`` (B, 1) come to at the times ``when`` (B, 1)."""
        place = after - torch.arange(1, self.points + 1)
        there = place >= begin
        place = place.clamp(min=0)
        ago = torch.where(there, self.times[place] - when, 0.0)
        seen = torch.where(there, self.values[place], 0.0)
        carried = carry_on(ago, seen, there.double(), self.degree)
        return carried.clamp(self.low[column], self.high[column])


def carry_on(ago: Tensor, seen: Tensor, weight: Tensor, degree: int) -> Tensor:
    """Value at time 0 (B, 1) of the polynomial that fits ``seen`` (B, P) at the times ``ago`` (B, P) <= 0 best.

    ``weight`` (B, P) is 0 where there is no value. By polynomials orthogonal on these times (Forsythe 1957); the degree
    is lower where there are too few times.
    """
    ago = ago / ago.abs().amax(1, keepdim=True).clamp(min=1e-300)
    here, now = torch.ones_like(ago), torch.ones_like(ago[:, :1])  # the polynomial at the times, and at time 0
    before, before_now, norm_before = torch.zeros_like(ago), torch.zeros_like(now), torch.ones_like(now)
    total = torch.zeros_like(now)
    for _ in range(degree + 1):
        norm = (weight * here.square()).sum(1, keepdim=True)
        usable = norm > 1e-12
        safe = torch.where(usable, norm, 1.0)
        share = (weight * here * seen).sum(1, keepdim=True) / safe
        total = total + torch.where(usable, share * now, 0.0)
        middle = (weight * ago * here.square()).sum(1, keepdim=True) / safe
        ratio = norm / norm_before
        here, before = (ago - middle) * here - ratio * before, here
        now, before_now = -middle * now - ratio * before_now, now
        norm_before = safe
    return total
