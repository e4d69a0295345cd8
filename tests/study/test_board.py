"""The copy of a search's trials that Optuna reads: each once, in order, finished, whoever writes or is killed."""

import json
import logging
import math
import signal
import time
import warnings

import optuna
import pytest
from databases import distributions, ended, line, program, trial
from optuna.trial import TrialState

from aurify.core.errors import AurifyError
from aurify.study.board import Board
from aurify.study.database import database

OBJECTIVES = {"roc_auc": True, "latency": False}

TELLER = """
import json, sys
from databases import distributions, trial
from aurify.study.board import Board
board = Board(sys.argv[1], "n", {"roc_auc": True, "latency": False}, distributions())
print("ready", flush=True)
for at in range(int(sys.argv[2])):
    board.tell(trial(at, 0.5, state="pruned"))
    if at % 2:
        board.tell(trial(at - 1, 0.5, 0.6, 0.7))
    print(at, flush=True)
board.close()
"""


@pytest.fixture
def board(address):
    """Return a function that begins a board or goes on with it."""
    made = []

    def make(objectives=OBJECTIVES, name="n"):
        made.append(Board(address, name, objectives, distributions()))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def load(address):
    """Return a function that loads a study as anybody does who has Optuna."""
    made = []

    def read(name="n"):
        at = database(address)
        made.append(optuna.storages.RDBStorage(at.dialect, at.options))
        return optuna.load_study(study_name=name, storage=made[-1])

    yield read
    for storage in made:
        storage.remove_session()
        storage.engine.dispose()


@pytest.fixture
def trials(load):
    return lambda name="n": load(name).get_trials()


def test_trial_reads_as_it_was_told(board, trials):
    board().tell(trial(0, 0.5, 0.6, 0.7))
    (one,) = trials()
    assert one.number == 0
    assert one.state is TrialState.COMPLETE
    assert one.values == [0.7, 0.5]
    assert one.params == trial(0)["settings"]
    assert one.distributions == distributions()
    assert one.intermediate_values == {11: 0.5, 33: 0.6, 100: 0.7}
    assert one.user_attrs == {"origin": "random", "reason": None, "seconds": 4.5}
    assert 4.4 < one.duration.total_seconds() < 10


def test_study_has_the_objectives_of_the_search(board, load):
    board()
    study = load()
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.best_trials == []


def test_one_objective_has_a_best_trial(board, load):
    one = board({"roc_auc": True})
    for at, score in enumerate((0.6, 0.8, 0.7)):
        one.tell(trial(at, score))
    study = load()
    assert (study.best_trial.number, study.best_value) == (1, 0.8)


def test_every_state_is_a_finished_one(board, trials):
    one = board()
    one.tell(trial(0, 0.7))
    one.tell(trial(1, 0.6, state="pruned"))
    one.tell(trial(2, state="failed", reason="out of memory"))
    one.tell(trial(3, None, state="failed", reason="the loss is nan"))
    states = [each.state for each in trials()]
    assert states == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.FAIL]
    assert trials()[2].user_attrs["reason"] == "out of memory"
    assert math.isnan(trials()[3].intermediate_values[100])


def test_trial_that_is_taken_further_has_its_further_rungs(board, trials):
    one = board()
    for at in range(3):
        one.tell(trial(at, 0.5, state="pruned"))
    one.tell(trial(1, 0.5, 0.6, state="pruned"))
    one.tell(trial(1, 0.5, 0.6, 0.7))
    one.tell(trial(2, 0.5, None, state="failed", reason="it diverged"))
    first, second, third = trials()
    assert first.state is TrialState.PRUNED
    assert second.state is TrialState.COMPLETE
    assert second.values == [0.7, 0.5]
    assert list(second.intermediate_values) == [11, 33, 100]
    assert second.user_attrs["seconds"] == 4.5
    assert third.state is TrialState.FAIL
    assert third.user_attrs["reason"] == "it diverged"
    assert [each.number for each in trials()] == [0, 1, 2]


def test_second_sitting_adds_only_what_is_missing(board, trials):
    told = [trial(0, 0.5, 0.6, 0.7), trial(1, 0.5, state="pruned"), trial(2, 0.9)]
    one = board()
    for each in told[:2]:
        one.tell(each)
    one.close()
    before = trials()
    again = board()
    for each in [trial(0, 0.5, state="pruned"), trial(0, 0.5, 0.6, state="pruned"), *told]:
        again.tell(each)
    after = trials()
    assert [one.number for one in after] == [0, 1, 2]
    assert after[:2] == before


def test_boards_side_by_side_write_each_trial_once_and_in_order(board, trials):
    one, other = board(), board()
    for at in range(6):
        for each in (one, other) if at % 2 else (other, one):
            each.tell(trial(at, 0.5, state="pruned"))
            each.tell(trial(at, 0.5, 0.6, 0.5 + at / 100))
    found = trials()
    assert [each.params["network.width"] for each in found] == [16 + at for at in range(6)]
    assert [each.values[0] for each in found] == [0.5 + at / 100 for at in range(6)]


