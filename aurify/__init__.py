"""aurify: raw data to a measured, tuned, deployable neural network, with evidence for every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurify.core.errors import AurifyError
    from aurify.workbench import FittedRun, SevereError, Tuned, ablate, fit, inspect, load, tune

__version__ = "0.1.0"
__all__ = ["AurifyError", "FittedRun", "SevereError", "Tuned", "ablate", "fit", "inspect", "load", "tune"]


def __getattr__(name: str) -> Any:
    # torch and polars cost seconds to import: only those who fit or load pay for them
    if name == "AurifyError":
        from aurify.core.errors import AurifyError

        return AurifyError
    if name in __all__:
        from aurify import workbench

        return getattr(workbench, name)
    raise AttributeError(f"module 'aurify' has no attribute {name!r}")
