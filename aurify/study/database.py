"""Databases that studies write to: addresses that are understood, how they are reached, what is said of trouble."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aurify.core.errors import AurifyError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

T = TypeVar("T")

RULE = "a storage is postgresql://USER@HOST/DATABASE or sqlite:///FILE"
WAIT_SECONDS = 30.0
"""How long a server may leave a request unanswered, and a file be locked by another process."""

PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts: a server that is begun anew is back by then."""

OPENING = (0.05, 0.2, 0.5)
"""The same at the beginning, where a wrong address shall be said soon; others may just be making the same tables."""


@dataclass(frozen=True)
class Database:
    """A database by its address. Only ``connect`` knows the password: no text that is made of this one shows it."""

    name: str
    dialect: str
    connect: Callable[[], Any]

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    @property
    def options(self) -> dict[str, Any]:
        """What ``sqlalchemy.create_engine`` takes beside ``dialect``."""
        from sqlalchemy import QueuePool

        return {"creator": self.connect, "poolclass": QueuePool, "pool_pre_ping": True, "hide_parameters": True}

    def engine(self) -> Engine:
        from sqlalchemy import create_engine

        return create_engine(self.dialect, **self.options)


def database(address: str | Path) -> Database:
    """The database of a URL, or of a file given as a path; raises AurifyError for what is neither."""
    if isinstance(address, Path):
        return _sqlite(address)
    scheme, _, rest = address.partition("://")
    if scheme == "sqlite" and "\0" not in rest:
        if len(rest) < 2 or not rest.startswith("/"):
            raise AurifyError(f"--storage {address!r} names no file; {RULE}")
        return _sqlite(Path(rest[1:]))
    if scheme == "postgresql" and not re.search(r"[\s#]", rest):
        return _postgresql(address)
    raise AurifyError(f"--storage {masked(address)!r} is not understood; {RULE}")


def masked(address: str) -> str:
    """An address with nothing in it that might be a password, whatever is wrong with it otherwise."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return scheme if re.fullmatch(r"[\w./\\~-]*", scheme) else "..."
    _, at, place = rest.rpartition("@")
    shown = re.split(r"[?#\s]", place)[0] if at else ""
    return f"{scheme}://...{at}{shown}"


def attempt(engine: Engine, name: str, work: Callable[[Connection], T], pauses: Sequence[float]) -> T:
    """Do some work in a transaction; once more where the server was away. Raises AurifyError when it stays away."""

    def once() -> T:
        with engine.begin() as connection:
            return work(connection)

    def trouble(error: BaseException) -> AurifyError:
        return AurifyError(
            f"--storage {name} cannot be used ({reason(error)}); check the address, and that it may be written"
        )

    return tried(once, pauses, trouble)


def tried(work: Callable[[], T], pauses: Sequence[float], trouble: Callable[[BaseException], AurifyError]) -> T:
    """Do some work, and once more after each pause while the database fails; raises what ``trouble`` makes of it."""
    from optuna.exceptions import OptunaError
    from sqlalchemy.exc import SQLAlchemyError

    for pause in (*pauses, None):
        try:
            return work()
        except (SQLAlchemyError, OptunaError, OSError) as error:
            if pause is None:
                raise trouble(error) from None
            time.sleep(pause)
        except (
            LookupError,
            RuntimeError,
        ) as error:  # Optuna's words for a study, or for tables, that are not as it left them
            raise trouble(error) from None
    raise AssertionError


def reason(error: BaseException) -> str:
    """What went wrong, in the driver's own words: no statement, and nothing that was to be written."""
    while (inner := getattr(error, "orig", None) or error.__cause__) is not None:
        error = inner
    told = error.args[0] if error.args else None
    text = told.get("M", "") if isinstance(told, dict) else str(error)
    return " ".join(text.split())[:200].rstrip(".") or type(error).__name__


def _sqlite(path: Path) -> Database:
    def connect() -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = sqlite3.connect(path, timeout=WAIT_SECONDS, check_same_thread=False)
        # readers and a writer side by side; what a power cut takes are the last moments, never the file
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=NORMAL")
        return made

    return Database(f"sqlite:///{path}", "sqlite://", connect)


def _postgresql(address: str) -> Database:
    url = _parsed(address)
    try:
        import pg8000
    except ImportError:
        raise AurifyError(
            f"--storage {masked(address)!r} takes pg8000, which is not installed; pip install 'aurify[cluster]'"
        ) from None
    password = url.password if url.password is not None else os.environ.get("PGPASSWORD")

    def connect() -> Any:
        made = pg8000.connect(
            url.username or "",
            host=url.host or "",
            port=url.port or 5432,
            database=url.database,
            password=password,
            timeout=WAIT_SECONDS,
            application_name="aurify",
        )
        made.close = _closing(made.close, pg8000.Error)
        return made

    place = f"{url.host}:{url.port}" if url.port else url.host
    return Database(f"postgresql://{url.username}@{place}/{url.database}", "postgresql+pg8000://", connect)


def _closing(close: Callable[[], None], trouble: type[Exception]) -> Callable[[], None]:
    """Close a connection that may be broken already, of which SQLAlchemy would log the traceback."""

    def closed() -> None:
        with suppress(trouble, OSError):
            close()

    return closed


def _parsed(address: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise AurifyError(f"--storage {masked(address)!r} is not understood; {RULE}") from None
    if url.query:
        raise AurifyError(f"--storage {masked(address)!r} ends in options (?...), which are not understood; {RULE}")
    if not (url.username and url.host and url.database):
        raise AurifyError(f"--storage {masked(address)!r} lacks a user, a host or a database; {RULE}")
    return url
