"""Data and words that are wrong: one line on stderr, exit code 2, and no run folder left behind."""

import contextlib
import gzip
import io
import json
import os
import threading
import zipfile

import numpy as np
import polars as pl
import pytest


def write(text, encoding="utf-8"):
    return lambda path, table: path.write_text(text, encoding=encoding)


def changed(change):
    def make(path, table):
        head, *rows = table.read_text().splitlines()
        path.write_text("\n".join([head, *(change(at, row.split(",")) for at, row in enumerate(rows))]) + "\n")

    return make


def relabelled(label):
    return changed(lambda at, cells: ",".join([*cells[:-1], label]))


def rubbish_below_the_header(path, table):
    path.write_bytes(table.read_bytes()[:200] + np.random.default_rng(0).bytes(5_000))


def zipped(*names):
    def make(path, table):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.write(table, name)

    return make


def parquet(table):
    file = io.BytesIO()
    pl.read_csv(table).write_parquet(file)
    return file.getvalue()


def torn(make):
    return lambda path, table: path.write_bytes(make(table)[:-99])


def swallowed(path, table):
    with path.open("wb") as file:
        file.write(b'a,label\n1,x\n2,"')
        for _ in range(70):
            file.write(b"no end of it\n" * 80_000)


WRONG = {  # file, words the one line must hold
    "missing": (lambda path, table: None, ["no file", "data.csv"]),
    "a folder": (lambda path, table: path.mkdir(), ["folder"]),
    "empty": (write(""), ["empty"]),
    "blank": (write("\n\n\n"), ["blank"]),
    "header only": (lambda path, table: path.write_text(table.read_text().splitlines()[0] + "\n"), ["no rows"]),
    "binary": (lambda path, table: path.write_bytes(np.random.default_rng(0).bytes(50_000)), ["data.csv"]),
    "torn gzip": (torn(lambda table: gzip.compress(table.read_bytes())), ["data.csv", "cut off"]),
    "two tables in a zip": (zipped("a.csv", "b.csv"), ["data.csv", "'a.csv', 'b.csv'"]),
    "no table in a zip": (zipped("a.pdf"), ["data.csv", "'a.pdf'"]),
    "torn Parquet": (torn(parquet), ["data.csv", "cut off"]),
    "swallowed by a quote": (swallowed, ["data.csv", "more than 67,108,864 bytes"]),
    "not to be read": (lambda path, table: path.symlink_to("/proc/1/mem"), ["data.csv"]),
    "rubbish below the header": (rubbish_below_the_header, ["data.csv"]),
    "UTF-16 without a mark": (lambda path, table: path.write_text(table.read_text(), encoding="utf-16-le"), ["NUL"]),
    "rows of other lengths": (write("a,label\n1,2\n1,2,3,4\n"), ["data.csv"]),
    "open quote": (write('a,label\n1,x\n2,"y\n3,x\n4,y\n'), ["data.csv", "line 3"]),
    "one name twice": (write("a,a,label\n1,2,x\n2,3,y\n"), ["'a'"]),
    "no target": (write("a,lable\n1,x\n2,y\n"), ["'label'", "'lable'"]),
    "target alone": (write("label\nx\ny\n"), ["'label'"]),
    "target constant": (relabelled("same"), ["'label'", "'same'"]),
    "target empty": (relabelled(""), ["'label'"]),
    "target all different": (changed(lambda at, cells: ",".join([*cells[:-1], f"name{at}"])), ["'label'"]),
    "all ids": (write("id,label\n" + "".join(f"key{i},{'xy'[i % 2]}\n" for i in range(200))), ["'id'"]),
    "all constant": (write("a,b,label\n" + "".join(f"1,z,{'xy'[i % 2]}\n" for i in range(200))), ["'a'", "'b'"]),
    "one row": (write("a,label\n1,x\n"), ["'label'"]),
    "two rows": (write("a,label\n1,x\n2,y\n"), ["2 "]),
    "device": (lambda path, table: path.symlink_to("/dev/zero"), ["data.csv"]),
    "nothing": (lambda path, table: path.symlink_to("/dev/null"), ["data.csv"]),
    "link to itself": (lambda path, table: path.symlink_to(path), ["data.csv"]),
}


def nothing_left(tmp_path):
    left = {path.name for path in tmp_path.iterdir() if path.name[0] != "."} - {"data.csv", "test.csv"}
    return not left or (left == {"runs"} and not list((tmp_path / "runs").iterdir()))


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_data_is_one_line_and_leaves_nothing(wrong, aurify, table, tmp_path):
    make, words = WRONG[wrong]
    path = tmp_path / "data.csv"
    make(path, table)
    line = aurify("fit", path, "--target", "label").refused(*words)
    assert "mistake of ours" not in line
    assert nothing_left(tmp_path)


