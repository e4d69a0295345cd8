"""A search: trials begun, taken further and told in one fixed order, whoever trains how fast.

A method of search is a generator: a program that begins trials, takes them further and waits, and that knows of scores
only what it has waited for. What it does is therefore a function of the scores, never of the clock, of the number of
workers or of a kill; a search that goes on is the same program run again, whose finished trainings answer at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aurify.core.errors import AurifyError, Interrupted
from aurify.core.recipe import Recipe
from aurify.core.words import said
from aurify.measure.judges import JUDGES, greater_is_better
from aurify.study.propose import Known
from aurify.study.space import Settings, Space

COMPLETE, PRUNED, FAILED, OPEN = "complete", "pruned", "failed", "open"


@dataclass
class Rung:
    """How far a trial was trained, and what came of it: scores by metric, the mean over the folds."""

    share: float
    score: float | None
    values: dict[str, float | None]
    seconds: float


@dataclass
class Trial:
    """Settings that are tried. ``score`` is in the metric's own direction, of the last rung; None before it is told.

    Without a ``recipe`` they mean what ``space`` says, or without one the space of the search.
    """

    number: int
    settings: dict[str, Any]
    origin: str
    recipe: Recipe | None = None
    space: Space | None = None
    state: str = OPEN
    reason: str | None = None
    rungs: list[Rung] = field(default_factory=list)
    told: float | None = None
    """Seconds of the search after which its last rung was told."""
    over: bool = False
    """Whether nothing more can come of it: no further rung, and no other end on another try."""

    @property
    def score(self) -> float | None:
        return self.rungs[-1].score if self.rungs and self.state != FAILED else None

    @property
    def values(self) -> dict[str, float | None]:
        return self.rungs[-1].values if self.rungs else {}

    @property
    def share(self) -> float:
        return self.rungs[-1].share if self.rungs else 0.0

    def plain(self) -> dict[str, Any]:
        rungs = [{"share": r.share, "score": r.score, "seconds": round(r.seconds, 4)} for r in self.rungs]
        return {
            "number": self.number,
            "settings": self.settings,
            "origin": self.origin,
            "state": self.state,
            "reason": self.reason,
            "rungs": rungs,
            "score": self.score,
            "values": self.values,
            "seconds": round(sum(r.seconds for r in self.rungs), 4),
            "told": None if self.told is None else round(self.told, 3),
        }


@dataclass(frozen=True)
class Begin:
    """Try settings, of the search's own or another ``space`` or of a whole recipe, up to a ``share`` of the steps."""

    settings: Settings
    origin: str
    share: float = 1.0
    recipe: Recipe | None = None
    space: Space | None = None


@dataclass(frozen=True)
class Further:
    """Take a trial to a greater share of its steps, from where it was left."""

    trial: Trial
    share: float


@dataclass(frozen=True)
class Wait:
    """Go on when at most ``open`` tasks are open: those told are the earliest ones."""

    open: int


@dataclass(frozen=True)
class Close:
    """None of these trials will be taken further."""

    trials: Sequence[Trial]


Move = Begin | Further | Wait | Close
Method = Generator[Move, Any, None]


