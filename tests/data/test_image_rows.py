"""Rows of images are chosen, hidden, compared and moved without a copy of all of them."""

import tracemalloc

import numpy as np
import polars as pl
import torch

from aurify.core import pixels
from aurify.core.gathering import joined
from aurify.core.pixels import Pixels
from aurify.data import prepare
from aurify.data.copies import image_keys, row_keys
from aurify.data.image_rows import ImageRows, rows_of_input
from aurify.data.schema import Schema
from aurify.data.splits import part_rows
from aurify.data.store import Asked, Store
from aurify.measure.examples import examples_of

MB = 2**20


def store_of(count=2000, side=64):
    """Images of 24 MB, of which every second is like the one before it, and a number beside each."""
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    images[1::2] = images[::2]
    frame = pl.DataFrame({"image": pl.Series(images), "x": np.arange(count) // 4 * 1.0, "y": ["a", "b"] * (count // 2)})
    schema = Schema.infer(frame, "y", (), "auto", beyond={"image"})
    inputs = {"numbers": frame["x"].to_numpy()[:, None], "images": images}
    target, test = np.arange(count) % 2, np.zeros(count, dtype=bool)
    return Store.of(schema, inputs, target, test, {"copies": np.arange(count) // 2 * 2})


def memory_of(work):
    tracemalloc.start()
    found = work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak


def test_hidden_images_take_no_memory_and_are_black_for_everybody():
    store = store_of()
    hidden, peak = memory_of(lambda: store.hiding({"image"}))
    assert peak < MB
    rows = np.array([5, 1])
    assert not np.asarray(rows_of_input(hidden.inputs["images"], rows)).any()
    raw = prepare.raw_values(hidden.inputs, rows)["images"]
    assert raw.taken().shape == (2, 64, 64, 3)
    assert not raw.taken().any()
    assert store.inputs["images"].any()


def test_a_split_without_the_images_keeps_rows_together_whose_other_columns_are_equal():
    hidden = store_of().hiding({"image"})
    parts, peak = memory_of(lambda: part_rows(hidden, 0.2, 0.1, 0))
    assert peak < 8 * MB
    for part in (parts.fit, parts.held, parts.test):
        assert (np.unique(part // 4, return_counts=True)[1] == 4).all()


def test_plain_models_of_the_columns_gather_no_image():
    store = store_of()
    asked = Asked(store.inputs, store.target, np.arange(len(store)), store.roles)
    examples, peak = memory_of(lambda: examples_of(asked, store.schema))
    assert examples.numbers.shape == (len(store), 1)
    assert peak < MB


def test_images_have_one_key_however_their_rows_were_chosen():
    images = store_of(20).inputs["images"]
    rows = np.array([3, 3, 0, 19])
    keys = image_keys(images[rows])
    assert np.array_equal(image_keys(rows_of_input(images, rows)), keys)
    assert np.array_equal(image_keys(Pixels(torch.from_numpy(images), torch.from_numpy(rows))), keys)
    assert np.array_equal(row_keys([ImageRows(images, rows)]), row_keys([images[rows]]))


def test_images_that_move_to_another_device_are_gathered_in_pieces(monkeypatch):
    monkeypatch.setattr(pixels, "AT_ONCE_BYTES", 3 * 8 * 8 * 3)
    images = torch.from_numpy(store_of(20, 8).inputs["images"])
    asked = []
    gather = torch.Tensor.index_select
    monkeypatch.setattr(torch.Tensor, "index_select", lambda *given: (asked.append(len(given[2])), gather(*given))[1])
    moved = Pixels(images, torch.arange(0, 20, 2), (lambda x: x,)).to(torch.device("meta"))
    assert asked == [3, 3, 3, 1]
    assert moved.values.shape == (10, 8, 8, 3)
    assert {moved.values.device.type, moved.index.device.type, joined([moved, moved]).index.device.type} == {"meta"}
    assert len(moved.steps) == 1
