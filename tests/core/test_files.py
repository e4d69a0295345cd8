"""Files are written whole or not at all."""

import json

import pytest

from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes, write_json, write_with


def test_file_appears_whole(tmp_path):
    write_bytes(tmp_path / "f", b"one")
    write_bytes(tmp_path / "f", b"two")
    assert (tmp_path / "f").read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_failure_leaves_the_old_file_and_no_rubbish(tmp_path):
    write_bytes(tmp_path / "f", b"old")

    def half(file):
        file.write(b"ne")
        raise OSError("disk full")

    with pytest.raises(AurifyError, match="disk full"):
        write_with(tmp_path / "f", half)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_json_is_readable_and_never_holds_nan(tmp_path):
    write_json(tmp_path / "f", {"ä": [1, None, "☃"]})
    text = (tmp_path / "f").read_text(encoding="utf-8")
    assert json.loads(text) == {"ä": [1, None, "☃"]}
    assert "☃" in text
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "f", {"x": float("nan")})
    assert json.loads((tmp_path / "f").read_text(encoding="utf-8"))
