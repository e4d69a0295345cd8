"""An archive is whole or refused: every bit, every length, every foreign or hostile file."""

import hashlib
import json
import os
import struct
import subprocess
import sys

import pytest
import torch
from small import same

from aurify.core import archive
from aurify.core.archive import FORMAT, DamagedError, load, pack, save, unpack
from aurify.core.errors import AurifyError


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "file.aurify"
    save(
        path,
        "thing",
        {"text": "naïve ☃", "n": [1, 2.5, None]},
        {"t": torch.arange(6.0).reshape(2, 3), "e": torch.empty(0)},
    )
    return path


def test_what_was_saved_is_loaded(sound):
    document, tensors = load(sound, "thing")
    assert document == {"text": "naïve ☃", "n": [1, 2.5, None]}
    assert same(tensors, {"t": torch.arange(6.0).reshape(2, 3), "e": torch.empty(0)})


def test_bytes_in_memory_are_those_of_the_file(sound):
    document, tensors = load(sound, "thing")
    data = archive.to_bytes("thing", document, tensors)
    assert data == sound.read_bytes()
    assert same(archive.from_bytes(data, "thing", "it")[1], tensors)
    for wrong, said in ((data[:-1], "it is damaged"), (b"", "it is not an aurify file")):
        with pytest.raises(DamagedError, match=said):
            archive.from_bytes(wrong, "thing", "it")


def test_every_flipped_bit_is_refused(sound, tmp_path):
    data, path = sound.read_bytes(), tmp_path / "flipped.aurify"
    path.write_bytes(data)
    with path.open("r+b", buffering=0) as file:
        for at in range(len(data)):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([data[at] ^ (1 << bit)]), at)
                with pytest.raises(AurifyError) as caught:
                    load(path, "thing")
                assert "\n" not in str(caught.value), (at, bit)
            os.pwrite(file.fileno(), data[at : at + 1], at)
    assert load(path, "thing")


def test_every_shorter_or_longer_file_is_refused(sound, tmp_path):
    data, path = sound.read_bytes(), tmp_path / "cut.aurify"
    path.write_bytes(data)
    for length in reversed(range(len(data))):
        os.truncate(path, length)
        with pytest.raises(AurifyError):
            load(path, "thing")
    for tail in (b"\0", b"more", data):
        path.write_bytes(data + tail)
        with pytest.raises(AurifyError):
            load(path, "thing")


def test_damage_is_told_from_foreign_kinds(sound, tmp_path):
    with pytest.raises(AurifyError, match="holds a thing, not a model"):
        load(sound, "model")
    with pytest.raises(AurifyError, match="no file at"):
        load(tmp_path / "absent.aurify", "thing")
    with pytest.raises(AurifyError):
        load(tmp_path, "thing")


def written(path, head=None, header=None, length=None, document=b"{}"):
    """A file with a header of our making, and a checksum that fits where there is room for one."""
    plain = {"sha256": "0" * 64, "format": FORMAT, "kind": "thing", "version": "0.1.0", **(head or {})}
    inside = {"__metadata__": {"aurify": json.dumps(plain, separators=(",", ":"))}} if header is None else header
    if document is not None and isinstance(inside, dict):
        shown = {"dtype": "U8", "shape": [len(document)], "data_offsets": [0, len(document)]}
        inside = {**inside, archive.DOCUMENT: shown}
    text = json.dumps(inside, separators=(",", ":")).encode()
    data = bytearray(struct.pack("<Q", len(text) if length is None else length) + text + (document or b""))
    if archive.MARK in data:
        at = data.index(archive.MARK) + len(archive.MARK)
        data[at : at + 64] = hashlib.sha256(data).hexdigest().encode()
    path.write_bytes(data)
    return path


def test_file_of_our_making_is_read_when_it_is_right(tmp_path):
    assert load(written(tmp_path / "f"), "thing") == ({}, {})


def test_newer_format_names_the_version_that_wrote_it(tmp_path):
    with pytest.raises(AurifyError, match=r"format 7, written by aurify 9\.9") as caught:
        load(written(tmp_path / "f", {"format": 7, "version": "9.9"}), "thing")
    assert "update aurify" in str(caught.value)


@pytest.mark.parametrize(
    "head",
    [
        {"format": "1"},
        {"format": None},
        {"format": 0},
        {"kind": 5},
        {"version": []},
        {"sha256": 3},
        {"sha256": ""},
    ],
)
def test_strange_head_is_refused(tmp_path, head):
    with pytest.raises(AurifyError):
        load(written(tmp_path / "f", head), "thing")


