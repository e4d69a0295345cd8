"""Images as users have them: folders, archives, tables of paths, arrays, IDX files; what is said, what is refused."""

import gzip
import io
import json
import struct
import zipfile

import numpy as np
import polars as pl
import pytest
from PIL import Image

from aurify.core.errors import AurifyError
from aurify.core.recipe import Source
from aurify.data.tables import ask_table, read_table
from aurify.workbench.asked import asked_of

KINDS = frozenset({"text", "image"})


def picture(shade, size=(8, 8), kind="PNG"):
    with io.BytesIO() as file:
        Image.new("RGB", size, (shade, 0, 0)).save(file, kind)
        return file.getvalue()


def photos(root, classes=("cat", "dog"), count=3, first=0):
    for at, label in enumerate(classes):
        (root / label).mkdir(parents=True)
        for n in range(count):
            (root / label / f"{n + 1}.png").write_bytes(picture(first + 40 * at + 10 * n))
    return root


def table_of(data, kind="auto", **source):
    return read_table(Source(**source), data, kind, "random", beyond=KINDS)


def ask(read, data, labelled=False):
    return ask_table(read.store.schema, data, Source(), labelled=labelled, by="random")


def shades(inputs):
    return inputs["images"][:, 0, 0, 0].tolist()


def test_a_folder_for_each_class_is_read_in_the_order_of_names(tmp_path):
    root = photos(tmp_path / "photos", count=11)
    read = table_of(str(root))
    store = read.store
    assert (store.schema.target, store.schema.classes, store.schema.image.name) == ("label", ("cat", "dog"), "image")
    assert store.inputs["images"].shape == (22, 8, 8, 3)
    assert shades(store.inputs)[:11] == [10 * n for n in range(11)]  # 2.png before 10.png
    assert read.frames[0]["file"].to_list()[9:12] == ["cat/10.png", "cat/11.png", "dog/1.png"]
    assert any("images are read as 8 x 8 pixels in colour; what is longer is cropped" in n for n in read.notes)


@pytest.mark.parametrize("other", ["test", "val"])
def test_parts_lie_in_folders_of_their_names(tmp_path, other):
    photos(tmp_path / "p" / "train")
    photos(tmp_path / "p" / other, first=100)
    store = table_of(tmp_path / "p").store
    assert len(store) == 12
    assert store.test.sum() == (6 if other == "test" else 0)
    assert (store.inputs["images"][store.test, 0, 0, 0] >= 100).all()


def test_the_note_on_the_form_says_the_width_first_as_reports_do(tmp_path):
    root = photos(tmp_path / "p")
    for file in root.rglob("*.png"):
        file.write_bytes(picture(9, (12, 8)))  # as Pillow has it: 12 wide
    assert any("images are read as 12 x 8 pixels in colour" in note for note in table_of(root).notes)


def test_what_validates_is_not_counted_among_what_is_learnt_from(tmp_path):
    for part, count in (("train", 4), ("val", 2), ("test", 3)):
        photos(tmp_path / "p" / part, count=count)
    told = "\n".join(table_of(tmp_path / "p").notes)
    assert "8 files of its folder 'train' are learnt from, 6 of 'test' are the test part" in told
    assert "its 4 files to validate with are learnt from too" in told


def test_an_archive_is_read_like_the_folder_in_it(tmp_path):
    photos(tmp_path / "p" / "train")
    photos(tmp_path / "p" / "test", first=100)
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((tmp_path / "p").rglob("*.png")):
            archive.write(path, f"p/{path.relative_to(tmp_path / 'p')}")
        archive.writestr("__MACOSX/._x.png", b"")
    folder, packed = table_of(tmp_path / "p").store, table_of(tmp_path / "p.zip").store
    assert np.array_equal(folder.inputs["images"], packed.inputs["images"])
    assert np.array_equal(folder.target, packed.target)
    assert np.array_equal(folder.test, packed.test)


