"""What the fault tests share: a small table, commands that can be stopped at any moment, and what a run came to."""

import json
import shutil
import subprocess
import sysconfig
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from forked import ENVIRONMENT, Command, order

from aurify import catalog as catalogs
from aurify.core import archive
from aurify.core.recipe import load_yaml
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.ship.bundle import Bundle
from aurify.worlds.world import World

COMMAND = Path(sysconfig.get_path("scripts")) / "aurify"


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
    words += ["--with", "mixup", "--with", "balance_classes", "--set", "network.width=48", "--no-inspect"]
    return [*words, "--set", "budget.epochs=16", "--set", "budget.batch_size=64"]


@pytest.fixture(scope="session")
def short_fit(table):
    """A fit of three steps with a checkpoint after each."""
    words = ["fit", table, "--target", "label", "--checkpoint-every", "0.000001s", "--set", "network.width=16"]
    return [*words, "--no-inspect", "--set", "budget.epochs=1", "--set", "budget.batch_size=400"]


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

    def compare(folder, unbroken, *, but=()):
        ours, theirs = outcome(folder), outcome(unbroken)
        for name, value in theirs.items():
            if name in but:
                continue
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
