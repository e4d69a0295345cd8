"""Trainings of a study, by what was trained where: made when they are asked for, and kept for ever after."""

from __future__ import annotations

import errno
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from aurify.core.files import unwritable
from aurify.core.recipe import Recipe
from aurify.core.words import keep, recall
from aurify.study.cells import Cell
from aurify.study.workers import Workers

Show = Callable[[int, int], None]
"""Is told how many trainings are done, of how many."""


@dataclass(frozen=True)
class Wanted:
    """A variant's recipe, as the study trains it, in a cell; perhaps a ``share`` of its steps only."""

    recipe: Recipe
    cell: Cell
    share: float = 1.0

    @cached_property
    def key(self) -> str:
        """The same for the same training, whatever the variant is called and whichever study asks for it."""
        plain = {k: v for k, v in self.seeded.plain().items() if k != "source"}
        about = [plain, Path(self.cell.path).stem, *_foreign(self.recipe), *([self.share] if self.share < 1 else [])]
        return _digest(about)

    @cached_property
    def whole(self) -> Wanted:
        """The same training to its end."""
        return replace(self, share=1.0)

    @property
    def seeded(self) -> Recipe:
        return replace(self.recipe, seed=self.cell.seed)


def _digest(about: Any) -> str:
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


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
    """What was measured, by key: a line each in ``file``, written as soon as it is known.

    ``version`` is what results depend on beside recipe and rows; lines of another one are not used.
    """

    def __init__(self, file: Path, workers: Workers, version: Mapping[str, Any]):
        self.file, self.workers, self.version = file, workers, dict(version)
        self._known, self._torn = self._read()

    def known(self, key: str) -> Mapping[str, Any]:
        """What was measured, by the key of what was wanted; it must have been made before."""
        return self._known[key]

    def answer(self, key: str) -> Mapping[str, Any] | None:
        """What was measured, or None before it is."""
        return self._known.get(key)

    def place(self, wanted: Wanted) -> str:
        """A name for the files of a training: the same for all its shares, another under other versions."""
        return _digest([wanted.whole.key, self.version])

    def missing(self, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Those that are not made yet, each once."""
        return list({one.key: one for one in wanted if one.key not in self._known}.values())

    def order(self, wanted: Wanted) -> dict[str, Any]:
        """What a worker is told."""
        return {"key": wanted.key, "recipe": wanted.seeded.plain(), "parts": wanted.cell.path}

    def make(self, wanted: Sequence[Wanted], check: Callable[[], None], show: Show) -> None:
        """Train what is missing, side by side; whatever is finished when ``check`` raises is kept."""
        missing = self.missing(wanted)
        orders = [self.order(one) for one in missing]
        show(0, len(orders))
        for order in orders:
            self.workers.begin(order)
        for done in range(1, len(orders) + 1):
            order, answer = self.workers.ended(check)
            self.keep(order["key"], answer)
            show(done, len(orders))

    def keep(self, key: str, answer: Mapping[str, Any]) -> None:
        """Remember an answer, here and on disk."""
        self._known[key] = answer
        line = json.dumps({"key": key, "version": self.version, "answer": keep(answer)}) + "\n"
        whole = (f"\n{line}" if self._torn else line).encode()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab", buffering=0) as handle:
                self._torn = True
                if handle.write(whole) < len(whole):  # a full disk takes a part of it first
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(handle.fileno())
            self._torn = False
        except OSError as error:
            raise unwritable(self.file, error) from None

    def _read(self) -> tuple[dict[str, Mapping[str, Any]], bool]:
        """Every whole line, but none that tells of a failure; and whether a kill cut the last one short."""
        known: dict[str, Mapping[str, Any]] = {}
        text = self.file.read_text(encoding="utf-8", errors="replace") if self.file.exists() else ""
        for line in text.splitlines():
            try:
                plain = json.loads(line)
                if plain["version"] == self.version and "refused" not in plain["answer"]:
                    known[str(plain["key"])] = dict(recall(plain["answer"]))
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
        return known, bool(text) and not text.endswith("\n")