def test_a_damaged_entry_of_an_archive_is_one_image_less(tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for at in range(6):
            archive.writestr(f"{'ab'[at % 2]}/{at}.png", picture(at * 9))
    raw = bytearray((tmp_path / "p.zip").read_bytes())
    raw[raw.index(b"IDAT") + 3] ^= 1  # the checksum of the first entry does not hold
    (tmp_path / "p.zip").write_bytes(raw)
    read = table_of(tmp_path / "p.zip")
    assert read.store.labelled.sum() == 5
    assert any("1 of 6 images cannot be read and are left out: a/0.png (it is empty)" in note for note in read.notes)


def test_stray_and_broken_files_are_counted_listed_and_left_out(tmp_path):
    root = photos(tmp_path / "p")
    (root / "cat" / ".DS_Store").write_bytes(b"\0")
    (root / "dog" / "Thumbs.db").write_bytes(b"\0")
    (root / "readme.md").write_text("x")
    (root / "beside.png").write_bytes(picture(1))
    (root / "cat" / "folder.jpg").mkdir()
    (root / "cat" / "4.png").write_bytes(b"")
    (root / "dog" / "4.jpg").write_bytes(picture(7, (64, 64), "JPEG")[:300])
    (root / "dog" / "5.png").symlink_to(root / "nowhere.png")
    (root / "dog" / "6.png").symlink_to(root / "cat" / "1.png")
    (root / "dog" / "7.jpg").write_bytes(b"<svg/>")
    read = table_of(root)
    told = "\n".join(read.notes)
    assert "1 hidden files are left out" in told
    assert "files that are no images are left out: .md (1), .db (1)" in told or ".db (1), .md (1)" in told
    assert "1 images beside its folders have no class and are left out" in told
    assert "4 of 11 images cannot be read and are left out: cat/4.png (it is empty), dog/4.jpg (it is damaged" in told
    assert "dog/5.png (there is no such file), ..." in told
    assert read.store.labelled.sum() == 7
    assert len(read.store) == 11


def test_folders_are_of_what_there_is_more_of(tmp_path):
    """A picture among texts makes no folder of images, and captions beside images none of texts."""
    for label in ("pos", "neg"):
        (tmp_path / "r" / label).mkdir(parents=True)
        for at in range(3):
            (tmp_path / "r" / label / f"{at}.txt").write_text(f"a fine film, number {at} of all {label}")
    (tmp_path / "r" / "pos" / "poster.jpg").write_bytes(picture(1))
    assert table_of(tmp_path / "r").store.schema.image is None
    root = photos(tmp_path / "p")
    for path in root.rglob("*.png"):
        path.with_suffix(".txt").write_text("what the picture shows")
    assert table_of(root).store.schema.image is not None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"only/1.png": picture(1)}, "has images in one folder only, 'only'"),
        ({"train/a/1.png": picture(1), "test/a/1.png": picture(1)}, "fewer than two folders of images"),
        (
            {"1.png": picture(1), "2.png": picture(1)},
            "holds images without classes: put those of each class into a folder",
        ),
        ({"a/1.png": b"", "b/1.png": b"x"}, r"none of 2 images can be read; it is empty \(a/1.png\)"),
        ({"a/1.pdf": b"%PDF", "b/2.pdf": b"%PDF"}, "without a folder of texts .* or images for each class"),
    ],
)
def test_folders_that_cannot_be_learnt_from_are_refused_in_one_line(tmp_path, files, said):
    for name, raw in files.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_bytes(raw)
    with pytest.raises(AurifyError, match=said) as raised:
        table_of(tmp_path / "p")
    assert "\n" not in str(raised.value)


def test_paths_in_a_table_begin_in_its_folder_or_where_we_are(tmp_path, monkeypatch):
    (tmp_path / "data" / "img").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    for at in range(4):
        (tmp_path / "data" / "img" / f"{at}.png").write_bytes(picture(at))
    (tmp_path / "here" / "5.png").write_bytes(picture(5))
    (tmp_path / "here" / "0.png").write_bytes(picture(99))
    (tmp_path / "data" / "0.png").write_bytes(picture(6))
    monkeypatch.chdir(tmp_path / "here")
    names = ["img/0.png", "./img/1.png", "img\\2.png", str(tmp_path / "data" / "img" / "3.png"), "5.png", "0.png"]
    table = pl.DataFrame({"path": [*names, "img/none.png", None], "kind": ["a", "b"] * 4, "age": range(8)})
    table.write_csv(tmp_path / "data" / "t.csv")
    (tmp_path / "data" / "t.jsonl").write_text("\n".join(json.dumps(row) for row in table.to_dicts()))
    for name in ("t.csv", "t.jsonl"):
        read = table_of(f"../data/{name}", target="kind")
        assert shades(read.store.inputs) == [0, 1, 2, 3, 5, 6, 0, 0]
        assert read.store.labelled.tolist() == [True] * 6 + [False] * 2
        told = "2 of 8 images cannot be read and are left out: img/none.png (there is no such file), row 8 (there is no"
        assert any(told in note for note in read.notes), read.notes


def test_images_may_have_several_labels(tmp_path):
    for at in range(6):
        (tmp_path / f"{at}.png").write_bytes(picture(at))
    frame = pl.DataFrame({"path": [f"{at}.png" for at in range(6)], "sea": [1, 0] * 3, "sky": [1, 1, 0] * 2})
    frame.write_csv(tmp_path / "t.csv")
    store = table_of(tmp_path / "t.csv", target="sea,sky").store
    assert store.schema.classes == ("sea", "sky")
    assert store.target.tolist() == [[1, 1], [0, 1], [1, 0], [0, 1], [1, 1], [0, 0]]


