"""Answers are kept for ever after and made once, in a file or in a database, whatever happens to whoever is at it."""

import json
import math
import signal
import threading
import time

import pytest
from databases import ended, line, program

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.study import shared
from aurify.study.answers import Lines
from aurify.study.shared import Shared
from aurify.study.trainings import Trainings

ANSWER = {"scores": {"rmse": 1.0}, "diverged": None}
VERSION = {"torch": "2", "data": "abc"}

TAKER = """
import json, sys
from aurify.study.shared import Shared
store = Shared(sys.argv[1], {"v": 1})
print("ready", flush=True)
sys.stdin.readline()
mine = [key for key in map(str, range(int(sys.argv[2]))) if store.claim(key)]
for key in mine:
    store.keep(key, {"by": store.me})
print(json.dumps(mine), flush=True)
"""

HOLDER = """
import sys, time
from aurify.study.shared import Shared
store = Shared(sys.argv[1], {"v": 1}, lease=float(sys.argv[2]))
assert store.claim("k")
print("held", flush=True)
time.sleep(60)
"""

# makes the same twelve trainings as everybody else, and says which it made
MAKER = """
import json, sys, time
from types import SimpleNamespace
from aurify.core.watch import Watch
from aurify.study.shared import Shared
from aurify.study.trainings import Trainings

class Slow:
    def __init__(self):
        self.open = []

    def begin(self, order):
        self.open.append(order)

    def ended(self, check):
        check()
        time.sleep(0.05)
        order = self.open.pop(0)
        print(json.dumps(order["key"]), flush=True)
        return order, {"score": int(order["key"])}

    def leave(self):
        self.open.clear()

def wanted(key):
    return SimpleNamespace(key=key, beside=(), order={"key": key, "recipe": {}, "parts": "a", "share": 1.0})

store = Shared(sys.argv[1], {"v": 1}, lease=float(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
trainings = Trainings(store, Slow())
with Watch() as watch:  # as every verb: a signal is a flag, and nothing is cut off in the middle of a statement
    try:
        trainings.make([wanted(str(at)) for at in range(12)], watch.check, lambda done, of: None)
    finally:
        store.close()
assert [trainings.known(str(at))["score"] for at in range(12)] == list(range(12))
"""


@pytest.fixture(params=["lines", "sqlite", "postgres"])
def opened(request, tmp_path):
    """Return a function that opens the same answers again, with another version if wanted."""
    made = []
    place = request.getfixturevalue("postgres") if request.param == "postgres" else f"sqlite:///{tmp_path}/study.db"

    def make(version=VERSION):
        made.append(Lines(tmp_path / "kept.jsonl", version) if request.param == "lines" else Shared(place, version))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def share(address):
    """Return a function that opens the answers of one database."""
    made = []

    def make(**words):
        made.append(Shared(address, {"v": 1}, **words))
        return made[-1]

    yield make
    for one in made:
        one.close()


def rows(store):
    return store._do("select key, answer, claimed_by from aurify_answers")


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# kept in a file or in a database


def test_what_is_kept_is_there_at_once_and_another_time(opened):
    one = opened()
    assert one.look("k") is None
    assert one.claim("k")
    one.keep("k", ANSWER)
    assert one.look("k") == opened().look("k") == ANSWER
    assert not one.claim("k")
    assert not opened().claim("k")


def test_other_versions_do_not_see_each_other(opened):
    opened().keep("k", ANSWER)
    other = opened({**VERSION, "torch": "3"})
    assert other.look("k") is None
    assert other.claim("k")
    other.keep("k", {"scores": {}})
    assert opened().look("k") == ANSWER
    assert opened(dict(reversed(VERSION.items()))).look("k") == ANSWER