class Over(Exception):
    """Nothing more is to be tried; ``reason`` says why."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass
class Task:
    """One rung of one trial at work: its trainings by key, one a fold, and the answers there are."""

    trial: Trial
    share: float
    answers: dict[str, Mapping[str, Any] | None]

    @property
    def done(self) -> bool:
        return all(answer is not None for answer in self.answers.values())


class Search:
    """Runs a method: hands its trials to workers and tells it what came of them, in order.

    ``begin(trial, share)`` asks for the trainings of a rung and returns their keys with the answers that are known;
    ``ended()`` waits for one more and returns its key and answer, or raises Over.
    """

    def __init__(
        self,
        *,
        metric: str,
        sign: int,
        costs: Sequence[str],
        most: int | None,
        begin: Callable[[Trial, float], dict[str, Mapping[str, Any] | None]],
        ended: Callable[[], tuple[str, Mapping[str, Any]]],
        told: Callable[[Trial], None],
    ):
        self.metric, self.sign, self.costs, self.most = metric, sign, costs, most
        self._begin, self._ended, self._told = begin, ended, told
        self.trials: list[Trial] = []
        self.rungs: list[tuple[Trial, Rung]] = []  # as they were told
        self.open: deque[Task] = deque()
        self.stopped: str | None = None
        self.waited = False
        """Whether a training was waited for; until then every answer was known before."""
        self.wall = 0.0
        self.began = time.monotonic()

    def run(self, method: Method) -> None:
        """Run a method to its end, or until Over or Interrupted is raised; trials that are open then are left out."""
        try:
            self._follow(method)
            self._wait(0)
        except (Over, Interrupted) as end:
            self.stopped = end.reason if isinstance(end, Over) else said("it was stopped")
            self._leave()
        method.close()
        self.wall = time.monotonic() - self.began

    @property
    def room(self) -> float:
        """How many more trials may begin."""
        return float("inf") if self.most is None else self.most - len(self.trials)

    @property
    def known(self) -> list[Trial]:
        """Trials of which something is told, in the order in which they began."""
        return [trial for trial in self.trials if trial.rungs]

    @property
    def best(self) -> Trial | None:
        """The best of the trials that went farthest; the earliest of equals."""
        scored = [t for t in self.trials if t.state in (COMPLETE, PRUNED) and t.score is not None]
        return max(scored, key=lambda t: (t.share, self.sign * (t.score or 0.0), -t.number), default=None)

    def seen(self, trial: Trial, objectives: Sequence[str]) -> Known:
        """A trial as a sampler sees it."""
        values = [trial.values.get(name) for name in objectives]
        usable = trial.state != FAILED and all(value is not None for value in values) and bool(values)
        turned = tuple(self.turn(name) * (value or 0.0) for name, value in zip(objectives, values, strict=True))
        return Known(trial.settings, turned if usable else None, trial.share if trial.state == PRUNED else 1.0)

    def turn(self, objective: str) -> int:
        """What an objective is multiplied by so that less is better."""
        return -1 if objective in JUDGES and greater_is_better(objective) else 1

    def _follow(self, method: Method) -> None:
        with suppress(StopIteration):
            move = next(method)
            while True:
                move = method.send(self._do(move))

    def _do(self, move: Move) -> Trial | None:
        if isinstance(move, Wait):
            return self._wait(move.open)
        if isinstance(move, Further):
            return self._further(move.trial, move.share)
        if isinstance(move, Close):
            return self._close(move.trials)
        trial = Trial(len(self.trials), dict(move.settings), move.origin, move.recipe, move.space)
        self.trials.append(trial)
        return self._further(trial, move.share)

    def _further(self, trial: Trial, share: float) -> Trial:
        answers: dict[str, Mapping[str, Any] | None]
        try:
            answers = self._begin(trial, share)
        except AurifyError as error:  # settings that do not go together: known without a training
            answers = {"": {"refused": str(error)}}
        self.open.append(Task(trial, share, answers))
        return trial

    @staticmethod
    def _close(trials: Sequence[Trial]) -> None:
        for trial in trials:
            trial.over |= trial.state == PRUNED

    def _wait(self, most: int) -> None:
        while len(self.open) > most:
            task = self.open[0]
            while not task.done:
                key, answer = self._ended()
                self.waited = True
                for one in self.open:
                    if key in one.answers:
                        one.answers[key] = answer
            self.open.popleft()
            self._tell(task)

    def _tell(self, task: Task) -> None:
        trial, answers = task.trial, [answer for answer in task.answers.values() if answer is not None]
        trial.told = time.monotonic() - self.began
        refused = [str(answer["refused"]) for answer in answers if "refused" in answer]
        known = [answer for answer in answers if "refused" not in answer]
        diverged = [str(answer["diverged"]) for answer in known if answer["diverged"]]
        values = {name: _mean([_value(answer, name) for answer in answers]) for name in (self.metric, *self.costs)}
        spent = sum(answer["seconds"] for answer in known)
        trial.rungs.append(Rung(task.share, values[self.metric], values, spent))
        self.rungs.append((trial, trial.rungs[-1]))
        undefined = None if values[self.metric] is not None else f"{self.metric} is undefined in a fold"
        trial.reason = next(iter([*refused, *diverged, *([undefined] if undefined else [])]), None)
        trial.state = FAILED if trial.reason is not None else COMPLETE if task.share >= 1 else PRUNED
        trial.over = trial.state != PRUNED and not refused  # what was refused is tried again another time
        self._told(trial)

    def _leave(self) -> None:
        """Forget what is open: a trial of which nothing is told was never begun."""
        self.open.clear()
        self.trials = self.known


def _value(answer: Mapping[str, Any], name: str) -> float | None:
    scores = answer.get("scores", {})  # none of a training that was refused
    return scores[name] if name in scores else answer.get(name)


def _mean(values: Sequence[float | None]) -> float | None:
    """None where one is undefined: a mean over other folds would be another number."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
