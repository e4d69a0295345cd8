"""What is made once is handed out again, and what that spared is known."""

import time

from aurify.core.once import Kept, anew


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


def test_no_more_is_kept_than_was_said_and_nothing_is_what_it_is_not():
    kept = Kept(most=2)
    for key in "abc":
        kept(key, lambda key=key: key * 2)
    assert [kept(key, lambda: "anew") for key in "abc"] == ["aa", "bb", "anew"]
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