def test_failure_counts_until_it_is_closed_and_not_another_time(opened):
    one = opened()
    assert one.claim("k")
    one.keep("k", {"refused": "out of memory"})
    assert one.look("k") == {"refused": "out of memory"}
    assert not one.claim("k")
    one.close()
    again = opened()
    assert again.look("k") is None
    assert again.claim("k")
    again.keep("k", ANSWER)
    assert opened().look("k") == ANSWER


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"nul": "a\x00b", "lone": "\ud800", "quote": "'; drop table aurify_answers; --", "colon": ":key %s {now}"},
        {"long": "x" * 2_000_000},
        {"scores": {"a": None, "b": 1e308, "c": -0.0, "d": 5e-324, "e": 2**70}, "list": [[], {}]},
        {"diverged": said("the loss is {loss} at step {step}", loss="nan", step=3)},
    ],
    ids=["empty", "text", "long", "numbers", "said"],
)
def test_strange_answers_come_back_as_they_were(answer, opened):
    opened().keep("it's: {k}", answer)
    back = opened().look("it's: {k}")
    assert back == answer
    assert isinstance(back.get("diverged"), Said) == ("diverged" in answer)


def test_numbers_that_are_none_come_back(opened):
    opened().keep("k", {"a": math.nan, "b": -math.inf})
    back = opened().look("k")
    assert math.isnan(back["a"])
    assert back["b"] == -math.inf


# shared


def test_claim_is_won_once_and_free_again_after_release(share):
    one, other = share(), share()
    assert one.claim("k")
    assert one.claim("k"), "asked again by whom it belongs to, as after a lost connection"
    assert not other.claim("k")
    one.release()
    assert other.claim("k")
    other.close()
    assert one.claim("k")


def test_release_takes_no_answer_away(share):
    one = share()
    assert one.claim("k")
    one.keep("k", ANSWER)
    assert one.claim("other")
    one.release()
    one.close()
    assert [row[0] for row in rows(share())] == ["k"]


def test_answer_of_another_is_seen(share, monkeypatch):
    one, other = share(), share()
    assert one.claim("k")
    one.keep("k", ANSWER)
    assert not other.claim("k")
    assert other.look("k") == ANSWER, "who was refused a claim knows why"
    one.keep("m", ANSWER)
    wait_for(lambda: other.look("m") == ANSWER)
    one.keep("n", ANSWER)
    other.refresh()
    assert other.look("n") == ANSWER


def test_failure_of_another_counts_while_it_goes_on(share):
    one, other = share(lease=0.4), share(lease=0.4)
    assert one.claim("k")
    one.keep("k", {"refused": "no memory"})
    time.sleep(1.0)
    assert not other.claim("k")
    assert other.look("k") == {"refused": "no memory"}
    one.close()
    assert share().look("k") is None


def test_first_of_two_answers_stays(share):
    one, other = share(), share()
    one.keep("k", {"first": True})
    other.keep("k", {"first": False})
    assert other.look("k") == share().look("k") == {"first": True}


def test_claim_is_renewed_while_its_holder_lives(share):
    one, other = share(lease=0.4), share(lease=0.4)
    assert one.claim("k")
    time.sleep(1.2)
    assert not other.claim("k")


def test_holder_that_was_held_up_loses_its_claim_and_its_answer_still_counts(share, monkeypatch):
    monkeypatch.setattr(Shared, "_renew", lambda self: None)
    one, other, third = share(lease=0.2), share(lease=0.2), share(lease=0.2)
    assert one.claim("k")
    time.sleep(0.4)
    assert other.claim("k")
    assert not third.claim("k")
    one.keep("k", {"by": "one"})
    other.keep("k", {"by": "other"})
    third.refresh()
    assert other.look("k") == third.look("k") == {"by": "one"}


def test_claims_of_a_killed_program_lapse_and_one_other_takes_over(share, address):
    holder = program(HOLDER, address, 1.0)
    assert line(holder) == "held"
    one, other = share(lease=1.0), share(lease=1.0)
    time.sleep(1.5)
    assert not one.claim("k"), "it lives"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert not one.claim("k")
    wait_for(lambda: one.claim("k"))
    assert not other.claim("k")


