"""Trainings of a study, by what was trained where: made when they are asked for, and kept for ever after."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from torch import nn

from aurify.core.recipe import Recipe
from aurify.study.answers import Answer, Answers
from aurify.study.cells import Cell
from aurify.study.pace import Paces, faster_together
from aurify.study.workers import Order, Workers

LARGE_BYTES = 2**24
"""Files of the user's from which on they are not read for every training that is asked for."""

WAIT_SECONDS = 0.2

Show = Callable[[int, int], None]
"""Is told how many trainings are done, of how many."""


@dataclass(frozen=True)
class Wanted:
    """A variant's recipe, as the study trains it, in a cell; perhaps a ``share`` of its steps only.

    ``beside`` are the cells, this one among them, in which the recipe may be trained as one program.
    """

    recipe: Recipe
    cell: Cell
    share: float = 1.0
    beside: tuple[Cell, ...] = ()

    @cached_property
    def key(self) -> str:
        """The same for the same training, whatever the variant is called and whichever study asks for it."""
        plain = {k: v for k, v in self.seeded.plain().items() if k != "source"}
        about = [plain, Path(self.cell.path).stem, *_foreign(self.recipe), *([self.share] if self.share < 1 else [])]
        return digest(about)

    @cached_property
    def whole(self) -> Wanted:
        """The same training to its end."""
        return replace(self, share=1.0)

    @property
    def seeded(self) -> Recipe:
        return replace(self.recipe, seed=self.cell.seed)

    @cached_property
    def order(self) -> dict[str, Any]:
        return {"key": self.key, "recipe": self.seeded.plain(), "parts": self.cell.path, "share": self.share}

    @cached_property
    def structure(self) -> str:
        """The same for trainings of which as many as likely gain as much by being one program."""
        plain = self.recipe.plain()
        apart = [part.name() for part in self.recipe.techniques if not part.stacks]
        return digest(
            [
                "pace",
                plain["network"],
                plain["optimizer"]["name"],
                len(self.beside),
                self.recipe.budget.batch_size,
                apart,
            ]
        )

    @cached_property
    def together(self) -> list[Wanted]:
        """It and those that may be trained as one program with it; nothing where it is trained alone."""
        return [self if cell is self.cell else replace(self, cell=cell) for cell in self.beside]


