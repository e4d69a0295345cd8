"""Runs in texts: what is asked in plain words, which words answers hang on, studies, and other kinds of models."""

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import aurify
from aurify import workbench
from aurify.cli.process import main
from aurify.core.errors import AurifyError
from aurify.data.asking import as_table
from aurify.testing.tables import small_frame

SMALL = {"budget.steps": 24, "budget.batch_size": 32, "budget.validate_every": 8, "network.width": 16}

RECIPE = """
network: {name: mlp, width: 8, depth: 2}
optimizer: {name: adamw, learning_rate: 0.01}
techniques: {drop_duplicates: {}, dropout: {}, mixup: {}}
budget: {steps: 2, batch_size: 32}
"""


@pytest.fixture(scope="session")
def alone():
    """Texts and what they are."""
    return small_frame("text").select("said", "y")


@pytest.fixture(scope="session")
def run(alone, tmp_path_factory):
    """A run of texts alone, to look at."""
    return workbench.fit(alone, "y", text=["said"], settings=SMALL, out=tmp_path_factory.mktemp("texts") / "alone")


@pytest.fixture(scope="session")
def mixed(frames, tmp_path_factory):
    """A run of texts beside numbers, categories and dates, averaged with trees."""
    folder = tmp_path_factory.mktemp("texts") / "mixed"
    return workbench.fit(frames["text"], "y", settings=SMALL, out=folder, blend="trees")