WORDS = {  # after `fit DATA`, and what the one line must hold
    "no target": ([], ["--target"]),
    "strange target": (["-t", "lable"], ["'lable'", "'label'"]),
    "strange column to drop": (["-t", "label", "--drop", "aeg"], ["'aeg'", "'age'"]),
    "target dropped": (["-t", "label", "--drop", "label"], ["'label'"]),
    "strange section": (["-t", "label", "--set", "netwrok.width=3"], ["netwrok", "network"]),
    "strange setting": (["-t", "label", "--set", "network.wdth=3"], ["wdth", "width"]),
    "no value": (["-t", "label", "--set", "network.width"], ["network.width"]),
    "value out of range": (["-t", "label", "--set", "network.width=0"], ["width"]),
    "value of a wrong type": (["-t", "label", "--set", "network.width=wide"], ["width", "wide"]),
    "endless value": (["-t", "label", "--set", "optimizer.learning_rate=1e999"], ["learning_rate"]),
    "value that is none": (["-t", "label", "--set", "optimizer.learning_rate=nan"], ["learning_rate"]),
    "strange technique": (["-t", "label", "--with", "mixpu"], ["mixpu", "mixup"]),
    "technique that does not fit": (["-t", "label", "--with", "scale_target"], ["scale_target"]),
    "technique that is not there": (["-t", "label", "--without", "mixup_"], ["mixup_"]),
    "strange network": (["-t", "label", "--set", "network.name=mpl"], ["mpl", "mlp"]),
    "strange time": (["-t", "label", "--time", "soon"], ["soon", "5m"]),
    "time over": (["-t", "label", "--time", "0s"], ["0s"]),
    "strange interval": (["-t", "label", "--checkpoint-every", "-1s"], ["-1s"]),
    "strange device": (["-t", "label", "--device", "tpu9"], ["tpu9", "cpu"]),
    "missing recipe": (["-t", "label", "--recipe", "no.yaml"], ["no.yaml"]),
    "missing parts": (["-t", "label", "--parts", "no.py"], ["no.py"]),
    "missing test file": (["-t", "label", "--test", "no.csv"], ["no.csv"]),
    "seed below zero": (["-t", "label", "--seed", "-1"], ["seed"]),
    "seed in words": (["-t", "label", "--seed", "one"], ["--seed"]),
    "no threads": (["-t", "label", "--threads", "0"], ["--threads"]),
    "strange separator": (["-t", "label", "--separator", ";;"], ["';;'"]),
    "strange encoding": (["-t", "label", "--encoding", "utf-9"], ["'utf-9'", "gb18030"]),
    "strange header": (["-t", "label", "--header", "maybe"], ["header", "maybe", "yes"]),
    "strange option": (["-t", "label", "--traget", "x"], ["--traget"]),
    "two files": (["second.csv", "-t", "label"], ["second.csv"]),
}


@pytest.mark.parametrize("wrong", WORDS)
def test_wrong_words_are_one_line_and_leave_nothing(wrong, aurify, table, tmp_path):
    words, needed = WORDS[wrong]
    line = aurify("fit", table, *words, "--out", "run").refused(*needed)
    assert "mistake of ours" not in line
    assert nothing_left(tmp_path)


def test_wrong_commands_are_one_line(aurify, table, tmp_path):
    aurify("fti", table).refused("fti", "fit")
    aurify("predict", "nowhere", table).refused("nowhere")
    aurify("predict", tmp_path, table).refused(str(tmp_path))
    aurify("predict", tmp_path).refused("DATA")
    aurify("evaluate", "nowhere").refused("nowhere")
    aurify("techniques", "mixpu").refused("mixpu", "mixup")
    aurify("fit").refused("CSV")
    aurify("fit", "--resume").refused("data")


TEST_FILES = {
    "unknown label": (relabelled("maybe"), ["test.csv", "'maybe'", "'stay'"]),
    "no label": (changed(lambda at, cells: ",".join(cells[:-1])), ["test"]),
    "column missing": (write("age,label\n40,stay\n50,leave\n"), ["test.csv", "'income'"]),
    "target missing": (write("age,income,balance,trend,city,plan,vip\n1,2,3,4,Rome,a,no\n"), ["test.csv", "'label'"]),
    "empty": (write(""), ["test.csv"]),
    "header only": (write("age,income,balance,trend,city,plan,vip,label\n"), ["test.csv"]),
    "all targets empty": (relabelled(""), ["test"]),
}