@pytest.mark.slow
def test_programs_side_by_side_write_each_trial_once_and_in_order(address, trials):
    tellers = [program(TELLER, address, 16) for _ in range(3)]
    assert [len(out) for out in map(told, tellers)] == [16] * 3
    found = trials()
    assert [each.number for each in found] == list(range(16))
    assert [each.params["network.width"] for each in found] == [16 + at for at in range(16)]
    assert [len(each.intermediate_values) for each in found] == [3, 1] * 8


def told(process):
    assert line(process) == "ready"
    return ended(process)


@pytest.mark.slow
def test_killed_program_leaves_a_prefix_that_another_goes_on_with(address, trials):
    for seconds in (0.05, 0.15, 0.3):
        teller = program(TELLER, address, 400)
        assert line(teller) == "ready"
        time.sleep(seconds)
        teller.send_signal(signal.SIGKILL)
        teller.communicate()
        found = trials()
        assert [each.number for each in found] == list(range(len(found)))
        assert all(each.state.is_finished() and each.params for each in found)
    assert len(told(program(TELLER, address, 40))) == 40
    assert [each.params["network.width"] for each in trials()[:40]] == [16 + at for at in range(40)]


def test_settings_that_no_distribution_holds_are_notes(board, trials):
    odd = {"network.width": 9999, "optimizer.learning_rate": None, "dropout.on": 1, "blend.model": True, "new": "x"}
    board().tell(trial(0, 0.5, settings=odd | {"optimizer.learning_rate": math.nan}))
    board().tell(trial(1, 0.5, settings=odd))
    board().tell(trial(2, 0.5, settings={}))
    assert [each.params for each in trials()] == [{}, {}, {}]
    assert trials()[1].user_attrs["settings"] == odd


@pytest.mark.parametrize("score", [None, math.nan, math.inf, -math.inf, 1e308, 5e-324, 1])
def test_strange_scores_are_written(score, board, trials):
    one = board({"roc_auc": True})
    one.tell(trial(0, 0.5, state="pruned"))
    one.tell(trial(0, 0.5, score, score))
    one.tell(trial(1, score, score, score))
    usable = score is not None and not math.isnan(score)
    for each in trials():
        assert each.state is (TrialState.COMPLETE if usable else TrialState.FAIL)
        assert each.value == (score if usable else None)
        assert len(each.intermediate_values) == 3


def test_hostile_reasons_are_texts_only(board, trials):
    reason = "'; drop table trials; --\x00\ud800</script>" * 1000
    board().tell(trial(0, state="failed", reason=reason))
    assert trials()[0].user_attrs["reason"] == reason


def test_studies_of_other_names_are_beside_each_other(board, trials):
    board(name="a").tell(trial(0, 0.5))
    board(name="b").tell(trial(0, 0.6))
    assert [trials("a")[0].values[0], trials("b")[0].values[0]] == [0.5, 0.6]


def test_trials_that_somebody_removed_are_said_in_a_line(board, address):
    one = board()
    one.tell(trial(0, 0.5))
    optuna.delete_study(study_name="n", storage=one._storage)
    with pytest.raises(AurifyError, match="'n'") as raised:
        one.tell(trial(1, 0.5))
    assert "\n" not in str(raised.value)


def test_damaged_file_is_said_in_a_line(tmp_path):
    (tmp_path / "study.db").write_bytes(b"no database\n" * 100)
    with pytest.raises(AurifyError, match=r"study.db cannot be used \(file is not a database\).*remove it") as raised:
        Board(tmp_path / "study.db", "n", OBJECTIVES, {})
    assert "\n" not in str(raised.value)


def test_path_may_have_any_letters(tmp_path):
    path = tmp_path / "a{b}%41 ?x=1#é" / "study.db"
    board = Board(path, "n", OBJECTIVES, distributions())
    board.tell(trial(0, 0.5))
    board.close()
    assert [each.name for each in path.parent.iterdir()] == ["study.db"]


def test_optuna_is_quiet_and_as_loud_as_before_afterwards(board, capfd):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            board().tell(trial(0, 0.5))
        assert optuna.logging.get_verbosity() == logging.INFO
    finally:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    assert caught == []
    assert capfd.readouterr() == ("", "")


def test_trial_costs_a_few_milliseconds(tmp_path):
    board = Board(tmp_path / "study.db", "n", OBJECTIVES, distributions())
    board.tell(trial(0, 0.5))
    begun = time.process_time()
    for at in range(1, 101):
        board.tell(trial(at, 0.5, 0.6, 0.7))
    board.close()
    assert (time.process_time() - begun) / 100 < 0.01


def test_told_again_costs_next_to_nothing(tmp_path):
    board = Board(tmp_path / "study.db", "n", OBJECTIVES, distributions())
    for at in range(10):
        board.tell(trial(at, 0.5))
    board.close()
    again, begun = Board(tmp_path / "study.db", "n", OBJECTIVES, distributions()), time.process_time()
    for at in range(10):
        again.tell(json.loads(json.dumps(trial(at, 0.5))))
    again.close()
    assert (time.process_time() - begun) / 10 < 0.005
