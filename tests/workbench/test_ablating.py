"""The verb ablate: one JSON object, one line for whatever cannot be, parts of one's own among the ingredients."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from aurify import workbench
from aurify.core.errors import AurifyError

RECIPE = """
network: {name: mlp, width: 8, depth: 2}
optimizer: {name: adamw, learning_rate: 0.01}
techniques: {scale_numbers: {}, dropout: {}}
budget: {steps: 4, batch_size: 32}
"""
OWN = """
from dataclasses import dataclass
import torch
from aurify.core.parts import Technique, knob


@dataclass(kw_only=True)
class Shaken(Technique):
    '''Shake gradients.'''

    size: float = knob(0.1, "how much", low=0.01, high=1.0)
    neutral = {"size": 0.0}

    def on_gradients(self, run):
        print("shaking")
        for weight in run.model.parameters():
            weight.grad += self.size * torch.randn(weight.shape, generator=run.random("shaken"))


@dataclass(kw_only=True)
class Broken(Shaken):
    '''Raise.'''

    def on_gradients(self, run):
        raise KeyError("no such thing\\nat all")


@dataclass(kw_only=True)
class Undone(Shaken):
    '''Make the loss no number.'''

    def on_gradients(self, run):
        for weight in run.model.parameters():
            weight.data.fill_(torch.nan)
"""
ROW = {"technique", "design", "gain", "low", "high", "simultaneous_low", "simultaneous_high", "p_adjusted", "verdict"}


@pytest.fixture
def given(tmp_path, csv_files):
    """A recipe, parts of one's own and the table, as files here; and the words of a small study of them."""
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    (tmp_path / "my_parts.py").write_text(OWN)
    shutil.copy(csv_files["classify"], tmp_path / "table.csv")
    return shlex.split(
        "ablate table.csv -t y --recipe tiny.yaml --no-inspect --device cpu --rows 100 --workers 1 --worth 10"
    )


def rows_of(done):
    assert done.out.count("\n") == 1
    found = json.loads(done.out, parse_constant=lambda name: pytest.fail(name))
    return found, {(row["technique"], row["design"]): row for row in found["rows"]}


@pytest.mark.slow
def test_json_is_one_object_alone_on_stdout(words, given, tmp_path):
    found, rows = rows_of(words(*given, "--json", "--interactions", "dropout,adamw", "--sweep", "dropout.rate=0.5"))
    assert found["metric"] == "log_loss"
    assert found["run"] == "runs/table-ablated"
    assert (tmp_path / found["report"]).exists()
    assert [row["design"] for row in found["rows"]] == ["interaction", "sweep"]
    for row in rows.values():
        assert set(row) >= {*ROW, "pairs", "seconds"}
    again, _ = rows_of(words(*given, "--json"))
    assert [row["technique"] for row in again["rows"]] == ["dropout", "scale_numbers", "adamw"]
    assert again["run"] == found["run"], "the same call goes on where it was"


def test_table_is_printed_and_quiet_is_quiet(words, given):
    done = words(*given, "--quiet")
    assert done.err == ""
    for word in ("dropout", "scale_numbers", "adamw", "Report: runs/table-ablated"):
        assert word in done.out


@pytest.mark.slow
def test_parts_of_ones_own_take_part_and_broken_ones_fail_alone(words, given):
    own = [*given, "--parts", "my_parts.py", "--json"]
    _, rows = rows_of(words(*own, "--with", "shaken", "--out", "with"))
    assert rows["shaken", "leave_one_out"]["verdict"] != "failed"
    _, rows = rows_of(words(*own, "--designs", "add-one", "--workers", "2", "--out", "without"))
    assert rows["shaken", "add_one"]["verdict"] not in ("failed", "identical")
    assert rows["broken", "add_one"]["verdict"] == "failed"
    assert rows["undone", "add_one"]["verdict"] != "failed"
    effects = {row["technique"]: row for row in json.loads(Path("without/ledger.json").read_text())["effects"]}
    assert effects["broken"]["reason"].startswith("KeyError")
    assert "\n" not in effects["broken"]["reason"]
    assert effects["undone"]["stopped"] == effects["undone"]["pairs"]
    assert effects["broken"]["p_adjusted"] == 1
    assert [row for name, row in effects.items() if name != "broken" and row["verdict"] == "failed"] == []


def test_recipe_that_cannot_be_trained_is_said_in_a_line(words, given):
    done = words(*given, "--parts", "my_parts.py", "--with", "broken", "--quiet", check=False)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "KeyError" in done.err


