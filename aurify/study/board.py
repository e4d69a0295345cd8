"""The trials of a search as an Optuna study, for ``optuna.load_study`` and optuna-dashboard: never more than a copy."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.study.database import OPENING, PAUSES, database, reason, tried

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial
    from sqlalchemy import Connection, Table

ATTRIBUTES = ("origin", "reason", "seconds")
VALUES, RUNGS, NOTES = "trial_values", "trial_intermediate_values", "trial_user_attributes"


class Board:
    """The study ``name`` in the database at ``address``, begun or gone on with.

    ``objectives`` are the names of the values, in order, each with whether greater is better; ``distributions`` are
    those of the knobs. A trial is written when it is told, as one that has ended, so that none is ever left running;
    its steps are percent of a whole training. Programs that tell the same trials may do so at once: each trial is
    there once, in order. Raises AurifyError for an address that is not understood, and where the database cannot be
    read or written.
    """

    def __init__(
        self,
        address: str | Path,
        name: str,
        objectives: Mapping[str, bool],
        distributions: Mapping[str, BaseDistribution],
    ):
        self.name, self.objectives, self.distributions = name, dict(objectives), dict(distributions)
        self._place = database(address)
        self._creating: int | None = None
        self._storage, self._study = tried(self._open, OPENING, self._trouble)
        self._rungs = tried(self._written, OPENING, self._trouble)

    def tell(self, trial: Mapping[str, Any]) -> None:
        """Write a trial as ``trials.json`` has it, or its further rungs; every trial before it was told before."""
        number, frozen = trial["number"], self._frozen(trial)
        if number == len(self._rungs):
            tried(lambda: self._create(number, frozen), PAUSES, self._trouble)
        if self._rungs[number] < len(frozen.intermediate_values):
            self._rungs[number] = tried(lambda: self._advance(number, frozen), PAUSES, self._trouble)

    def close(self) -> None:
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _open(self) -> tuple[RDBStorage, int]:
        import optuna
        from sqlalchemy import event

        with _quiet():
            storage = optuna.storages.RDBStorage(self._place.dialect, self._place.options)
            named = optuna.study.StudyDirection
            directions = [named.MAXIMIZE if greater else named.MINIMIZE for greater in self.objectives.values()]
            optuna.create_study(storage=storage, study_name=self.name, directions=directions, load_if_exists=True)
        event.listen(storage.engine, "commit", self._before_commit)
        return storage, storage.get_study_id_from_name(self.name)

    def _written(self) -> list[int]:
        """How many rungs are written, of each trial in order."""
        from sqlalchemy import func, select

        trials, rungs = self._tables["trials"], self._tables[RUNGS]
        counts = (
            select(func.count(rungs.c.step))
            .select_from(trials.outerjoin(rungs, rungs.c.trial_id == trials.c.trial_id))
            .where(trials.c.study_id == self._study)
            .group_by(trials.c.trial_id)
            .order_by(trials.c.number)
        )
        with self._storage.engine.connect() as connection:
            return list(connection.execute(counts).scalars())

    @cached_property
    def _tables(self) -> Mapping[str, Table]:
        """Optuna's own tables, as the database has them."""
        from sqlalchemy import MetaData

        found = MetaData()
        found.reflect(self._storage.engine, only=["trials", VALUES, RUNGS, NOTES])
        return found.tables

    def _create(self, number: int, frozen: FrozenTrial) -> None:
        """Write a new trial in one transaction, which is undone where another program has written it."""
        self._creating = number
        try:
            with _quiet():
                self._storage.create_new_trial(self._study, template_trial=frozen)
            self._rungs.append(len(frozen.intermediate_values))
        except _Taken:
            self._rungs = self._written()
        finally:
            self._creating = None

    def _before_commit(self, connection: Connection) -> None:
        """Look whether it is this trial's turn: Optuna has locked the study, so nobody adds to it until the commit."""
        from sqlalchemy import func, select

        if self._creating is None:
            return
        trials = self._tables["trials"]
        count = connection.execute(select(func.count()).where(trials.c.study_id == self._study)).scalar_one() - 1
        if count > self._creating:
            raise _Taken
        if count < self._creating:
            raise AurifyError(
                f"the study {self.name!r} in {self._place.name} has {count} trials, and trial {self._creating} is next:"
                " somebody has removed some; remove the study, and it is written again"
            )

    def _advance(self, number: int, frozen: FrozenTrial) -> int:
        """Add the rungs that a trial lacks, in one transaction, and return how many it has then."""
        from sqlalchemy import select

        trials, rungs = self._tables["trials"], self._tables[RUNGS]
        here = (trials.c.study_id == self._study) & (trials.c.number == number)
        with self._storage.engine.begin() as connection:
            # first of all, and if only for keeping others away until everything is written
            lock = trials.update().where(here).values(number=number).returning(trials.c.trial_id)
            at = connection.execute(lock).scalar_one()
            there = set(connection.execute(select(rungs.c.step).where(rungs.c.trial_id == at)).scalars())
            more = {step: value for step, value in frozen.intermediate_values.items() if step not in there}
            if more:
                connection.execute(rungs.insert(), [{"trial_id": at, **_rung(*each)} for each in more.items()])
                self._finish(connection, at, frozen)
        return len(there) + len(more)

    def _finish(self, connection: Connection, at: int, frozen: FrozenTrial) -> None:
        """Write anew what further rungs change of a trial beside its rungs."""
        trials, values, notes = self._tables["trials"], self._tables[VALUES], self._tables[NOTES]
        connection.execute(trials.update().where(trials.c.trial_id == at).values(state=frozen.state.name))
        for table, rows in ((values, _values(frozen)), (notes, _notes(frozen))):
            connection.execute(table.delete().where(table.c.trial_id == at))
            if rows:
                connection.execute(table.insert(), [{"trial_id": at, **row} for row in rows])

    def _frozen(self, trial: Mapping[str, Any]) -> FrozenTrial:
        """A trial as Optuna has it: what no distribution holds is a note, and without all of its values it failed."""
        from optuna.trial import TrialState, create_trial

        settings = trial["settings"]
        params = {knob: value for knob, value in settings.items() if _holds(self.distributions.get(knob), value)}
        others = {knob: value for knob, value in settings.items() if knob not in params}
        values = [trial["values"].get(name) for name in self.objectives]
        whole = trial["state"] == "complete" and not any(value is None or math.isnan(value) for value in values)
        state = "COMPLETE" if whole else "PRUNED" if trial["state"] == "pruned" else "FAIL"
        frozen = create_trial(
            state=TrialState[state],
            values=values if whole else None,
            params=params,
            distributions={knob: self.distributions[knob] for knob in params},
            user_attrs={name: trial[name] for name in ATTRIBUTES} | ({"settings": others} if others else {}),
            intermediate_values={round(100 * r["share"]): _number(r["score"]) for r in trial["rungs"]},
        )
        if frozen.datetime_start is not None:
            frozen.datetime_start -= timedelta(seconds=trial["seconds"])
        return frozen

    def _trouble(self, error: BaseException) -> AurifyError:
        return AurifyError(
            f"the study {self.name!r} in {self._place.name} cannot be used ({reason(error)}); mend what is wrong or"
            " remove it: it is a copy of the trials, and is written again"
        )


