"""Several machines that share a storage share the work, whatever happens to one of them, and end with the same search.

A machine is a process with a run folder, data and parts of its own; a part tells of each training that is made there.
"""

import gc
import json
import shutil
import signal
import socket
import threading
import time
import warnings
from collections import Counter
from contextlib import suppress

import pytest

from aurify import workbench
from aurify.core import archive
from aurify.core.errors import AurifyError
from aurify.study import database, worker
from aurify.study.database import database as place_of
from aurify.study.shared import Shared
from aurify.study.trainings import Trainings
from aurify.training import device as devices

RECIPE = """
network: {name: mlp, width: 16, depth: 1}
optimizer: {name: adamw, learning_rate: 0.01}
techniques: {scale_numbers: {}, dropout: {}}
budget: {epochs: 9, batch_size: 64}
"""
WITNESS = '''
import json
import time
from dataclasses import dataclass
from pathlib import Path

from aurify.core.parts import Technique
from aurify.study import worker

measure = worker.measure

@dataclass(kw_only=True)
class Witness(Technique):
    """Changes nothing."""

def together(seconds=60):
    """Wait for the others that are to begin at the same time: a busy machine may start one of them late."""
    here = Path(__file__).parent
    (here / "begun").touch()
    named = here / "together.txt"
    others = [Path(other) / "begun" for other in (named.read_text().splitlines() if named.exists() else [])]
    until = time.monotonic() + seconds
    while not all(other.exists() for other in others) and time.monotonic() < until:
        time.sleep(0.05)

def witnessed(recipe, *given):
    share, place = given[-2:]
    if place is not None:  # what warms a process up has none
        together()
        seen = {**recipe.plain(), "source": None, "share": share}
        with Path(__file__).with_name("made.txt").open("a") as file:
            file.write(json.dumps(seen, default=str) + "\\n")
    return measure(recipe, *given)

worker.measure = witnessed
'''
KNOBS = "network.width,dropout.rate,optimizer.learning_rate"
SECRET = "hunter2"


class Machine:
    """A folder with data, a recipe and parts of its own, where the same command is given as on the others."""

    def __init__(self, home, table, start, address, method, trials):
        home.mkdir()
        self.home, self.folder, self._start = home, home / "run", start
        shutil.copy(table, home)
        (home / "recipe.yaml").write_text(RECIPE)
        (home / "witness.py").write_text(WITNESS)
        self.words = ["tune", home / "table.csv", "--target", "label", "--recipe", home / "recipe.yaml", "--parts"]
        self.words += [home / "witness.py", "--method", method, "--trials", trials, "--knobs", KNOBS, "--no-inspect"]
        self.words += ["--device", "cpu", "--json", "--workers", 1, "--out", self.folder]
        self.words += [] if address is None else ["--storage", address]

    def start(self):
        return self._start(*self.words)

    @property
    def made(self):
        file = self.home / "made.txt"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def trials(self):
        found = json.loads((self.folder / "trials.json").read_text())
        for trial in found:
            trial.pop("told")
        return found

    @property
    def scores(self):
        """The trials without what depends on how fast a machine is."""
        names = ("number", "settings", "origin", "state", "reason", "score", "parts")
        return [
            {**{name: trial[name] for name in names}, "rungs": [(r["share"], r["score"]) for r in trial["rungs"]]}
            for trial in self.trials
        ]

    @property
    def found(self):
        plain = json.loads((self.folder / "tuning.json").read_text())
        return {name: plain[name] for name in ("best", "picked", "remeasured", "ensemble", "metric", "front")}

    @property
    def weights(self):
        tensors = archive.load(self.folder / "model.aurify", "model")[1]
        return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}

    def assert_as(self, other):
        assert self.scores == other.scores
        assert self.found == other.found
        assert self.weights == other.weights


@pytest.fixture(scope="module")
def table(table, tmp_path_factory):
    """The first 300 rows."""
    path = tmp_path_factory.mktemp("data") / "table.csv"
    path.write_text("".join(table.read_text().splitlines(keepends=True)[:301]))
    return path


@pytest.fixture
def machines(table, start, tmp_path):
    """Return a function that makes machines for the same search with a storage."""
    return lambda address, *names, method="hyperband", trials=9: [
        Machine(tmp_path / name, table, start, address, method, trials) for name in names
    ]


