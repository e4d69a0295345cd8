"""What the fault tests share: a small table, commands that can be stopped at any moment, and what a run came to."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import aurify as package
from aurify import catalog as catalogs
from aurify.core import archive
from aurify.core.recipe import load_yaml
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.ship.bundle import Bundle
from aurify.worlds.world import World

COMMAND = Path(sysconfig.get_path("scripts")) / "aurify"
PATIENCE_SECONDS = 60
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COLUMNS", "FORCE_COLOR"))}
ENVIRONMENT |= {"OMP_NUM_THREADS": "1", "TERM": "dumb", "COLUMNS": "1000"}


@dataclass(frozen=True)
class Ended:
    """How a command ended: ``code`` as a shell says it, negative for the signal that killed it."""

    code: int
    out: str
    err: str

    def refused(self, *words):
        """Assert exit code 2, nothing on stdout and one line on stderr that holds ``words``; return the line."""
        assert self.code == 2, self
        assert self.out == "", self
        return self.one_line(*words)

    def one_line(self, *words):
        assert self.err.startswith("aurify: "), self
        assert self.err.count("\n") == 1, self
        assert self.err.endswith("\n"), self
        for word in words:
            assert word in self.err, self
        return self.err


class Command:
    """One running aurify command, a child of the zygote."""

    def __init__(self, ask, pid, out, err):
        self._ask, self.pid, self._out, self._err = ask, pid, out, err
        self._status = None

    def ended(self):
        if self._status is None:
            self._status = self._ask({"poll": self.pid})
        return self._status is not None

    def send(self, number):
        if not self.ended():
            os.kill(self.pid, number)

    def wait(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.ended():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                pytest.fail(f"still running after {PATIENCE_SECONDS} s: {self._err.read_text()}")
            time.sleep(0.002)
        said = [path.read_text() if path.is_file() else "" for path in (self._out, self._err)]
        return Ended(os.waitstatus_to_exitcode(self._status), *said)

    def kill(self):
        self.send(signal.SIGKILL)
        return self.wait()

    def until(self, condition):
        """Wait until ``condition()`` is true; fail when the command ends before."""
        while not condition():
            if self.ended() and not condition():
                pytest.fail(f"ended too early: {self.wait()}")
            time.sleep(0.001)
        return self


@pytest.fixture(scope="session")
def zygote():
    """Ask the process that forks commands."""
    script = Path(__file__).with_name("zygote.py")
    tested = {**ENVIRONMENT, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=tested
    ) as process:
        assert process.stdout.readline() == "ready\n"

        def ask(request):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def order(
    words, cwd, out, err, *, file_limit=None, deadly=False, memory_limit=None, changes_in=None, kill_at=None, trace=None
):
    """What the zygote is to start.

    ``file_limit`` bytes are the most a file may get, ``deadly``: or the process is killed; ``memory_limit`` bytes may
    be asked for; ``kill_at`` counts changes of files in the folder ``changes_in``, which ``trace`` gets a list of.
    """
    paths = {"cwd": cwd, "out": out, "err": err, "changes_in": changes_in, "trace": trace}
    plain = {name: None if path is None else str(path) for name, path in paths.items()}
    limits = {"file_limit": file_limit, "deadly": deadly, "memory_limit": memory_limit, "kill_at": kill_at}
    return {"words": [str(w) for w in words], **plain, **limits}


@pytest.fixture
def start(zygote, tmp_path):
    """Start an aurify command in ``tmp_path``; whatever still runs when the test ends is killed."""
    started = []

    def begin(*words, out=None, **wishes):
        err = tmp_path / f".{len(started)}.err"
        out = tmp_path / f".{len(started)}.out" if out is None else Path(out)
        started.append(Command(zygote, zygote({"start": order(words, tmp_path, out, err, **wishes)}), out, err))
        return started[-1]

    yield begin
    for command in started:
        if not command.ended():
            command.kill()


@pytest.fixture
def aurify(start):
    """Run an aurify command to its end."""
    return lambda *words, **limits: start(*words, **limits).wait()


@pytest.fixture
def cold(tmp_path):
    """Start the installed command itself, as a shell would: ``cold(*words, **Popen's arguments)``."""
    with ExitStack() as started:

        def begin(*words, **settings):
            settings = {"cwd": tmp_path, "env": ENVIRONMENT, "stdin": subprocess.DEVNULL, **settings}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            process = subprocess.Popen([str(COMMAND), *map(str, words)], text=True, **{**pipes, **settings})
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield begin


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """1,500 rows, 7 inputs with missing cells, and a label that can be learnt."""
    random = np.random.default_rng(0)
    count = 1500
    age, trend = random.integers(18, 80, count), random.normal(size=count).round(4)
    income, balance = random.normal(3e4, 9e3, count).round(2), random.exponential(100, count).round(3)
    city = random.choice(["Rome", "Oslo", "Lima", "Kyiv"], count)
    plan, vip = random.choice(["a", "b", ""], count), random.choice(["yes", "no"], count)
    merit = (age - 45) / 15 + (income - 3e4) / 9e3 + 1.5 * (city == "Oslo") - trend + random.normal(size=count)
    label = np.where(merit > 0, "stay", "leave")
    columns = (age, income, balance, trend, city, plan, vip, label)
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    path = tmp_path_factory.mktemp("data") / "table.csv"
    path.write_text("age,income,balance,trend,city,plan,vip,label\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def long_fit(table):
    """A fit of 256 steps with a checkpoint every 30 ms and every kind of randomness in it."""
    words = ["fit", table, "--target", "label", "--checkpoint-every", "0.03s", "--without", "early_stopping"]
    words += ["--with", "mixup", "--with", "balance_classes", "--set", "network.width=48"]
    return [*words, "--set", "budget.epochs=16", "--set", "budget.batch_size=64"]


@pytest.fixture(scope="session")
def short_fit(table):
    """A fit of three steps with a checkpoint after each."""
    words = ["fit", table, "--target", "label", "--checkpoint-every", "0.000001s", "--set", "network.width=16"]
    return [*words, "--set", "budget.epochs=1", "--set", "budget.batch_size=400"]


@pytest.fixture(scope="session")
def acting_fit():
    """A fit of two agents in a world, with checkpoints as often as they can be."""
    words = ["fit", "CartPole-v1", "--steps", "4096", "--seeds", "2", "--checkpoint-every", "0.02s"]
    settings = ["budget.validate_every=8", "network.width=16"]
    settings += ["task.envs=2", "task.horizon=32", "task.passes=2", "task.held=2", "task.tested=3"]
    return [*words, *(word for setting in settings for word in ("--set", setting))]


def run_once(zygote, folder, words):
    files = (folder.parent, folder.with_name("out"), folder.with_name("err"))
    pid = zygote({"start": order([*words, "--out", folder, "--quiet"], *files)})
    assert zygote({"wait": pid}) == 0, files[2].read_text()
    return folder


@pytest.fixture(scope="session")
def long_run(zygote, long_fit, tmp_path_factory):
    """``long_fit`` done without a break, and how many seconds it took."""
    began = time.monotonic()
    folder = run_once(zygote, tmp_path_factory.mktemp("unbroken") / "long", long_fit)
    return folder, time.monotonic() - began


@pytest.fixture(scope="session")
def short_run(zygote, short_fit, tmp_path_factory):
    """``short_fit`` done without a break."""
    return run_once(zygote, tmp_path_factory.mktemp("unbroken") / "short", short_fit)


@pytest.fixture(scope="session")
def acting_run(zygote, acting_fit, tmp_path_factory):
    """``acting_fit`` done without a break."""
    return run_once(zygote, tmp_path_factory.mktemp("unbroken") / "acting", acting_fit)


@pytest.fixture
def same():
    """Assert that two run folders hold the same results, bit for bit."""

    def compare(folder, unbroken):
        ours, theirs = outcome(folder), outcome(unbroken)
        for name, value in theirs.items():
            assert ours[name] == value, f"{name} differs from the unbroken run's"

    return compare


def outcome(folder):
    """All that a run came to, without the places and times in it."""
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["test_openings"] >= 1
    # looks at the same rows in the runs beside this one count too
    del scores["run"], scores["seconds"], scores["training"]["seconds"], scores["test_openings"]
    progress = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    for entry in progress:
        del entry["seconds"]
    assert progress, "nothing was validated"
    assert all(entry["order"] for entry in progress) or (folder / "episodes.parquet").exists()
    return {
        "recipe": (folder / "recipe.yaml").read_bytes(),
        "findings": json.loads((folder / "findings.json").read_text()),
        "order": [(entry["step"], entry["order"]) for entry in progress],
        "progress": progress,
        "weights": weights(folder / "model.aurify"),
        "model": (folder / "model.aurify").read_bytes(),
        "answers": pl.read_parquet(answers_in(folder)).to_dict(as_series=False),
        "openings": looks(folder),
        "scores": scores,
    }


def answers_in(folder):
    """What was answered on the test part: predictions of rows, or episodes that agents played."""
    return next(path for path in map(folder.joinpath, ("predictions.parquet", "episodes.parquet")) if path.exists())


def looks(folder):
    """How often the run there has looked at its test part; looks at another part, of a run replaced, do not count."""
    # a kill between making the file and writing to it leaves an empty line
    lines = [json.loads(line) for line in (folder / "openings.jsonl").read_text().splitlines() if line]
    return sum(line["part"] == lines[-1]["part"] for line in lines)


def weights(path):
    return {name: tensor.numpy().tobytes() for name, tensor in archive.load(path, "model")[1].items()}


@pytest.fixture
def whole():
    """Assert that everything a run folder holds can be read; nothing half-written has a final name."""
    return assert_whole


def assert_whole(folder):
    catalog = catalogs.load()
    for path in folder.glob("*.json"):
        json.loads(path.read_text())
    for path in folder.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            json.loads(line)
    if (folder / "recipe.yaml").exists():
        catalog.recipe(load_yaml(folder / "recipe.yaml"))
    if (folder / "store" / "world.json").exists():
        World.open(folder / "store").verify(folder)
    elif (folder / "store").exists():
        store = Store.open(folder / "store")
        inputs = {name: np.array(values) for name, values in store.inputs.items()}
        again = Store.of(store.schema, inputs, np.array(store.target), np.array(store.test))
        assert again.fingerprint == store.fingerprint
    if (folder / "parts.aurify").exists():
        assert len(Parts.open(folder / "parts.aurify").test) > 0
    for path in (folder / "checkpoints").glob("step-*.aurify"):
        archive.unpack(*archive.load(path, "checkpoint"))
    if (folder / "model.aurify").exists():
        import torch

        Bundle.load(folder / "model.aurify", catalog, torch.device("cpu"))
    if (folder / "predictions.parquet").exists():
        assert pl.read_parquet(folder / "predictions.parquet").height > 0
    if (folder / "scores.json").exists():
        assert (folder / "model.aurify").exists()
        assert answers_in(folder)


def checkpoints(folder):
    """Saved checkpoints, oldest first."""
    return sorted((folder / "checkpoints").glob("step-*.aurify"))


@pytest.fixture
def saved():
    return checkpoints


@pytest.fixture(scope="session")
def killed_run(zygote, long_fit, tmp_path_factory):
    """``long_fit`` killed in the middle of training, with two checkpoints."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    files = (folder.parent, folder.with_name("out"), folder.with_name("err"))
    pid = zygote({"start": order([*long_fit, "--out", folder], *files)})
    command = Command(zygote, pid, *files[1:])
    command.until(lambda: len(checkpoints(folder)) == 2 and int(checkpoints(folder)[0].stem[5:]) > 50).kill()
    assert not (folder / "model.aurify").exists(), "training ended too soon to be interrupted"
    for more in checkpoints(folder)[:-2]:  # killed between writing one and removing the oldest
        more.unlink()
    return folder


@pytest.fixture
def interrupted(killed_run, tmp_path):
    """A copy of ``killed_run`` of one's own."""
    return Path(shutil.copytree(killed_run, tmp_path / "run"))
