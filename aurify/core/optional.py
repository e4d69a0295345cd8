"""Packages that only some parts need: imported where they are used, and asked for in one line where they are not."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

from aurify.core.errors import AurifyError


def imported(package: str, who: str, extra: str) -> ModuleType:
    """Import a package for ``who``; raises AurifyError that names the ``extra`` to install where it is absent."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what an old package does at import is nothing that a user can mend
            return importlib.import_module(package)
    except ImportError:
        raise AurifyError(f"{who} needs {package}, which is not installed: pip install 'aurify[{extra}]'") from None
