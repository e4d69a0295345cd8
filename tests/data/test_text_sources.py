"""Texts in folders and lines: what is read, what is left out and said, what is refused in one line."""

import gzip
import os
import time
import zipfile

import pytest

from aurify.core.errors import AurifyError
from aurify.core.recipe import Source
from aurify.data.encodings import encoding_of
from aurify.data.loaded import Reading
from aurify.data.sources import read_frame
from aurify.data.tables import ask_table, read_table

REVIEWS = {
    "pos": ["a fine film, warm and funny", "lovely from the first scene to the last", "I would see it again"],
    "neg": ["dull and far too long", "I walked out after an hour", "the worst of this year"],
}
CHINESE = (
    "\u8fd9\u4e2a\u9152\u5e97\u7684\u670d\u52a1\u5f88\u597d\uff0c\u623f\u95f4\u5e72\u51c0\uff0c"
    "\u65e9\u9910\u4e5f\u4e0d\u9519\u3002\u4e0b\u6b21\u8fd8\u4f1a\u518d\u6765\u3002"
)
TRADITIONAL = (
    "\u9019\u500b\u9152\u5e97\u7684\u670d\u52d9\u5f88\u597d\uff0c\u623f\u9593\u4e7e\u6de8\uff0c"
    "\u65e9\u9910\u4e5f\u4e0d\u932f\u3002\u4e0b\u6b21\u9084\u6703\u518d\u4f86\u3002\u6211\u5011\u5168\u5bb6\u90fd\u5f88\u6eff\u610f"
)


