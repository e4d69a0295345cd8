"""Files that images are called after: below what they share, in the order of the rows, nothing of arrays."""

import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.data.columns import IMAGE, Column
from aurify.data.image_names import image_names, read_names, write_names
from aurify.data.schema import Schema


def schema(kind=IMAGE):
    return Schema(columns=(Column("p", kind, format="8x8x3 crop"),), target=None, classes=None)


def test_names_are_what_is_below_the_folder_that_all_share():
    frames = (pl.DataFrame({"p": ["/d/photos/cat/1.png", None]}), pl.DataFrame({"p": ["/d/photos/cats/2.png"]}))
    assert image_names(schema(), frames).to_list() == ["cat/1.png", None, "cats/2.png"]
    assert image_names(schema(), (pl.DataFrame({"p": ["a.png"]}),)).to_list() == ["a.png"]


def test_names_of_folders_go_before_paths():
    frame = pl.DataFrame({"file": ["cat/1.png", "dog/1.png"], "p": ["/x/cat/1.png", "/x/dog/1.png"]})
    assert image_names(schema(), (frame,)).to_list() == ["cat/1.png", "dog/1.png"]


def test_images_of_no_files_have_no_names():
    assert image_names(schema(), (pl.DataFrame({"p": [b"x"]}),)) is None
    assert image_names(schema("number"), (pl.DataFrame({"p": ["a.png"]}),)) is None


def test_names_are_read_as_they_were_written_and_damage_is_said(tmp_path):
    (tmp_path / "my [b]").mkdir()  # brackets are no pattern
    path = tmp_path / "my [b]" / "images.parquet"
    assert read_names(path) is None
    write_names(path, pl.Series("file", ["a/很.png", None]))
    assert read_names(path) == ["a/很.png", None]
    path.write_bytes(b"PAR1")
    with pytest.raises(AurifyError, match=r"images.parquet is damaged"):
        read_names(path)
