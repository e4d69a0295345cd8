"""Whatever is named model.aurify: a sound model or one line, at little cost, and nothing in it is ever run."""

import hashlib
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from aurify.core import archive

HEADROOM_BYTES = 350 * 2**20
"""More than any file here and what threads that read reserve, far less than what the bombs unpack to."""


@pytest.fixture
def predict(aurify, table, tmp_path):
    """Predict with a model file under a memory limit."""
    return lambda path: aurify("predict", path, table, "-o", tmp_path / "out.csv", memory_limit=HEADROOM_BYTES)


@pytest.fixture
def model(short_run, tmp_path):
    """A copy of a sound model of one's own."""
    return Path(shutil.copy(short_run / "model.aurify", tmp_path / "model.aurify"))


def signed(path, change):
    """Change a model's header by ``change(bytes)`` (same length) and make its checksum right again."""
    data = bytearray(change(path.read_bytes()))
    at = data.index(archive.MARK) + len(archive.MARK)
    data[at : at + 64] = archive.ZEROS
    data[at : at + 64] = hashlib.sha256(data).hexdigest().encode()
    path.write_bytes(bytes(data))


def test_sound_model_predicts_within_the_memory_limit(predict, model, tmp_path):
    assert predict(model).code == 0
    assert (tmp_path / "out.csv").exists()


def test_signing_again_keeps_a_model_sound(predict, model):
    signed(model, lambda data: data)
    assert predict(model).code == 0