def test_a_data_set_as_hugging_face_writes_it_is_read(tmp_path):
    for at in range(3, 5):
        (tmp_path / f"{at}.png").write_bytes(picture(at))
    rows = [{"bytes": picture(at) if at < 3 else None, "path": f"{at}.png"} for at in range(5)]
    frame = pl.DataFrame({"image": [*rows, None], "label": ["a", "b"] * 3})
    frame.write_parquet(tmp_path / "t.parquet")
    read = table_of(tmp_path / "t.parquet", target="label")
    assert shades(read.store.inputs)[:5] == [0, 1, 2, 3, 4]
    assert read.store.labelled.tolist() == [True] * 5 + [False]


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def mnist(root, train=6, test=4, pack=gzip.compress):
    root.mkdir()
    for name, count in (("train", train), ("t10k", test)):
        images = np.arange(count, dtype=np.uint8)[:, None, None].repeat(5, 1).repeat(4, 2)
        (root / f"{name}-images-idx3-ubyte.gz").write_bytes(pack(idx(images)))
        (root / f"{name}-labels-idx1-ubyte.gz").write_bytes(pack(idx(np.arange(count) % 2 + 7)))
    return root


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_idx_files_are_read_with_their_test_part(tmp_path, pack):
    read = table_of(mnist(tmp_path / "m", pack=pack))
    store = read.store
    assert store.schema.classes == ("7", "8")
    assert store.inputs["images"].shape == (10, 5, 4, 1)
    assert shades(store.inputs) == [*range(6), *range(4)]
    assert store.test.sum() == 4
    assert any("4 images of t10k-images-idx3-ubyte.gz are the test part" in note for note in read.notes)
    asked = ask(read, tmp_path / "m" / "t10k-images-idx3-ubyte.gz")
    assert shades(asked.inputs) == list(range(4))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw[:-1], "does not hold the 120 bytes"),
        (lambda raw: raw + b"\0", "does not hold the 120 bytes"),
        (lambda raw: b"\0\0\x0d" + raw[3:], "no IDX file of bytes"),
        (lambda raw: raw[:4] + b"\xff" * 12 + raw[16:], "says that it holds"),
        (lambda raw: gzip.compress(raw)[:-9], "is damaged"),
        (lambda raw: idx(np.zeros((5, 5, 4))), "labels for 5 images"),
    ],
)
def test_damaged_idx_files_are_refused_in_one_line(tmp_path, change, said):
    root = mnist(tmp_path / "m", pack=bytes)
    path = root / "train-images-idx3-ubyte.gz"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(AurifyError, match=said) as raised:
        table_of(root)
    assert "\n" not in str(raised.value)


def fit_frame(data, target):
    """What ``aurify.fit(data, target)`` reads."""
    asked = asked_of(data, target, {})
    return table_of(asked.data, target=asked.target)


def test_arrays_are_images_and_their_targets_stand_beside_them():
    shade = np.arange(6, dtype=np.uint8)
    gray = shade[:, None, None].repeat(5, 1).repeat(4, 2)
    forms = [
        (gray, 1),
        (gray[..., None], 1),
        (gray[..., None].repeat(3, 3), 3),
        (np.concatenate([gray[..., None].repeat(3, 3), np.full((6, 5, 4, 1), 255, np.uint8)], 3), 3),
        (gray / 255, 1),
        ((gray / 255).astype(np.float32)[..., None], 1),
        (gray.astype(np.int64), 1),
    ]
    for images, channels in forms:
        for target in (["a", "b"] * 3, np.arange(6) % 2, pl.Series("y", ["a", "b"] * 3)):
            store = fit_frame(images, target).store
            assert store.inputs["images"].shape == (6, 5, 4, channels)
            assert shades(store.inputs) == shade.tolist()
            assert len(store.schema.classes) == 2


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((6, 5, 4, 2), np.uint8), "with 1, 3 or 4 channels"),
        (np.zeros((6, 3, 5, 8), np.uint8), r"channels come last: images.transpose\(0, 2, 3, 1\)"),
        (np.zeros((60, 50, 3), np.uint8), "is one image, or none"),
        (np.zeros((0, 5, 4), np.uint8), "is none of images"),
        (np.zeros((6, 5, 4, 3, 1), np.uint8), "is not a table"),
        (np.full((6, 5, 4), 7.5), "go from 7.5 to 7.5; give numbers from 0 to 1, or bytes"),
        (np.full((6, 5, 4), np.nan), "go from nan to nan"),
        (np.full((6, 5, 4), 300), "give numbers from 0 to 255"),
        (np.full((6, 5, 4), "x"), "no numbers"),
    ],
)
def test_arrays_that_are_no_images_are_refused_in_one_line(images, said):
    with pytest.raises(AurifyError, match=said) as raised:
        fit_frame(images, np.arange(len(images)) % 2)
    assert "\n" not in str(raised.value)


