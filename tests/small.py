"""What our tests share: the lab of ``aurify.testing`` over every part there is, and boosted trees in it."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import torch

from aurify import catalog as catalogs
from aurify.core.recipe import Recipe
from aurify.data.store import Store
from aurify.ship.boosting import fit_trees
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member
from aurify.testing import lab
from aurify.testing.differences import same as same
from aurify.testing.lab import NETWORK as NETWORK
from aurify.testing.lab import OPTIMIZER as OPTIMIZER
from aurify.testing.lab import Fitted as Fitted
from aurify.testing.tables import EVERY, small_frame
from aurify.testing.tables import KINDS as KINDS


@cache
def commit() -> str:
    """What is tested: the commit, for draws that are to be others for the next one."""
    try:
        words = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "no repository"


class Lab(lab.Lab):
    """A lab that fits boosted trees too."""

    def trees(self, recipe: Recipe, store: Store | None = None) -> Bundle:
        """A Bundle of boosted trees alone, fitted on the rows that a recipe's network would learn from."""
        task: Any = recipe.task
        store = store or self.store(task.kind)
        layers = fit_trees(recipe, store, self.problem(recipe, store), task.part(recipe, store).held)
        return Bundle(recipe, store.schema, (Member(layers, None, (), name="trees"),), torch.device("cpu"))


@cache
def one_lab() -> Lab:
    """The lab of all tests over the package's parts and those named in AURIFY_PARTS; what one trained, all may use."""
    catalog = catalogs.load([p for p in os.environ.get("AURIFY_PARTS", "").split(os.pathsep) if p])
    return Lab(catalog, {kind: small_frame(kind) for kind in EVERY})