def folder_of(root, classes=None):
    for label, texts in (classes or REVIEWS).items():
        (root / label).mkdir(parents=True)
        for at, text in enumerate(texts, 1):
            (root / label / f"{at}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def table_of(data, **source):
    return read_table(Source(**source), data, "auto", "random", beyond={"text"})


def test_a_folder_for_each_class_is_read_without_naming_the_target(tmp_path):
    read = table_of(folder_of(tmp_path / "reviews"))
    schema = read.store.schema
    assert (schema.target, schema.classes, [c.name for c in schema.texts]) == ("label", ("neg", "pos"), ["text"])
    assert read.frames[0]["file"].to_list() == [f"{c}/{n}.txt" for c in ("neg", "pos") for n in (1, 2, 3)]
    assert schema.ids == ("file",)
    assert not schema.categories
    assert any("6 files read as texts of 2 classes" in note for note in read.notes)


def test_what_is_no_text_of_a_class_is_left_out_and_counted(tmp_path):
    root = folder_of(tmp_path / "reviews", {**REVIEWS, "pos": [*REVIEWS["pos"], "", " \n"]})
    (root / ".DS_Store").write_bytes(b"\0\0")
    (root / "pos" / ".hidden.txt").write_text("no")
    (root / "README.txt").write_text("read me")
    (root / "pos" / "1.jpg").write_bytes(b"\xff\xd8")
    (root / "urls.csv.bak").write_text("x")
    loaded = read_frame(root)
    assert loaded.frame.height == 8
    told = "\n".join(loaded.notes)
    for what in ("2 hidden files", "README.txt (1)", ".jpg (1)", ".bak (1)", "2 files are empty"):
        assert what in told, told


@pytest.mark.parametrize("names", [("train", "test"), ("20news-train", "20news-test")])
def test_parts_beside_one_another_are_learnt_from_and_tested(tmp_path, names):
    root = tmp_path / "imdb"
    for name in (*names, "dev"):
        folder_of(root / name)
    (root / names[0] / "unsup").mkdir()
    (root / names[0] / "unsup" / "0.txt").write_text("nobody knows")
    (root / names[0] / "urls_pos.txt").write_text("http://")
    read = table_of(root)
    assert read.store.test.tolist() == [False] * 12 + [True] * 6
    assert read.store.schema.classes == ("neg", "pos")
    told = "\n".join(read.notes)
    for what in ("6 files of its folder", "1 files without a label", "6 files to validate with"):
        assert what in told, told
    asked = ask_table(read.store.schema, root, Source(), labelled=True, by="random")
    assert len(asked.rows) == 6, "measured on its test part"
    assert len(ask_table(read.store.schema, root, Source(), labelled=False, by="random").rows) == 18


def test_a_zip_of_folders_is_as_the_folders(tmp_path):
    root = folder_of(tmp_path / "reviews")
    with zipfile.ZipFile(tmp_path / "reviews.zip", "w") as archive:
        for path in sorted(root.rglob("*.txt")):
            archive.write(path, path.relative_to(tmp_path))
        archive.writestr("__MACOSX/reviews/pos/._1.txt", b"\0")
    assert read_frame(tmp_path / "reviews.zip").frame.equals(read_frame(root).frame)


def test_new_texts_may_have_no_class(tmp_path):
    schema = table_of(folder_of(tmp_path / "reviews")).store.schema
    new = tmp_path / "new"
    new.mkdir()
    for at in (10, 2):
        (new / f"{at}.txt").write_text(f"text {at}")
    asked = ask_table(schema, new, Source(), labelled=False, by="random")
    assert asked.inputs["texts"].column(0) == ["text 2", "text 10"]
    assert asked.ids["file"].to_list() == ["2.txt", "10.txt"]
    only = folder_of(tmp_path / "only", {"pos": REVIEWS["pos"]})
    assert len(ask_table(schema, only, Source(), labelled=True, by="random").rows) == 3
    with pytest.raises(AurifyError, match="lacks the target column 'label'"):
        ask_table(schema, new, Source(), labelled=True, by="random")


def test_each_file_of_a_folder_is_read_in_its_own_encoding(tmp_path):
    texts = [
        CHINESE.encode(),
        CHINESE.encode("utf-8-sig"),
        CHINESE.encode("gb18030"),
        CHINESE.encode("utf-16"),
        (CHINESE * 3).encode("gb18030"),
        "\u597d".encode("gb18030"),
        b"one\r\ntwo",
    ]
    loaded = read_frame(folder_of(tmp_path / "r", {"a": texts, "b": ["x"]}))
    read = loaded.frame.filter(loaded.frame["label"] == "a")["text"].to_list()
    assert read == [CHINESE, CHINESE, CHINESE, CHINESE, CHINESE * 3, "\u597d", "one\ntwo"]
    assert any("gb18030 (3), utf-16 (1)" in note for note in loaded.notes)


def test_rare_characters_of_chinese_files_are_not_taken_for_western_letters(tmp_path):
    rare = "\u8a02\u623f\u6642\u8aaa\u660e\u662f\u96d9\u4eba\u623f, \u5426\u5247\u8b8a\u70ba\u55ae\u5e8a"
    assert encoding_of((rare * 2).encode("gb18030"), None) not in ("gb18030", "utf-8")
    western = ("La qualit\u00e9 \u00e9tait tr\u00e8s m\u00e9diocre, d\u00e9\u00e7u. " * 9).encode("cp1252")
    texts = [*[(CHINESE * 3).encode("gb18030")] * 3, (rare * 2).encode("gb18030"), western]
    loaded = read_frame(folder_of(tmp_path / "r", {"a": texts, "b": ["x"]}))
    read = loaded.frame.filter(loaded.frame["label"] == "a")["text"].to_list()
    assert read[3:] == [rare * 2, western.decode("cp1252")]


def test_big5_and_western_letters_are_told_apart():
    assert encoding_of(TRADITIONAL.encode("big5"), None) == "big5hkscs"
    assert encoding_of(CHINESE.encode("gb18030"), None) == "gb18030"
    for text in ("\u00bfQu\u00e9 tal? \u00a1Hola! ma\u00f1ana, a\u00f1o, c\u00f3mo est\u00e1s", "\u00bfQu\u00e9? " * 9):
        assert encoding_of(text.encode("cp1252"), None) == "cp1252"
    assert encoding_of("\u00ab\u00c9t\u00e9\u00bb \u00c0 la carte, \u00c9cole".encode("cp1252"), None) == "cp1252"


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        ({"pos": ["a", "b"]}, "one folder only, 'pos'"),
        ({"pos": [b"\0\1\2", "b"], "neg": ["c"]}, "pos/1.txt is not a text file: it holds NUL bytes"),
        ({}, "without a folder of texts"),
    ],
)
def test_folders_that_are_none_of_classes_are_refused_in_one_line(tmp_path, classes, what):
    root = tmp_path / "r"
    root.mkdir()
    for label in classes:
        folder_of(root, {label: classes[label]})
    with pytest.raises(AurifyError, match=what) as error:
        read_frame(root)
    assert "\n" not in str(error.value)