def digest(about: Any) -> str:
    """A short name for plain data: the same for the same."""
    text = json.dumps(about, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _foreign(recipe: Recipe) -> list[str]:
    """Digests of the code and the files of the user's that parts are made of: what edited ones make is made anew."""
    source: Any = getattr(recipe.network, "source", None)  # of a network passed from Python
    kinds: list[Any] = [type(part) for part in (recipe.network, recipe.optimizer, *recipe.techniques)]
    kinds += {type(module) for module in source.modules()} if isinstance(source, nn.Module) else [source]
    own = [kind for kind in kinds if kind is not None and not str(kind.__module__).startswith(("aurify.", "torch."))]
    files = [Path(file) for part in (recipe.network, recipe.optimizer, *recipe.techniques) for file in part.files]
    code = {hashlib.blake2b(_code(each), digest_size=10).hexdigest() for each in own}
    return sorted(code | {_content(file.resolve()) for file in files if file.is_file()})


def _content(file: Path) -> str:
    """A digest of a file; a large one is read once as long as its size and its time of change are the same."""
    about = file.stat()
    return (_digest_of if about.st_size > LARGE_BYTES else _digest_of.__wrapped__)(
        file, about.st_size, about.st_mtime_ns
    )


@cache
def _digest_of(file: Path, size: int, changed: int) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=10)).hexdigest()


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

    def __init__(self, answers: Answers, workers: Workers, paces: Paces | None = None):
        self.answers, self.workers, self.paces = answers, workers, paces or Paces()
        self._held: dict[str, list[Wanted]] = {}
        self._waiting: dict[str, Order] = {}
        self._working = set[str]()
        self._aside: dict[str, Answer] = {}

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
        """Train what is missing, side by side; whatever is finished when ``check`` raises is kept."""
        missing = self.missing(wanted)
        show(0, len(missing))
        for one in missing:
            self.begin(one)
        for done in range(1, len(missing) + 1):
            self.ended(check)
            show(done, len(missing))

    def place(self, wanted: Wanted) -> str:
        """A name for the files of a training: the same for all its shares, another for another version."""
        return digest([wanted.whole.key, self.answers.version])

    def begin(self, wanted: Wanted, **more: Any) -> None:
        """Have a training made, unless it is at work; ``more`` is what else a worker is told.

        With ``anew=True`` it is made whatever is known of it; with ``travels=True`` others can have its files then.
        """
        if len(wanted.beside) > 1:
            self._begin_beside(wanted)
        elif wanted.key not in self._working:
            self._waiting.setdefault(wanted.key, {**wanted.order, **more})

    def _begin_beside(self, wanted: Wanted) -> None:
        """As one program or alone, whichever was measured to be faster of such networks; measured first, if it is not.

        What was measured is kept before anything is trained by it: the same is chosen whenever the study goes on.
        """
        key = wanted.structure
        if (found := self.paces.known.get(key)) is None:
            self._held.setdefault(key, []).append(wanted)
            orders = [one.order for one in wanted.together]
            if key not in self._working:
                self._waiting.setdefault(key, {"key": key, "pace": orders, "parts": orders[0]["parts"]})
        elif faster_together(found):
            self._begin_together(wanted)
        else:
            self.begin(replace(wanted, beside=()))

    def _measured(self, order: Order, answer: Answer) -> None:
        """Keep how fast a group is, and begin what has waited for that."""
        found = {"apart": answer["refused"]} if "refused" in answer else answer
        recipe = order["pace"][0]["recipe"]
        about = {"network": recipe["network"]["name"], "optimizer": recipe["optimizer"]["name"]}
        self.paces.keep(order["key"], {**about, "members": len(order["pace"]), **found})
        for wanted in self._held.pop(order["key"], ()):
            self.begin(wanted)

    def _begin_together(self, wanted: Wanted) -> None:
        """Have all of a group made, whatever is known of it: each comes out as it does beside the same others."""
        orders = [one.order for one in wanted.together]
        key = digest([order["key"] for order in orders])
        if key not in self._working:
            order = {"key": key, "together": orders, "parts": orders[0]["parts"], "keys": []}
            self._waiting.setdefault(key, order)["keys"].append(wanted.key)

    def ended(self, check: Callable[[], None]) -> tuple[str, Answer]:
        """Wait for the next training that is done, here or by others who share the answers; see ``Workers.ended``."""
        try:
            while True:
                check()
                if self._aside:
                    return self._aside.popitem()
                self._hand_out()
                if self._working:
                    order, answer = self.workers.ended(check)
                    self._working.remove(order["key"])
                    if "pace" in order:
                        self._measured(order, answer)
                        continue
                    if "together" in order:
                        self._ended_together(order, answer)
                        continue
                    if order.get("travels") and "refused" not in answer:
                        self.answers.share(Path(order["place"]))  # first: who sees the answer finds the files
                    self.answers.keep(order["key"], answer)
                    return order["key"], answer
                for key in self._waiting:
                    if (found := self.answers.look(key)) is not None:
                        del self._waiting[key]
                        return key, found
                time.sleep(WAIT_SECONDS)
        except BaseException:
            self.leave()
            raise

    def _ended_together(self, order: Order, answer: Answer) -> None:
        """Put aside what came of those of a group that are waited for; one after another where none could be made."""
        if "refused" in answer:
            self._waiting |= {one["key"]: one for one in order["together"] if one["key"] in order["keys"]}
            return
        for one, told in zip(order["together"], answer["together"], strict=True):
            self.answers.keep(one["key"], told)
            if one["key"] in order["keys"]:
                self._aside[one["key"]] = told

    def results(self, keys: Collection[str], check: Callable[[], None]) -> dict[str, Answer]:
        """Wait for these, which were begun; what else is done meanwhile is for those who wait with ``ended``."""
        found, others = dict[str, Answer](), dict[str, Answer]()
        while len(found) < len(keys):
            key, answer = self.ended(check)
            (found if key in keys else others)[key] = answer
        self._aside |= others
        return found

    def leave(self) -> None:
        """Give up what is not done, and leave it to others."""
        self.workers.leave()
        self._waiting.clear()
        self._working.clear()
        self._held.clear()
        self._aside.clear()
        self.answers.release()

    def _hand_out(self) -> None:
        """As many as ``answers`` allow go to the workers; what others are at is left to them.

        First those that were begun here, which go on from where they were left.
        """
        for key, order in sorted(self._waiting.items(), key=lambda item: not _begun(item[1])):
            if self.answers.at_once is not None and len(self._working) >= self.answers.at_once:
                return
            if order.get("anew") or self._claim(order):
                self._working.add(key)
                self.workers.begin(self._waiting.pop(key))

    def _claim(self, order: Order) -> bool:
        """Whether to make it here; of a group, which is this program's affair alone, always."""
        return "together" in order or "pace" in order or self.answers.claim(order["key"])


def _begun(order: Order) -> bool:
    return order.get("place") is not None and Path(order["place"]).exists()