@pytest.mark.slow
def test_edited_part_is_measured_anew(words, given, tmp_path):
    own = [*given, "--parts", "my_parts.py", "--json", "--designs", "leave-one-out", "--with", "shaken"]
    _, before = rows_of(words(*own))
    (tmp_path / "my_parts.py").write_text(OWN.replace("self.size * torch", "-5 * self.size * torch"))
    _, after = rows_of(words(*own))
    assert before["shaken", "leave_one_out"]["gain"] != after["shaken", "leave_one_out"]["gain"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--rows 10", "--rows 10 is not allowed: at least 50"),
        ("--steps 0", "--steps 0 is not allowed"),
        ("--workers 0", "--workers 0 is not allowed"),
        ("--worth 0", "--worth 0.0 is not allowed"),
        ("--worth -1", "--worth -1.0 is not allowed"),
        ("--worth nan", "--worth nan is not allowed"),
        ("--full --rows 100", "choose one"),
        ("--designs nonsense", "no such design"),
        ("--designs leave_one_uot", "did you mean 'leave_one_out'"),
        ("--families dropout", "no such techniques"),
        ("--interactions dropout", "two ingredients"),
        ("--sweep dropout.rate=2", "out of range"),
        ("--sweep dropout", "dropout"),
        ("--sweep seed=1", "no part 'seed'"),
        ("--metric rocauc", "did you mean 'roc_auc'"),
        ("--metric r2", "no such metric here"),
        ("--device gpu", "gpu"),
        ("--lang xx", "xx"),
        ("--force --resume", "choose one"),
        ("--with mixpu", "did you mean 'mixup'"),
        ("--seed -1", "seed"),
        ("--parts nowhere.py", "is not a Python file"),
        ("--out table.csv", "table.csv"),
        ("--designs ,", "names nothing"),
    ],
)
def test_nonsense_is_one_line(more, said, words, given):
    done = words(*given, *more.split(), "--json", check=False)
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.startswith("aurify: ")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_refused_words_leave_no_folder_behind(words, given, tmp_path):
    words(*given, "--rows", "10", check=False)
    words("ablate", "nowhere.csv", "-t", "y", check=False)
    words(*given, "--sweep", "dropout.rate=0.3", "--device", "gpu", check=False)
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("ablate nowhere.csv -t y", "no file at nowhere.csv"),
        ("ablate empty -t y", "empty"),
        ("ablate", "give a run folder, or the data"),
        ("ablate table.csv", "--target"),
        ("ablate nowhere.yaml", "no recipe at nowhere.yaml"),
    ],
)
def test_what_is_no_run_and_no_data_is_one_line(call, said, words, given, tmp_path):
    (tmp_path / "empty").mkdir()
    done = words(*call.split(), check=False)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_run_takes_no_words_for_a_source(words, given, tmp_path):
    run = workbench.fit("table.csv", "y", recipe="tiny.yaml", inspect=False, device="cpu", out="run")
    for more in ("-t y", "--drop a", "--with mixup", "--set network.width=9", "--recipe tiny.yaml", "--split time:day"):
        done = words("ablate", "run", *more.split(), check=False)
        assert done.code == 2
        assert "has its data and recipe already" in done.err
        assert done.err.count("\n") == 1
    (run.path / "parts.aurify").unlink()
    done = words("ablate", "run", check=False)
    assert done.code == 2
    assert "fit again" in done.err


@pytest.mark.slow
def test_recipe_with_a_source_is_enough(words, given):
    words(*given, "--out", "one")
    recipe = (
        workbench.fit("table.csv", "y", recipe="tiny.yaml", inspect=False, device="cpu", out="run").path / "recipe.yaml"
    )
    more = shlex.split("--no-inspect --device cpu --rows 100 --workers 1 --worth 10 --json --out two")
    found, _ = rows_of(words("ablate", recipe, *more))
    one = json.loads(Path("one/ledger.json").read_text())
    assert [row["gain"] for row in found["rows"]] == [row["gain"] for row in one["effects"]]


@pytest.mark.slow
def test_source_that_changed_is_not_taken_for_the_old_one(words, given, tmp_path, csv_files):
    words(*given)
    shutil.copy(csv_files["classify"], tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text().splitlines()
    (tmp_path / "table.csv").write_text("\n".join(lines[:-30]) + "\n")
    done = words(*given, check=False)
    assert done.code == 2
    assert done.err.count("\n") == 1
    found, _ = rows_of(words(*given, "--force", "--json"))
    assert found["rows"]


def test_a_data_frame_and_a_module_passed_from_python(frames):
    import torch

    words = {"recipe": {"optimizer": {"name": "adamw"}, "techniques": {"dropout": {}}}, "rows": 100, "steps": 2}
    net = lambda signature: torch.nn.LazyLinear(signature.outputs)  # noqa: E731
    found = workbench.ablate(
        frames["classify"], "y", network=net, worth=10.0, inspect=False, device="cpu", workers=2, **words
    )
    assert found.plain["effects"]
    assert str(found.path) == "runs/frame-ablated"
    assert "of" in repr(found)
    with pytest.raises(AurifyError):
        workbench.load("nowhere")


def test_help_of_the_verb_imports_no_torch(command_line):
    import subprocess
    import sys

    code = """
import sys
from aurify.cli import main
sys.argv = ["aurify", *sys.argv[1:]]
try:
    main()
except SystemExit:
    assert not {"torch", "polars"} & set(sys.modules)
"""
    for given in (["--help"], ["ablate", "--help"]):
        done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "ablate" in done.stdout