def test_missing_pieces_of_the_head_are_refused(tmp_path):
    for header in (
        {},
        {"__metadata__": {}},
        {"__metadata__": {"aurify": "{}"}},
        {"__metadata__": {"aurify": "[" * 9999}},
        [],
    ):
        with pytest.raises(AurifyError):
            load(written(tmp_path / "f", header=header), "thing")


@pytest.mark.parametrize("length", [0, 1, 2**62, 2**63, 2**64 - 1, 65 * 2**20])
def test_header_that_claims_to_be_huge_is_refused_unread(tmp_path, length):
    with pytest.raises(AurifyError):
        load(written(tmp_path / "f", length=length), "thing")


@pytest.mark.parametrize("bomb", ["[" * 100_000, '{"a":' * 50_000, "9" * 100_000, '{"__metadata__":' + "[" * 30_000])
def test_deeply_nested_header_is_refused(tmp_path, bomb):
    (tmp_path / "f").write_bytes(struct.pack("<Q", len(bomb)) + bomb.encode())
    with pytest.raises(AurifyError):
        load(tmp_path / "f", "thing")


def test_tensor_that_claims_more_than_the_file_is_refused(tmp_path):
    head = {"sha256": "0" * 64, "format": FORMAT, "kind": "thing", "version": "0"}
    claim = {"dtype": "F32", "shape": [2**40], "data_offsets": [2, 2**42 + 2]}
    header = {"__metadata__": {"aurify": json.dumps(head, separators=(",", ":"))}, "t": claim}
    with pytest.raises(AurifyError):
        load(written(tmp_path / "f", header=header), "thing")


@pytest.mark.parametrize("document", [None, b"", b"{", b"[" * 50_000, b"\xff\xfe", b'{"a": 1}{'])
def test_document_that_is_none_is_refused(tmp_path, document):
    with pytest.raises(AurifyError) as caught:
        load(written(tmp_path / "f", document=document), "thing")
    assert "\n" not in str(caught.value)


def test_file_larger_than_half_the_memory_is_refused_unread(sound, monkeypatch):
    monkeypatch.setattr(archive, "_memory_bytes", lambda: 2 * sound.stat().st_size - 2)
    with pytest.raises(AurifyError, match="more than half of this machine's memory"):
        load(sound, "thing")
    monkeypatch.setattr(archive, "_memory_bytes", lambda: 2 * sound.stat().st_size)
    assert load(sound, "thing")


def test_pickle_and_zip_files_are_foreign(tmp_path):
    for content in (b"\x80\x04\x95", b"PK\x03\x04" + b"\0" * 100, b"", b"hello world, this is text"):
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(AurifyError):
            load(tmp_path / "f", "thing")


def test_damaged_file_is_a_damaged_error_wherever_the_damage_is(sound, tmp_path):
    """Whoever keeps two copies falls back on the other one for every kind of damage."""
    data, path = sound.read_bytes(), tmp_path / "f"
    for at in (0, 3, 7, 8, 20, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        with pytest.raises(DamagedError):
            load(path, "thing")
    for length in (0, 5, 8, 100):
        path.write_bytes(data[:length])
        with pytest.raises(DamagedError):
            load(path, "thing")


TREES = [
    {"a": [1, 2.5, "x", None, True], "b": (1, (2, [3]))},
    {1: "whole", "1": "text", None: 0},
    {"t": torch.arange(3), "deep": [{"u": torch.tensor(1.5, dtype=torch.float64)}]},
    {"tensor": "a dict that looks like a packed tensor", "items": [], "tuple": 1},
    {"nan": float("inf"), "n": -0.0},
    [],
]


@pytest.mark.parametrize("tree", TREES, ids=range(len(TREES)))
def test_trees_come_back_as_they_were(tree, tmp_path):
    document, tensors = pack(tree)
    save(tmp_path / "f", "tree", document, tensors)
    assert same(unpack(*load(tmp_path / "f", "tree")), tree)


def test_what_cannot_be_plain_data_is_our_mistake():
    with pytest.raises(TypeError, match="cannot hold"):
        pack({"a": object()})


def test_views_and_transposes_are_saved_as_what_they_show(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    shown = {"slice": whole[1:], "turned": whole.T, "grad": torch.ones(2, requires_grad=True)}
    save(tmp_path / "f", "t", {}, shown)
    assert same(load(tmp_path / "f", "t")[1], {k: v.detach() for k, v in shown.items()})


@pytest.mark.slow
def test_loading_imports_no_pickle_reader(sound):
    """The way in is safetensors and JSON: unpickling is switched off and loading still works."""
    code = (
        "import pickle, sys, pathlib\n"
        "from aurify.core import archive\n"
        "def refuse(*a, **k): raise SystemExit('pickle was used')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        f"print(archive.load(pathlib.Path({str(sound)!r}), 'thing')[0]['n'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[1, 2.5, None]", done.stderr
