"""The Store: data read once through its Schema, kept as memory-mapped arrays that every process shares."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.files import sync_folder, unwritable, write_json
from aurify.data.image_form import IMAGES
from aurify.data.image_rows import ImageRows
from aurify.data.packed import Packed
from aurify.data.schema import MISSING, Schema

FORMAT = 3

COPIES = "copies"
"""The role that names each row by the first one whose image is the same, or nearly."""


def has_value(target: np.ndarray) -> np.ndarray:
    """Which targets are known (N,): class codes from 0, numbers, or rows (N, K) of labels that are held or not."""
    if target.ndim == 2:
        return np.logical_and.reduce(target >= 0, axis=1)
    return ~np.isnan(target) if target.dtype == np.float64 else target >= 0


def blanked(inputs: Mapping[str, Any], schema: Schema, hidden: Collection[str]) -> Mapping[str, Any]:
    """Inputs {name: (N, C)} with every cell of the ``hidden`` columns missing; hidden images are one black one."""
    kinds = {"numbers": schema.numbers, "dates": schema.dates, "codes": schema.categories, "texts": schema.texts}
    kinds |= {} if schema.image is None else {IMAGES: (schema.image,)}
    after = dict(inputs)
    for kind, columns in kinds.items():
        gone = [at for at, column in enumerate(columns) if column.name in hidden and kind in inputs]
        if gone and kind == "texts":
            after[kind] = inputs[kind].blanked(gone)
        elif gone and kind == IMAGES:
            after[kind] = ImageRows.black(inputs[kind])
        elif gone:
            after[kind] = np.array(inputs[kind])
            after[kind][:, gone] = MISSING if kind == "codes" else np.nan
    return after


@dataclass(frozen=True, eq=False)
class Asked:
    """Rows to predict and to measure: typed inputs {name: (N, C)}, targets and which row ids (M,) are meant.

    Targets are as a Store's. Inputs are arrays, texts are ``Packed``. ``roles`` are as in a Store, ``ids`` columns of
    new data that name its rows, ``notes`` what was noticed. ``count`` is how many rows the data has, where some of them
    cannot be asked about; the ``ids`` are of all of them.
    """

    inputs: Mapping[str, Any]
    target: np.ndarray
    rows: np.ndarray
    roles: Mapping[str, np.ndarray] = field(default_factory=dict)
    ids: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    count: int | None = None


@dataclass(frozen=True, eq=False)
class Store:
    """Typed rows of one source.

    ``inputs`` maps input names to (N, C) arrays, texts to ``Packed``, images to (N, H, W, C) uint8; ``target`` is (N,)
    class codes (-1 missing) or float64 (NaN missing), or which of several labels each row holds (N, K) int8 (-1
    missing), ``test`` (N,) marks rows that came from a test file. Row ids are positions, the source's own order.

    ``roles`` are columns (N,) that say something about rows and are not learnt from, where the recipe names them:
    ``weight`` float64 (how many rows each stands for, NaN missing), ``group`` int64 (-1 missing: which rows belong
    together) and ``time`` float64 (NaN missing: when each row was). Rows with images have ``copies`` int64, see above.
    """

    schema: Schema
    inputs: Mapping[str, Any]
    target: np.ndarray
    test: np.ndarray
    roles: Mapping[str, np.ndarray]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.target)

    @property
    def labelled(self) -> np.ndarray:
        """Which rows have a target, and stand for any row at all (N,) bool."""
        known = has_value(self.target)
        return known & (self.roles["weight"] > 0) if "weight" in self.roles else known

    def hiding(self, columns: Collection[str]) -> Store:
        """The same rows with every cell of some columns missing; itself where there is nothing to hide."""
        if not columns:
            return self
        # without its images other columns say which rows are equal
        gone = self.schema.image is not None and self.schema.image.name in columns
        roles = {name: values for name, values in self.roles.items() if not (gone and name == COPIES)}
        return replace(self, inputs=blanked(self.inputs, self.schema, columns), roles=roles)

    def verify(self, folder: Path) -> None:
        """Read every value once more and compare with the fingerprint; raises AurifyError when a bit has changed."""
        if Store.of(self.schema, self.inputs, self.target, self.test, self.roles).fingerprint != self.fingerprint:
            raise AurifyError(f"{folder} is damaged: its values are not those that were read; fit again with --force")

    @classmethod
    def of(
        cls,
        schema: Schema,
        inputs: Mapping[str, Any],
        target: np.ndarray,
        test: np.ndarray,
        roles: Mapping[str, np.ndarray] | None = None,
    ) -> Store:
        """Gather arrays into a Store and take their fingerprint (SHA-256 over schema and values)."""
        roles = roles or {}
        digest = hashlib.sha256(json.dumps(schema.to_plain(), sort_keys=True).encode())
        for name, values in sorted(_arrays({**inputs, **roles, "target": target, "test": test}).items()):
            digest.update(f"{name}{values.dtype}{values.shape}".encode())
            digest.update(np.ascontiguousarray(values).data)
        return cls(schema, inputs, target, test, roles, digest.hexdigest())

    def write(self, folder: Path) -> None:
        """Write the arrays as a folder that appears whole or not at all."""
        building = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        plain = {
            "format": FORMAT,
            "schema": self.schema.to_plain(),
            "inputs": list(self.inputs),
            "roles": list(self.roles),
            "fingerprint": self.fingerprint,
        }
        try:
            building.mkdir(parents=True)
            every = {**self.inputs, **self.roles, "target": self.target, "test": self.test}
            for name, values in _arrays(every).items():
                with (building / f"{name}.npy").open("wb") as file:
                    np.save(file, values, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())
            write_json(building / "store.json", plain)
            shutil.rmtree(folder, ignore_errors=True)
            building.replace(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise unwritable(folder, error) from None
        finally:
            shutil.rmtree(building, ignore_errors=True)

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Map a written Store; nothing is read until it is used. Raises AurifyError when it is not one."""
        try:
            plain = json.loads((folder / "store.json").read_text(encoding="utf-8"))
            if plain["format"] != FORMAT:
                raise AurifyError(f"{folder} is of store format {plain['format']}; this version reads {FORMAT}")
            schema = Schema.from_plain(plain["schema"])
            arrays: dict[str, Any] = {
                name: _mapped(folder, name, len(schema.texts))
                for name in (*plain["inputs"], *plain["roles"], "target", "test")
            }
            target, test = arrays.pop("target"), arrays.pop("test")
            if any(len(values) != len(target) for values in (*arrays.values(), test)):
                raise ValueError("its arrays have different lengths")
            roles = {name: arrays.pop(name) for name in plain["roles"]}
            return cls(schema, arrays, target, test, roles, plain["fingerprint"])
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise AurifyError(f"{folder} is not a readable store ({error}); fit again from the source") from None