@pytest.fixture
def alone(machines):
    """Return a function that makes a search which shares with nobody, and is at its end."""

    def run(**words):
        (machine,) = machines(None, "alone", **words)
        ended = machine.start().wait()
        assert ended.code == 0, ended
        return machine

    return run


@pytest.fixture
def secret(postgres):
    """The address of an empty PostgreSQL database, with a password in it, which the server does not ask for."""
    return postgres.replace("aurify@", f"aurify:{SECRET}@", 1)


def rows(address, statement="select key, answer, claimed_by from aurify_answers"):
    from sqlalchemy import text

    engine = place_of(address).engine()
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return list(result) if result.returns_rows else []
    except Exception as error:
        if "aurify_answers" in str(error):  # nobody has begun yet
            return []
        raise
    finally:
        engine.dispose()


def answers(address):
    return [key for key, answer, _ in rows(address) if answer is not None]


def assert_at_rest(address):
    """Nothing is claimed or running, and the trials are one study."""
    assert [row for row in rows(address) if row[1] is None or row[2] is not None] == []
    assert len(rows(address, "select study_name from studies")) == 1
    assert {state for (state,) in rows(address, "select state from trials")} <= {"COMPLETE", "PRUNED"}


def assert_usable(start, machine):
    ended = start("predict", machine.folder, machine.home / "table.csv").wait()
    assert ended.code == 0, ended


def assert_secret(*machines_and_ends):
    for each in machines_and_ends:
        if isinstance(each, Machine):
            for path in each.folder.rglob("*"):
                assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
        else:
            assert SECRET not in each.out + each.err


def begin_together(*machines):
    """Neither of them trains before the other can."""
    for machine in machines:
        (machine.home / "together.txt").write_text("\n".join(str(other.home) for other in machines))


@pytest.mark.slow
def test_two_that_share_a_file_make_each_training_once(machines, alone, start, tmp_path):
    one, other = machines(address := f"sqlite:///{tmp_path}/study.db", "one", "other", method="auto", trials=4)
    begin_together(one, other)
    both = [one.start(), other.start()]
    for ended in [command.wait() for command in both]:
        assert ended.code == 0, ended
    plain = alone(method="auto", trials=4)
    assert one.made
    assert other.made
    assert sorted(one.made + other.made) == sorted(plain.made)
    assert one.trials == other.trials
    assert_at_rest(address)
    for machine in (one, other):
        machine.assert_as(plain)
        assert_usable(start, machine)


@pytest.mark.slow
def test_two_that_share_a_server_share_the_work_of_a_search_on_rungs(machines, alone, start, secret):
    one, other = machines(secret, "one", "other")
    begin_together(one, other)
    both = [one.start(), other.start()]
    ends = [command.wait() for command in both]
    assert [ended.code for ended in ends] == [0, 0], ends
    plain = alone()
    assert one.made
    assert other.made
    assert sorted(one.made + other.made) == sorted(plain.made)
    assert len(answers(secret)) == len(set(plain.made))
    assert one.trials == other.trials
    assert_at_rest(secret)
    assert_secret(one, other, *ends)
    for machine in (one, other):
        machine.assert_as(plain)
        assert_usable(start, machine)


@pytest.mark.slow
def test_one_that_is_killed_is_taken_over_and_one_that_is_stopped_claims_nothing(machines, alone, start, secret):
    killed, stopped, last = machines(secret, "killed", "stopped", "last")
    killed.start().until(lambda: len(answers(secret)) >= 7 and len(rows(secret)) > len(answers(secret))).kill()
    claims = [row for row in rows(secret) if row[1] is None]
    rows(secret, "update aurify_answers set claimed_at = claimed_at - 3600")  # so much time passes
    # at its 20th training nine trials of the first rung are known: they go on where they were not begun
    command = stopped.start().until(lambda: len(answers(secret)) >= 20 and stopped.made)
    command.send(signal.SIGINT)
    ended = command.wait()
    assert ended.code == 130, ended
    assert [row for row in rows(secret) if row[1] is None or row[2] is not None] == []
    assert_usable(start, stopped)
    assert last.start().wait().code == 0
    plain = alone()
    last.assert_as(plain)
    assert_at_rest(secret)
    again = [killed.start().wait(), stopped.start().wait()]
    assert [end.code for end in again] == [0, 0], again
    made = Counter(killed.made + stopped.made + last.made)
    assert set(made) == set(plain.made)
    assert sum(made.values()) - len(made) <= len(claims) + 1, "only what each of the two was at when it ended"
    assert_at_rest(secret)
    assert_secret(killed, stopped, last, ended, *again)
    for machine in (killed, stopped):
        machine.assert_as(plain)
        assert machine.trials == last.trials


