"""What a call of tune asks of the search, in words that are known to mean something together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aurify.core.errors import AurifyError, suggest
from aurify.measure.judges import JUDGES
from aurify.study.methods import METHODS
from aurify.study.tune import COSTS


@dataclass(frozen=True, kw_only=True)
class Goal:
    """How long to search, how, for what, and how what is found is measured.

    Raises AurifyError in one line for words that mean nothing, alone or together.
    """

    seconds: float | None
    trials: int | None
    method: str
    metric: str | None
    objectives: Sequence[str]
    folds: int | None
    nested: bool
    ensemble: bool
    compare: Sequence[str]
    repeats: int
    workers: int | None

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_methods()
        self._check_objectives()

    @property
    def judge(self) -> str | None:
        """The metric to judge by; None for what such data is judged by."""
        return self.objectives[0] if self.objectives else self.metric

    def _check_numbers(self) -> None:
        least = {
            "trials": (self.trials, 1),
            "inner": (self.folds, 2),
            "repeats": (self.repeats, 2),
            "workers": (self.workers, 1),
        }
        for option, (value, fewest) in least.items():
            if value is not None and value < fewest:
                raise AurifyError(f"--{option} {value} is not allowed: at least {fewest}")
        if self.seconds is None and self.trials is None and not self.compare:
            raise AurifyError("say how long to search: --time 5m, or --trials 64")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise AurifyError(f"--time {self.seconds} is not allowed: more than 0 seconds")

    def _check_methods(self) -> None:
        for option, name in (("--method", self.method), *(("--compare", name) for name in self.compare)):
            if name not in METHODS:
                raise AurifyError(f"{option} {name}: there is no such method{suggest(name, METHODS)}")
        if not self.compare:
            return
        if _repeated(self.compare) or len(self.compare) < 2:
            raise AurifyError("--compare takes two methods or more, each once: random,bayes")
        others = {"--time": self.seconds is not None, "--nested": self.nested, "--objectives": bool(self.objectives)}
        for option, given in others.items():
            if given:
                raise AurifyError(f"--compare compares at the same number of --trials; it does not go with {option}")

    def _check_objectives(self) -> None:
        known = [*JUDGES, *COSTS]
        for name in (*self.objectives, *([self.metric] if self.metric else [])):
            if name not in known:
                raise AurifyError(f"there is no metric or cost {name!r}{suggest(name, known)}")
        if not self.objectives:
            return
        first, *costs = self.objectives
        if self.metric or not costs or _repeated(self.objectives):
            raise AurifyError(
                "--objectives takes two or more, each once, the metric first: roc_auc,latency (without --metric)"
            )
        if first not in JUDGES or not set(costs) <= set(COSTS):
            raise AurifyError(f"--objectives names a metric first and then costs{suggest('', COSTS)}")


def _repeated(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)
