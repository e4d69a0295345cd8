"""What to try next, by Optuna's samplers: a function of what is known and of nothing else.

Each proposal is made by a sampler of its own, seeded by the trial's number, from trials that are told in order: the
same search proposes the same whether it was killed or not, with one worker or many.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aurify.core import rng
from aurify.study.space import Settings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

START = 8
"""Trials drawn at random before a model of the scores is worth anything."""

SEEN = 100
"""Trials a model is fitted to: the best and the latest. What it takes grows with their number."""

MOMENT = datetime(2000, 1, 1)
"""When a known trial was: samplers do not ask."""

Distributions = Mapping[str, "BaseDistribution"]


@dataclass(frozen=True)
class Known:
    """A trial as a sampler sees it: ``values`` by objective, less being better, None while it is open or as it failed.

    ``share`` is how much of its steps was trained when it was given up, 1 where it was trained to its end.
    """

    settings: Settings
    values: tuple[float, ...] | None
    share: float = 1.0


def random(seed: int) -> BaseSampler:
    """Bergstra & Bengio 2012."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


def tpe(seed: int) -> BaseSampler:
    """The tree-structured Parzen estimator of all knobs together (Bergstra et al. 2011; Falkner et al. 2018)."""
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, multivariate=True, n_startup_trials=START)


def bayes(seed: int) -> BaseSampler:
    """A Gaussian process and expected improvement (Jones et al. 1998; its logarithm, Ament et al. 2023)."""
    from optuna.samplers import GPSampler

    return GPSampler(seed=seed, n_startup_trials=START, deterministic_objective=False)


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {"random": random, "tpe": tpe, "bayes": bayes}


def propose(
    sampler: str, distributions: Distributions, known: Sequence[Known], number: int, seed: int
) -> dict[str, Any]:
    """The settings of trial ``number``, from what is ``known`` of earlier ones in their order.

    An open trial and one that failed count as bad as the worst known (the constant liar of Ginsbourger et al. 2010), so
    that nobody tries beside them at once.
    """
    import optuna

    done = [one.values for one in known if one.values is not None]
    objectives = len(done[0]) if done else 1
    worst = tuple(max(values[at] for values in done) for at in range(objectives)) if done else None
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts of Optuna that call themselves experimental
        made = SAMPLERS[sampler](rng.key(seed, f"propose/{number}") % 2**32)
        study = optuna.create_study(sampler=made, directions=[optuna.study.StudyDirection.MINIMIZE] * objectives)
        if worst is not None and sampler != "random":
            study.add_trials([_frozen(one, distributions, worst) for one in _seen(known)])
        return dict(study.ask(dict(distributions)).params)


@contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna log errors only; what the caller of aurify has set is put back."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(max(before, logging.ERROR))
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _seen(known: Sequence[Known]) -> Sequence[Known]:
    """All that is known; of very much the best half and the latest half, in their order."""
    if len(known) <= SEEN:
        return known
    latest = range(len(known) - SEEN // 2, len(known))
    older = sorted(range(latest.start), key=lambda at: (known[at].values is None, known[at].values or (), at))
    return [known[at] for at in sorted([*older[: SEEN // 2], *latest])]


def _frozen(one: Known, distributions: Distributions, worst: tuple[float, ...]) -> FrozenTrial:
    from optuna.trial import TrialState

    own = {name: value for name, value in one.settings.items() if name in distributions}
    reached = one.values if one.share < 1 and len(worst) == 1 else None  # of one that was given up
    return _uncopied()(
        number=-1,  # the study numbers them
        trial_id=-1,
        state=TrialState.PRUNED if reached else TrialState.COMPLETE,
        value=None,
        values=None if reached else list(one.values or worst),
        intermediate_values={round(1000 * one.share): reached[0]} if reached else {},
        params=own,
        distributions={name: distributions[name] for name in own},
        datetime_start=MOMENT,
        datetime_complete=MOMENT,
        user_attrs={},
        system_attrs={},
    )


@cache
def _uncopied() -> type[FrozenTrial]:
    from optuna.trial import FrozenTrial

    class Uncopied(FrozenTrial):
        """A trial of one proposal alone: Optuna would copy all that is in it, which takes longer than proposing."""

        def __deepcopy__(self, memo: dict[int, Any]) -> FrozenTrial:
            return self

    return Uncopied
