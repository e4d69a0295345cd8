"""Answers in a database, which programs on several machines share: each training is made by one of them."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes
from aurify.core.words import keep, recall
from aurify.study.answers import Answer
from aurify.study.database import OPENING, PAUSES, attempt, database

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE_SECONDS = 60.0
"""How long a claim stands that nobody renews: after so long a killed program's trainings are made by others."""

TRAVELLING = ("model", "predictions")
"""How the files of a training begin that others may need; what it takes to go on with it stays where it is."""

LOOK_SECONDS = 0.5
OVERLAP_SECONDS = 10.0  # an answer is stamped a moment before it is seen
ENDING_SECONDS = 1.0

TABLE = """
create table if not exists aurify_answers (
    key varchar(64) not null,
    version text not null,
    answer text,
    answered_at double precision,
    claimed_by varchar(128),
    claimed_at double precision,
    primary key (key, version)
)"""

FILES = """
create table if not exists aurify_files (
    place varchar(64) not null,
    name varchar(64) not null,
    data {blob} not null,
    primary key (place, name)
)"""

BLOB = {"postgresql": "bytea", "sqlite": "blob"}

# Of the database, not of the machines, whose clocks differ. In seconds.
NOW = {
    "postgresql": "cast(extract(epoch from clock_timestamp()) as double precision)",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}

# A row is an answer (claimed_by null), a claim (answer null), or a failure, which counts while its claim stands.
CLAIM = """
insert into aurify_answers (key, version, claimed_by, claimed_at) values (:key, :version, :me, {now})
on conflict (key, version) do update
    set claimed_by = excluded.claimed_by, claimed_at = excluded.claimed_at, answer = null, answered_at = null
    where aurify_answers.claimed_by = excluded.claimed_by
        or aurify_answers.claimed_at < excluded.claimed_at - :lease
returning key"""

KEEP = """
insert into aurify_answers (key, version, answer, answered_at, claimed_by, claimed_at)
values (:key, :version, :answer, {now}, :failed_by, {failed_at})
on conflict (key, version) do update
    set answer = excluded.answer, answered_at = excluded.answered_at,
        claimed_by = excluded.claimed_by, claimed_at = excluded.claimed_at
    where aurify_answers.answer is null
        or (aurify_answers.claimed_by is not null and excluded.claimed_by is null)
        or aurify_answers.claimed_at < {now} - :lease
returning key"""

ONE = "select answer from aurify_answers where key = :key and version = :version"

FRESH = """
select key, answer, answered_at from aurify_answers
where version = :version and answer is not null and answered_at >= :since
    and (claimed_by is null or claimed_at >= {now} - :lease)"""

OTHERS = "select distinct version from aurify_answers where version <> :version"
SHARE = """
insert into aurify_files (place, name, data) values (:place, :name, :data)
on conflict (place, name) do update set data = excluded.data"""
FETCH = "select data from aurify_files where place = :place and name = :name"
DROP = "delete from aurify_files where place = :place"
STRANGE = "delete from aurify_answers where key = :key and version = :version and answer = :answer"
RENEW = "update aurify_answers set claimed_at = {now} where claimed_by = :me"
RELEASE = "delete from aurify_answers where claimed_by = :me and answer is null"
LEAVE = "delete from aurify_answers where claimed_by = :me"


