"""Signals set a flag and the clock counts earlier sittings."""

import os
import signal
import threading

import pytest

from aurify.core.errors import Interrupted
from aurify.core.watch import StoppedAtOnceError, Watch


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_is_noted_and_raised_where_it_is_safe(number, code):
    before = signal.getsignal(number)
    with Watch() as watch:
        os.kill(os.getpid(), number)
        assert watch.signal_number == number
        with pytest.raises(Interrupted, match="--resume") as caught:
            watch.check()
    assert caught.value.exit_code == code
    assert signal.getsignal(number) is before


def test_second_signal_interrupts_at_once():
    with Watch(), pytest.raises(StoppedAtOnceError, match="SIGINT"):  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_watch_in_another_thread_leaves_signals_alone():
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work():
        with Watch() as watch:
            watch.check()
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_remaining_time_counts_what_earlier_sittings_used():
    assert Watch().remaining == float("inf")
    watch = Watch(limit_seconds=100.0, spent_seconds=30.0)
    assert 69 < watch.remaining <= 70
    watch.resume_at(90.0)
    assert 9 < watch.remaining <= 10
