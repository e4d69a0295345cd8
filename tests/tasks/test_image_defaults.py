"""What images get by themselves, and that a run which is moved to another machine stays what it was."""

import numpy as np
import polars as pl
import pytest

import aurify
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.recipe import Source
from aurify.data.splits import Parts
from aurify.tasks import image
from aurify.tasks.image import Image


def photos(count=90, channels=3, side=12):
    """Noise that is brighter on the left or on the right half: mirrored, neither says anything."""
    random = np.random.default_rng(0)
    right = random.integers(0, 2, count)
    images = random.integers(60, 120, (count, side, side, channels), dtype=np.uint8)
    for picture, at in zip(images, right.tolist(), strict=True):
        picture[:, at * side // 2 : (at + 1) * side // 2] += 100
    shape = images.shape[1:] if channels > 1 else images.shape[1:3]
    column = pl.Series(images.reshape(count, *shape), dtype=pl.Array(pl.UInt8, shape))
    return pl.DataFrame({"picture": column, "side": np.where(right, "right", "left")})


def defaults(frame):
    task = Image()
    store = task.read(Source(target="side"), frame).store
    return task.settled(store).defaults(store)


def test_photographs_are_mirrored_and_digits_are_not():
    coloured, gray = defaults(photos()), defaults(photos(channels=1))
    assert "flip" in coloured["techniques"]
    assert "flip" not in gray["techniques"]
    assert coloured["network"]["name"] == gray["network"]["name"] == "speednet"


def test_bfloat16_is_taken_where_it_is_fast(monkeypatch):
    for fast, precision in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(image, "fast_bfloat16", lambda fast=fast: fast)
        assert defaults(photos())["precision"] == precision


def test_default_learns_a_few_small_images_and_tests_a_tenth(tmp_path):
    settings = {"budget.epochs": 12, "network.width": 8}
    run = aurify.fit(photos(), "side", out=tmp_path / "run", settings=settings, without=["flip"], inspect=False)
    assert run.summary["scores"]["accuracy"]["value"] == 1.0
    parts = Parts.open(run.folder.parts)
    assert [len(part) for part in (parts.fit, parts.held, parts.test)] == [73, 8, 9]


def test_moved_run_goes_on_in_the_precision_it_began_with(tmp_path, monkeypatch):
    def stop(run):
        raise Interrupted("stopped by the test", 15)

    words = {"settings": {"budget.epochs": 1, "network.width": 8}, "inspect": False, "out": tmp_path / "run"}
    monkeypatch.setattr(image, "fast_bfloat16", lambda: True)
    with pytest.raises(Interrupted):
        aurify.fit(photos(), "side", show=stop, **words)
    monkeypatch.setattr(image, "fast_bfloat16", lambda: False)
    with pytest.raises(AurifyError, match=r"began with precision = bfloat16, now it is float32"):
        aurify.fit(
            photos(), "side", resume=True, **{**words, "settings": {**words["settings"], "precision": "float32"}}
        )
    done = aurify.fit(photos(), "side", resume=True, **words)
    assert "precision: bfloat16" in done.folder.recipe.read_text()
