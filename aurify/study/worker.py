"""A process that trains what it is told to: orders come in as lines of JSON, what was measured goes out the same way.

``python -m aurify.study.worker STORE DEVICE [PARTS...]``. No process of a study needs the caller's own program, which
need not be guarded therefore, and nothing is pickled.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, Any

import torch

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.cores import VARIABLE as CORES
from aurify.core.errors import Apart, AurifyError, Interrupted
from aurify.core.recipe import Recipe
from aurify.core.watch import Watch
from aurify.core.words import keep
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.study.examples import opened
from aurify.study.kept import MOST_BYTES, Kept
from aurify.study.pace import pace
from aurify.study.trial import measure, measure_together
from aurify.training import device as devices
from aurify.worlds.world import World

BROKEN = "broken"
"""In an answer: the process that gave it has lost its accelerator, and nothing can be trained in it any more."""

LOST = ("CUDA error", "cuDNN error", "HIP error")
"""How libraries say so that have no error of their own for it; running out of memory is said otherwise."""


class Trainer:
    """Carries out orders on one Store or World; of the parts it trained on last it keeps what preparing fitted."""

    def __init__(self, store: Store | World, catalog: Catalog, device: Any, watch: Watch):
        self.store, self.catalog, self.device, self.watch = store, catalog, device, watch
        self._on, self._once, self._warm = ("", 0), Kept(), False
        self._beside = dict[tuple[str, int], Kept]()

    def __call__(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """What ``measure`` says of the order's ``recipe`` on its ``parts``, or why it could not be: ``refused``.

        Of an order of several ``together`` it says so of each, with why they were trained ``apart``, if they were.
        """
        if "pace" in order:
            return self._pace(order["pace"])
        if "together" in order:
            return self._together(order["together"])
        if not self._warm:
            self._warm = True
            one = {**order["recipe"], "budget": {**order["recipe"]["budget"], "steps": 1}}
            self(
                {"recipe": one, "parts": order["parts"]}
            )  # the first one of a process imports much: no variant shall pay for that
            self._on = ("", 0)
        try:
            recipe = self.catalog.recipe(order["recipe"])
            if self._on != (on := (order["parts"], recipe.seed)):
                self._on, self._once = on, Kept()
            return measure(
                recipe,
                self.store,
                Parts.open(Path(order["parts"])),
                self.catalog,
                self.device,
                self.watch,
                self._once,
                order.get("share", 1.0),
                None if order.get("place") is None else Path(order["place"]),
            )
        except Interrupted:
            raise
        except (Exception, SystemExit) as error:  # of a part of the user's: the study goes on without that variant
            return {"refused": _in_a_line(error), **({BROKEN: True} if _broken(error) else {})}

    def _together(self, orders: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What ``measure_together`` says of orders; one after another where that cannot be, or fails."""
        try:
            recipes, parts, onces = self._read(orders)
            told = measure_together(recipes, self.store, parts, self.catalog, self.device, self.watch, onces)
            return {"together": told}
        except Interrupted:
            raise
        except Apart as error:
            reason = str(error)
        except (Exception, SystemExit) as error:  # whose fault it is shows when each is trained alone
            reason = _in_a_line(error)
            if _broken(error):
                return {"refused": reason, BROKEN: True}
        alone = [self(order) for order in orders]
        if any(BROKEN in one for one in alone):
            return {"refused": reason, BROKEN: True}
        return {"together": [{**one, "apart": reason} for one in alone]}

    def _pace(self, orders: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What ``pace`` says of orders, or why they must be carried out ``apart``."""
        try:
            recipes, parts, onces = self._read(orders)
            return pace(recipes, self.store, parts, self.device, self.watch, onces)
        except Interrupted:
            raise
        except (Exception, SystemExit) as error:
            return {"apart": _in_a_line(error), **({BROKEN: True} if _broken(error) else {})}

    def _read(self, orders: Sequence[Mapping[str, Any]]) -> tuple[list[Recipe], list[Parts], list[Kept]]:
        """Orders as their recipes and parts, with what is kept of preparing them as long as the same cells come."""
        recipes = [self.catalog.recipe(order["recipe"]) for order in orders]
        cells = [(order["parts"], recipe.seed) for order, recipe in zip(orders, recipes, strict=True)]
        if list(self._beside) != cells:
            self._beside = {cell: Kept(MOST_BYTES // len(cells)) for cell in cells}
        return recipes, [Parts.open(Path(order["parts"])) for order in orders], list(self._beside.values())


def main() -> None:
    """Carry out orders until nobody is left to give them."""
    store, device, *parts = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody; who gives the orders decides
    answers, said = os.fdopen(os.dup(1), "w", encoding="utf-8"), os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)  # whatever a part of the user's prints is no answer
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # and what it reads is no order
    orders = queue.SimpleQueue[str]()
    threading.Thread(target=_listen, args=(said, orders), daemon=True).start()
    first: str | None = None
    with ExitStack() as stack:
        watch = Watch()
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, lambda number, frame: watch.stop(number))
        try:
            chosen = stack.enter_context(devices.prepared(device))
            devices.set_threads(1)
            os.environ |= {CORES: "1", "TOKENIZERS_PARALLELISM": "false"}  # there is a process for each core already
            catalog = catalogs.load(parts)
            first = orders.get()  # the data need not be there before
            answer = Trainer(opened(Path(store)), catalog, chosen, watch)
        except Exception as error:  # nobody reads what a process says in its last moments: it lives on to tell why
            answer = partial(_refuse, f"a process for trainings cannot begin: {_in_a_line(error)}")
        while True:
            order, first = json.loads(first or orders.get()), None
            watch.stop(None)  # what was to be given up is given up
            try:
                told = answer(order)
            except Interrupted as error:
                told = _refuse(str(error), order)
            answers.write(json.dumps(keep(told)) + "\n")
            answers.flush()


def _refuse(reason: str, order: Mapping[str, Any]) -> dict[str, Any]:
    return {"refused": reason}


def _in_a_line(error: BaseException) -> str:
    return str(error) if isinstance(error, AurifyError) else f"{type(error).__name__}: {error}".splitlines()[0]


def _broken(error: BaseException) -> bool:
    """Whether an error, or one that it was raised from, leaves the accelerator's context useless."""
    if isinstance(error, torch.AcceleratorError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in LOST)
    ):
        return True
    before = error.__cause__ or error.__context__
    return before is not None and _broken(before)


def _listen(said: IO[str], orders: queue.SimpleQueue[str]) -> None:
    """Hand on what comes in; end this process at once when nobody is left to say more, for no training has use then."""
    for line in said:
        orders.put(line)
    os._exit(1)


if __name__ == "__main__":
    main()
