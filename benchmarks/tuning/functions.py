"""Bayesian beside random search on standard functions, through the very proposals that a tuning makes.

Regret is how far the best value found lies above the least one there is; its logarithm is compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.tuning import ratios

METHODS = ("random", "bayes", "tpe")
LEAST_REGRET = 1e-10
"""Below it is the optimum for any purpose, and the logarithm ends."""

OF_FUNCTIONS = 4
"""In so many of them Bayesian search is to be better."""


@dataclass(frozen=True)
class Function:
    """``least`` is its smallest value over the box ``limits``."""

    name: str
    limits: Sequence[tuple[float, float]]
    least: float
    value: Callable[[np.ndarray], float]


def branin(x: np.ndarray) -> float:
    """Branin 1972, with three equal minima."""
    a, b = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6, 10 * (1 - 1 / (8 * math.pi))
    return float(a**2 + b * math.cos(x[0]) + 10)


HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
HARTMANN_3 = (
    np.array([[3.0, 10, 30], [0.1, 10, 35], [3.0, 10, 30], [0.1, 10, 35]]),
    1e-4 * np.array([[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]),
)
HARTMANN_6 = (
    np.array(
        [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    ),
    1e-4
    * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    ),
)


def hartmann(shape: tuple[np.ndarray, np.ndarray]) -> Callable[[np.ndarray], float]:
    """Hartman 1973."""
    steep, centre = shape
    return lambda x: float(-HARTMANN_WEIGHTS @ np.exp(-(steep * (x - centre) ** 2).sum(axis=1)))


def ackley(x: np.ndarray) -> float:
    """Ackley 1987: many small valleys on the way to one deep one."""
    near = -20 * math.exp(-0.2 * math.sqrt(float((x**2).mean())))
    return near - math.exp(float(np.cos(2 * math.pi * x).mean())) + 20 + math.e


def rosenbrock(x: np.ndarray) -> float:
    """Rosenbrock 1960: a long bent valley."""
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


FUNCTIONS = (
    Function("branin", [(-5, 10), (0, 15)], 0.39788735772973816, branin),
    Function("hartmann_3", [(0, 1)] * 3, -3.8627797869493365, hartmann(HARTMANN_3)),
    Function("hartmann_6", [(0, 1)] * 6, -3.3223680114155147, hartmann(HARTMANN_6)),
    # as Eriksson et al. 2019 bound it: with the optimum in the middle, where some searches like to look, it says little
    Function("ackley_5", [(-5, 10)] * 5, 0.0, ackley),
    Function("rosenbrock_4", [(-5, 10)] * 4, 0.0, rosenbrock),
)


def functions(trials: int, repeats: int, on: Sequence[str]) -> dict[str, Any]:
    named = [function for function in FUNCTIONS if not on or function.name in on]
    found = {function.name: compared(function, trials, repeats) for function in named}
    better = sum(row["bayes"]["better"] for row in found.values())
    return {
        "benchmark": "tune functions",
        "trials": trials,
        "repeats": repeats,
        "functions": found,
        "better": f"{better}/{len(found)}",
        "met": better >= OF_FUNCTIONS,
    }


def compared(function: Function, trials: int, repeats: int) -> dict[str, Any]:
    """Mean log10 of the regret, and its difference to that of random search in the same repeats."""
    regrets = {method: [regret(function, method, trials, repeat) for repeat in range(repeats)] for method in METHODS}
    found: dict[str, Any] = {"random": {"log_regret": round(float(np.mean(regrets["random"])), 3)}}
    for method in METHODS[1:]:
        gap = ratios.mean([own - chance for own, chance in zip(regrets[method], regrets["random"], strict=True)])
        found[method] = {
            "log_regret": round(float(np.mean(regrets[method])), 3),
            "minus_random": ratios.rounded(gap, 3),
            "better": gap[2] < 0,
        }
    return found


def regret(function: Function, method: str, trials: int, repeat: int) -> float:
    """log10 of the regret after so many trials, one after another."""
    from optuna.distributions import FloatDistribution

    from aurify.study.propose import Known, propose

    axes = {f"x{at}": FloatDistribution(low, high) for at, (low, high) in enumerate(function.limits)}
    known: list[Known] = []
    for number in range(trials):
        settings = propose(method, axes, known, number, repeat)
        known.append(Known(settings, (function.value(np.array([settings[name] for name in axes])),)))
    best = min(one.values[0] for one in known if one.values is not None)
    return math.log10(max(best - function.least, LEAST_REGRET))
