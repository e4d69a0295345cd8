"""Of very many rows a uniform sample is read, the same one however they come; of fewer, all of them."""

import gzip

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.stats import chi2

import aurify
from aurify.data import columnar, csv_blocks, tables
from aurify.data.loaded import Reading
from aurify.data.row_sample import RowSample, keys
from aurify.data.sources import read_frame

ROWS, MOST = 20_000, 1_000
FRAME = pl.DataFrame({"at": range(ROWS), "x": np.arange(ROWS) / 8, "name": [f"n{i % 7}" for i in range(ROWS)]})
WRITERS = {
    "t.csv": pl.DataFrame.write_csv,
    "t.parquet": lambda frame, path: frame.write_parquet(path, row_group_size=3_000),
    "t.arrow": pl.DataFrame.write_ipc,
    "t.stream.arrow": pl.DataFrame.write_ipc_stream,
    "t.jsonl": pl.DataFrame.write_ndjson,
    "t.csv.gz": lambda frame, path: path.write_bytes(gzip.compress(frame.write_csv().encode())),
    "t.parquet.gz": lambda frame, path: (
        frame.write_parquet(path.with_suffix("")),
        path.write_bytes(gzip.compress(path.with_suffix("").read_bytes())),
    ),
}


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 2**15)
    monkeypatch.setattr(columnar, "PIECE_ROWS", 1_111)
    monkeypatch.setattr(columnar, "PIECE_BYTES", 2**14)


def drawn_numbers():
    """The rows a sample holds, found the slow way."""
    return sorted(sorted(range(ROWS), key=lambda row: keys(np.array([row]))[0])[:MOST])


@pytest.mark.parametrize("name", WRITERS)
def test_every_form_gives_the_same_sample_with_its_row_numbers(tmp_path, name, small_pieces):
    WRITERS[name](FRAME, tmp_path / name)
    loaded = read_frame(tmp_path / name, Reading(most=MOST))
    numbers = drawn_numbers()
    assert loaded.drawn.rows.tolist() == numbers
    assert loaded.drawn.count == ROWS
    assert_frame_equal(loaded.frame, FRAME[numbers])
    assert any("1,000 of 20,000 rows" in note for note in loaded.notes)


def test_a_table_in_memory_gives_the_same_sample():
    drawn = read_frame(FRAME, Reading(most=MOST)).drawn
    assert_frame_equal(drawn.frame, FRAME[drawn_numbers()])
    assert drawn.rows.tolist() == drawn_numbers()


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_not_more_than_wanted_is_read_as_ever(tmp_path, name, small_pieces):
    WRITERS[name](FRAME, tmp_path / name)
    plain, limited = read_frame(tmp_path / name), read_frame(tmp_path / name, Reading(most=ROWS))
    assert_frame_equal(plain.frame, limited.frame)
    assert plain.notes == limited.notes
    assert limited.drawn.rows.tolist() == list(range(ROWS))


def test_a_folder_is_sampled_as_one_table(tmp_path, small_pieces):
    folder = tmp_path / "parts"
    folder.mkdir()
    for at, begin in enumerate((0, 300, 9_000)):
        FRAME[begin : (300, 9_000, ROWS)[at]].write_csv(folder / f"{at}.csv")
    loaded = read_frame(folder, Reading(most=MOST))
    assert loaded.frame["at"].to_list() == drawn_numbers() == loaded.drawn.rows.tolist()


def test_the_sample_is_uniform():
    """Blocks of the file, remainders and neighbours: each share is what chance gives (p > 1e-4 each)."""
    count, most = 1_000_000, 100_000
    sample = RowSample(most)
    for at in range(0, count, 50_000):
        sample.add(at, pl.DataFrame({"at": np.arange(at, at + 50_000)}))
    rows = sample.drawn().frame["at"].to_numpy()
    assert len(rows) == len(np.unique(rows)) == most
    for groups, parts in ((rows * 100 // count, 100), *((rows % m, m) for m in (2, 3, 7, 64, 1000))):
        expected = most / parts
        counts = np.bincount(groups, minlength=parts)
        spread = 1 - most / count  # without replacement
        assert ((counts - expected) ** 2 / expected / spread).sum() < chi2.isf(1e-4, parts - 1)
    neighbours = (np.diff(rows) == 1).sum()
    assert abs(neighbours - most**2 / count) < 4 * np.sqrt(most**2 / count)


def test_memory_holds_little_more_than_the_sample():
    held, sample = 0, RowSample(MOST)
    for at in range(0, 500 * 100, 100):
        sample.add(at, pl.DataFrame({"at": np.arange(at, at + 100)}))
        held = max(held, sum(piece.frame.height for piece in sample._pieces.values()))
    assert held <= 1.25 * MOST + 100


def test_a_column_that_is_text_only_later_is_as_it_was_written(tmp_path, small_pieces):
    late = FRAME.with_columns(
        pl.when(pl.col("at") == ROWS - 1)
        .then(pl.lit("none"))
        .otherwise("0" + pl.col("at").cast(pl.String))
        .alias("code")
    )
    late.write_csv(tmp_path / "t.csv")
    drawn = read_frame(tmp_path / "t.csv", Reading(most=MOST)).drawn
    assert drawn.frame["code"].to_list() == late["code"][drawn_numbers()].to_list()


def test_findings_name_the_rows_of_the_file(tmp_path, monkeypatch):
    """Rows that stand twice are found under their numbers in the file, of which only a part was read."""
    monkeypatch.setattr(tables, "MOST_ROWS", 500)
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"x": random.normal(size=2_000), "y": random.normal(size=2_000)})
    frame.write_csv(tmp_path / "t.csv")
    read = tables.read_table(tables.Source.make({"target": "y"}), tmp_path / "t.csv", "auto", "random", labelled=False)
    assert len(read.store) == 500
    assert np.array_equal(read.store.inputs["numbers"][:, 0], frame["x"].to_numpy()[read.numbers])
    found = aurify.inspect(tmp_path / "t.csv", "y")
    assert any("500 of 2,000 rows" in str(finding) for finding in found)


def test_rows_of_a_sampled_test_file_are_numbered_after_the_sources_own(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 500)
    FRAME[:2_000].write_csv(tmp_path / "t.csv")
    FRAME[2_000:3_000].write_csv(tmp_path / "more.csv")
    source = tables.Source.make({"target": "x", "test": str(tmp_path / "more.csv")})
    read = tables.read_table(source, tmp_path / "t.csv", "auto", "random", labelled=False)
    assert np.array_equal(pl.concat(read.frames)["at"].to_numpy(), read.numbers)


def test_a_fit_reads_every_row(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 500)
    FRAME.write_csv(tmp_path / "t.csv")
    read = tables.read_table(tables.Source.make({"target": "x"}), tmp_path / "t.csv", "auto", "random")
    assert len(read.store) == ROWS
    assert read.numbers is None