def test_columns_of_data_frames_may_be_bytes_paths_images_or_arrays(tmp_path):
    import pandas as pd

    raw = [picture(at) for at in range(4)]
    paths = [str(tmp_path / f"{at}.png") for at in range(4)]
    for path, each in zip(paths, raw, strict=True):
        (tmp_path / path).write_bytes(each)
    opened = [Image.open(io.BytesIO(each)) for each in raw]
    arrays = [np.asarray(each) for each in opened]
    mixed = [opened[0], arrays[1], raw[2], opened[3]]
    label = ["a", "b", "a", "b"]
    for values in (raw, paths, opened, arrays, mixed):
        tables = [pd.DataFrame({"x": pd.Series(values, dtype=object), "y": label}), {"x": values, "y": label}]
        tables.append([{"x": value, "y": each} for value, each in zip(values, label, strict=True)])
        if values is opened:
            tables.append(pl.DataFrame({"x": pl.Series(values, dtype=pl.Object), "y": label}))
        for table in tables:
            assert shades(table_of(table, target="y").store.inputs) == [0, 1, 2, 3]


def test_a_model_is_asked_about_files_folders_arrays_and_images(tmp_path):
    read = table_of(photos(tmp_path / "p"))
    flat = tmp_path / "new"
    flat.mkdir()
    for at in range(3):
        (flat / f"{at}.png").write_bytes(picture(at))
    one, two = str(flat / "1.png"), flat / "2.png"
    image = Image.open(one)
    array = np.asarray(image)
    for data, wanted in (
        (flat, [0, 1, 2]),
        (one, [1]),
        (two, [2]),
        ([one, str(two)], [1, 2]),
        ([two, one], [2, 1]),
        (image, [1]),
        ([image, Image.open(two)], [1, 2]),
        (array, [1]),
        (array[None].repeat(5, 0), [1] * 5),
        ([array, np.asarray(Image.open(two))], [1, 2]),
        (pl.Series([one, str(two)]), [1, 2]),
        ({"image": [picture(5)]}, [5]),
        (pl.DataFrame({"whatever": [one]}), [1]),
    ):
        assert shades(ask(read, data).inputs) == wanted
    assert ask(read, flat).ids["file"].to_list() == ["0.png", "1.png", "2.png"]
    assert ask(read, [one]).ids["image"].to_list() == [one]


def test_a_model_of_a_table_reads_folders_and_the_other_way_round(tmp_path):
    root = photos(tmp_path / "p")
    table = pl.DataFrame({"path": ["cat/1.png", "dog/2.png"] * 2, "label": ["cat", "dog"] * 2})
    table.write_csv(root / "t.csv")
    of_table, of_folder = table_of(root / "t.csv", target="label"), table_of(photos(tmp_path / "q"))
    asked = ask(of_table, tmp_path / "q")
    assert (len(asked.rows), asked.ids["file"][0]) == (6, "cat/1.png")
    asked = ask(of_folder, root / "t.csv")
    assert shades(asked.inputs) == [0, 50, 0, 50]
    assert any("column 'path' is taken as 'image'" in note for note in asked.notes)
    assert asked.ids["image"].to_list() == table["path"].to_list()
    asked = ask(of_table, str(root / "cat"))
    assert not any("does not know" in note for note in asked.notes)  # the names of files are ours


def test_what_cannot_be_read_is_not_asked_about_and_said(tmp_path):
    read = table_of(photos(tmp_path / "p"))
    for at in range(3):
        (tmp_path / f"{at}.png").write_bytes(picture(at) if at != 1 else b"x")
    asked = ask(read, [str(tmp_path / f"{at}.png") for at in range(3)])
    assert (asked.rows.tolist(), asked.count) == ([0, 2], 3)
    assert any("1 of 3 images cannot be read and get no prediction" in note for note in asked.notes)
    with pytest.raises(AurifyError, match=r"the image .*1.png cannot be read; it is no JPEG"):
        ask(read, [str(tmp_path / "1.png")])
    with pytest.raises(AurifyError, match="no file at"):
        ask(read, str(tmp_path / "none.png"))
    with pytest.raises(AurifyError, match="no file at a lovely dog; give an image"):
        ask(read, "a lovely dog")


def test_rows_without_an_image_are_not_measured(tmp_path):
    read = table_of(photos(tmp_path / "p"))
    photos(tmp_path / "new")
    (tmp_path / "new" / "dog" / "2.png").write_bytes(b"")
    asked = ask(read, tmp_path / "new", labelled=True)
    assert len(asked.rows) == 5
    told = [note for note in asked.notes if "left out" in note]
    assert len(told) == 1, "an image that is broken is no missing label as well"
