"""Which rows a study uses: none that are tested, whole groups, and of a split by time what came before."""

import shutil

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.folder import RunFolder
from aurify.data.splits import Parts
from aurify.data.store import Store


def test_tampering_with_the_test_part_changes_nothing(ablate, ablate_run, tmp_path, timeless):
    one = ablate(out=tmp_path / "one")
    folder = RunFolder(shutil.copytree(one.path, tmp_path / "two"))
    shutil.rmtree(folder.ablation)
    folder.ledger.unlink()
    tested, store = Parts.open(folder.parts).test, Store.open(folder.store)
    assert len(tested) > 40
    inputs, target = {name: np.array(v) for name, v in store.inputs.items()}, np.array(store.target)
    for values in (*inputs.values(), target):
        values[tested] = values[tested][::-1] * -1000 if values.dtype.kind == "f" else 1
    shutil.rmtree(folder.store)
    Store.of(store.schema, inputs, target, np.array(store.test)).write(folder.store)
    assert timeless(ablate_run(folder.path)) == timeless(one)


@pytest.mark.parametrize("folds", [None, 3])
def test_ledger_of_a_run_leaves_its_test_part_sealed(folds, ablate_run, csv_files, tmp_path, tiny):
    words = {"recipe": tiny, "inspect": False, "device": "cpu"}
    run = workbench.fit(csv_files["classify"], "y", out=tmp_path / "run", settings={"split.folds": folds}, **words)
    before = {p.name: p.read_bytes() for p in run.path.iterdir() if p.is_file() and p.name != "report.html"}
    found = ablate_run(run.path)
    after = {p.name: p.read_bytes() for p in run.path.iterdir() if p.is_file() and p.name != "report.html"}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"ledger.json"}
    parts = Parts.open(run.path / "parts.aurify")
    used = rows_of(run.path)
    assert used <= set(parts.fit) | set(parts.held)
    assert not used & set(parts.test)
    assert found.plain["rows"] == len(parts.fit) + len(parts.held)
    assert workbench.load(run.path).ledger.equals(found.effects)
    assert "dropout" in found.report.read_text()


def rows_of(path):
    """Rows that any training of a study learnt from, stopped by or scored."""
    every = [Parts.open(p) for p in (path / "ablation" / "parts").glob("*.aurify")]
    assert every
    return {int(row) for parts in every for rows in (parts.fit, parts.held, parts.test) for row in rows}


def test_rows_of_a_test_file_are_never_used(ablate, csv_files, frames, tmp_path):
    frames["classify"].sample(60, seed=3).write_csv(tmp_path / "test.csv")
    found = ablate(out=tmp_path / "run", test=tmp_path / "test.csv")
    used = rows_of(found.path)
    assert max(used) < 240
    assert found.plain["rows"] == 240


def with_groups(frames, tmp_path, kind="classify"):
    random = np.random.default_rng(0)
    frame = frames[kind].with_columns(who=pl.Series(random.integers(0, 60, 240).astype(str)), at=pl.Series(range(240)))
    frame.write_csv(tmp_path / "more.csv")
    return frame, tmp_path / "more.csv"


def test_groups_stay_whole_across_the_folds_of_a_study(ablate, frames, tmp_path):
    frame, path = with_groups(frames, tmp_path)
    found = ablate(path, split="group:who", drop=["at"], out=tmp_path / "run", rows=100)
    assert found.plain["by"] == "group:who"
    who = frame["who"].to_list()
    for file in (found.path / "ablation" / "parts").glob("*.aurify"):
        parts = Parts.open(file)
        sides = [{who[row] for row in rows} for rows in (parts.fit, parts.held, parts.test)]
        assert not sides[0] & sides[2]
        assert not sides[1] & sides[2]
        assert not sides[0] & sides[1]


def test_of_a_split_by_time_every_fold_learns_from_what_came_before(ablate, frames, tmp_path):
    frame, path = with_groups(frames, tmp_path)
    found = ablate(path, split="time:at", drop=["who"], out=tmp_path / "run", rows=None)
    at = frame["at"].to_numpy()
    ratios = []
    for file in (found.path / "ablation" / "parts").glob("*.aurify"):
        parts = Parts.open(file)
        learnt = np.concatenate([parts.fit, parts.held])
        assert at[learnt].max() < at[parts.test].min()
        ratios.append(len(parts.test) / len(learnt))
    assert not found.plain["apart"]
    assert found.plain["ratio"] == pytest.approx(np.mean(ratios), rel=0.2)
    assert found.plain["ratio"] > 0.25


def test_samples_that_share_no_row_are_said_to_be_apart(ablate, tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=400)
    pl.DataFrame({"x": x, "z": random.normal(size=400), "y": x + random.normal(size=400)}).write_csv("more.csv")
    found = ablate("more.csv", out=tmp_path / "run", rows=60)
    assert found.plain["apart"]
    every = [Parts.open(p) for p in (found.path / "ablation" / "parts").glob("*.aurify")]
    tested = np.concatenate([parts.test for parts in every])
    assert len(tested) == len(set(tested.tolist())) == 4 * 60, "a row was tested in two repeats"
    assert not ablate("more.csv", out=tmp_path / "run", rows=150).plain["apart"]
