"""What is planted in clean images is found, and clean images are left alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from seeing import found_by, only

import aurify
from aurify.data.findings import NOTE, SEVERE, WARNING
from aurify.data.image_copies import image_families
from aurify.data.splits import fold_rows, part_rows, sample_rows
from aurify.data.store import Store

ROWS, SIDE = 160, 48
CLASSES = ("cat", "dog")


def photo(random, label=0, side=SIDE):
    """A picture like no other: soft colours with detail; stripes of dogs lie, those of cats stand."""
    soft = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(soft).resize((side, side), Image.Resampling.BICUBIC)).astype(float)
    fine = random.integers(0, 256, (side // 3, side // 3, 3), dtype=np.uint8)
    image += 0.35 * (np.asarray(Image.fromarray(fine).resize((side, side), Image.Resampling.BILINEAR)) - 128.0)
    waves = 40 * np.sin(np.arange(side) * random.uniform(0.7, 1.2) + random.uniform(0, 6))
    image += (waves[:, None] if label else waves[None])[..., None]
    return Image.fromarray(image.clip(0, 255).astype(np.uint8))


def folder(path, seed=0, *, rows=ROWS):
    """A folder a class; the names of the files and their pictures, in the order in which they are read."""
    random = np.random.default_rng(seed)
    pictures = {}
    for at in range(rows):
        name = f"{CLASSES[at % 2]}/{at:03d}.png"
        pictures[name] = photo(random, at % 2)
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        pictures[name].save(path / name)
    return pictures


def doubts(found):
    return [f for f in found if f.severity in (WARNING, SEVERE)]


def jpeg(picture, quality=60):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def cropped(picture, share=0.9):
    width = round(picture.width * share)
    return picture.crop((2, 1, 2 + width, 1 + width)).resize(picture.size, Image.Resampling.BILINEAR)


CHANGES = {
    "saved anew": jpeg,
    "smaller": lambda picture: picture.resize((32, 32), Image.Resampling.BILINEAR).resize(picture.size),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "cropped": cropped,
    "cropped and saved anew": lambda picture: jpeg(cropped(picture)),
    "mirrored": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


@pytest.mark.slow
def test_clean_images_raise_no_doubt(tmp_path):
    folder(tmp_path)
    found = aurify.inspect(tmp_path)
    assert not doubts(found)
    assert not [f for f in found if f.check.startswith(("image", "odd", "empty", "unread"))]


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_near_copies_are_of_one_family_and_others_are_not(change):
    random = np.random.default_rng(1)
    pictures = [photo(random) for _ in range(150)]
    copies = [CHANGES[change](picture) for picture in pictures[:40]]
    family = image_families(np.stack([np.asarray(each) for each in (*pictures, *copies)]))
    assert (family[150:] == np.arange(40)).mean() >= 0.95
    assert (family[:150] == np.arange(150)).all()


def test_dark_images_and_smooth_ones_are_no_copies():
    random = np.random.default_rng(2)
    slopes = np.linspace(10, 60, SIDE)[None, :, None, None] + np.zeros((30, SIDE, SIDE, 3))
    slopes = slopes + random.normal(0, 4, slopes.shape)
    dark = random.integers(0, 12, (30, SIDE, SIDE, 3))
    images = np.concatenate([slopes, dark]).clip(0, 255).astype(np.uint8)
    assert (image_families(images) == np.arange(60)).all()


@pytest.mark.slow
def test_images_that_are_all_much_alike_are_not_taken_for_copies():
    from sklearn.datasets import load_digits

    digits = np.asarray(load_digits(return_X_y=True)[0]).reshape(-1, 8, 8)[:600].astype(np.uint8) * 15
    images = np.stack(
        [np.asarray(Image.fromarray(each).resize((28, 28), Image.Resampling.BILINEAR)) for each in digits]
    )
    family = image_families(images[..., None])
    assert (family != np.arange(600)).mean() < 0.1


def store_of(tmp_path, *, near=True):
    """Every fourth picture has a copy of another class's file, saved anew."""
    pictures = folder(tmp_path)
    for name, picture in list(pictures.items())[::4]:
        (jpeg(picture) if near else picture).save(tmp_path / name.replace(".png", "_again.png"))
    from aurify.core.recipe import Source
    from aurify.tasks.image import Image as Task

    return Task().read(Source(path=str(tmp_path)), tmp_path).store


@pytest.mark.slow
def test_near_copies_stay_on_one_side_of_every_split(tmp_path):
    store = store_of(tmp_path)
    family = store.roles["copies"]
    assert len(np.unique(family)) == ROWS
    splits = [(p.fit, p.held, p.test) for p in (part_rows(store, 0.2, 0.1, 0), *fold_rows(store, 4, 0.1, 0))]
    samples = sample_rows(store, np.arange(len(store)), 2, 60, 0)
    for parts in (*splits, samples.rows):
        sides = [set(family[rows].tolist()) for rows in parts]
        assert not any(one & other for at, one in enumerate(sides) for other in sides[:at])
    again = store_of(tmp_path)
    assert again.fingerprint == store.fingerprint
    store.write(tmp_path / "store")
    assert (Store.open(tmp_path / "store").roles["copies"] == family).all()


@pytest.mark.slow
def test_a_hidden_image_says_nothing_of_who_is_a_copy(tmp_path):
    store = store_of(tmp_path)
    assert "copies" not in store.hiding(["image"]).roles
    assert "copies" in store.hiding([]).roles


