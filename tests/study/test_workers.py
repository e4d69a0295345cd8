"""Trainings side by side: the same answers as one after another, and no process is left, lost or waited for."""

import time
from pathlib import Path

import pytest
import torch

from aurify import catalog as catalogs
from aurify.core.errors import AurifyError
from aurify.core.watch import Watch
from aurify.study.cells import WHOLE, cells
from aurify.study.worker import BROKEN, Trainer
from aurify.study.workers import Here, Processes, worker_count

PATIENCE_SECONDS = 60
OWN = """
import os, signal, sys, time
import torch
from dataclasses import dataclass
from pathlib import Path
from aurify.core.parts import Technique, knob


@dataclass(kw_only=True)
class Odd(Technique):
    '''Do what no part should.'''

    way: str = knob("print", "what", choices=("print", "raise", "exit", "die", "die once", "wait", "assert", "fail"))
    neutral = {"way": "print"}

    def begin(self, model, recipe):
        mark = Path(__file__).with_name("died")
        if self.way == "print":
            print('{"scores": {}}', flush=True)
            os.write(1, b"not JSON either\\n")
        elif self.way == "raise":
            raise ZeroDivisionError("a mistake\\nin two lines")
        elif self.way == "exit":
            sys.exit(7)
        elif self.way == "die" or (self.way == "die once" and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.way in ("assert", "fail"):
            mark.write_text(str(os.getpid()))
            kind = torch.AcceleratorError if self.way == "assert" else RuntimeError
            raise kind("CUDA error: device-side assert triggered\\nin two lines")
        elif self.way == "wait":
            Path(__file__).with_name(f"waiting-{os.getpid()}").touch()
            time.sleep(1000)
"""


@pytest.fixture(scope="module")
def place(lab, tmp_path_factory):
    """A store, parts of it, and a file with a technique that misbehaves."""
    folder = tmp_path_factory.mktemp("workers")
    lab.store("classify").write(folder / "store")
    (folder / "odd_part.py").write_text(OWN)
    return folder


@pytest.fixture(scope="module")
def orders(lab, place):
    recipe = lab.recipe("classify", {"dropout": {}, "scale_numbers": {}}, budget={"steps": 3})
    found = cells(recipe, lab.store("classify"), torch.arange(240).numpy(), WHOLE, place / "parts").all[:3]
    return lambda **techniques: [
        {
            "key": f"{cell.fold} {name}",
            "recipe": {**recipe.plain(), "seed": cell.seed, "techniques": {**recipe.plain()["techniques"], **settings}},
            "parts": cell.path,
        }
        for cell in found
        for name, settings in techniques.items()
    ]


@pytest.fixture
def processes(place):
    made = []

    def begin(count):
        made.append(Processes(count, place / "store", "cpu", [place / "odd_part.py"]))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def here(place, lab):
    return Here(Trainer(lab.store("classify"), catalogs.load([place / "odd_part.py"]), torch.device("cpu"), Watch()))


def answers(workers, orders, check=lambda: None):
    for order in orders:
        workers.begin(order)
    done = [workers.ended(check) for _ in orders]
    found = {order["key"]: dict(answer) for order, answer in done}
    for answer in found.values():
        for clocked in ("seconds", "latency"):
            answer.pop(clocked, None)
    return found


@pytest.mark.slow
def test_processes_answer_as_this_process_does_bit_for_bit_whatever_is_printed(place, lab, orders, processes):
    given = orders(plain={}, odd={"odd": {}}, mixup={"mixup": {}}, raises={"odd": {"way": "raise"}})
    one = answers(here(place, lab), given)
    two = answers(processes(2), given[::-1])
    assert one == two
    assert len(one) == 12
    assert one["1 odd"]["scores"] == one["1 plain"]["scores"] != one["1 mixup"]["scores"]
    assert one["2 raises"] == {"refused": "ZeroDivisionError: a mistake"}


@pytest.mark.slow
def test_process_that_dies_is_begun_anew_and_the_others_go_on(orders, processes, place):
    (place / "died").unlink(missing_ok=True)
    workers = processes(1)
    found = answers(workers, orders(once={"odd": {"way": "die once"}}, plain={}))
    assert "refused" not in str(found)
    assert (place / "died").exists()
    assert found["1 once"]["scores"] == found["1 plain"]["scores"]
    lost = answers(workers, orders(dies={"odd": {"way": "die"}}, leaves={"odd": {"way": "exit"}}, plain={})[:3])
    assert "ended (code -9)" in lost["1 dies"]["refused"]
    assert "ended (code 7)" in lost["1 leaves"]["refused"] or "SystemExit" in lost["1 leaves"]["refused"]
    assert lost["1 plain"] == found["1 plain"]


@pytest.mark.slow
def test_process_that_lost_its_accelerator_is_begun_anew_for_the_next_order(orders, processes, place, lab):
    ways = {way: {"odd": {"way": way}} for way in ("assert", "fail", "raise")}
    told = answers(here(place, lab), orders(**ways)[:3])
    assert [key for key, answer in told.items() if BROKEN in answer] == ["1 assert", "1 fail"]
    workers = processes(1)
    broken = answers(workers, orders(breaks={"odd": {"way": "fail"}})[:1])
    reason = broken["1 breaks"]["refused"]
    assert "CUDA error: device-side assert triggered" in reason
    assert set(broken["1 breaks"]) == {"refused"}
    wait_for(lambda: not alive(int((place / "died").read_text())))
    assert "scores" in answers(workers, orders(plain={})[:1])["1 plain"]


@pytest.mark.slow
def test_orders_that_are_given_up_leave_no_process_behind(orders, processes, place):
    workers = processes(1)

    def check():
        if list(place.glob("waiting-*")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers(workers, orders(waits={"odd": {"way": "wait"}}), check)
    (mark,) = place.glob("waiting-*")
    mark.unlink()
    wait_for(lambda: not alive(int(mark.name.partition("-")[2])))


@pytest.mark.slow
def test_a_training_that_is_given_up_leaves_its_process_ready_for_the_next(orders, processes):
    workers = processes(1)
    plain = orders(plain={})
    first = answers(workers, plain[:1])
    long = {**plain[1], "recipe": {**plain[1]["recipe"], "budget": {**plain[1]["recipe"]["budget"], "steps": 10**7}}}
    workers.begin(long)
    before = children()

    def check():
        if time.monotonic() > began + 1:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workers.ended(check)
    assert children() == before
    assert answers(workers, plain[:1]) == first


def children():
    """Processes that this one began and that live."""
    tasks = Path("/proc/self/task").glob("*/children")
    return sorted(int(pid) for path in tasks for pid in path.read_text().split() if alive(int(pid)))


def alive(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_count_is_what_was_asked_or_the_cores_or_one_beside_an_accelerator():
    assert worker_count(3, "cpu") == 3
    assert worker_count(None, "cuda") == 1
    assert 1 <= worker_count(None, "cpu") <= 8
    with pytest.raises(AurifyError, match=r"--workers 9999 is not allowed: at most \d+ here, 4 for each core"):
        worker_count(9999, "cpu")
