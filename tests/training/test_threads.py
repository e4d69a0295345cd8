"""How many threads a training takes: the user's word, else what its network is worth."""

import subprocess
import sys

import pytest
import torch

from aurify.core.cores import UNASKED, VARIABLE
from aurify.networks.convnet import Convnet
from aurify.networks.mlp import Mlp
from aurify.training.device import set_threads, worth


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv(VARIABLE, "3")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv(UNASKED, raising=False)
    yield
    torch.set_num_threads(before)


def test_convolutions_take_all_cores_and_small_work_one():
    assert set_threads(None, worth(Convnet())) == 3
    assert set_threads(None, worth(Mlp())) == 1


def test_word_of_the_user_goes_before(monkeypatch):
    assert set_threads(2, worth(Convnet())) == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert set_threads(None, worth(Convnet())) == 1


def test_what_the_command_line_sets_for_itself_is_not_the_users_word(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv(UNASKED, "1")
    assert set_threads(None, worth(Convnet())) == 3


@pytest.mark.parametrize(("given", "said"), [({}, "1 1"), ({"OMP_NUM_THREADS": "2"}, "2 None")])
def test_command_line_tells_its_own_word_from_the_users(given, said, monkeypatch):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    program = (
        "import os, sys; from aurify.cli import process; process.app = lambda **words: print(*map(os.environ.get,"
        f" ('OMP_NUM_THREADS', {UNASKED!r}))); process.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == said
