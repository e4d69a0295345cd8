"""What is made once is handed out again, and what that spared is known."""

import time

import torch

from aurify.core.once import anew
from aurify.study.kept import Kept


def test_the_same_is_made_once_and_the_time_it_would_have_taken_is_counted():
    kept, made = Kept(), []

    def make():
        made.append(1)
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        return object()

    one = kept(("a", 1), make)
    assert kept.spared == 0
    assert kept(("a", 1), make) is one
    assert kept.spared >= 0.02
    assert kept(("a", 2), make) is not one
    assert len(made) == 2


def test_no_more_is_kept_than_there_is_room_for_and_what_is_shared_counts_once():
    kept, big = Kept(most_bytes=1000), torch.zeros(100)  # 400 bytes
    made = {"a": big, "b": {"again": big[:50]}, "c": (torch.zeros(100),), "d": torch.zeros(100), "e": torch.zeros(10)}
    for key, value in made.items():
        kept(key, lambda value=value: value)
    assert [kept(key, lambda: "anew") is made[key] for key in made] == [True, True, True, False, True]
    assert kept("nothing", lambda: None) is None


def test_what_cannot_be_made_is_not_kept():
    kept = Kept()
    for _ in range(2):
        try:
            kept("a", lambda: 1 / 0)
        except ZeroDivisionError:
            continue
        raise AssertionError
    assert kept("a", lambda: 5) == 5


def test_anew_makes_it_every_time():
    assert anew("a", object) is not anew("a", object)
