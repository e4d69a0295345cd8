"""Copies, contradictions, near copies, shared test rows and entities: found where they were planted, and only there."""

import numpy as np
import polars as pl
import pytest
from seeing import only

from aurify.inspection.nearness import Cells, nearest
from aurify.workbench.inspecting import inspect

SEEDS = range(3)
OURS = ("duplicates", "conflicting_rows", "near_duplicates", "test_overlap", "entities")


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, *OURS)


def numbers(seed, rows=800, columns=8):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns))
    y = np.where(x[:, 0] + random.normal(size=rows) > 0, "yes", "no")
    return pl.DataFrame({**{f"x{at}": x[:, at] for at in range(columns)}, "y": y})


def clean(kind, seed):
    random = np.random.default_rng(seed)
    y = random.choice(["no", "yes"], 1500)
    match kind:
        case "categories":
            table = {f"c{at}": random.choice(list("abcd"), 1500, p=[0.5, 0.3, 0.15, 0.05]) for at in range(8)}
        case "grid":
            table = {f"n{at}": random.integers(0, 8, 1500) for at in range(4)}
        case "dense":
            table = {f"x{at}": random.normal(size=1500).round(2) for at in range(2)}
        case _:
            return numbers(seed)
    return pl.DataFrame({**table, "y": y})


def alarms(found):
    return {finding.check for finding in found if finding.severity != "note"}


@pytest.mark.parametrize("kind", ["categories", "grid", "dense", "numbers"])
@pytest.mark.parametrize("seed", SEEDS)
def test_clean_tables_raise_no_alarm(kind, seed):
    assert not alarms(inspect(clean(kind, seed), "y"))


@pytest.mark.parametrize("share", [0.02, 0.2])
@pytest.mark.parametrize("seed", SEEDS)
def test_planted_copies_are_found_and_mended(share, seed):
    frame = numbers(seed)
    found = inspect(pl.concat([frame, frame.sample(fraction=share, seed=seed)]), "y").where(check="duplicates")
    assert [finding.severity for finding in found] == ["warning"]
    assert found[0].mend == {"techniques": {"drop_duplicates": {}}}


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_with_another_target_are_found_with_the_best_score_that_is_left(seed):
    frame = numbers(seed)
    flipped = frame.sample(fraction=0.1, seed=seed).with_columns(y=pl.col("y").replace({"yes": "no", "no": "yes"}))
    (found,) = inspect(pl.concat([frame, flipped]), "y").where(check="conflicting_rows")
    pairs = found.count // 2
    assert found.severity == "warning"
    assert found.evidence["best"] == pytest.approx(1 - pairs / (found.count / found.evidence["share"]))


@pytest.mark.parametrize("how", ["jitter", "cell"])
@pytest.mark.parametrize("seed", SEEDS)
def test_planted_near_copies_are_found(how, seed):
    frame, random = numbers(seed), np.random.default_rng(seed)
    copies = frame.sample(fraction=0.05, seed=seed)
    if how == "jitter":
        moved = [pl.col(f"x{at}") + 0.005 * pl.Series(random.normal(size=len(copies))) for at in range(8)]
        copies = copies.with_columns(moved)
    else:
        copies = copies.with_columns(x3=pl.Series(random.normal(size=len(copies))))
    found = inspect(pl.concat([frame, copies]).sample(fraction=1, shuffle=True, seed=1), "y")
    assert alarms(found) & {"near_duplicates", "duplicates", "conflicting_rows"} == {"near_duplicates"}


@pytest.mark.parametrize(("rows", "severity"), [(0, None), (12, "warning"), (60, "severe")])
def test_rows_of_the_test_file_that_can_be_learnt_are_judged_by_their_share(rows, severity, tmp_path):
    frame = numbers(0)
    pl.concat([numbers(1, 200 - rows), frame.head(rows)]).drop("y").write_csv(tmp_path / "test.csv")
    found = inspect(frame, "y", test=tmp_path / "test.csv").where(check="test_overlap")
    assert [finding.severity for finding in found] == ([] if severity is None else [severity])
    assert [finding.count for finding in found] == ([] if severity is None else [rows])


@pytest.mark.parametrize("each", [3, 15])
@pytest.mark.parametrize("kind", ["text", "number"])
def test_entities_with_an_effect_are_found_unless_the_split_keeps_them_whole(each, kind):
    random = np.random.default_rng(each)
    frame = numbers(0, 900).drop("y")
    patient = random.integers(0, 900 // each, 900)
    effect = 2 * random.normal(size=900 // each)[patient]
    y = frame["x0"].to_numpy() + effect + random.normal(size=900)
    named = patient if kind == "number" else [f"p{at}" for at in patient]
    whole = frame.with_columns(pl.Series("patient", named), pl.Series("y", y))
    (found,) = inspect(whole, "y").where(check="entities")
    assert (found.severity, found.columns) == ("warning", ("patient",))
    assert found.mend == {"split": {"by": "group:patient"}}
    assert not inspect(whole, "y", split="group:patient").where(check="entities")
    idle = whole.with_columns(y=pl.Series(frame["x0"].to_numpy() + random.normal(size=900)))
    assert not inspect(idle, "y").where(check="entities")


def test_nearest_rows_of_copies_are_those_of_all_pairs():
    random = np.random.default_rng(0)
    x, codes = random.normal(size=(600, 8)), random.integers(0, 4, (600, 3))
    x, codes = np.concatenate([x, x[:60]]), np.concatenate([codes, codes[:60]])
    x[600:] += 0.003 * random.normal(size=(60, 8))
    cells = Cells.of(x, codes, 0)
    every = np.array([cells.alike(np.full(660, at), np.arange(660)) for at in range(660)])
    np.fill_diagonal(every, -np.inf)
    near = nearest(cells, 0)
    copies = np.r_[0:60, 600:660]
    assert (near.row[copies, 0] == every[copies].argmax(1)).mean() >= 0.98
    known = near.row[:, 0] >= 0
    np.testing.assert_allclose(near.score[known, 0], every[np.flatnonzero(known), near.row[known, 0]], rtol=1e-5)


@pytest.mark.parametrize("rows", [2, 3])
def test_a_table_of_next_to_nothing_raises_nothing(rows):
    frame = pl.DataFrame({"a": [1.0] * rows, "b": [None] * rows, "c": list("xyy"[:rows])})
    assert not [f for f in inspect(frame) if "failed" in f.text]
