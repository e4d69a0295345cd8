"""Which device computes, with how many threads, and how exactly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from aurify.core.cores import UNASKED, cores
from aurify.core.errors import AurifyError
from aurify.core.parts import Network

MOST_THREADS = 16
"""More than these have little to share of one batch."""


def choose(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device; ``auto`` takes the accelerator where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.partition(":")[0] not in ("cpu", "cuda"):  # others lack float64, which preparing computes in
        raise AurifyError(f"device {name!r} is not supported; take auto, cpu or cuda")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise AurifyError(f"device {name!r} cannot be used here ({reason}); take --device auto or cpu") from None
    return device


@contextmanager
def prepared(name: str) -> Iterator[torch.device]:
    """Choose a device and compute exactly on it inside the block; threads and switches are put back after."""
    device = choose(name)
    threads = torch.get_num_threads()
    exact, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)  # names the operator that has no exact kernel
    try:
        yield device
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(exact, warn_only=warned)


def set_threads(count: int | None, worth: int = 1) -> int:
    """Fix the number of CPU threads, because another number gives other bits; returns it.

    By default ``OMP_NUM_THREADS``, where it is the user's word, else what the work is ``worth``: on a busy machine two
    threads of small work are slower than one.
    """
    if count is None:
        given = os.environ.get("OMP_NUM_THREADS", "") if UNASKED not in os.environ else ""
        count = int(given) if given.isdecimal() and int(given) > 0 else worth
    torch.set_num_threads(count)
    return count


def worth(network: Network) -> int:
    """How many threads the training of one model is worth on this machine."""
    return min(MOST_THREADS, cores()) if network.all_cores else 1


def environment(device: torch.device) -> dict[str, Any]:
    """What a result depends on besides its recipe and data."""
    import platform

    import numpy as np

    import aurify

    return {
        "aurify": aurify.__version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
    }
