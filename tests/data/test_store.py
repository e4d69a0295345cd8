"""The Store is written whole, mapped back as it was, and known by its fingerprint."""

import numpy as np
import polars as pl
import pytest
from small import same

from aurify.core.errors import AurifyError
from aurify.data.store import Store


def test_written_store_is_opened_as_it_was(lab, tmp_path):
    for kind in ("classify", "regress"):
        store = lab.store(kind)
        store.write(tmp_path / kind)
        again = Store.open(tmp_path / kind)
        assert again.fingerprint == store.fingerprint
        assert again.schema == store.schema
        np.testing.assert_array_equal(again.target, store.target)
        for name, values in store.inputs.items():
            np.testing.assert_array_equal(again.inputs[name], values)
            assert isinstance(again.inputs[name], np.memmap)
            assert not again.inputs[name].flags.writeable


def test_training_on_a_mapped_store_equals_training_on_arrays(lab, tmp_path):
    lab.store("classify").write(tmp_path / "store")
    recipe = lab.default("classify")
    mapped = lab.fit(recipe, problem=lab.problem(recipe, Store.open(tmp_path / "store")))
    assert same(mapped.trace(), lab.fitted(recipe).trace())


def test_fingerprint_changes_with_any_cell_and_any_role(lab, frames):
    frame = frames["classify"]
    seen = {lab.store("classify").fingerprint}
    seen.add(lab.read("classify", frame.with_columns(b=frame["b"] + 1e-12)).fingerprint)
    seen.add(lab.read("classify", frame.reverse()).fingerprint)
    seen.add(lab.read("classify", frame, drop=("a",)).fingerprint)
    assert len(seen) == 4


def test_labelled_rows_are_those_with_a_target(lab, frames):
    for kind, frame in frames.items():
        gone = frame.with_columns(y=pl.when(pl.int_range(240) % 5 == 0).then(None).otherwise("y"))
        assert lab.read(kind, gone).labelled.sum() == 192


@pytest.mark.parametrize("damage", ["store.json", "numbers.npy", "target.npy"])
def test_damaged_store_is_refused_in_one_line(lab, tmp_path, damage):
    lab.store("classify").write(tmp_path / "store")
    for content in (b"", b"{}", b"\x93NUMPY\x01\x00"):
        (tmp_path / "store" / damage).write_bytes(content)
        with pytest.raises(AurifyError) as caught:
            Store.open(tmp_path / "store")
        assert "\n" not in str(caught.value)
    (tmp_path / "store" / damage).unlink()
    with pytest.raises(AurifyError):
        Store.open(tmp_path / "store")


def test_store_that_holds_pickled_objects_is_refused(lab, tmp_path):
    lab.store("classify").write(tmp_path / "store")
    np.save(tmp_path / "store" / "target.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(AurifyError):
        Store.open(tmp_path / "store")


def test_array_that_does_not_belong_is_noticed(lab, tmp_path):
    """The fingerprint is over the values: arrays of another run, or cut ones, are not this store."""
    lab.store("classify").write(tmp_path / "store")
    np.save(tmp_path / "store" / "target.npy", np.zeros(7, dtype=np.int64))
    with pytest.raises(AurifyError):
        Store.open(tmp_path / "store")


def test_writing_over_a_store_replaces_it(lab, tmp_path):
    lab.store("classify").write(tmp_path / "store")
    lab.store("regress").write(tmp_path / "store")
    assert Store.open(tmp_path / "store").fingerprint == lab.store("regress").fingerprint
    assert [p.name for p in tmp_path.iterdir()] == ["store"]
