"""What goes to stdout and stderr, and what happens when nobody is there to read it."""

import json
import os
from pathlib import Path

import pytest

from aurify import catalog


def strict(text):
    """Parse what must be one JSON document on one line, without NaN or infinities."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    assert text.count("\n") == 1
    assert text.endswith("\n")
    return json.loads(text, parse_constant=refuse)


@pytest.mark.slow
def test_json_is_all_there_is(aurify, short_fit, short_run, table, tmp_path):
    fitted = aurify(*short_fit, "--json", "--out", tmp_path / "run")
    evaluated = aurify("evaluate", tmp_path / "run", table, "--json")
    opened = aurify("evaluate", tmp_path / "run", "--json")
    for ended in (fitted, evaluated, opened):
        assert ended.code == 0
        assert ended.err == ""
        assert 0 <= strict(ended.out)["scores"]["roc_auc"]["value"] <= 1
    assert strict(fitted.out)["test_openings"] == 1
    assert strict(opened.out)["test_openings"] == 2
    assert strict(fitted.out)["scores"] == strict(opened.out)["scores"]
    predicted = aurify("predict", short_run, table, "--json")
    assert predicted.err == ""
    assert len(strict(predicted.out)["predictions"]) == 1500
    predicted = aurify("predict", short_run, table, "--json", "-o", tmp_path / "out.csv")
    assert predicted.err == ""
    assert strict(predicted.out)["rows"] == 1500
    listed = aurify("techniques", "--json")
    assert listed.err == ""
    assert {part["name"] for part in strict(listed.out)} >= set(catalog.load().parts["technique"])
    assert strict(aurify("techniques", "mixup", "--json").out)["name"] == "mixup"


def test_json_says_nothing_on_stdout_about_an_error(aurify, short_run, table, tmp_path):
    aurify("fit", table, "-t", "lable", "--json").refused("'lable'")
    aurify("evaluate", tmp_path / "nowhere", "--json").refused("nowhere")
    aurify("predict", short_run, tmp_path / "nowhere.csv", "--json").refused("nowhere.csv")
    aurify("techniques", "mixpu", "--json").refused("mixpu")


@pytest.mark.slow
def test_quiet_prints_results_only(aurify, short_fit, short_run, table, tmp_path):
    fitted = aurify(*short_fit, "--quiet", "--out", tmp_path / "run")
    assert fitted.err == ""
    assert "roc auc" in fitted.out
    evaluated = aurify("evaluate", short_run, table, "--quiet")
    assert evaluated.err == ""
    assert "roc auc" in evaluated.out
    predicted = aurify("predict", short_run, table, "--quiet")
    assert predicted.err == ""
    assert len(predicted.out.splitlines()) == 1501
    predicted = aurify("predict", short_run, table, "--quiet", "-o", tmp_path / "out.csv")
    assert (predicted.out, predicted.err) == ("", "")


def test_quiet_and_plain_give_the_same_results(aurify, short_run, table):
    plain, quiet = (aurify("predict", short_run, table, *words) for words in ([], ["--quiet"]))
    assert plain.out == quiet.out


@pytest.mark.slow
def test_notes_are_one_line_each_however_narrow(cold, short_run, table, tmp_path):
    """A log is read by programs too: what is said of one column stays on one line."""
    names = [f"unexpected_column_{i}" for i in range(5)]
    head, *rows = table.read_text().splitlines()
    path = tmp_path / "data.csv"
    path.write_text("\n".join([",".join([head, *names]), *(row + ",1" * len(names) for row in rows)]) + "\n")
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    process = cold("predict", short_run, path, "-o", tmp_path / "out.csv", env=environment)
    err = process.communicate()[1]
    assert process.returncode == 0
    notes = [line for line in err.splitlines() if names[0] in line]
    assert len(notes) == 1
    assert all(name in notes[0] for name in names)


READERS = {  # a command and how many lines of it are read before the pipe is closed
    "help": (["--help"], 1),
    "techniques": (["techniques"], 1),
    "techniques as JSON": (["techniques", "--json"], 0),
    "predict": (["predict", "RUN", "TABLE"], 1),
    "fit": (["fit", "TABLE", "-t", "label", "--set", "budget.epochs=1", "--out", "run", "--json"], 0),
}


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_output_closed_early_is_no_error_worth_a_word(reader, cold, short_run, table, tmp_path):
    """As with ``aurify ... | head -1``."""
    words, count = READERS[reader]
    places = {"RUN": short_run, "TABLE": table}
    process = cold(*(places.get(word, word) for word in words))
    for _ in range(count):
        assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 1, 141)  # 1 is rich's answer
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert "Exception" not in err
    assert "mistake of ours" not in err
    if reader == "fit":
        assert (tmp_path / "run" / "scores.json").exists(), "a reader that went away cost the run"


@pytest.mark.parametrize("words", [["predict", "RUN", "TABLE"], ["techniques"], ["techniques", "--json"]])
def test_full_output_is_one_line(words, aurify, short_run, table):
    places = {"RUN": short_run, "TABLE": table}
    ended = aurify(*(places.get(word, word) for word in words), out="/dev/full")
    assert ended.code == 2, ended
    ended.one_line("space")


@pytest.mark.slow
def test_full_output_of_the_installed_command_is_one_line(cold):
    with Path("/dev/full").open("w") as full:
        process = cold("techniques", "--all", stdout=full)
        err = process.communicate()[1]
    assert process.returncode == 2
    assert err.startswith("aurify: ")
    assert err.count("\n") == 1


def closed(*handles):
    def close():
        for handle in handles:
            os.close(handle)

    return {"preexec_fn": close}


@pytest.mark.slow
def test_closed_stderr_does_not_send_errors_to_stdout(cold, short_run, tmp_path):
    process = cold("predict", short_run, tmp_path / "no.csv", **closed(2))
    out, err = process.communicate()
    assert process.returncode == 2
    assert (out, err) == ("", "")


@pytest.mark.slow
def test_closed_stdout_and_stdin_do_not_disturb(cold, short_run, table, tmp_path):
    process = cold("predict", short_run, table, "-o", tmp_path / "out.csv", "--quiet", **closed(0, 1))
    err = process.communicate()[1]
    assert process.returncode == 0, err
    assert err == ""
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1501
    process = cold("techniques", **closed(1))
    err = process.communicate()[1]
    assert "Traceback" not in err
    assert process.returncode in (0, 2)