class Line:
    """A line to a server that can be cut and mended."""

    def __init__(self, host, port):
        self._to, self._open = (host, port), list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port, self._cut = self._listener.getsockname()[1], False
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self._listener.accept()
                if self._cut:
                    near.close()
                    continue
                far = socket.create_connection(self._to)
            except OSError:
                return
            self._open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            end.close()

    def cut(self):
        self._cut = True
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._cut = False

    def end(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # whoever waits for somebody to come is woken
        self._listener.close()


@pytest.fixture
def searched(table, tmp_path):
    """Return a search in this process, of four trials at random."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)

    def run(address, name="run", **words):
        given = {"target": "label", "recipe": tmp_path / "recipe.yaml", "method": "random", "trials": 4, "seed": 1}
        given |= {"knobs": KNOBS.split(","), "inspect": False, "device": "cpu", "workers": 1, "storage": address}
        return workbench.tune(table, **given, out=tmp_path / name, **words)

    return run


@pytest.fixture
def collected():
    """Collect what a test leaves behind: pg8000 leaves a socket that is broken to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # what is collected on the way
def test_server_that_goes_away_is_a_line_and_the_same_call_goes_on(collected, searched, secret, monkeypatch, caplog):
    from sqlalchemy import make_url

    url = make_url(secret)
    line = Line(url.host, url.port)
    monkeypatch.setattr(database, "time", type("Clock", (), {"sleep": lambda seconds: time.sleep(seconds / 50)}))
    address = secret.replace(str(url.port), str(line.port))

    def cut_at_second(done, *rest):
        if done == 2:
            line.cut()

    with pytest.raises(AurifyError, match=r"--storage postgresql://aurify@.* cannot be used \(.*\)") as raised:
        searched(address, progress=cut_at_second)
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)
    assert caplog.text == "", "what is logged is on the screen too"
    before = answers(secret)
    assert len(before) >= 6
    line.mend()
    rows(secret, "update aurify_answers set claimed_at = claimed_at - 3600")  # it could not say that it left
    found = searched(address)
    assert [trial["number"] for trial in found.listed] == [0, 1, 2, 3]
    assert set(before) <= set(answers(secret))
    assert_at_rest(secret)
    for path in found.path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    line.end()


@pytest.mark.slow
def test_others_in_another_environment_are_not_used_and_this_is_said(searched, monkeypatch, tmp_path):
    address, said = f"sqlite:///{tmp_path}/study.db", []
    searched(address, "one", note=said.append)
    before = len(answers(address))
    assert not [text for text in said if "storage" in text]
    own = devices.environment
    monkeypatch.setattr(devices, "environment", lambda device: {**own(device), "torch": "9.9"})
    searched(address, "other", note=said.append)
    assert len(answers(address)) == 2 * before
    assert [text for text in said if "torch" in text and ", here 9.9" in text]
    assert len(rows(address, "select study_name from studies")) == 2


@pytest.mark.slow
def test_what_another_one_ends_while_it_is_asked_for_is_not_made_again(searched, monkeypatch, tmp_path):
    address, made, hidden, of = f"sqlite:///{tmp_path}/study.db", [], set(), {}
    fresh = len(searched(address, "one").plain["remeasured"]["folds"])
    hidden |= {
        key for key, *_ in rows(address, f"select key from aurify_answers order by answered_at desc limit {fresh}")
    }
    fetch, look, place, measure = Shared.fetch, Shared.look, Trainings.place, worker.measure

    def ending(self, file):
        """What is asked for is not there yet; a moment later it is."""
        key = of[file.parent.name]
        if key not in hidden:
            return fetch(self, file)
        hidden.remove(key)
        return False

    monkeypatch.setattr(Shared, "fetch", ending)
    monkeypatch.setattr(Shared, "look", lambda self, key: None if key in hidden else look(self, key))
    monkeypatch.setattr(
        Trainings, "place", lambda self, one: of.setdefault(place(self, one), one.key) and place(self, one)
    )
    monkeypatch.setattr(worker, "measure", lambda *given: made.append(given[-1]) or measure(*given))
    searched(address, "other")
    assert not hidden
    assert made == []
