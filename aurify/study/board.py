"""The trials of a search as an Optuna study, for ``optuna.load_study`` and optuna-dashboard: never more than a copy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.study.database import OPENING, PAUSES, database, reason, tried
from aurify.study.propose import quiet

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial
    from sqlalchemy import Connection, Table

ATTRIBUTES = ("origin", "reason", "seconds")
PARAMS, VALUES, RUNGS, NOTES = "trial_params", "trial_values", "trial_intermediate_values", "trial_user_attributes"


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
        self._storage, self._study = tried(self._open, OPENING, self._trouble)
        self._rungs = tried(self._written, OPENING, self._trouble)

    def tell(self, trial: Mapping[str, Any]) -> None:
        """Write a trial as ``trials.json`` has it, or its further rungs; every trial before it was told before."""
        number, rungs = trial["number"], len({_step(rung["share"]) for rung in trial["rungs"]})
        if number < len(self._rungs) and rungs <= self._rungs[number]:
            return
        frozen = self._frozen(trial)
        there = tried(lambda: self._write(number, frozen), PAUSES, self._trouble)
        self._rungs[number : number + 1] = [there]

    def close(self) -> None:
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _open(self) -> tuple[RDBStorage, int]:
        import optuna

        with quiet():
            storage = optuna.storages.RDBStorage(self._place.dialect, self._place.options)
            named = optuna.study.StudyDirection
            directions = [named.MAXIMIZE if greater else named.MINIMIZE for greater in self.objectives.values()]
            optuna.create_study(storage=storage, study_name=self.name, directions=directions, load_if_exists=True)
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
        """Optuna's own tables, as the database has them; opening has made sure that they are those of this Optuna."""
        from sqlalchemy import MetaData

        found = MetaData()
        found.reflect(self._storage.engine, only=["studies", "trials", PARAMS, VALUES, RUNGS, NOTES])
        return found.tables

    def _write(self, number: int, frozen: FrozenTrial) -> int:
        """Add a trial, or the rungs that it lacks, in one transaction, and return how many rungs are there then.

        Optuna itself would take a statement for each knob, and add a trial whatever its number.
        """
        from sqlalchemy import func, select

        studies, trials = self._tables["studies"], self._tables["trials"]
        with self._storage.engine.begin() as connection:
            # first of all, for it keeps others away from the study until everything is written
            lock = studies.update().where(studies.c.study_id == self._study).values(study_name=self.name)
            found = connection.execute(lock).rowcount
            count = connection.execute(select(func.count()).where(trials.c.study_id == self._study)).scalar_one()
            if not found or count < number:
                raise LookupError(f"it lacks trial {count}, which somebody has removed")
            if count == number:
                return self._create(connection, number, frozen)
            return self._advance(connection, number, frozen)

    def _create(self, connection: Connection, number: int, frozen: FrozenTrial) -> int:
        trials, now = self._tables["trials"], datetime.now(UTC).replace(tzinfo=None)
        row = {
            "study_id": self._study,
            "number": number,
            "state": frozen.state.name,
            "datetime_start": now - timedelta(seconds=frozen.user_attrs["seconds"]),
            "datetime_complete": now,
        }
        at = connection.execute(trials.insert().values(row).returning(trials.c.trial_id)).scalar_one()
        self._insert(connection, PARAMS, at, _params(frozen))
        self._insert(connection, VALUES, at, _values(frozen))
        self._insert(connection, RUNGS, at, [_rung(*each) for each in frozen.intermediate_values.items()])
        self._insert(connection, NOTES, at, _notes(frozen))
        return len(frozen.intermediate_values)

    def _advance(self, connection: Connection, number: int, frozen: FrozenTrial) -> int:
        from sqlalchemy import select

        trials, rungs = self._tables["trials"], self._tables[RUNGS]
        here = (trials.c.study_id == self._study) & (trials.c.number == number)
        at = connection.execute(select(trials.c.trial_id).where(here)).scalar_one()
        there = set(connection.execute(select(rungs.c.step).where(rungs.c.trial_id == at)).scalars())
        more = [_rung(*each) for each in frozen.intermediate_values.items() if each[0] not in there]
        if more:
            connection.execute(trials.update().where(here).values(state=frozen.state.name))
            self._insert(connection, RUNGS, at, more)
            for table, rows in ((VALUES, _values(frozen)), (NOTES, _notes(frozen))):
                connection.execute(self._tables[table].delete().where(self._tables[table].c.trial_id == at))
                self._insert(connection, table, at, rows)
        return len(there) + len(more)

    def _insert(self, connection: Connection, table: str, at: int, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:  # what returns something goes to the server as one statement, whatever the driver
            statement = self._tables[table].insert().returning(self._tables[table].c.trial_id)
            connection.execute(statement, [{"trial_id": at, **row} for row in rows])

    def _frozen(self, trial: Mapping[str, Any]) -> FrozenTrial:
        """A trial as Optuna has it: what no distribution holds is a note, and without all of its values it failed."""
        from optuna.trial import TrialState, create_trial

        settings = trial["settings"]
        params = {knob: value for knob, value in settings.items() if _holds(self.distributions.get(knob), value)}
        others = {knob: value for knob, value in settings.items() if knob not in params}
        values = [trial["values"].get(name) for name in self.objectives]
        whole = trial["state"] == "complete" and not any(value is None or math.isnan(value) for value in values)
        state = "COMPLETE" if whole else "PRUNED" if trial["state"] == "pruned" else "FAIL"
        return create_trial(
            state=TrialState[state],
            values=values if whole else None,
            params=params,
            distributions={knob: self.distributions[knob] for knob in params},
            user_attrs={name: trial[name] for name in ATTRIBUTES} | ({"settings": others} if others else {}),
            intermediate_values={_step(r["share"]): _number(r["score"]) for r in trial["rungs"]},
        )

    def _trouble(self, error: BaseException) -> AurifyError:
        return AurifyError(
            f"the study {self.name!r} in {self._place.name} cannot be used ({reason(error)}); mend what is wrong or"
            " remove it: it is a copy of the trials, and is written again"
        )


def _step(share: float) -> int:
    return round(100 * share)


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


def _params(frozen: FrozenTrial) -> list[dict[str, Any]]:
    from optuna.distributions import distribution_to_json

    return [
        {"param_name": knob, "param_value": at.to_internal_repr(value), "distribution_json": distribution_to_json(at)}
        for knob, value in frozen.params.items()
        for at in [frozen.distributions[knob]]
    ]


def _values(frozen: FrozenTrial) -> list[dict[str, Any]]:
    return [
        {"objective": at, "value": value if math.isfinite(value) else None, "value_type": _kind(value)}
        for at, value in enumerate(frozen.values or ())
    ]


def _notes(frozen: FrozenTrial) -> list[dict[str, Any]]:
    return [{"key": key, "value_json": json.dumps(value)} for key, value in frozen.user_attrs.items()]
