"""Images that do not fit into memory: mapped from a file without a name, read and kept with little memory."""

import tracemalloc

import numpy as np
import polars as pl
import pytest
import torch

from aurify.core.errors import AurifyError, Interrupted
from aurify.core.pixels import Pixels
from aurify.core.recipe import Source
from aurify.core.surroundings import beside, telling
from aurify.core.types import RowPlan
from aurify.data import feed, images, room
from aurify.data.copies import image_keys
from aurify.data.image_form import Form
from aurify.data.images import decoded
from aurify.data.store import Store
from aurify.data.tables import read_table

MB = 2**20


def noise(count, side=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_a_large_array_lies_beside_the_run_in_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "IN_MEMORY_BYTES", 1000)
    (tmp_path / "runs").mkdir()
    asked = []
    temporary = room.tempfile.TemporaryFile
    monkeypatch.setattr(room.tempfile, "TemporaryFile", lambda dir: (asked.append(dir), temporary(dir=dir))[1])
    with beside(tmp_path / "runs" / "one"):
        large, small = room.room((100, 100)), room.room((10, 10))
    assert isinstance(large, np.memmap)
    assert not isinstance(small, np.memmap)
    assert asked == [tmp_path / "runs"]
    large[:] = 7
    assert not list(tmp_path.rglob("*.*"))
    assert int(large.sum()) == 70_000


def test_a_disk_without_room_is_said_in_one_line(monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "IN_MEMORY_BYTES", 1000)
    monkeypatch.setattr(room.os, "posix_fallocate", full)
    with pytest.raises(AurifyError, match="the images take 10,000 bytes, which no disk here has room for; choose"):
        room.room((100, 100))


@pytest.mark.slow
def test_reading_joining_and_keeping_images_takes_little_memory(tmp_path, monkeypatch):
    """40 MB of images, read from two tables into a Store and written, with 10 MB of memory beside them.

    What near copies are found with takes memory of its own, the same for any number of images.
    """
    monkeypatch.setattr("aurify.data.tables.image_families", lambda images: np.arange(len(images)))
    monkeypatch.setattr(room, "IN_MEMORY_BYTES", MB)
    monkeypatch.setattr(room, "COPIED_BYTES", MB)
    paths = []
    from PIL import Image

    for at, picture in enumerate(noise(8, 64)):
        paths.append(str(tmp_path / f"{at}.bmp"))
        Image.fromarray(picture).save(paths[-1])
    count = 20 * MB // (64 * 64 * 3)
    frame = pl.DataFrame({"path": (paths * count)[:count], "y": (["a", "b"] * count)[:count]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_csv(tmp_path / "u.csv")
    tracemalloc.start()
    read = read_table(
        Source(target="y", test=str(tmp_path / "u.csv")), str(tmp_path / "t.csv"), "auto", "random", beyond={"image"}
    )
    kept = read.store.inputs["images"]
    assert (kept.nbytes > 39 * MB, isinstance(kept, np.memmap)) == (True, True)
    read.store.write(tmp_path / "store")
    keys = image_keys(kept)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * MB
    assert len(np.unique(keys)) == 8
    opened = Store.open(tmp_path / "store")
    opened.verify(tmp_path / "store")
    assert np.array_equal(opened.inputs["images"][-3:], kept[-3:])


def test_equal_images_have_equal_keys_and_others_have_not():
    """Also where little differs: one bit, the order of the pixels, or one byte in eight."""
    one = noise(1, 7)
    shifted = np.roll(one, 1, axis=2)
    bits = one.reshape(1, -1).repeat(one.size * 8, 0).copy()
    bits[np.arange(len(bits)), np.arange(len(bits)) // 8] ^= (1 << (np.arange(len(bits)) % 8)).astype(np.uint8)
    sparse = np.zeros((4096, 7, 7, 3), np.uint8).reshape(4096, -1)
    sparse[:, 7], sparse[:, 15] = np.divmod(np.arange(4096), 64)
    every = np.concatenate([one, shifted, bits.reshape(-1, 7, 7, 3), sparse.reshape(-1, 7, 7, 3)])
    keys = image_keys(every)
    assert len(np.unique(keys)) == len(every)
    assert np.array_equal(image_keys(every[::-1])[::-1], keys)
    pixels = Pixels(torch.from_numpy(every), torch.arange(len(every)))
    assert np.array_equal(image_keys(pixels), keys)


def fed(count, seed=0, rows=None):
    pictures = torch.from_numpy(noise(count, 4))
    pixels = Pixels(pictures, torch.arange(count))
    plan = RowPlan(torch.arange(count), torch.ones(count, dtype=torch.float64))
    target, cpu = torch.zeros(count, dtype=torch.int64), torch.device("cpu")
    rows = torch.arange(count) if rows is None else rows
    return feed.RowFeed({"images": pixels}, target, rows, plan, lambda t: t, batch_size=10, seed=seed, device=cpu)


def rows_of(served):
    return torch.cat([served.next(None).rows for _ in range(served.steps_per_epoch)])


def test_images_beyond_the_limit_come_in_blocks_that_lie_together(monkeypatch):
    apart = rows_of(fed(1000))
    monkeypatch.setattr(feed, "AT_HAND_BYTES", 1000)
    monkeypatch.setattr(feed, "BLOCK_BYTES", 20 * 48)
    monkeypatch.setattr(feed, "SHUFFLED_BYTES", 100 * 48)
    served = fed(1000)
    first, second = rows_of(served), rows_of(served)
    for rows in (first, second):
        assert rows.sort().values.tolist() == list(range(1000))
        blocks = [set((window // 20).tolist()) for window in rows.split(100)]
        assert all(len(block) == 5 for block in blocks), "a window is of five blocks, whole"
    assert not torch.equal(first, second)
    assert torch.equal(rows_of(fed(1000)), first)
    assert not torch.equal(rows_of(fed(1000, seed=1)), first)
    assert not torch.equal(apart, first)
    resumed = fed(1000)
    resumed.restore({"step": 150, "served": "", "hashed_epochs": 0})
    assert torch.equal(resumed.next(None).rows, second[500:510])


def test_the_order_of_blocks_hangs_on_no_machine():
    """The limit is a number, not a share of the memory that is free."""
    assert feed.AT_HAND_BYTES == 2**32


def test_reading_tells_how_far_it_is_and_stops_when_told():
    values = pl.Series(noise(1000, 4))
    heard = []
    with telling(lambda *what: heard.append(what)):
        decoded(values, Form(8, 8, 3, "crop"))
    assert heard[-1] == ("reading images", 1000, 1000)
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)

    def stop(what, done, total):
        raise Interrupted("stopped by SIGINT", 2)

    with telling(stop), pytest.raises(Interrupted):
        decoded(values, Form(8, 8, 3, "crop"))
    heard.clear()
    decoded(values, Form(8, 8, 3, "crop"))
    assert not heard, "nobody listens any more"


def test_what_is_read_does_not_hang_on_the_number_of_threads(monkeypatch):
    values = pl.Series([None, *(bytes([n]) for n in range(9))], dtype=pl.Binary)
    whole = pl.concat([values] * 100)
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(images, "cores", lambda threads=threads: threads)
        found.append(decoded(whole, Form(8, 8, 3, "crop")).unread)
    assert found[0] == found[1]
    assert list(found[0]) == list(range(1000))