def test_threads_that_claim_at_once_never_both_win(share):
    stores, won = [share(), share()], []

    def take(store):
        won.extend(key for key in map(str, range(40)) if store.claim(key))

    threads = [threading.Thread(target=take, args=(store,)) for store in stores * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # two threads of one store are one owner
    assert set(won) == set(map(str, range(40)))
    assert {row[2] for row in rows(stores[0])} <= {store.me for store in stores}


def together(text, *given):
    """Two programs that begin what they do at the same time, however long they took to start."""
    both = [program(text, *given) for _ in range(2)]
    assert [line(each) for each in both] == ["ready", "ready"]
    for each in both:
        each.stdin.write("\n")
        each.stdin.flush()
    return both


def test_two_programs_that_begin_at_once_never_both_win(address):
    won = [won for taker in together(TAKER, address, 60) for won in ended(taker)]
    assert sorted(won[0] + won[1], key=int) == list(map(str, range(60)))


def test_programs_that_share_make_each_training_once(address):
    made = [ended(each) for each in together(MAKER, address, 60)]
    assert sorted(made[0] + made[1], key=int) == list(map(str, range(12)))
    assert made[0]
    assert made[1]


def test_what_a_killed_program_was_at_is_made_by_the_others(address):
    one, other = together(MAKER, address, 1.0)
    before = [json.loads(line(one))]
    one.send_signal(signal.SIGKILL)
    before += map(json.loads, one.stdout.read().splitlines())
    one.communicate()
    made = ended(other)
    assert set(before) | set(made) == set(map(str, range(12)))
    assert len(made) == len(set(made))
    assert len(set(before) & set(made)) <= 1, "only what it had made and not yet kept"


def test_program_that_is_interrupted_leaves_no_claim(address, share):
    one, other = together(MAKER, address, 600)
    for each in (one, other):
        line(each)
        each.send_signal(signal.SIGINT)
    for each in (one, other):
        each.communicate(timeout=60)
    assert [row for row in rows(share()) if row[2] is not None] == []


def test_rows_that_nobody_can_read_are_made_anew(share):
    one = share()
    for key, text in [("a", "{"), ("b", "[1]"), ("c", "null"), ("d", "")]:
        one._do(
            "insert into aurify_answers (key, version, answer, answered_at) values (:key, :version, :text, 1e10)",
            key=key, text=text,
        )  # fmt: skip
    other = share()
    for key in "abcd":
        assert other.look(key) is None
        assert other.claim(key)


def test_what_lies_in_the_way_of_lines_is_said_in_a_line(tmp_path):
    (tmp_path / "in").write_text("a file")
    with pytest.raises(AurifyError, match=r"in/kept.jsonl"):
        Lines(tmp_path / "in" / "kept.jsonl", {}).keep("k", ANSWER)


def test_trainings_wait_for_others_and_take_over_what_they_give_up(share, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(shared, "LOOK_SECONDS", 0.05)
    one, other = share(), share()
    assert other.claim("theirs")
    assert other.claim("left")
    wanted = [
        SimpleNamespace(key=key, beside=(), order={"key": key, "recipe": {}, "parts": "a", "share": 1.0})
        for key in ("mine", "theirs", "left")
    ]
    made, open_, shown = [], [], []

    def work(check):
        check()
        made.append(open_[0]["key"])
        return open_.pop(0), {"by": "one"}

    def check():
        if len(made) == 1:
            other.keep("theirs", {"by": "other"})
            other.release()

    Trainings(one, SimpleNamespace(begin=open_.append, ended=work, close=open_.clear)).make(
        wanted, check, lambda done, of: shown.append((done, of))
    )
    assert made == ["mine", "left"]
    assert one.look("theirs") == {"by": "other"}
    assert shown[0] == (0, 3)
    assert shown[-1] == (3, 3)
