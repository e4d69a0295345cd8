"""A finished run whose plain files were damaged or changed by hand: one line that names the file and what to do."""

import shutil

import pytest
from small import KINDS

from aurify import load
from aurify.core.errors import AurifyError


@pytest.fixture(scope="module")
def reported(fit, csv_files, tmp_path_factory):
    """A finished run with its report."""
    run = fit(csv_files[KINDS[0]], out=tmp_path_factory.mktemp("reported") / "run")
    run.report()
    return run.path


@pytest.mark.parametrize("text", ["{", "null", "[1]", '"word"', "{}"])
@pytest.mark.parametrize("name", ["scores.json", "findings.json", "environment.json", "progress.jsonl"])
def test_a_damaged_file_is_named_in_one_line(reported, tmp_path, name, text):
    shutil.copytree(reported, tmp_path / "run")
    (tmp_path / "run" / name).write_text(text)
    with pytest.raises(AurifyError, match=f"{name} is damaged.*--force") as caught:
        load(tmp_path / "run").report()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "null", "[1]"])
def test_damaged_evidence_is_measured_anew_once_it_is_deleted(reported, tmp_path, text):
    run = load(shutil.copytree(reported, tmp_path / "run"))
    before = run.folder.evidence.read_text()
    run.folder.evidence.write_text(text)
    with pytest.raises(AurifyError, match=r"evidence.json is damaged.*delete it"):
        run.report()
    run.folder.evidence.unlink()
    run.report()
    assert run.folder.evidence.read_text() == before
