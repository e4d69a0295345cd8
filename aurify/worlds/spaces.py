"""What an environment shows and takes: its spaces as typed columns and as actions."""

# N observations, a numbers of one, H height, W width, C channels

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from aurify.core.errors import AurifyError
from aurify.core.pixels import Pixels
from aurify.data.codes import UNKNOWN
from aurify.data.columns import CATEGORY, IMAGE, NUMBER, Column
from aurify.data.image_form import IMAGES, MOST_SIDE, Form

if TYPE_CHECKING:
    from gymnasium import Space

OBSERVATION, ACTION = "observation", "action"

CHANNELS = (1, 3)
"""Of an image: grey, or red, green and blue."""

MOST_VALUES = 1_000_000
"""Of a discrete space: each of them has a name in the schema."""


@dataclass(frozen=True)
class Observed:
    """What one observation is: an array of a shape and a type, and what the network takes it for.

    ``kind`` is ``numbers``, ``codes`` (one of ``count`` whole numbers from ``start``) or ``images``.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: str
    count: int = 0
    start: int = 0

    @classmethod
    def of(cls, space: Space[Any], source: str) -> Self:
        """Read the space of an environment's observations; raises AurifyError for one that cannot be learnt from."""
        from gymnasium import spaces

        if isinstance(space, spaces.Discrete):
            return cls("codes", (), space.dtype.name, _counted(space, source, "observations"), int(space.start))
        if not isinstance(space, spaces.Box):
            raise AurifyError(
                f"{source} shows {_brief(space)}; aurify learns from Box and Discrete observations: return"
                " gymnasium.wrappers.FlattenObservation(env) from a function of yours and name that, as my_module:make"
            )
        if not math.prod(space.shape):
            raise AurifyError(f"{source} shows nothing: its observations have the shape {space.shape}")
        bytes_only = space.dtype == np.uint8 and bool((space.low == 0).all() and (space.high == 255).all())
        if not bytes_only or len(space.shape) not in (2, 3):
            return cls("numbers", tuple(map(int, space.shape)), space.dtype.name)
        found = cls("images", tuple(map(int, space.shape)), space.dtype.name)
        if found.form.channels not in CHANNELS or max(found.form.shape) > MOST_SIDE:
            raise AurifyError(
                f"{source} shows images of the shape {space.shape}; it must be (height, width), or that with 1 or 3"
                f" channels before or behind, with sides of at most {MOST_SIDE} pixels: wrap it in a function of yours"
                " and name that, as my_module:make"
            )
        return found

    @property
    def form(self) -> Form:
        """How images lie in a table, channels last."""
        height, width, channels = (*self.shape, 1)[:3]
        if self.channels_first:
            height, width, channels = self.shape[1:] + self.shape[:1]
        return Form(height, width, channels, "stretch")

    @property
    def channels_first(self) -> bool:
        """Whether images are (C, H, W), as networks of PyTorch have them."""
        return len(self.shape) == 3 and self.shape[2] not in CHANNELS and self.shape[0] in CHANNELS

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a table of observations."""
        if self.kind == "codes":
            return (Column(OBSERVATION, CATEGORY, values=_names(self.start, self.count)),)
        if self.kind == "images":
            return (Column(OBSERVATION, IMAGE, format=str(self.form)),)
        return tuple(Column("_".join((OBSERVATION, *map(str, at))), NUMBER) for at in np.ndindex(*self.shape))

    def values(self, observations: np.ndarray) -> dict[str, Any]:
        """Observations (N, *shape) as ``data.prepare.raw_values`` gives rows of the columns.

        Numbers (N, a) float64, what is infinite as missing; codes (N, 1) int64; images ``Pixels``.
        """
        count = len(observations)
        if self.kind == "numbers":
            numbers = observations.reshape(count, -1).astype(np.float64)
            numbers[np.isinf(numbers)] = np.nan
            return {"numbers": torch.from_numpy(numbers)}
        if self.kind == "codes":
            codes = observations.reshape(count, 1).astype(np.int64) - self.start
            codes[(codes < 0) | (codes >= self.count)] = UNKNOWN
            return {"codes": torch.from_numpy(codes)}
        last = np.moveaxis(observations, 1, -1) if self.channels_first else observations
        images = np.ascontiguousarray(last).reshape(count, *self.form.shape)
        return {IMAGES: Pixels(torch.from_numpy(images), torch.arange(count))}

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        made = cls(**plain)
        return replace(made, shape=tuple(made.shape))


@dataclass(frozen=True)
class Actions:
    """What an environment takes: one of ``count`` actions, which it numbers from ``start``, or numbers (*shape).

    Numbers lie between ``low`` and ``high``, one each in the order of memory, infinite where nothing bounds them;
    ``count`` is None then.
    """

    count: int | None
    shape: tuple[int, ...]
    dtype: str
    start: int = 0
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def of(cls, space: Space[Any], source: str) -> Self:
        """Read the space of an environment's actions; raises AurifyError for one that cannot be learnt."""
        from gymnasium import spaces

        if isinstance(space, spaces.Discrete):
            count = _counted(space, source, "actions")
            if count < 2:
                raise AurifyError(f"{source} has one action only: there is nothing to choose")
            return cls(count, (), space.dtype.name, int(space.start))
        if not isinstance(space, spaces.Box) or space.dtype.kind != "f" or not math.prod(space.shape):
            raise AurifyError(
                f"{source} takes {_brief(space)}; aurify learns Discrete actions and Box actions of real numbers: wrap"
                " it in a function of yours and name that, as my_module:make"
            )
        low, high = (tuple(map(float, bound.ravel().tolist())) for bound in (space.low, space.high))
        return cls(None, tuple(map(int, space.shape)), space.dtype.name, low=low, high=high)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """What the actions are called, as the environment numbers them; None of numbers."""
        return None if self.count is None else _names(self.start, self.count)

    @property
    def column(self) -> Column:
        """The column of a table in which the action is the answer."""
        classes = self.classes
        return Column(ACTION, NUMBER) if classes is None else Column(ACTION, CATEGORY, values=classes)

    def to_world(self, choice: np.ndarray) -> np.ndarray:
        """What environments take (N, *shape) of class codes (N,) or numbers (N, ...), which are clipped."""
        if self.count is not None:
            return choice.astype(self.dtype) + self.start if self.start else choice.astype(self.dtype, copy=False)
        numbers = np.clip(choice.reshape(len(choice), -1), self.low, self.high)
        return numbers.reshape(len(choice), *self.shape).astype(self.dtype)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it, which knows no infinity: None stands for what nothing bounds."""
        bounds = {name: [n if math.isfinite(n) else None for n in getattr(self, name)] for name in ("low", "high")}
        return asdict(self) | bounds

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        low, high = plain["low"], plain["high"]
        return cls(
            **{
                **plain,
                "shape": tuple(plain["shape"]),
                "low": tuple(-math.inf if n is None else float(n) for n in low),
                "high": tuple(math.inf if n is None else float(n) for n in high),
            }
        )


def _counted(space: Any, source: str, what: str) -> int:
    if space.n > MOST_VALUES:
        raise AurifyError(f"{source} has {int(space.n):,} different {what}; at most {MOST_VALUES:,} can be told apart")
    return int(space.n)


def _names(start: int, count: int) -> tuple[str, ...]:
    return tuple(map(str, range(start, start + count)))


def _brief(space: Space[Any]) -> str:
    text = " ".join(str(space).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