class Shared:
    """A row for each in a table of the database at ``address``; see ``Answers``.

    A claim stands for ``lease`` seconds and is renewed for as long as this program lives; ``at_once`` are claimed at a
    time. ``version`` is as ``Lines`` has it. Models and answers travel too, so that nobody trains what another one has
    trained. Raises AurifyError for an address that is not understood and for a server that stays away.
    """

    def __init__(self, address: str | Path, version: Mapping[str, Any], lease: float = LEASE_SECONDS, at_once: int = 2):
        at = database(address)
        self.name, self.lease, self.at_once = at.name, lease, at_once
        self.version = json.dumps(version, sort_keys=True, default=str)
        self.me = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._engine = at.engine()
        self._words = {"now": NOW[self._engine.dialect.name], "blob": BLOB[self._engine.dialect.name]}
        self._known: dict[str, Answer] = {}
        self._since, self._looked = 0.0, -LOOK_SECONDS
        self._lock, self._over = threading.RLock(), threading.Event()
        self._renewing: threading.Thread | None = None
        for table in (TABLE, FILES):
            self._do(table, OPENING)
        self.refresh()

    def look(self, key: str) -> Answer | None:
        with self._lock:
            if key not in self._known and time.monotonic() - self._looked >= LOOK_SECONDS:
                self.refresh()
            return self._known.get(key)

    def claim(self, key: str) -> bool:
        with self._lock:
            if key in self._known:
                return False
            self._renew()
        won = bool(self._do(CLAIM, key=key, lease=self.lease, me=self.me))
        if not won:
            self._adopt(key)
        return won

    def keep(self, key: str, answer: Answer) -> None:
        text = json.dumps(keep(answer))
        failed = "refused" in answer
        keeping = KEEP.replace("{failed_at}", "{now}" if failed else "null")
        if failed:
            self._renew()
        failed_by = self.me if failed else None
        if not self._do(keeping, key=key, answer=text, failed_by=failed_by, lease=self.lease):
            self._adopt(key)
        with self._lock:
            self._known.setdefault(key, answer)

    def share(self, place: Path) -> None:
        self.drop(place)  # of a training that went on
        for file in sorted(place.iterdir()):
            if file.name.startswith(TRAVELLING):
                self._do(SHARE, place=place.name, name=file.name, data=file.read_bytes())

    def fetch(self, file: Path) -> bool:
        for (data,) in self._do(FETCH, place=file.parent.name, name=file.name):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(file, bytes(data))
            return True
        return False

    def drop(self, place: Path) -> None:
        self._do(DROP, place=place.name)

    def apart(self) -> list[str]:
        """In which ways others who work on the same data differ from this program: their results are not used here.

        Such as ``"torch 2.12, here 2.13"``.
        """
        own, found = json.loads(self.version), set[str]()
        for (text,) in self._do(OTHERS):
            other = _read(text) or {}
            if other.get("data") == own.get("data"):
                found |= {f"{name} {other.get(name)}, here {own[name]}" for name in own if other.get(name) != own[name]}
        return sorted(found)

    def refresh(self) -> None:
        since = max(0.0, self._since - OVERLAP_SECONDS)
        rows = self._do(FRESH, since=since, lease=self.lease)
        with self._lock:
            for key, text, answered_at in rows:
                self._since = max(self._since, answered_at)
                if key not in self._known and (answer := _read(text)) is not None:
                    self._known[key] = answer
                elif key not in self._known:  # nobody would ever make what has a row
                    self._do(STRANGE, key=key, answer=text)
            self._looked = time.monotonic()

    def release(self) -> None:
        """Where the server is away, claims lapse by themselves once this program has ended."""
        with suppress(AurifyError):
            self._do(RELEASE, pauses=(), me=self.me)

    def close(self) -> None:
        """Leave no claim and no failure; where the server is away they lapse by themselves."""
        self._over.set()
        if self._renewing is not None:
            self._renewing.join(ENDING_SECONDS)
        with suppress(AurifyError):
            self._do(LEAVE, pauses=(), me=self.me)
        self._engine.dispose()

    def _adopt(self, key: str) -> None:
        """See what another one has kept, where it is done."""
        for (text,) in self._do(ONE, key=key):
            if (answer := _read(text)) is not None:
                with self._lock:
                    self._known.setdefault(key, answer)

    def _renew(self) -> None:
        """See to it that claims are renewed from now on."""
        if self._renewing is None:
            self._renewing = threading.Thread(target=self._renew_until_over, daemon=True)
            self._renewing.start()

    def _renew_until_over(self) -> None:
        while not self._over.wait(self.lease / 4):
            with suppress(AurifyError):  # another time
                self._do(RENEW, pauses=(), me=self.me)

    def _do(self, statement: str, pauses: tuple[float, ...] = PAUSES, **values: Any) -> list[Any]:
        """Carry out one statement in a transaction of its own; the rows that it returns."""
        from sqlalchemy import text

        whole = {"version": self.version, **values} if ":version" in statement else values
        said = text(statement.format(**self._words))

        def work(connection: Connection) -> list[Any]:
            result = connection.execute(said, whole)
            return list(result) if result.returns_rows else []

        return attempt(self._engine, self.name, work, pauses)


def _read(text: Any) -> Answer | None:
    """The answer a row holds; None where somebody else wrote something else there."""
    try:
        return dict(recall(json.loads(text)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