def test_a_pipe_among_the_texts_does_not_hang(tmp_path):
    root = folder_of(tmp_path / "r")
    os.mkfifo(root / "pos" / "9.txt")
    with pytest.raises(AurifyError, match="pipe or a device"):
        read_frame(root)
    (root / "pos" / "9.txt").unlink()
    (root / "pos" / "9.txt").symlink_to(root / "nowhere")
    with pytest.raises(AurifyError, match="cannot be read"):
        read_frame(root)


def test_a_bomb_in_a_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for label in ("a", "b"):
            archive.writestr(f"r/{label}/1.txt", b"x" * 50_000_000)
    with pytest.raises(AurifyError, match="no honest text"):
        read_frame(tmp_path / "b.zip")


def test_thousands_of_files_are_read_fast(tmp_path):
    root = folder_of(tmp_path / "r", {c: [f"text {at} of {c}" for at in range(2_000)] for c in "abc"})
    began = time.perf_counter()
    assert read_frame(root).frame.height == 6_000
    assert time.perf_counter() - began < 3
    some = read_frame(root, Reading(most=100))
    assert some.frame.height == 100
    assert some.drawn.count == 6_000


LINES = "\n".join(
    f"{label} {text}, {at} times" for at in range(4) for label, every in REVIEWS.items() for text in every
)


@pytest.mark.parametrize("blank", [" ", "\t"])
@pytest.mark.parametrize("before", ["", "__label__"])
def test_lines_of_a_label_and_a_text(tmp_path, blank, before):
    lines = [f"{before}{label}{blank}{text}" for label, text in (line.split(" ", 1) for line in LINES.split("\n"))]
    (tmp_path / "t.txt").write_bytes("\r\n".join([*lines, "", f"{before}pos"]).encode())
    read = table_of(tmp_path / "t.txt")
    assert read.store.schema.classes == ("neg", "pos")
    assert read.store.schema.target == "label"
    assert read.frames[0]["text"].to_list() == [line.split(" ", 1)[1] for line in LINES.split("\n")] + [""]
    assert any("1 lines have a label and no text" in note for note in read.notes)


def test_lines_for_a_known_model_may_lack_their_labels(tmp_path):
    (tmp_path / "t.txt").write_text(LINES)
    schema = table_of(tmp_path / "t.txt").store.schema
    (tmp_path / "new.txt").write_text("a fine day\n\nnegligible")
    asked = ask_table(schema, tmp_path / "new.txt", Source(), labelled=False, by="random")
    assert asked.inputs["texts"].column(0) == ["a fine day", "", "negligible"]
    (tmp_path / "test.txt").write_text("pos a fine day\nneg so long")
    asked = ask_table(schema, tmp_path / "test.txt", Source(), labelled=True, by="random")
    assert asked.inputs["texts"].column(0) == ["a fine day", "so long"]
    asked = ask_table(schema, tmp_path / "test.txt", Source(), labelled=False, by="random")
    assert asked.inputs["texts"].column(0) == ["a fine day", "so long"], "a label is no word of its text"
    (tmp_path / "t2.txt").write_text("text,label\nfine,pos\n")
    assert ask_table(schema, tmp_path / "t2.txt", Source(), labelled=True, by="random").target.tolist() == [1]


