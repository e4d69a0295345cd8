"""Where runs live: numbered names, nothing foreign touched, nothing left behind."""

import polars as pl
import pytest
from small import same

from aurify.core.errors import AurifyError


def test_default_folders_are_numbered_and_latest_points_at_the_newest(csv_files, tmp_path, fit):
    (tmp_path / "churn.csv").write_bytes(csv_files["regress"].read_bytes())
    paths = [fit("churn.csv").path for _ in range(2)]
    assert [p.as_posix() for p in paths] == ["runs/churn", "runs/churn-2"]
    assert (tmp_path / "runs" / "latest").resolve() == tmp_path / "runs" / "churn-2"
    assert fit("churn.csv", resume=True).path == paths[1], "finished: there is nothing to resume"
    assert fit(pl.read_csv("churn.csv")).path.as_posix() == "runs/frame"


def test_folder_that_holds_a_run_is_kept_unless_forced(runs, csv_files, tmp_path, fit, weights):
    first = fit(csv_files["regress"], out="mine")
    with pytest.raises(AurifyError, match="holds a run already; go on with --resume, replace it with --force"):
        fit(csv_files["regress"], out="mine")
    second = fit(csv_files["regress"], out="mine", force=True, seed=9)
    assert second.recipe.seed == 9
    assert not same(weights(second), weights(runs["regress"]))
    assert second.summary["test_openings"] == 1
    assert first.path == second.path


def test_foreign_folders_and_files_are_never_touched(csv_files, tmp_path, fit):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    (tmp_path / "file").write_text("text")
    for force in (False, True):
        with pytest.raises(AurifyError, match="holds files that are no run's"):
            fit(csv_files["regress"], out="photos", force=force)
        with pytest.raises(AurifyError, match="is a file; give a folder"):
            fit(csv_files["regress"], out="file", force=force)
    assert (tmp_path / "photos" / "cat.jpg").read_text() == "meow"
    (tmp_path / "empty").mkdir()
    assert fit(csv_files["regress"], out="empty").path.name == "empty"


def test_nothing_is_left_behind_by_a_run_that_could_not_begin(csv_files, tmp_path, fit):
    for wrong in ({"target": "Y"}, {"settings": {"network.width": -1}}, {"using": ["mixpu"]}, {"drop": ["nope"]}):
        with pytest.raises(AurifyError):
            fit(csv_files["regress"], **{"target": "y", **wrong})
    fit(csv_files["regress"])
    assert [p.name for p in sorted((tmp_path / "runs").iterdir())] == ["latest", "regress"]