@pytest.mark.parametrize("place", [0, 7, 0.001, 0.01, 0.1, 0.5, 0.9, -1])
def test_flipped_bit_is_refused(place, predict, model):
    data = bytearray(model.read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 4
    model.write_bytes(bytes(data))
    predict(model).refused("model.aurify")


@pytest.mark.parametrize("size", [0, 7, 8, 100, 0.5, -1])
def test_cut_model_is_refused(size, predict, model):
    data = model.read_bytes()
    model.write_bytes(data[: int(size * len(data)) if isinstance(size, float) else size])
    predict(model).refused("model.aurify")


def test_model_of_a_newer_format_names_the_version_that_wrote_it(predict, model):
    signed(model, lambda data: data.replace(b'\\"format\\":2', b'\\"format\\":9').replace(b"0.1.0", b"9.8.7", 1))
    predict(model).refused("format 9", "9.8.7", "update")


def test_model_of_an_older_format_names_the_version_that_reads_it(predict, model):
    signed(model, lambda data: data.replace(b'\\"format\\":2', b'\\"format\\":1').replace(b"0.1.0", b"0.0.9", 1))
    predict(model).refused("format 1", "use it with aurify 0.0.9")


def test_checkpoint_is_not_a_model(predict, model, short_run):
    shutil.copy(next((short_run / "checkpoints").glob("step-*.aurify")), model)
    predict(model).refused("checkpoint", "model")


def test_directory_is_not_a_model(aurify, predict, model, short_run, table, tmp_path):
    model.unlink()
    model.mkdir()
    predict(model).refused("model.aurify")
    run = shutil.copytree(short_run, tmp_path / "run")
    (run / "model.aurify").unlink()
    (run / "model.aurify").mkdir()
    predict(run).refused("model.aurify")


@pytest.mark.parametrize("start_of_file", ["zeros", "a sound header"])
def test_huge_sparse_file_is_refused(start_of_file, predict, model):
    if start_of_file == "zeros":
        model.write_bytes(b"")
    os.truncate(model, 2**40)
    predict(model).refused("model.aurify")


class Payload:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return (os.mkdir, (self.mark,))


def write_numpy_archive(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


def write_zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model/data.pkl", bytes(2**28))


def write_torch_bomb(path):
    torch.save({"weights": torch.zeros(1).expand(2**36)}, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data/1", bytes(2**28))


def write_json_bomb(path, text):
    data = text.encode()
    path.write_bytes(len(data).to_bytes(8, "little") + data)


def write_nested_metadata(path):
    text = json.dumps(["", *[{}] * (5 * 2**20)], separators=(",", ":"))
    write_json_bomb(path, json.dumps({"__metadata__": {"aurify": text}}, separators=(",", ":")))


def write_wide_document(path):
    text = json.dumps({"recipe": "", "schema": [{}] * (10 * 2**20)}, separators=(",", ":")).encode()
    head = {"sha256": "0" * 64, "format": archive.FORMAT, "kind": "model", "version": "0.1.0"}
    document = {archive.DOCUMENT: torch.frombuffer(bytearray(text), dtype=torch.uint8)}
    save_file(document, path, metadata={"aurify": json.dumps(head, separators=(",", ":"))})
    signed(path, lambda data: data)


def write_lying_tensors(path, shape, offsets):
    tensors = {"network/a": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}
    text = json.dumps({"sha256": "0" * 64, "format": 1, "kind": "model", "version": "0.1.0", "document": {}})
    header = json.dumps({"__metadata__": {"aurify": text.replace(" ", "")}, **tensors}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    signed(path, lambda data: data)


STRANGERS = {
    "text": lambda path: path.write_text("a,b\n1,2\n"),
    "zip bomb": write_zip_bomb,
    "torch bomb": write_torch_bomb,
    "numpy archive": write_numpy_archive,
    "foreign safetensors": lambda path: save_file({"a": torch.zeros(3)}, path),
    "foreign metadata": lambda path: save_file({"a": torch.zeros(3)}, path, metadata={"aurify": "[]"}),
    "wide header": lambda path: write_json_bomb(path, "[" + "{}," * (10 * 2**20) + "{}]"),
    "deep header": lambda path: write_json_bomb(path, "[" * (10 * 2**20)),
    "long number": lambda path: write_json_bomb(path, "1" * (10 * 2**20)),
    "wide metadata": write_nested_metadata,
    "wide document": write_wide_document,
    "not UTF-8": lambda path: path.write_bytes((100).to_bytes(8, "little") + b"\xff" * 100),
    "header beyond the end": lambda path: path.write_bytes((2**30).to_bytes(8, "little") + b"{}"),
    "largest length": lambda path: path.write_bytes(b"\xff" * 8 + b"{}"),
    "tensor beyond the end": lambda path: write_lying_tensors(path, [2**40], [0, 2**42]),
    "tensor of another size": lambda path: write_lying_tensors(path, [5], [0, 16]),
    "tensor backwards": lambda path: write_lying_tensors(path, [4], [16, 0]),
    "nothing in it": lambda path: archive.save(path, "model", {}, {}),
    "a list": lambda path: archive.save(path, "model", [], {}),
    "no recipe": lambda path: archive.save(path, "model", {"recipe": 7, "schema": []}, {}),
    "strange recipe": lambda path: archive.save(path, "model", {"recipe": "a: !!python/name:os.system ''"}, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("stranger", STRANGERS)
def test_stranger_named_like_a_model_is_refused(stranger, predict, tmp_path):
    path = tmp_path / "model.aurify"
    STRANGERS[stranger](path)
    predict(path).refused("model.aurify")


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_pickle_named_like_a_model_is_refused_and_not_run(writer, predict, tmp_path):
    path, mark = tmp_path / "model.aurify", tmp_path / "ran"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(Payload(mark)))
    else:
        torch.save(Payload(mark), path)
    predict(path).refused("model.aurify")
    assert not mark.exists()


def test_model_of_absurd_size_is_refused_before_memory_is_spent(predict, model, tmp_path):
    """The file is small and its checksum right; only the network it asks for is huge."""
    document, tensors = archive.load(model, "model")
    recipe = document["recipe"].replace("width: 16", "width: 65536").replace("depth: 3", "depth: 256")
    assert recipe != document["recipe"]
    archive.save(model, "model", {**document, "recipe": recipe}, tensors)
    predict(model).refused("model.aurify")


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_device_is_not_a_model(device, predict):
    predict(device).refused(device)


def test_named_pipe_is_not_a_model(predict, tmp_path):
    path = tmp_path / "model.aurify"
    os.mkfifo(path)
    predict(path).refused("model.aurify")


def test_link_to_itself_is_not_a_model(predict, tmp_path):
    path = tmp_path / "model.aurify"
    path.symlink_to(path)
    predict(path).refused("model.aurify")