def _arrays(every: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays that values are kept as, by the names of their files."""
    arrays = {name: values for name, values in every.items() if not isinstance(values, Packed)}
    packed = {name: values for name, values in every.items() if isinstance(values, Packed)}
    return arrays | {k: v for name, p in packed.items() for k, v in ((name, p.values), (f"{name}.ends", p.ends))}


def _mapped(folder: Path, name: str, texts: int) -> Any:
    """What ``_arrays`` took apart, mapped; ``texts`` is how many columns of texts there are."""
    # tensors of images share the mapping: torch warns of arrays that cannot be written to, and nobody writes
    values = np.load(folder / f"{name}.npy", mmap_mode="c" if name == IMAGES else "r", allow_pickle=False)
    if name != "texts":
        return values
    ends = np.load(folder / f"{name}.ends.npy", mmap_mode="r", allow_pickle=False)
    whole = ends.ndim == values.ndim == 1 and ends.dtype == np.int64 and values.dtype == np.int32 and texts > 0
    if not whole or ends[0] != 0 or ends[-1] != len(values) or (np.diff(ends) < 0).any() or (len(ends) - 1) % texts:
        raise ValueError("its texts do not end where they should")
    return Packed(values, ends, texts)


@dataclass(frozen=True, eq=False)
class Read:
    """What a task made of a source: the Store, what was noticed, and the rows as they were written.

    ``frames`` are polars frames of raw cells, the source's and perhaps that of a test file; together they have the rows
    of the Store, in its order. ``numbers`` (N,) are the rows' numbers in the source and, after all of its own, in the
    test file; None where no row was left unread. ``folders`` are where paths of images in each frame begin, None where
    they stand for themselves; ``unread`` says of rows, by their place in the Store, why their image cannot be read.
    """

    store: Store
    notes: tuple[str, ...]
    frames: tuple[Any, ...]
    numbers: np.ndarray | None = None
    folders: tuple[str | None, ...] = ()
    unread: Mapping[int, str] = field(default_factory=dict)
