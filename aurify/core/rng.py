"""Random numbers as a pure function of (seed, stream, step, path): nothing to save, nothing to disturb."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def key(seed: int, stream: str, step: int = 0) -> int:
    """Return a 63-bit integer that depends only on the three arguments."""
    digest = hashlib.blake2b(f"{seed}/{stream}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, stream: str, step: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator; two streams never disturb each other."""
    return torch.Generator(device).manual_seed(key(seed, stream, step))


@contextmanager
def seeded(seed: int, stream: str, step: int = 0, device: torch.device | None = None) -> Iterator[None]:
    """Fix torch's global generators, the CPU's and a device's, inside the block and put them back after."""
    with torch.random.fork_rng(devices=[device] if device is not None and device.type == "cuda" else []):
        # torch.manual_seed seeds devices that nobody has begun to use too, and keeps a stack trace of it each time
        begun = torch.cuda.is_initialized()
        (torch.manual_seed if begun else torch.default_generator.manual_seed)(key(seed, stream, step))
        yield


def initialise(model: nn.Module, seed: int) -> None:
    """Draw every layer's weights from its own stream, so one more layer never shifts another's."""
    for path, module in model.named_modules():
        reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
        if callable(reset):
            with seeded(seed, f"init/{path}"):
                reset()


class Draws:
    """Where in training a stochastic layer draws: seed, step, and its rows within the global batch.

    One object is shared by all stochastic layers of a model and moved on by the loop. Masks are drawn for the
    whole global batch and sliced, so micro-batches and processes see the numbers a single pass would see.
    """

    def __init__(self, seed: int):
        self.seed, self.step, self.start, self.size = seed, 0, 0, 0
        self.widths: Sequence[int] | None = None

    def at(self, step: int, start: int, size: int, widths: Sequence[int] | None = None) -> None:
        """Say that the next forward pass sees rows ``start...`` of a batch of ``size`` at ``step``.

        ``widths`` are how many tokens wide the rows of each of several models side by side are by themselves.
        """
        self.step, self.start, self.size, self.widths = step, start, size, widths

    def keep_mask(self, path: str, like: Tensor, rate: float) -> Tensor:
        """Return a 0/1 mask shaped and typed as ``like`` (B, ...), each entry 1 with probability 1 - ``rate``."""
        random = generator(self.seed, f"mask/{path}", self.step, like.device)
        shape = (self.size, *like.shape[1:])
        bits = self.bits(math.prod(shape), like.device)
        draws = sixteenths(bits.random_(-(2**63), None, generator=random), math.prod(shape)).view(shape)
        return (draws[self.start : self.start + len(like)] < below(1 - rate)).to(like.dtype)

    def token_mask(self, path: str, like: Tensor, rate: float) -> Tensor:
        """The same for tokens: ``like`` is (B, L, ...)."""
        return self.keep_mask(path, like, rate)

    @staticmethod
    def bits(count: int, device: torch.device, *before: int) -> Tensor:
        """Room for the bits of ``count`` draws, four in each 64: a third of the time of bernoulli_."""
        return torch.empty(*before, -(-count // 4), dtype=torch.int64, device=device)


def sixteenths(bits: Tensor, count: int) -> Tensor:
    """The first ``count`` draws (..., ``count``) of 16 bits each that lie in 64-bit numbers."""
    return bits.view(torch.int16)[..., :count]


def below(chance: float) -> int:
    """The number that a draw of 16 bits lies below with a chance, in steps of 1/65536."""
    return round(chance * 65536) - 32768


class Stochastic(nn.Module):
    """Base of layers that draw random numbers while training."""

    path: str = ""
    draws: Draws | None = None


def attach(model: nn.Module, draws: Draws) -> None:
    """Tell every stochastic layer its path and where its draws come from."""
    for path, module in model.named_modules():
        if isinstance(module, Stochastic):
            module.path, module.draws = path, draws