@pytest.fixture
def piped(monkeypatch, capsys):
    """Return a function that runs ``aurify`` with bytes on stdin: exit code, stdout, stderr."""

    def call(given, *words):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
        monkeypatch.setattr(sys, "argv", ["aurify", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return call


TEXTS = ["the room was lovely", "坏, 很差", "", "slow and \u202e broken"]


def test_texts_are_answered_alike_however_they_come(run, tmp_path):
    expected = run.predict(pl.DataFrame({"said": TEXTS}))
    assert run.predict(TEXTS).equals(expected)
    assert run.predict(pl.Series(TEXTS)).equals(expected)
    assert run.predict(np.array(TEXTS)).equals(expected)
    assert pl.concat([run.predict(text) for text in TEXTS]).equals(expected), "an answer depends on its neighbours"
    assert run.predict([*TEXTS[:2], None, TEXTS[3]]).equals(expected), "a missing text is an empty one"
    for ends, name in (("\n", "lines.txt"), ("\r\n", "lines"), ("\n", "none-at-the-end.TXT")):
        path = tmp_path / name
        path.write_bytes((ends.join(TEXTS) + ("" if "none" in name else ends)).encode())
        assert run.predict(path).equals(expected), name
    (tmp_path / "titled.txt").write_text("said\n" + "\n".join(TEXTS) + "\n", encoding="utf-8")
    assert run.predict(str(tmp_path / "titled.txt")).equals(expected)
    (tmp_path / "chinese.txt").write_bytes("房间很好，服务也很好\n".encode("gb18030"))
    assert run.predict(tmp_path / "chinese.txt").equals(run.predict("房间很好，服务也很好"))


def test_a_table_in_a_file_of_lines_is_read_as_the_table(run, tmp_path):
    expected = run.predict(["a good, swift room", "bad"])
    for name, content in (
        ("rows.txt", 'n,said\n1,"a good, swift room"\n2,bad\n'),
        ("quoted.txt", 'said\n"a good, swift room"\nbad\n'),
        ("objects", '{"said": "a good, swift room"}\n{"said": "bad"}\n'),
    ):
        (tmp_path / name).write_text(content)
        assert run.predict(tmp_path / name).equals(expected), name


def test_lines_of_stdin_are_texts_one_each(run, piped):
    code, out, err = piped("\n".join(TEXTS).encode(), "predict", run.path, "-")
    assert (code, err) == (0, "")
    assert pl.read_csv(io.StringIO(out))["prediction"].to_list() == run.predict(TEXTS)["prediction"].to_list()
    code, out, _ = piped(b'{"said": "good"}\n', "predict", run.path, "-", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 1)
    code, out, err = piped(b"  \n", "predict", run.path, "-")
    assert (code, out) == (2, "")
    assert err == "aurify: nothing came in on stdin; pipe a file of rows into it, or lines of text\n"


def test_a_file_that_came_on_stdin_is_called_so(mixed, piped):
    code, _, err = piped(b"a,b\n1,2\n", "predict", mixed.path, "-")
    assert code == 2
    assert err.startswith("aurify: stdin lacks 5 column(s) the model needs: ")


def test_one_text_is_answered_on_the_command_line(run, words):
    done = words("predict", run.path, "the room was lovely")
    assert pl.read_csv(io.StringIO(done.out))["prediction"].to_list() == run.predict(TEXTS[:1])["prediction"].to_list()
    assert words("predict", run.path, "x" * 5000).code == 0, "longer than a name of a file may be"


def test_a_text_alone_is_too_little_for_a_model_of_several_columns(mixed):
    for given in ("lovely", ["lovely", "bad"]):
        with pytest.raises(AurifyError, match=r"'lovely' is no file.* needs the columns 'a', 'b', .*'said'"):
            mixed.predict(given)


def test_what_ends_as_files_do_is_a_file(run):
    for given in ("new.csv", "new.txt", "data/new.JSONL"):
        with pytest.raises(AurifyError, match="no file at"):
            run.predict(given)
    assert run.predict("see new.csv").height == 1


def test_a_table_model_takes_words_for_files_as_before(runs):
    with pytest.raises(AurifyError, match="no file at lovely"):
        runs["classify"].predict("lovely")
    with pytest.raises(AurifyError, match="is not a table"):
        runs["classify"].predict(["lovely"])


def test_halves_of_characters_are_taken_out(run):
    assert as_table(run.bundle.schema, "a\ud800b") == {"said": ["a?b"]}


def test_what_a_word_does_is_the_answer_less_the_one_without_it(run):
    text = "the room was lovely, 很好 but slow"
    found = run.explain(text).to_frame()
    before = run.predict(text)
    name = f"p_{before['prediction'][0]}"
    assert "".join(found["piece"]) == text.replace(" ", "")
    for row in found.iter_rows(named=True):
        end = row["start"] + len(row["piece"])
        end += len(text[end:]) - len(text[end:].lstrip())
        without = run.predict(text[: row["start"]] + text[end:])[name][0]
        assert row["without"] == pytest.approx(without, abs=1e-5)
        odds = [np.log(p / (1 - p)) for p in (before[name][0], without)]
        assert row["effect"] == pytest.approx(odds[0] - odds[1], abs=1e-4)
        assert row["answer"] == pytest.approx(before[name][0], abs=1e-5)


def test_a_hostile_text_is_shown_harmlessly(run):
    html = run.explain("good <script>alert(1)</script> \u202e\x07 bad")._repr_html_()
    assert "<script" not in html
    assert "\u202e" not in html
    assert "\x07" not in html
    assert "U+202E" in html


def test_every_text_of_a_mixed_row_is_explained_with_the_rest_of_the_row_kept(mixed, frames):
    rows = frames["text"].head(3)
    found = mixed.explain(rows)
    assert [row["prediction"] for row in found.rows] == mixed.predict(rows)["prediction"].to_list()
    assert found.to_frame()["column"].unique().to_list() == ["said"]
    assert found.to_frame().filter(row=1)["piece"].to_list()[:2] == rows["said"][1].split()[:2]


def test_a_model_without_texts_explains_none(runs, csv_files):
    with pytest.raises(AurifyError, match="reads no texts"):
        runs["classify"].explain(csv_files["classify"])


def test_trees_are_refused_where_every_column_holds_texts(alone):
    with pytest.raises(AurifyError, match="every column holds texts or images, which trees do not read"):
        workbench.fit(alone, "y", text=["said"], settings=SMALL, blend="trees")


def test_a_network_for_words_needs_a_column_of_them(frames):
    with pytest.raises(AurifyError, match=r"no column of texts is left.*--set network=mlp"):
        workbench.fit(frames["text"], "y", using=["exclude_columns.columns=['said']"], settings={"network": "textcnn"})


@pytest.mark.slow
def test_an_ablation_of_texts_tells_what_each_ingredient_was_worth(alone, tmp_path):
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    options = {"text": ["said"], "recipe": tmp_path / "tiny.yaml", "inspect": False, "workers": 1}
    ledger = workbench.ablate(alone, "y", out=tmp_path / "study", worth=10.0, **options)
    assert {"mixup", "dropout", "drop_duplicates"} <= set(ledger.effects["technique"])
    assert ledger.pairs.height > 0
    assert ledger.report.exists()


@pytest.mark.slow
def test_a_search_in_texts_begins_with_the_recipe_and_ships_a_model(alone, tmp_path):
    options = {"text": ["said"], "settings": {**SMALL, "budget.steps": 2}, "workers": 1, "inspect": False}
    tuned = workbench.tune(alone, "y", trials=3, out=tmp_path / "tuned", **options)
    trials = tuned.trials
    assert set(trials["state"]) <= {"complete", "stopped", "pruned"}, "no trial fails"
    assert aurify.load(tmp_path / "tuned").predict("good").height == 1


@pytest.mark.slow
@pytest.mark.parametrize("technique", ["balance_classes", "resample", "smote", "mixup", "clean_labels"])
def test_what_changes_rows_learns_from_texts(alone, tmp_path, technique):
    settings = {**SMALL, "budget.steps": 4}
    run = workbench.fit(alone, "y", text=["said"], using=[technique], settings=settings, out=tmp_path / "run")
    assert run.predict(TEXTS).height == len(TEXTS)


def test_texts_are_a_column_to_scikit_learn(alone):
    import pandas as pd

    from aurify.sklearn import NetworkClassifier

    frame = pd.DataFrame({"said": alone["said"].to_list(), "n": range(alone.height)})
    model = NetworkClassifier(settings=SMALL, random_state=0)
    shares = model.fit(frame, alone["y"].to_numpy()).predict_proba(frame.head(5))
    assert shares.shape == (5, 3)
    assert [c.name for c in model.bundle_.schema.texts] == ["said"]


@pytest.mark.slow
def test_an_excluded_column_of_texts_is_neither_learnt_nor_explained_nor_asked_about(alone, tmp_path):
    frame = alone.with_columns(pl.col("said").reverse().alias("before")).select("before", "said", "y")
    words = {"text": ["before", "said"], "using": ["exclude_columns.columns=[before]"], "settings": SMALL}
    run = workbench.fit(frame, "y", out=tmp_path / "run", **words)
    asked = frame.head(2).drop("y")
    other = asked.with_columns(pl.lit("nothing of the kind").alias("before"))
    assert run.predict(asked).equals(run.predict(other))
    found = run.explain(asked).to_frame()
    assert found["column"].unique().to_list() == ["said"]
    assert found.equals(run.explain(other).to_frame())