@pytest.mark.parametrize("wrong", TEST_FILES)
def test_wrong_test_file_is_one_line_and_leaves_nothing(wrong, aurify, table, tmp_path):
    make, words = TEST_FILES[wrong]
    path = tmp_path / "test.csv"
    make(path, table)
    line = aurify("fit", table, "--target", "label", "--test", path).refused(*words)
    assert "mistake of ours" not in line
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("wrong", ["missing", "a folder", "empty", "header only", "binary", "torn gzip", "no target"])
def test_wrong_data_to_predict_or_evaluate_is_one_line(wrong, aurify, short_run, table, tmp_path):
    make, _ = WRONG[wrong]
    path = tmp_path / "data.csv"
    make(path, table)
    for verb in ("predict", "evaluate"):
        assert "mistake of ours" not in aurify(verb, short_run, path, "--out", tmp_path / "out").refused("data.csv")
        assert nothing_left(tmp_path)


def test_unknown_label_to_evaluate_is_one_line(aurify, short_run, table, tmp_path):
    path = tmp_path / "data.csv"
    relabelled("maybe")(path, table)
    aurify("evaluate", short_run, path).refused("'maybe'", "'stay'")


def test_wrong_data_does_not_use_up_a_name(aurify, short_fit, tmp_path):
    aurify("fit", short_fit[1], "--target", "lable").refused()
    assert aurify(*short_fit).code == 0
    assert (tmp_path / "runs" / "table" / "model.aurify").exists()


def test_error_in_a_second_run_leaves_the_first_alone(aurify, short_fit, short_run, tmp_path, same):
    assert aurify(*short_fit, "--out", "run").code == 0
    aurify("fit", short_fit[1], "--target", "lable", "--out", "run", "--force").refused("'lable'")
    same(tmp_path / "run", short_run)


def test_packed_table_gives_the_same_run(aurify, short_fit, short_run, table, tmp_path):
    with gzip.open(tmp_path / "table.csv.gz", "wb") as file:
        file.write(table.read_bytes())
    zipped("__MACOSX/._table.csv", "table.csv")(tmp_path / "table.zip", table)
    for name in ("table.csv.gz", "table.zip"):
        assert aurify("fit", tmp_path / name, *short_fit[2:], "--out", tmp_path / name[6:9]).code == 0
        ours, theirs = (folder / "predictions.parquet" for folder in (tmp_path / name[6:9], short_run))
        assert ours.read_bytes() == theirs.read_bytes()


def test_table_in_a_strange_form_is_read_as_said_and_noted(aurify, short_fit, table, tmp_path):
    """No header, another separator, another encoding, a mark of its own for missing cells, two ragged lines."""
    lines = table.read_text().replace(",,", ",keine,").replace("Oslo", "Köln").splitlines()[1:]
    lines[7:7] = ["1,2,3", "one,two"]
    path = tmp_path / "bare.txt"
    path.write_text("\n".join(lines).replace(",", "^"), encoding="cp1252")
    words = ["--separator", "^", "--encoding", "cp1252", "--header", "no", "--missing", "keine"]
    ended = aurify("fit", path, "-t", "column_8", *short_fit[4:], *words, "--out", "run")
    assert ended.code == 0, ended
    assert "bare.txt has no header" in ended.err
    assert "2 ragged lines" in ended.err
    assert "lines 8, 9" in ended.err
    new = tmp_path / "new.txt"
    new.write_text(
        "\n".join(line.rpartition("^")[0] for line in path.read_text("cp1252").splitlines()[20:24]), "cp1252"
    )
    predicted = aurify("predict", "run", new, "--json")
    assert predicted.code == 0, predicted
    assert json.loads(predicted.out)["rows"] == 4
    assert not [n for n in json.loads(predicted.out)["notes"] if "unseen" in n]


def test_pipe_as_data_is_read_whole_or_refused(aurify, short_fit, short_run, table, tmp_path, same):
    """What a shell makes of ``aurify fit <(zcat data.csv.gz)``."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)

    def serve():
        with contextlib.suppress(BrokenPipeError):  # nobody need read to the end
            pipe.write_bytes(table.read_bytes())

    writer = threading.Thread(target=serve, daemon=True)
    writer.start()
    ended = aurify("fit", pipe, *short_fit[2:], "--out", tmp_path / "run")
    if ended.code == 0:
        assert (tmp_path / "run" / "predictions.parquet").read_bytes() == (
            short_run / "predictions.parquet"
        ).read_bytes()
    else:
        ended.refused("pipe.csv")
    if writer.is_alive():  # nobody opened it
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