class _Taken(Exception):
    """Another program has written the trial of this number."""


def _holds(distribution: Any, value: Any) -> bool:
    """Whether a value is one that a knob's distribution knows: Optuna takes no other."""
    if distribution is None:
        return False
    if hasattr(distribution, "choices"):
        return any(
            value is choice or (type(value) is type(choice) and value == choice) for choice in distribution.choices
        )
    return (
        not isinstance(value, bool)
        and isinstance(value, (int, float))
        and distribution.low <= value <= distribution.high
    )


def _number(score: float | None) -> float:
    return math.nan if score is None else float(score)


def _kind(value: float) -> str:
    """How Optuna says what a column of finite numbers cannot hold."""
    return "NAN" if math.isnan(value) else "FINITE" if math.isfinite(value) else "INF_POS" if value > 0 else "INF_NEG"


def _rung(step: int, value: float) -> dict[str, Any]:
    kept = value if math.isfinite(value) else None
    return {"step": step, "intermediate_value": kept, "intermediate_value_type": _kind(value)}


def _values(frozen: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {"objective": at, "value": value if math.isfinite(value) else None, "value_type": _kind(value)}
        for at, value in enumerate(frozen.values or ())
    ]


def _notes(frozen: FrozenTrial) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in frozen.user_attrs.items()]


@contextmanager
def _quiet() -> Iterator[None]:
    """Let Optuna log warnings only; what the caller of aurify has set is put back."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.set_verbosity(before)
