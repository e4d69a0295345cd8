"""Targets that are wrong, rare, respelt, capped, or have nothing to do with the columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.planting.planted import Defect, Planted, between, codes_of, rows_chosen, spoilt


def flipped_labels(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """5 to 20 % of the rows with the label of another class."""
    if kind == "regress":
        return None
    rows = rows_chosen(random, frame.height, between(0.05, 0.2, strength))
    codes = codes_of(frame, target)
    labels = [frame[target][int(np.argmax(codes == c))] for c in range(codes.max() + 1)]
    fresh = (codes[rows] + random.integers(1, len(labels), len(rows))) % len(labels)
    return Planted(spoilt(frame, target, rows, [labels[c] for c in fresh]))


def slipped_targets(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """0.5 to 3 % of the targets in another unit."""
    if kind == "classify":
        return None
    rows = rows_chosen(random, frame.height, between(0.005, 0.03, strength))
    values = frame[target].cast(pl.Float64).to_numpy()[rows] * round(between(10, 1000, strength))
    return Planted(spoilt(frame, target, rows, values))


def rare_class(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A class of three or more with two rows, or one, left."""
    codes = codes_of(frame, target)
    if kind == "regress" or codes.max() < 2:
        return None
    mine = np.flatnonzero(codes == random.integers(codes.max() + 1))
    gone = random.permutation(mine)[1 if strength > 0.5 else 2 :]
    return Planted(frame[np.setdiff1d(np.arange(frame.height), gone)])


def imbalance(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """One class of two left with 5 to 0.5 % of the rows."""
    codes = codes_of(frame, target)
    if kind == "regress" or codes.max() != 1:
        return None
    mine = random.permutation(np.flatnonzero(codes == np.argmin(np.bincount(codes))))
    others = frame.height - len(mine)
    share = between(0.05, 0.005, strength)
    return Planted(frame[np.setdiff1d(np.arange(frame.height), mine[max(5, round(share * others)) :])])


def label_respelt(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """5 to 30 % of the labels of one class in another spelling; the case of Yes and No is not read, so it is none."""
    if kind == "regress" or frame[target].dtype != pl.String:
        return None
    label = str(random.choice(frame[target].unique(maintain_order=True).to_list()))
    spellings = [label.upper(), label.lower(), label.title(), f"{label}.", f"{label[:1]} {label[1:]}"]
    truths = set(frame[target].unique().str.to_lowercase()) <= {"yes", "no"}
    fresh = str(random.choice([s for s in spellings[3 if truths else 0 :] if s != label]))
    rows = np.flatnonzero((frame[target] == label).to_numpy())
    return Planted(
        spoilt(
            frame,
            target,
            chosen := rows[rows_chosen(random, len(rows), between(0.05, 0.3, strength))],
            [fresh] * len(chosen),
        )
    )


def capped_target(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """The highest 3 to 15 % of the targets, or the lowest, all at one value."""
    if kind == "classify":
        return None
    share = between(0.03, 0.15, strength)
    at = float(frame[target].cast(pl.Float64).quantile(1 - share if random.random() < 0.7 else share) or 0)
    low = at < float(frame[target].cast(pl.Float64).median() or 0)
    capped = pl.col(target).cast(pl.Float64)
    return Planted(frame.with_columns(capped.clip(lower_bound=at) if low else capped.clip(upper_bound=at)))


def no_signal(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """Targets that are shuffled: nothing tells of them."""
    return Planted(
        frame.with_columns(pl.Series(target, random.permutation(frame[target].to_numpy())).cast(frame[target].dtype))
    )


DEFECTS = (
    Defect(flipped_labels, ("label_errors",), clear=True),
    Defect(slipped_targets, ("target_outliers",)),
    Defect(rare_class, ("rare_classes",)),
    Defect(imbalance, ("imbalance", "rare_classes"), notes=True),
    Defect(label_respelt, ("label_spelling",)),
    Defect(capped_target, ("capped_target",)),
    Defect(no_signal, ("no_signal",), clear=True),
)