@pytest.mark.slow
def test_copies_within_across_classes_and_in_the_test_part_are_told(tmp_path, monkeypatch):
    pictures = folder(tmp_path / "train")
    names = list(pictures)
    for name in names[:12]:
        jpeg(pictures[name]).save(tmp_path / "train" / name.replace(".png", "_again.png"))
    for name in names[20:26:2]:  # cats among the dogs
        jpeg(pictures[name]).save(tmp_path / "train" / name.replace("cat/", "dog/x"))
    test = folder(tmp_path / "test", seed=9, rows=60)
    for name in names[40:60]:
        cropped(pictures[name]).save(tmp_path / "test" / name.replace(".png", "_copy.png"))
    assert len(test) == 60
    only(monkeypatch, "image_copies", "image_overlap", "test_overlap", "duplicates")
    found = aurify.inspect(tmp_path)
    copies, torn = found.where(check="image_copies")
    assert (copies.severity, copies.count, copies.evidence["saved anew"]) == (WARNING, 15, 15)
    assert (torn.severity, torn.count) == (WARNING, 6)
    assert copies.exhibits[0].kind == "images"
    (told,) = found.where(check="image_overlap")
    assert (told.severity, told.count, told.evidence["exact"]) == (SEVERE, 20, 0)
    assert not found.where(check="test_overlap")


@pytest.mark.slow
def test_unread_odd_and_empty_images_are_told_by_name(tmp_path, monkeypatch):
    pictures = folder(tmp_path)
    (tmp_path / "cat/broken.png").write_bytes((tmp_path / "cat/000.png").read_bytes()[:500])
    (tmp_path / "dog/text.png").write_text("no image")
    Image.new("RGB", (SIDE, SIDE), (90, 90, 90)).save(tmp_path / "dog/gray_card.png")
    pictures["cat/002.png"].convert("L").save(tmp_path / "cat/002.png")
    pictures["dog/003.png"].resize((16, 16)).save(tmp_path / "dog/003.png")
    sign = Image.new("RGB", (SIDE, SIDE), "white")
    sign.paste((20, 20, 20), (8, 20, 40, 28))
    sign.convert("P").save(tmp_path / "cat/imageNotFound.gif")
    only(monkeypatch, "unread_images", "odd_images", "empty_images")
    found = aurify.inspect(tmp_path)
    (unread,) = found.where(check="unread_images")
    assert {row[1] for row in unread.exhibits[0].data["rows"]} == {"cat/broken.png", "dog/text.png"}
    assert "2 images" in unread.text
    blank, sign = found.where(check="empty_images")
    assert {str(f.text).rpartition(" ")[2] for f in (blank, sign)} >= {"cat/imageNotFound.gif"}
    assert (blank.count, sign.count) == (1, 1)
    odd = {str(f.exhibits[0].caption): f.count for f in found.where(check="odd_images")}
    assert odd == {"images of another kind": 2, "images of another size": 1, "images that are far too small": 1}
    assert not [f for f in found if "cannot be read" in f.text and f.check == "reading"]


@pytest.mark.slow
def test_one_picture_that_stands_for_many_is_a_placeholder(tmp_path, monkeypatch):
    folder(tmp_path)
    same = photo(np.random.default_rng(77))
    for at in range(6):
        same.save(tmp_path / CLASSES[at % 2] / f"p{at}.png")
    only(monkeypatch, "empty_images")
    (told,) = aurify.inspect(tmp_path)[:1]
    assert (told.check, told.severity, told.count) == ("empty_images", WARNING, 6)


@pytest.mark.slow
def test_folders_that_programs_leave_behind_are_no_classes(tmp_path, monkeypatch):
    folder(tmp_path)
    (tmp_path / "tmp").mkdir()
    photo(np.random.default_rng(5)).save(tmp_path / "tmp" / "1.png")
    told = found_by(monkeypatch, "class_folders", tmp_path, None)
    assert [(f.severity, f.count) for f in told] == [(WARNING, 1)]


@pytest.mark.slow
def test_wrong_labels_are_shown_and_right_ones_give_a_signal(tmp_path, monkeypatch):
    pictures = folder(tmp_path, rows=400)
    wrong = list(pictures)[::32]
    for name in wrong:
        (tmp_path / name).rename(tmp_path / name.replace("cat/", "dog/w"))
    only(monkeypatch, "label_errors", "no_signal")
    found = aurify.inspect(tmp_path)
    assert not found.where(check="no_signal")
    (told,) = found.where(check="label_errors")
    shown = [each["text"] for strip in told.exhibits[0].data["strips"] for each in strip]
    named = [name.replace("cat/", "dog/w") for name in wrong]
    assert sum(any(text.startswith(name) for text in shown) for name in named) >= 0.6 * len(wrong)


@pytest.mark.slow
def test_images_whose_classes_were_drawn_give_a_note_and_no_suspects(tmp_path, monkeypatch):
    pictures = folder(tmp_path)
    order = np.random.default_rng(3).permutation(ROWS)
    for at, name in zip(order, pictures, strict=True):
        list(pictures.values())[at].save(tmp_path / name)
    only(monkeypatch, "label_errors", "no_signal")
    found = aurify.inspect(tmp_path)
    assert [f.severity for f in found.where(check="no_signal")] in ([], [NOTE])
    assert not found.where(check="label_errors")
