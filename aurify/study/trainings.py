"""Trainings of a study, by what was trained where: made when they are asked for, and kept for ever after."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from torch import nn

from aurify.core.recipe import Recipe
from aurify.study.answers import Answer, Answers
from aurify.study.cells import Cell
from aurify.study.workers import Workers

WAIT_SECONDS = 0.2

Show = Callable[[int, int], None]
"""Is told how many trainings are done, of how many."""


@dataclass(frozen=True)
class Wanted:
    """A variant's recipe, as the study trains it, in a cell."""

    recipe: Recipe
    cell: Cell

    @cached_property
    def key(self) -> str:
        """The same for the same training, whatever the variant is called and whichever study asks for it."""
        plain = {k: v for k, v in self.seeded.plain().items() if k != "source"}
        about = [plain, Path(self.cell.path).stem, *_foreign(self.recipe)]
        text = json.dumps(about, sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    @property
    def seeded(self) -> Recipe:
        return replace(self.recipe, seed=self.cell.seed)


def _foreign(recipe: Recipe) -> list[str]:
    """Digests of the code that parts of the user's are made of: what edited code makes is measured anew."""
    source: Any = getattr(recipe.network, "source", None)  # of a network passed from Python
    kinds: list[Any] = [type(part) for part in (recipe.network, recipe.optimizer, *recipe.techniques)]
    kinds += {type(module) for module in source.modules()} if isinstance(source, nn.Module) else [source]
    own = [kind for kind in kinds if kind is not None and not str(kind.__module__).startswith(("aurify.", "torch."))]
    return sorted({hashlib.blake2b(_code(each), digest_size=10).hexdigest() for each in own})


def _code(kind: Any) -> bytes:
    """The whole file that a class or a function is in; its own text where there is none, as in a notebook."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is not None and Path(file).is_file():
        return Path(file).read_bytes()
    try:
        return inspect.getsource(kind).encode()
    except (OSError, TypeError):  # typed into a shell: only this very one is the same
        return f"{os.getpid()} {id(kind)}".encode()


class Trainings:
    """What was measured, by key: made by ``workers`` where ``answers`` do not have it yet."""

    def __init__(self, answers: Answers, workers: Workers):
        self.answers, self.workers = answers, workers

    def known(self, key: str) -> Answer:
        """What was measured, by the key of what was wanted; it must have been made before."""
        answer = self.answers.look(key)
        if answer is None:
            raise KeyError(key)
        return answer

    def missing(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Those that are not made yet, each once."""
        return list({one.key: one for one in wanted if self.answers.look(one.key) is None}.values())

    def make(self, wanted: Sequence[Wanted], check: Callable[[], None], show: Show) -> None:
        """Train what is missing, side by side; whatever is finished when ``check`` raises is kept.

        What others who share the answers are at is waited for, and made here should they give it up.
        """
        left = missing = self.missing(wanted)
        show(0, len(missing))
        while left:
            orders = [{"key": w.key, "recipe": w.seeded.plain(), "parts": w.cell.path} for w in self._claimed(left)]
            for order, answer in self.workers.work(orders, check):
                self.answers.keep(order["key"], answer)
                left = [one for one in left if one.key != order["key"]]
                show(len(missing) - len(left), len(missing))
            if not orders:
                check()
                time.sleep(WAIT_SECONDS)
            left = self.missing(left)

    def _claimed(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Those to be made here: as many at once as ``answers`` allow."""
        return list(islice((one for one in wanted if self.answers.claim(one.key)), self.answers.at_once))
