"""Trainings are kept by what they are of: a line each, torn and strange ones passed over, none done twice."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from aurify.core.errors import AurifyError
from aurify.study.answers import Lines
from aurify.study.trainings import Trainings, Wanted


class Fake:
    """Answers at once, and says what it was asked."""

    def __init__(self, answer=None):
        self.answer, self.orders, self.open = answer or {"scores": {"rmse": 1.0}}, [], []

    def begin(self, order):
        self.open.append(order)

    def ended(self, check):
        check()
        order = self.open.pop(0)
        self.orders.append(order["key"])
        return order, self.answer

    def leave(self):
        self.open.clear()


def cell(path="parts/a.aurify", seed=3):
    return SimpleNamespace(path=path, seed=seed)


@pytest.fixture
def recipe(lab):
    return lab.recipe("classify", {"dropout": {}})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ablation" / "trainings.jsonl"


def nothing(*given):
    pass


def test_key_is_of_recipe_rows_and_seed_and_of_nothing_else(recipe, lab):
    one = Wanted(recipe, cell())
    assert Wanted(recipe, cell("elsewhere/a.aurify")).key == one.key
    moved = replace(recipe, source=replace(recipe.source, path="moved.csv"), seed=99)
    assert Wanted(moved, cell()).key == one.key
    others = [
        Wanted(recipe, cell(seed=4)),
        Wanted(recipe, cell("parts/b.aurify")),
        Wanted(recipe.without("dropout"), cell()),
        Wanted(lab.recipe("classify", {"dropout": {"rate": 0.2}}), cell()),
        Wanted(replace(recipe, precision="bfloat16"), cell()),
    ]
    assert len({one.key, *(other.key for other in others)}) == 6


def test_same_training_is_made_once_whatever_asks_for_it(recipe, file):
    workers = Fake()
    trainings = Trainings(Lines(file, {"torch": "2"}), workers)
    wanted = [Wanted(recipe, cell()) for _ in ("full", "with it")] + [Wanted(recipe, cell(seed=9))]
    shown = []
    trainings.make(wanted, nothing, lambda done, of: shown.append((done, of)))
    assert shown == [(0, 2), (1, 2), (2, 2)]
    trainings.make(wanted, nothing, nothing)
    again = Trainings(Lines(file, {"torch": "2"}), workers)
    again.make(wanted, nothing, nothing)
    assert len(workers.orders) == 2
    assert again.known(wanted[1].key) == trainings.known(wanted[0].key) == workers.answer


class Together(Fake):
    """Answers groups too: each of one by its key, or that none could be made."""

    refused = False

    def ended(self, check):
        order = self.open[0]
        if "together" not in order and "pace" not in order:
            return super().ended(check)
        self.open.pop(0)
        if "pace" in order:
            return order, {"together": 1.0, "alone": 3.0}
        self.orders.append([one["key"] for one in order["together"]])
        if self.refused:
            return order, {"refused": "out of memory"}
        return order, {"together": [{"scores": {"rmse": 2.0}, "of": one["key"]} for one in order["together"]]}


@pytest.fixture
def group(recipe):
    cells = tuple(cell(seed=seed) for seed in range(4))
    return [Wanted(recipe, one, beside=cells[1:]) if at else Wanted(recipe, one) for at, one in enumerate(cells)]


def test_group_is_one_order_of_all_of_it_whatever_of_it_is_missing(group, file):
    workers, shown = Together(), []
    trainings = Trainings(Lines(file, {}), workers)
    trainings.make(group, nothing, lambda done, of: shown.append((done, of)))
    keys = [one.key for one in group]
    assert workers.orders == [keys[0], keys[1:]]
    assert shown == [(done, 4) for done in range(5)]
    assert [trainings.known(key).get("of") for key in keys] == [None, *keys[1:]]
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    again = Trainings(Lines(file, {}), workers)
    again.make(group, nothing, lambda done, of: shown.append((done, of)))
    assert workers.orders[2:] == [keys[1:]]
    assert shown[5:] == [(0, 1), (1, 1)]
    assert len(file.read_text().splitlines()) == 4


def test_group_that_cannot_be_made_is_made_one_after_another(group, file):
    workers = Together()
    workers.refused = True
    trainings = Trainings(Lines(file, {}), workers)
    trainings.make(group[1:], nothing, nothing)
    keys = [one.key for one in group[1:]]
    assert workers.orders == [keys, *keys]
    assert all(trainings.known(key) == workers.answer for key in keys)


def test_what_is_done_while_something_else_is_waited_for_is_not_lost(recipe, file):
    trainings, wanted = Trainings(Lines(file, {}), Fake()), [Wanted(recipe, cell(seed=seed)) for seed in range(4)]
    for one in wanted:
        trainings.begin(one)
    for one in wanted[::3]:
        assert list(trainings.results({one.key}, nothing)) == [one.key]
    assert {trainings.ended(nothing)[0] for _ in range(2)} == {one.key for one in wanted[1:3]}


def test_results_of_another_version_are_not_used(recipe, file):
    workers = Fake()
    for version in ("2", "3", "2"):
        Trainings(Lines(file, {"torch": version}), workers).make([Wanted(recipe, cell())], nothing, nothing)
    assert len(workers.orders) == 2


def test_the_first_answer_stays_whatever_is_trained_again(file):
    """A search that goes on must find what it decided by: seconds and latency are others each time."""
    for at in range(2):
        lines = Lines(file, {})
        for latency in (1.0, 2.0):
            lines.keep("k", {"latency": latency + at})
            lines.keep("k", {"refused": "out of memory"})
    assert lines.look("k") == Lines(file, {}).look("k") == {"latency": 1.0}
    lines.keep("m", {"refused": "out of memory"})
    lines.keep("m", {"latency": 3.0})
    assert Lines(file, {}).look("m") == {"latency": 3.0}


def test_what_failed_is_tried_again_another_time(recipe, file):
    workers = Fake({"refused": "out of memory"})
    wanted = Wanted(recipe, cell())
    trainings = Trainings(Lines(file, {}), workers)
    trainings.make([wanted], nothing, nothing)
    assert trainings.known(wanted.key) == {"refused": "out of memory"}
    assert trainings.missing([wanted]) == []
    assert Trainings(Lines(file, {}), workers).missing([wanted]) == [wanted]


@pytest.mark.parametrize(
    "rubbish", ["", "\n", "{", '{"key": 1}\n', "null\n", "[1, 2]\n", "\x00\xff\n", "[" * 10_000 + "\n"]
)
def test_torn_and_strange_lines_are_passed_over_and_not_run_into(rubbish, recipe, file):
    wanted = [Wanted(recipe, cell(seed=seed)) for seed in range(3)]
    Trainings(Lines(file, {}), Fake()).make(wanted[:2], nothing, nothing)
    whole = file.read_text()
    file.write_text(whole + rubbish, encoding="latin-1")
    again = Trainings(Lines(file, {}), Fake())
    assert again.missing(wanted) == [wanted[2]]
    again.make(wanted, nothing, nothing)
    assert Trainings(Lines(file, {}), Fake()).missing(wanted) == []
    file.write_bytes(whole.encode()[:-20])
    torn = Trainings(Lines(file, {}), Fake())
    assert torn.missing(wanted[:2]) == [wanted[1]]
    torn.make(wanted[:2], nothing, nothing)
    assert Trainings(Lines(file, {}), Fake()).missing(wanted[:2]) == []


def test_what_is_finished_when_a_signal_comes_is_kept(recipe, file):
    wanted = [Wanted(recipe, cell(seed=seed)) for seed in range(5)]
    workers = Fake()

    def check():
        if len(workers.orders) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainings(Lines(file, {}), workers).make(wanted, check, nothing)
    assert len(file.read_text().splitlines()) == 3
    assert Trainings(Lines(file, {}), Fake()).missing(wanted) == wanted[3:]


def test_place_that_cannot_be_written_is_said_in_a_line(recipe, tmp_path):
    (tmp_path / "ablation").write_text("a file in the way")
    with pytest.raises(AurifyError, match="ablation"):
        Trainings(Lines(tmp_path / "ablation" / "trainings.jsonl", {}), Fake()).make(
            [Wanted(recipe, cell())], nothing, nothing
        )


def test_part_of_ones_own_that_was_edited_is_measured_anew(recipe, tmp_path):
    from aurify import catalog as catalogs

    code = """
from dataclasses import dataclass
from aurify.core.parts import Technique, knob
@dataclass(kw_only=True)
class Shaken(Technique):
    '''Shake.'''
    size: float = knob(0.1, "how much", low=0.0, high=1.0)
    neutral = {"size": 0.0}
"""
    path = tmp_path / "shaken_part.py"

    def key(text, name):
        path.write_text(text)
        part = catalogs.load([path]).part("technique", {"name": "shaken"})
        return Wanted(recipe.using(part) if name else recipe, cell()).key

    assert key(code, True) == key(code, True)
    assert key(code, True) != key(code + "\n# another idea\n", True)
    assert key(code, False) == key(code + "\n# another idea\n", False)
    assert json.loads(json.dumps(key(code, True)))
