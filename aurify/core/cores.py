"""What the processor offers: cores that this process may fill, and quick arithmetic."""

from __future__ import annotations

import os
from functools import cache

VARIABLE = "AURIFY_CORES"
"""Set by those who begin processes side by side, so that each of them fills one core; a user may set it too."""

UNASKED = "AURIFY_UNASKED_THREADS"
"""Set where ``OMP_NUM_THREADS`` is our own word and not the user's."""


def cores() -> int:
    """Those the system lets this process run on, or as many as ``AURIFY_CORES`` says."""
    given = os.environ.get(VARIABLE, "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fast_bfloat16() -> bool:
    """Whether bfloat16 is faster here than float32: on an accelerator, or a processor made for it."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return processor_bfloat16()


@cache
def processor_bfloat16() -> bool:
    """Whether the processor itself is made for bfloat16; others are several times slower with it than with float32."""
    import torch

    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}  # torch 2.11
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
