"""Addresses of databases: which are understood, and that nothing that is said of them tells a password."""

import sys
import time
from types import SimpleNamespace

import pytest

from aurify.core.errors import AurifyError
from aurify.study.board import Board
from aurify.study.database import database, masked
from aurify.study.shared import Shared

SECRETS = [
    "postgresql://me:hunter2@127.0.0.1:1/db",
    "postgresql://me:hun@ter2@127.0.0.1:1/db",
    "postgresql://me:hunter2@127.0.0.1:port/db",
    "postgresql://me:hunter2",
    "postgresql://me:hunter2@/db",
    "postgresql://me:hunter2@127.0.0.1:1",
    "postgresql://:hunter2@127.0.0.1:1/db",
    "postgresql://me@127.0.0.1:1/db?password=hunter2",
    "postgresql://me@127.0.0.1:1/db#hunter2",
    "postgresql://me:hunter2@[::1/db",
    "postgres://me:hunter2@127.0.0.1:1/db",
    "postgresql+psycopg2://me:hunter2@127.0.0.1:1/db",
    "mysql://me:hunter2@127.0.0.1/db",
    "me:hunter2@127.0.0.1/db",
    "postgresql:me:hunter2@127.0.0.1/db",
    "postgresql://me:hunter2@127.0.0.1:1/db\nhunter2",
]


@pytest.mark.parametrize("address", SECRETS)
def test_password_is_in_nothing_that_is_said(address):
    for begin in (lambda: Shared(address, {}), lambda: Board(address, "n", {"a": True}, {})):
        with pytest.raises(AurifyError) as raised:
            begin()
        text = f"{raised.value}{raised.value!r}{raised.value.args}{raised.value.__cause__}"
        assert "unter2" not in text
        assert "\n" not in str(raised.value)
        assert raised.value.__context__ is None or raised.value.__suppress_context__
    assert "unter2" not in masked(address)


def test_password_is_in_no_text_of_what_is_connected():
    place = database("postgresql://me:hunter2@host/db")
    assert "hunter2" not in f"{place!r}{place.name}{place.dialect}{place.options}{place.engine()!r}{place.engine().url}"
    assert place.name == "postgresql://me@host/db"


def test_password_is_given_to_the_driver(monkeypatch):
    import pg8000

    given = {}

    def connect(user, **words):
        given.update(words, user=user)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(pg8000, "connect", connect)
    database("postgresql://me:a%40b%25@host:99/db").connect()
    assert (given["user"], given["password"], given["host"], given["port"]) == ("me", "a@b%", "host", 99)
    monkeypatch.setenv("PGPASSWORD", "kept")
    database("postgresql://me@host/db").connect()
    assert (given["password"], given["port"]) == ("kept", 5432)


@pytest.mark.parametrize(
    "address",
    ["", "x", "study.db", "sqlite://", "sqlite:///", "sqlite://study.db", "mysql://me@host/db", "postgresql://",
     "postgresql://host/db", "postgresql://me@host", "postgresql://me@host/db?x=1", "postgresql://me@host:x/db"],
)  # fmt: skip
def test_what_is_no_address_is_said_with_the_rule(address):
    with pytest.raises(AurifyError, match=r"--storage .*postgresql://USER@HOST/DATABASE or sqlite:///FILE"):
        database(address)


def test_server_that_is_not_there_is_said_soon():
    with pytest.raises(AurifyError, match=r"me@127.0.0.1:1/db cannot be used \(.*refused\); check") as raised:
        Shared("postgresql://me@127.0.0.1:1/db", {})
    assert "\n" not in str(raised.value)


def test_database_that_is_not_there_is_said_in_the_servers_words(postgres):
    with pytest.raises(AurifyError, match=r'nowhere cannot be used \(database "nowhere" does not exist\)'):
        Shared(f"{postgres.rpartition('/')[0]}/nowhere", {})


def test_missing_driver_is_said_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pg8000", None)
    with pytest.raises(AurifyError, match=r"pip install 'aurify\[cluster\]'") as raised:
        database("postgresql://me:hunter2@host/db")
    assert "hunter2" not in str(raised.value)


def test_place_that_cannot_be_written_is_said_in_a_line(tmp_path):
    (tmp_path / "in").write_text("a file")
    with pytest.raises(AurifyError, match=r"in/study.db cannot be used"):
        Shared(f"sqlite:///{tmp_path}/in/study.db", {})


def test_work_goes_on_when_the_server_comes_back(postgres):
    import pg8000.native
    from sqlalchemy import make_url

    url, store = make_url(postgres), Shared(postgres, {})
    assert store.claim("a")
    server = pg8000.native.Connection(url.username, url.host, "postgres", url.port)
    server.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aurify'")
    server.close()
    store.keep("a", {"x": 1})
    again = Shared(postgres, {})
    assert again.look("a") == {"x": 1}
    for one in (store, again):
        one.close()


def test_stopping_is_not_held_up_by_a_server_that_is_gone(postgres, monkeypatch):
    store = Shared(postgres, {})
    assert store.claim("a")
    store._engine.dispose()
    monkeypatch.setattr(store, "_engine", database("postgresql://me@127.0.0.1:1/db").engine())
    begun = time.monotonic()
    store.release()
    store.close()
    assert time.monotonic() - begun < 5


@pytest.mark.slow
def test_nothing_of_databases_is_imported_before_it_is_used():
    import subprocess

    begin = "import sys, aurify.cli, aurify.study.board, aurify.study.shared"
    code = f"{begin}; print({{'optuna', 'sqlalchemy', 'pg8000'}} & {{*sys.modules}})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
