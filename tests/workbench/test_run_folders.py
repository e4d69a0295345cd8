"""Where runs live: numbered names, nothing foreign touched, nothing left behind."""

import shutil

import polars as pl
import pytest
from small import same

from aurify.core import folder as folders
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder


@pytest.mark.slow
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


@pytest.mark.parametrize("finished", [True, False])
def test_unnamed_run_takes_another_folder_where_its_look_around_is_out_of_date(
    finished, csv_files, runs, fit, tmp_path, monkeypatch
):
    """Another process has made the run of that name, or is making it, since this one looked."""
    there = RunFolder(tmp_path / "runs" / "regress")
    if finished:
        shutil.copytree(runs["regress"].path, there.path)
    with monkeypatch.context() as patched:
        patched.setattr(folders, "named", lambda *_: [])
        if finished:
            mine = fit(csv_files["regress"])
        else:
            with there.held():
                mine = fit(csv_files["regress"])
    assert mine.path.name == "regress-2"


def test_named_folder_in_which_a_run_was_made_meanwhile_is_refused(csv_files, runs, fit, tmp_path, monkeypatch):
    """Between the look at the folder and its lock another process made a run there and was done."""
    real = RunFolder.hold

    def hold(folder):
        monkeypatch.setattr(RunFolder, "hold", real)
        shutil.copytree(runs["regress"].path, folder.path)
        real(folder)

    monkeypatch.setattr(RunFolder, "hold", hold)
    with pytest.raises(AurifyError, match="holds a run already"):
        fit(csv_files["regress"], out="mine")
    with RunFolder(tmp_path / "mine").held():
        pass


def test_failing_before_the_folder_is_held_leaves_none(csv_files, tmp_path, fit):
    for wrong in ({"device": "abacus"}, {"track": ["tensorboard:/dev/null/x"]}):
        with pytest.raises(AurifyError):
            fit(csv_files["regress"], **wrong)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("verb", ["inspect", "ablate"])
def test_inspections_and_ledgers_of_one_name_are_made_by_one_process_at_a_time(verb, csv_files, tmp_path):
    from aurify import workbench

    place = RunFolder(tmp_path / "look")
    with place.held(), pytest.raises(AurifyError, match="another process is working"):
        getattr(workbench, verb)(csv_files["regress"], "y", out=place.path)
    assert not place.path.exists(), "nothing was begun by anybody"
    with pytest.raises(AurifyError):
        getattr(workbench, verb)(csv_files["regress"], "no such column", out=place.path)
    assert not place.path.exists()