@pytest.mark.parametrize(
    "text",
    [
        "5.1 3.5 1.4 0.2 Iris-setosa\n4.9 3.0 1.4 0.2 Iris-setosa\n" * 30,
        "39, State-gov, 77516, Bachelors\n50, Self-emp, 83311, Masters\n39, Private, 2, HS\n" * 30,
        "name\tage\nanna\t3\nbert\t4\n" * 2,
        "\n".join(f"{word} begins a line of prose, as in any book" for word in "abcdefghijklmnopqrstuvwxyz"),
        "\n".join(f"{at} line that is numbered {at % 7}" for at in range(1, 40)),
    ],
)
def test_tables_and_prose_are_no_labelled_lines(tmp_path, text):
    (tmp_path / "t.txt").write_text(text)
    try:
        loaded = read_frame(tmp_path / "t.txt")
    except AurifyError:
        return
    assert not loaded.texts


def test_two_labels_in_a_line_are_refused(tmp_path):
    (tmp_path / "t.txt").write_text("__label__a one\n__label__a __label__b two\n")
    with pytest.raises(AurifyError, match="line 2 has several labels"):
        read_frame(tmp_path / "t.txt")


def test_lines_in_latin_1_and_in_gzip(tmp_path, shared_data):
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(LINES.replace("fine", "d\u00e9j\u00e0 vu").encode("latin-1")))
    loaded = read_frame(tmp_path / "t.txt.gz")
    assert loaded.texts
    assert "d\u00e9j\u00e0 vu" in loaded.frame["text"][0]
    for name, rows in {"TREC.train.all": 5452, "stsa.binary.test": 1821, "subj.all": 10000, "mpqa.all": 10606}.items():
        loaded = read_frame(shared_data(f"sentence_clf/{name}"))
        assert loaded.frame.shape == (rows, 2)
        assert loaded.frame["label"].n_unique() in (2, 6)


def write(path, text):
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    return path


@pytest.mark.slow
def test_json_lines_with_odd_values_are_read(tmp_path):
    line = '{{"text": {}, "label": "{}", "more": {{"stars": [1, 2]}}}}'
    values = ['"a \\n line break, \\"quotes\\" and so on"', "null", "17", '"\\ud83d\\ude00"', f'"{"long " * 400_000}"']
    path = write(tmp_path / "t.jsonl", "\n".join(line.format(v, "ab"[at % 2]) for at, v in enumerate(values * 12)))
    read = table_of(path, target="label", text=("text",))
    texts = read.store.inputs["texts"].column(0)
    assert texts[:4] == ['a \n line break, "quotes" and so on', "", "17", "\U0001f600"]
    assert len(texts[4]) == 5 * 400_000 - 1
    assert any(c.name == "more" and c.kind == "left out" for c in read.store.schema.columns)


def test_half_a_character_in_json_is_no_traceback(tmp_path):
    path = write(tmp_path / "t.jsonl", '{"text": "\\ud83d", "label": "a"}\n{"text": "b", "label": "b"}')
    assert read_frame(path).frame.height == 2


def test_texts_made_of_lists_are_refused_where_they_are_asked_for(tmp_path):
    path = write(
        tmp_path / "t.jsonl", '{"text": ["a", "b"], "x": 1, "label": "a"}\n{"text": ["b"], "x": 2, "label": "b"}'
    )
    with pytest.raises(AurifyError, match="'text' is made of List\\(String\\) values"):
        table_of(path, target="label", text=("text",))


def test_lines_within_quotes_and_very_long_texts_in_csv(tmp_path):
    texts = ['first line\nsecond, "quoted"\n\nthird', "x" * 5_000_000, "\u4e00" * 100_000, "plain"]
    rows = "\n".join('"{}",{}'.format(t.replace('"', '""'), "ab"[at % 2]) for at, t in enumerate(texts * 2))
    read = table_of(write(tmp_path / "t.csv", f"text,label\n{rows}\n"), target="label", text=("text",))
    assert read.store.inputs["texts"].column(0)[:4] == texts
