"""Seeds in one program against the same seeds one after another, in one process and in two."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.acting.processes import one_thread, process

WORLD = "CartPole-v1"
TARGETS = {"agents": 3.0}
MISSING = (
    "Networks of tables, texts and images are not stacked: only agents are. `ablate` and `tune` train their seeds and"
    " folds in processes side by side, so that there is nothing to measure at widths 32, 64, 128 and 256."
)


def measured(seeds: int, steps: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Seconds of training all seeds, one thread a process; the median over rounds of the ratio within a round.

    ``in_two`` has two processes side by side, each with half of the seeds one after another, ``stacked_in_two`` the
    same with the half of each as one program.
    """
    ways = {
        "stacked": [(1, seeds)],
        "one_by_one": [(seeds, 1)],
        "in_two": [(seeds - seeds // 2, 1), (seeds // 2, 1)],
        "stacked_in_two": [(1, seeds - seeds // 2), (1, seeds // 2)],
    }
    seconds, cpu = {way: [] for way in ways}, {way: [] for way in ways}
    for number in range(rounds):
        for way, parts in ways.items():
            slowest, used = _trained(parts, steps, folder / f"{way}_{number}")
            seconds[way].append(slowest)
            cpu[way].append(used)
    return {
        "world": WORLD,
        "steps": steps,
        "seeds": seeds,
        "seconds": {way: round(statistics.median(taken), 2) for way, taken in seconds.items()},
        "cpu_seconds": {way: round(statistics.median(used), 2) for way, used in cpu.items()},
        "over_stacked": {way: _ratio(taken, seconds["stacked"]) for way, taken in seconds.items() if way != "stacked"},
        "cpu_over_stacked": {way: _ratio(used, cpu["stacked"]) for way, used in cpu.items() if way != "stacked"},
        "rounds": rounds,
        "targets": TARGETS,
        "missing": MISSING,
    }


def _trained(parts: Sequence[tuple[int, int]], steps: int, folder: Path) -> tuple[float, float]:
    """Training seconds of the slowest of processes side by side, each of so many programs of so many seeds.

    And the CPU seconds of all of them, start and measuring included.
    """

    def fit(number: int, programs: int, seeds: int) -> tuple[float, float]:
        place = folder / str(number)
        place.mkdir(parents=True)
        words = {"method": "ppo", "steps": steps, "seeds": seeds, "settings": {"task.tested": 1}}
        (place / "order.json").write_text(json.dumps({"world": WORLD, "programs": programs, "words": words}))
        ended = process([sys.executable, "-m", "benchmarks.acting.seeds_fit", str(place)], place, one_thread())
        return json.loads((place / "found.json").read_text())["seconds"], ended.cpu_seconds

    with ThreadPoolExecutor(len(parts)) as side_by_side:
        every = list(side_by_side.map(lambda part: fit(part[0], *part[1]), enumerate(parts)))
    return max(seconds for seconds, _ in every), sum(used for _, used in every)


def _ratio(taken: Sequence[float], stacked: Sequence[float]) -> float:
    return round(statistics.median(each / own for each, own in zip(taken, stacked, strict=True)), 2)
