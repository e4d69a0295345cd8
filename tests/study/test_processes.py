"""Processes of a study: where they find modules, what becomes of orders when something raises, and of memory."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from aurify.data.prepare import prepare, view_of
from aurify.networks.given import given
from aurify.study.cells import WHOLE, cells
from aurify.study.kept import Kept, tensors
from aurify.study.trainings import Wanted
from aurify.study.workers import Processes

PART = """
from dataclasses import dataclass
from aurify.core.parts import Technique
from beside import NAME


@dataclass(kw_only=True)
class Quiet(Technique):
    '''Do nothing.'''
"""


@pytest.fixture
def begin(lab, tmp_path):
    """Return a function that makes processes with some parts, and their orders."""
    made, recipe = [], lab.recipe("classify", {"scale_numbers": {}}, budget={"steps": 2})
    lab.store("classify").write(tmp_path / "store")
    cell = cells(recipe, lab.store("classify"), np.arange(240), WHOLE, tmp_path / "parts").all[0]

    def make(*parts, count=1, **more):
        made.append(Processes(count, tmp_path / "store", "cpu", parts))
        return made[-1], [{"recipe": recipe.plain(), "parts": cell.path, **more}]

    yield make
    for one in made:
        one.close()


def answers(workers, orders, check=lambda: None):
    for order in orders:
        workers.begin(order)
    return [workers.ended(check)[1] for _ in orders]


@pytest.mark.slow
def test_parts_find_what_lies_beside_the_program_and_nothing_that_lies_about(begin, tmp_path, monkeypatch):
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "beside.py").write_text("NAME = 'x'\n")
    (tmp_path / "own_part.py").write_text(PART)
    (tmp_path / "torch.py").write_text("raise SystemExit('a file of the data')\n")  # where the command is given
    monkeypatch.setattr(sys, "path", [str(tmp_path / "program"), *(p for p in sys.path if p)])
    (answer,) = answers(*begin(tmp_path / "own_part.py"))
    assert "refused" not in answer


@pytest.mark.slow
def test_process_that_cannot_begin_says_why(begin, tmp_path):
    (tmp_path / "own_part.py").write_text(PART)
    (answer,) = answers(*begin(tmp_path / "own_part.py"))
    assert "cannot begin: --parts" in answer["refused"]
    assert "No module named 'beside'" in answer["refused"]


def test_order_that_cannot_be_written_is_answered_too(begin):
    (answer,) = answers(*begin(strange={1, 2}))
    assert answer["refused"].startswith("TypeError: ")


@pytest.mark.slow
def test_processes_work_again_after_orders_were_given_up(begin):
    workers, orders = begin(count=2)

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers(workers, orders, stop)
    (answer,) = answers(workers, orders)
    assert "refused" not in answer


def test_kept_things_fit_into_so_many_bytes_and_shared_tensors_count_once():
    kept, made = Kept(most_bytes=2000), []

    def make(name, *given):
        return kept(name, lambda: made.append(name) or {"of": (name, *given)})

    shared = torch.zeros(200)  # 800 bytes
    for name in ("one", "two", "three", "one", "two", "three"):
        make(name, shared, shared[:5], torch.zeros(100))
    assert made == ["one", "two", "three"], "800 bytes and three times 400"
    for _ in range(2):
        make("four", shared, torch.zeros(1))
    assert made[3:] == ["four", "four"]
    assert make("one")["of"][0] == "one"


def test_what_preparing_made_is_counted_whole(lab):
    recipe = lab.recipe("classify", {"scale_numbers": {}, "fill_missing": {}, "encode_categories": {}})
    store, kept = lab.store("classify"), Kept()
    view = view_of(store, np.arange(200), 0)
    one = prepare(recipe.techniques, view, kept)
    again = prepare(recipe.techniques, view, kept)
    assert all(a is b for a, b in zip(one.layers, again.layers, strict=True))
    assert one.values["numbers"] is again.values["numbers"]
    held = {tensor.untyped_storage().data_ptr() for made, _ in kept._made.values() for tensor in tensors(made)}
    assert {v.untyped_storage().data_ptr() for v in one.values.values()} <= held
    assert {b.untyped_storage().data_ptr() for layer in one.layers for b in layer.buffers()} <= held
    small = Kept(most_bytes=0)
    for name, value in prepare(recipe.techniques, view, small).values.items():
        assert torch.equal(value, one.values[name])
    assert not small._made


def test_networks_passed_from_python_are_known_by_their_code(lab, monkeypatch):
    monkeypatch.setitem(sys.modules, "typed", SimpleNamespace())  # as in a notebook: no file is behind it

    def key(text):
        scope = {"nn": nn, "__name__": "typed"}
        exec(compile(text, "typed", "exec"), scope)
        torch.manual_seed(0)  # its weights are the same each time
        recipe = replace(lab.recipe("classify", {}), network=given(scope["Own"]()))
        return Wanted(recipe, SimpleNamespace(path="a", seed=1)).key

    code = "class Own(nn.Linear):\n    def __init__(self):\n        super().__init__(2, 2)\n"
    monkeypatch.setattr("inspect.getsource", lambda kind: code)
    one = key(code)
    assert key(code) == one
    monkeypatch.setattr("inspect.getsource", lambda kind: code + "    x = 1\n")
    assert key(code) != one

    def unknown(kind):
        raise OSError

    monkeypatch.setattr("inspect.getsource", unknown)
    assert key(code) != one


@pytest.mark.slow
def test_process_ends_with_who_gives_the_orders_even_before_it_has_begun(begin):
    workers, _ = begin()
    process = subprocess.Popen(workers.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b'{"recipe": {}, "parts": ""}\n')
    process.stdin.close()  # as a kill closes it
    assert process.wait(60) == 1
    assert process.stdout is not None
    process.stdout.close()
