"""CSV files and data frames of every kind become one table, or an error of one line."""

import csv
import gzip
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.data.loaded import Reading
from aurify.data.sources import PLAIN, read_frame


def load(tmp_path, content, name="t.csv", reading=PLAIN, **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_frame(path, reading, **options)


def read(*arguments, **options):
    return load(*arguments, **options).frame


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found_in_the_header(tmp_path, separator):
    frame = read(tmp_path, f"a{separator}b\n1{separator}x\n2{separator}y\n")
    assert frame.to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_quoted_separators_quotes_and_line_breaks_stay_in_their_cell(tmp_path):
    frame = read(tmp_path, 'a,b\n"x, y","say ""hi"""\n"two\nlines",z\n')
    assert frame["a"].to_list() == ["x, y", "two\nlines"]
    assert frame["b"].to_list() == ['say "hi"', "z"]


def test_quoted_separator_in_the_header_is_no_separator(tmp_path):
    frame = read(tmp_path, '"a;b;c;d",e\n1,2\n3,4\n')
    assert frame.columns == ["a;b;c;d", "e"]


def test_byte_order_mark_and_windows_line_ends_are_taken_off(tmp_path):
    frame = read(tmp_path, b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n")
    assert frame.to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_spaces_around_column_names_are_taken_off(tmp_path):
    assert read(tmp_path, " a , b\n1,2\n").columns == ["a", "b"]


@pytest.mark.parametrize("mark", ["", "?", "NA", "N/A", "NaN", "null"])
def test_missing_marks_leave_a_column_of_numbers(tmp_path, mark):
    frame = read(tmp_path, f"a,b\n1,x\n{mark},y\n3.5,z\n")
    assert frame["a"].to_list() == [1.0, None, 3.5]


def test_numbers_that_appear_late_do_not_surprise_the_reader(tmp_path):
    """Types are inferred from the whole file, not from its first lines."""
    body = "".join(f"{i},1\n" for i in range(20_000)) + "0.5,late\n"
    frame = read(tmp_path, "a,b\n" + body)
    assert frame["a"].dtype == pl.Float64
    assert frame["b"][-1] == "late"


def test_one_column_is_a_table(tmp_path):
    assert read(tmp_path, "only\n1\n2\n").shape == (2, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n1,2\n", "no rows"),
        (b"\n \n\n", "only blank lines"),
        (b"a,b\n", "no rows"),
        (b"a,b,a\n1,2,3\n", "two columns named 'a'"),
        (b"a, a\n1,2\n", "two columns named 'a'"),
        (b'"a","b","a"\n1,2,3\n', "two columns named 'a'"),
        (b"a\0b,c\n1,2\n", "not a text file"),
        (b"a,b\n1,2,3,4\n", "CSV"),
        (b"PK\x03\x04\0\0\0\0", "is damaged"),
        (b"a" * 200_000 + b",b\n1,2\n", "CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, said):
    with pytest.raises(AurifyError, match=said) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "t.csv") in str(caught.value)


def test_absent_file_names_its_neighbours(tmp_path):
    (tmp_path / "churn.csv").write_text("a\n1\n")
    with pytest.raises(AurifyError, match=r"no file at .*chrun.csv; beside it are 'churn.csv'"):
        read_frame(tmp_path / "chrun.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AurifyError, match="is a folder without a table"):
        read_frame(tmp_path / "empty")
    with pytest.raises(AurifyError, match="no file at"):
        read_frame("nowhere/at all.csv")


def test_texts_asked_for_come_as_written(tmp_path):
    frame = read(tmp_path, "a,b\n01,1.0\n1e3,2\n", texts=("a",))
    assert frame["a"].to_list() == ["01", "1e3"]


def test_every_kind_of_frame_gives_the_same_columns():
    columns = {"n": [1.5, None, 3.0], "i": [1, 2, 3], "s": ["x", None, "y"], "b": [True, False, True]}
    expected = pl.DataFrame(columns)
    as_pandas = pd.DataFrame({**columns, "i": np.array([1, 2, 3])})
    rows = expected.to_dicts()
    arrow = expected.to_arrow()
    for source in (columns, expected, expected.lazy(), as_pandas, arrow, arrow.to_batches()[0], rows):
        frame = read_frame(source).frame
        assert frame.columns == expected.columns
        for name in columns:
            assert [None if v is None else str(v) for v in frame[name].to_list()] == [
                None if v is None else str(v) for v in expected[name].to_list()
            ]


def test_pandas_oddities_are_taken_in():
    frame = pd.DataFrame(
        {
            "category": pd.Categorical(["x", None, "y"]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "mixed": [1, "two", None],
            "object_floats": np.array([1.5, None, np.nan], dtype=object),
            7: [1, 2, 3],
        },
        index=[5, 5, 9],
    )
    read = read_frame(frame).frame
    assert read.columns == ["category", "nullable", "mixed", "object_floats", "7"]
    assert read["category"].to_list() == ["x", None, "y"]
    assert read["nullable"].to_list() == [1, None, 3]
    assert read["mixed"].to_list() == ["1", "two", None]
    assert read["object_floats"].null_count() == 2


def test_pandas_with_two_columns_of_one_name_is_refused():
    with pytest.raises(AurifyError, match="two columns named 'a'"):
        read_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


@pytest.mark.parametrize("source", [5, [1, 2], np.zeros(2), None, pd.Series([1]), np.zeros((2, 2), complex)])
def test_what_is_no_frame_is_refused(source):
    with pytest.raises(AurifyError, match="is not a table"):
        read_frame(source)


def test_empty_frames_are_refused():
    for source in ({}, {"a": []}, pl.DataFrame(), pd.DataFrame()):
        with pytest.raises(AurifyError, match="no rows"):
            read_frame(source)


def test_ragged_dict_is_an_error_of_one_line():
    with pytest.raises(AurifyError) as caught:
        read_frame({"a": [1, 2], "b": [1, 2, 3]})
    assert "\n" not in str(caught.value)


PEOPLE = {"age": [40, 50, 61], "city": ["Köln", "Malmö", "Zürich"], "paid": [1.5, 2.25, 3.0]}
CHINESE = {"城市": ["北京", "上海市", "广州"], "人口": [21, 24, 18], "评价": ["很好的城市", "非常大", "不错，天气好"]}


def csv_of(columns, separator=","):
    rows = zip(*columns.values(), strict=True)
    return "\n".join(separator.join(map(str, row)) for row in (columns, *rows)) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"])
def test_encoding_is_found_or_taken_as_said(tmp_path, encoding):
    marked = encoding not in ("utf-16-le", "utf-16-be")
    reading = PLAIN if marked else Reading(encoding=encoding)
    loaded = load(tmp_path, csv_of(PEOPLE).encode(encoding), reading=reading)
    assert loaded.frame.to_dict(as_series=False) == PEOPLE
    assert bool(loaded.notes) == (encoding != "utf-8-sig")


def test_chinese_text_in_gb18030_is_found_and_said(tmp_path):
    loaded = load(tmp_path, csv_of(CHINESE).encode("gb18030"))
    assert loaded.frame.to_dict(as_series=False) == CHINESE
    assert loaded.notes == (f"{tmp_path / 't.csv'} is read as gb18030; another with --encoding",)


def test_encoding_that_shows_late_is_found(tmp_path):
    """The first letter with an accent stands behind the sample and the first block."""
    body = "a,b\n" + "1,plain\n" * 900_000 + "2,fiancé\n"
    loaded = load(tmp_path, body.encode("cp1252"))
    assert loaded.frame["b"][-1] == "fiancé"
    assert "cp1252" in loaded.notes[0]


def test_wrong_encoding_is_refused_in_one_line(tmp_path):
    for encoding, said in (("utf-8", "cannot be read as utf-8"), ("klingon", "'klingon' is not known"), ("hex", "hex")):
        with pytest.raises(AurifyError, match=said):
            load(tmp_path, csv_of(PEOPLE).encode("cp1252"), reading=Reading(encoding=encoding))


def test_decimal_commas_do_not_pass_for_separators(tmp_path):
    frame = read(tmp_path, "a;b\n" + "1,5;2,5\n" * 50)
    assert frame.columns == ["a", "b"]
    assert frame["a"][0] == "1,5"


def test_separator_may_be_said(tmp_path):
    text = "a b:c\n1 2:3\n4 5:6\n"
    assert read(tmp_path, text, reading=Reading(separator=":")).columns == ["a b", "c"]
    assert read(tmp_path, text, reading=Reading(separator=" ")).columns == ["a", "b:c"]
    assert read(tmp_path, "a\tb\n1\t2\n", reading=Reading(separator="tab")).columns == ["a", "b"]
    with pytest.raises(AurifyError, match="separator '::' is not allowed"):
        read(tmp_path, text, reading=Reading(separator="::"))


BARE = "39, State-gov, Male, <=50K\n50, Private, Male, >50K\n38, Private, Female, <=50K\n28, State-gov, Male, >50K\n"


def test_table_without_a_header_gets_numbered_columns(tmp_path):
    loaded = load(tmp_path, BARE)
    assert loaded.frame.columns == ["column_1", "column_2", "column_3", "column_4"]
    assert loaded.frame.height == 4
    assert loaded.frame["column_1"].to_list() == [39, 50, 38, 28]
    assert "no header" in loaded.notes[0]
    assert read(tmp_path, BARE, reading=Reading(header="yes")).height == 3
    assert read(tmp_path, csv_of(PEOPLE), reading=Reading(header="no")).columns == ["column_1", "column_2", "column_3"]


@pytest.mark.parametrize(
    "text",
    [
        csv_of(PEOPLE),
        "country,2019,2020,2021\nFrance,1,2,3\nItaly,4,5,6\n",
        "colour,size\nred,small\nblue,big\nred,big\nblue,small\nred,small\n",
        "0,1,2\n3,4,5\n7,1,0\n",
        "text\nany\nwords\n",
    ],
)
def test_headers_pass_for_headers(tmp_path, text):
    loaded = load(tmp_path, text)
    assert loaded.frame.columns == text.split("\n")[0].split(",")
    assert not loaded.notes


def test_new_rows_of_a_bare_table_get_the_same_names(tmp_path):
    names = ("column_1", "column_2", "column_4", "column_3")  # the target last
    assert read(tmp_path, BARE, names=names).columns == sorted(names)
    assert read(tmp_path, "39,State-gov,<=50K\n", names=names).columns == ["column_1", "column_2", "column_4"]
    assert read(tmp_path, "column_1,column_4,column_2\n1,2,3\n", names=names).height == 1
    with pytest.raises(AurifyError, match="2 cells in a line"):
        read(tmp_path, "39,State-gov\n", names=names)


def test_new_rows_of_a_table_with_names_have_a_header(tmp_path):
    """One new row, of texts that all recur in it, is still no header."""
    assert read(tmp_path, "a,b\nx,x\nx,x\n", names=("a", "b")).height == 2


def test_names_are_made_where_there_is_none(tmp_path):
    loaded = load(tmp_path, "a,,c\n1,2,3\n4,5,6\n")
    assert loaded.frame.columns == ["a", "column_2", "c"]
    assert "'column_2'" in loaded.notes[0]
    assert read(tmp_path, "a,b\nr1,1,2\nr2,3,4\n").columns == ["column_1", "a", "b"]  # as R writes row names
    assert read(tmp_path, "a,b\n1,2,\n3,4,\n").columns == ["a", "b", "column_3"]


def test_blank_lines_are_no_rows(tmp_path):
    for line in ("", "  ", "\r"):
        assert read(tmp_path, f"{line}\na,b\n1,x\n{line}\n{line}\n2,y\n{line}\n").to_dict(as_series=False) == {
            "a": [1, 2],
            "b": ["x", "y"],
        }
    assert read(tmp_path, "a\n1\n\n2\n").height == 2
    assert read(tmp_path, "a,b\r1,2\r3,4\r").rows() == [(1, 2), (3, 4)]  # lines as old Macs ended them


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoted", [False, True])
def test_ragged_lines_are_counted_and_listed(tmp_path, end, quoted):
    good = '5,"x, or y"' if quoted else "5,x"
    lines = ["a,b", good, "6", good, "", "7,y,z", good, good, "8,y,", good]
    loaded = load(tmp_path, end.join(lines) + end)
    assert loaded.frame["a"].to_list() == [5] * 5
    assert "3 ragged lines have not 2 cells and are left out: lines 3, 6, 9" in loaded.notes[-1]


def test_ragged_lines_far_down_are_found(tmp_path, monkeypatch):
    """One cell too many makes up for one too few, in the same block and in the next."""
    monkeypatch.setattr("aurify.data.csv_blocks.BLOCK_BYTES", 2**12)
    lines = ["a,b,c"] + ["1,2,3"] * 60_000
    lines[50_000], lines[50_003], lines[55_000], lines[20] = "1,2", "1,2,3,4", "1,2,3,4", "x"
    loaded = load(tmp_path, "\n".join(lines))
    assert loaded.frame.height == 60_000 - 4
    assert loaded.frame["c"].null_count() == 0
    assert loaded.notes[-1].endswith("lines 21, 50,001, 50,004, 55,001")


def test_late_value_of_another_type_changes_the_column_and_loses_nothing(tmp_path):
    """Whatever comes after the first block: numbers come as they were written once one is none."""
    rows = [f"{i:05d},{i},{i % 7}.0,{i % 2 == 0},2020-01-0{1 + i % 9}" for i in range(300_000)]
    rows[-3], rows[-2] = "x1,0.5,NA,maybe,n", ",,,,"
    frame = read(tmp_path, "a,b,c,d,e\n" + "\n".join(rows))
    assert frame["a"].to_list()[:3] == ["00000", "00001", "00002"]
    assert frame["a"].to_list()[-3:] == ["x1", None, "299999"]
    assert frame["b"].dtype == pl.Float64
    assert frame["b"].to_list()[-3:] == [0.5, None, 299_999]
    assert frame["c"].dtype == pl.Float64
    assert frame["c"].to_list()[-3:] == [None, None, 299_999 % 7]
    assert frame["d"].to_list()[-3:] == ["maybe", None, "False"]
    assert frame["e"].to_list()[0] == "2020-01-01"


def test_user_marks_leave_a_column_of_numbers(tmp_path):
    frame = read(tmp_path, "a,b\n1,x\nunknown,y\n-9,z\n", reading=Reading(missing=("unknown", "-9")))
    assert frame["a"].to_list() == [1, None, None]


def test_quotes_in_the_middle_of_a_cell_are_characters(tmp_path):
    text = 'a,b\n5" pipe,1\n"say ""hi"", she said",2\nhe said "no",3\n3" and 4",4\n'
    assert read(tmp_path, text)["a"].to_list() == ['5" pipe', 'say "hi", she said', 'he said "no"', '3" and 4"']
    frame = read(tmp_path, 'label\ttext\n1\t"so he said\n0\tfine\n1\tquoted" later\n0\t"a" b\n')  # tabs need no quotes
    assert frame["text"].to_list() == ['"so he said', "fine", 'quoted" later', '"a" b']


@pytest.mark.parametrize("seed", range(6))
def test_tables_are_read_as_the_csv_module_reads_them(tmp_path, seed, monkeypatch):
    """Any cells, written with as many quotes as one likes, cut into blocks anywhere."""
    monkeypatch.setattr("aurify.data.csv_blocks.BLOCK_BYTES", 301)
    random = np.random.default_rng(seed)
    pieces = ["a", "é", "北", ",", ";", '"', '""', "\n", "\r\n", " x", "1.5", "-"]
    cells = ["w" + "".join(random.choice(pieces, random.integers(0, 6))) for _ in range(600)]
    rows = [cells[at : at + 3] for at in range(0, 600, 3)]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        quoting = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_MINIMAL)[seed % 3]
        csv.writer(file, quoting=quoting, lineterminator=("\n", "\r\n")[seed % 2]).writerows([["p", "q", "r"], *rows])
    frame = read_frame(path, Reading(",", header="yes")).frame
    assert frame.rows() == [tuple(row) for row in rows]


def test_quote_that_swallows_the_file_is_one_line_and_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("aurify.data.csv_blocks.RECORD_LIMIT_BYTES", 2**20)
    text = "a,b\n1,x\n" + '2,"y\n' + "3,zzzzzzz\n" * 1_000_000
    with pytest.raises(AurifyError, match="the record 8 bytes into it has more than 1,048,576 bytes"):
        read(tmp_path, text)
    with pytest.raises(AurifyError, match="in line 3 a quote opens a cell and is not closed"):
        read(tmp_path, text[:200])
    with pytest.raises(AurifyError, match="in line 20,002 a quote opens"):
        read(
            tmp_path, "a,b\n" + "1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 20_000 + '2,"y\n3,z\n'
        )


@pytest.fixture
def table():
    return pl.DataFrame({**PEOPLE, "day": ["2020-01-01", None, "2021-05-05"]})


WRITERS = {
    "t.csv": lambda table, path: table.write_csv(path),
    "t.parquet": lambda table, path: table.write_parquet(path),
    "t.arrow": lambda table, path: table.write_ipc(path),
    "t.feather": lambda table, path: table.write_ipc(path, compression="zstd"),
    "t.ipc": lambda table, path: table.write_ipc_stream(path),
    "t.jsonl": lambda table, path: table.write_ndjson(path),
}


def zipped(path, names):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_read_plain_packed_and_under_a_wrong_name(tmp_path, table, name):
    path = tmp_path / name
    WRITERS[name](table, path)
    raw = path.read_bytes()
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(raw))
    (tmp_path / "misnamed.dat").write_bytes(raw)
    beside = {"__MACOSX/._t.csv": b"\0\1", ".DS_Store": b"\0", "x/README.txt": b"read me", "x/": b""}
    zipped(tmp_path / "t.zip", {**beside, f"x/{name}": raw})
    for each in (name, f"{name}.gz", "misnamed.dat", "t.zip"):
        loaded = read_frame(str(tmp_path / each))
        assert loaded.frame.to_dicts() == table.to_dicts()
        assert not loaded.notes


@pytest.mark.parametrize("name", [n for n in WRITERS if n not in ("t.csv", "t.jsonl")])
def test_torn_files_are_one_line(tmp_path, table, name):
    path = tmp_path / name
    WRITERS[name](table, path)
    raw = path.read_bytes()
    for size in (12, len(raw) // 2, len(raw) - 9, len(raw) - 1):
        path.write_bytes(raw[:size])
        with pytest.raises(AurifyError, match="is cut off") as caught:
            read_frame(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    path.write_bytes(raw[: len(raw) // 2] + raw[-40:])
    with pytest.raises(AurifyError, match="is damaged") as caught:
        read_frame(path)
    assert "\n" not in str(caught.value)


def test_archives_that_cannot_be_read_are_one_line(tmp_path, monkeypatch):
    text = csv_of(PEOPLE).encode()
    inner = zipped(tmp_path / "inner.zip", {"t.csv": text}).read_bytes()
    encrypted = bytearray(inner)
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(mark) + flags] |= 1
    damaged = bytearray(zipped(tmp_path / "d.zip", {"t.csv": text * 50}).read_bytes())
    damaged[60] ^= 255
    wrong = {
        "holds 2 tables: 'a.csv', 'b/c.tsv'": zipped(tmp_path / "1", {"a.csv": text, "b/c.tsv": text}).read_bytes(),
        "holds no table: only 'a.pdf'": zipped(tmp_path / "2", {"a.pdf": text}).read_bytes(),
        "holds no table: nothing": zipped(tmp_path / "3", {}).read_bytes(),
        "holds another archive": zipped(tmp_path / "4", {"a.csv.zip": inner}).read_bytes(),
        r"\(t.csv\) is damaged|cannot be unpacked": bytes(damaged),
        "is encrypted": bytes(encrypted),
        "t.csv holds another archive": gzip.compress(gzip.compress(text)),
        "is cut off": gzip.compress(text * 100)[:-9],
        "is damaged": inner[:-20],
        "is an Excel workbook": zipped(tmp_path / "5", {"[Content_Types].xml": b"", "xl/a.xml": b""}).read_bytes(),
        "compressed with xz": b"\xfd7zXZ\0" + bytes(40),
        "is one JSON list": b'[{"a": 1}]',
        "line 2 is not JSON": b'{"a": 1}\n{"a": \n',
        "line 2 is not a JSON object": b'{"a": 1}\n[1]\n',
    }
    for said, content in wrong.items():
        with pytest.raises(AurifyError, match=said) as caught:
            read(tmp_path, content)
        assert "\n" not in str(caught.value)
    monkeypatch.setattr("aurify.data.archives.FLOOR_BYTES", 2**20)
    bomb = b"1,2\n" * 2**20
    for packed in (gzip.compress(bomb), zipped(tmp_path / "6", {"a.csv": bomb}).read_bytes()):
        with pytest.raises(AurifyError, match="unpacks to more than 1,048,576 bytes"):
            read(tmp_path, packed)


def test_lines_of_json_may_differ(tmp_path):
    frame = read(tmp_path, b'\xef\xbb\xbf{"a":1,"b":"x"}\n\n{"b":"y","c":true}\n{"a":2.5}\n', "t.jsonl")
    assert frame.to_dict(as_series=False) == {"a": [1, None, 2.5], "b": ["x", "y", None], "c": [None, True, None]}
    assert read(tmp_path, b'{"a":true}\n{"a":7}\n{"a":"z"}\n')["a"].to_list() == ["true", "7", "z"]


def test_folder_of_like_files_is_one_table(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "b.csv").write_text("y,x\nb,3\n")
    (folder / "a.csv").write_text("x,y\n01,a\n2,a\n")
    (folder / ".hidden.csv").write_text("z\n1\n")
    (folder / "_SUCCESS").write_text("")
    (folder / "readme.txt").write_text("two files")
    loaded = read_frame(folder)
    assert loaded.frame.rows() == [(1, "a"), (2, "a"), (3, "b")]
    assert loaded.notes == (f"{folder}: 2 files read as one table, a.csv to b.csv",)
    pl.DataFrame({"x": ["none"], "y": ["c"]}).write_parquet(folder / "c.parquet")
    assert read_frame(folder).frame["x"].to_list() == ["01", "2", "3", "none"]
    (folder / "d.csv").write_text("x,z\n1,2\n")
    with pytest.raises(AurifyError, match=r"d.csv does not have the columns of a.csv: it lacks 'y'"):
        read_frame(folder)


def test_folder_of_bare_files_has_one_set_of_names(tmp_path):
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text(BARE)
    assert read_frame(tmp_path).frame.shape == (8, 4)


def test_arrays_get_numbered_columns():
    masked = np.ma.masked_equal(np.array([[1, 2], [3, 4]]), 3)
    assert read_frame(masked).frame.to_dict(as_series=False) == {"column_1": [1, None], "column_2": [2, 4]}
    mixed = np.array([["x", 1], [None, 2.5]], dtype=object)
    assert read_frame(mixed).frame["column_1"].to_list() == ["x", None]
    fields = np.array([(1, b"u", 0.5), (2, b"v", np.nan)], dtype=[("n", "i8"), ("s", "S3"), ("h", "f2")])
    assert read_frame(fields).frame.to_dict(as_series=False) == {"n": [1, 2], "s": ["u", "v"], "h": [0.5, None]}


@pytest.mark.parametrize("folder", ["adult", "weather_aus", "sgemm_gpu", "online_shopping_10_cats"])
def test_real_files_are_read_whole(shared_data, folder):
    rows = {"adult": 32_561, "weather_aus": 142_193, "sgemm_gpu": 241_600, "online_shopping_10_cats": 62_774}
    path = next(
        p for p in sorted(shared_data(folder).iterdir()) if p.suffix in (".zip", ".csv") and "test" not in p.name
    )
    loaded = read_frame(path)
    assert loaded.frame.height == rows[folder]
    assert not [n for n in loaded.notes if "ragged" in n]
