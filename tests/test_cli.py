"""The surface of the command line: frozen words, one JSON object, one line for every error, light help."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import aurify
from aurify import workbench
from aurify.cli import app

SURFACE = {
    "fit": "SOURCE --image --size --aspect"
    " --task --target -t --drop --test --split --folds --separator --encoding --header --missing --text"
    " --types --positive --weight --recipe --set --with --without --parts --out -o --force --resume --seed --time"
    " --find-rate --blend --lang --device --threads --checkpoint-every --track --accept --inspect --quiet -q --json"
    " --method --steps --seeds",
    "inspect": "SOURCE --image --size --aspect"
    " --task --target -t --test --drop --split --separator --encoding --header --missing --text"
    " --types --positive --weight --recipe --parts --fix --out -o --seed --lang --quiet -q --json",
    "ablate": "RUN --image --size --aspect"
    " --task --target -t --designs --families --interactions --sweep --metric --worth --rows --steps"
    " --method --seeds"
    " --full --simplify --workers --drop --test --split --separator --encoding --header --missing --text --types"
    " --positive --weight --recipe --set --with --without --blend --parts --accept --inspect --out -o --force --resume"
    " --seed --lang --device --quiet -q --json",
    "tune": "SOURCE --image --size --aspect"
    " --task --target -t --time --trials --method --knobs --space --metric --objectives --inner --nested"
    " --ensemble --compare --repeats --steps --seeds --workers --storage --drop --test --split --separator"
    " --encoding --header"
    " --missing --text --types --positive --weight --recipe --set --with --without --blend --parts --accept --inspect"
    " --out -o --force --resume --seed --lang --device --quiet -q --json",
    "evaluate": "RUN DATA --parts --out -o --force --seed --lang --device --quiet -q --json",
    "play": "RUN --episodes --agent --sampled --record --parts --force --seed --device --quiet -q --json",
    "export": "RUN FILE --parts --force --quiet -q --json",
    "report": "RUN --lang --out -o --parts --device --json",
    "predict": "RUN DATA --top --parts --out -o --force --device --quiet -q --json",
    "track": "RUN --to --quiet -q --json",
    "techniques": "NAME --parts --all --json",
}
FAST = ("--set", "budget.steps=4", "--set", "network.width=16")


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def run(csv_files, tmp_path_factory):
    settings = {"budget.steps": 4, "network.width": 16}
    return workbench.fit(csv_files["classify"], "y", settings=settings, out=tmp_path_factory.mktemp("cli") / "run").path


def test_commands_and_options_are_frozen():
    """Scripts depend on these words: add to the list with thought, take nothing away."""
    commands = typer.main.get_command(app).commands
    found = {
        name: {w for p in command.params for w in (p.opts if p.opts[0].startswith("-") else [p.name.upper()])}
        for name, command in commands.items()
    }
    assert {n: words - {"--help"} for n, words in found.items()} == {n: set(w.split()) for n, w in SURFACE.items()}


def test_every_option_has_a_help_text():
    for command in typer.main.get_command(app).commands.values():
        assert command.help
        assert not [p.name for p in command.params if not getattr(p, "help", None) and "--help" not in p.opts]


def one_object(text):
    assert text.count("\n") == 1
    return json.loads(text)


def test_fit_prints_one_json_object_and_nothing_else(words, csv_files):
    done = words("fit", csv_files["regress"], "--target", "y", *FAST, "--json")
    summary = one_object(done.out)
    assert done.err == ""
    assert {"run", "scores", "baselines", "seconds"} <= set(summary)
    assert summary["run"] == "runs/regress"
    for score in summary["scores"].values():
        assert set(score) == {"value", "low", "high"}
    assert summary["baselines"]["linear"]["rmse"] > 0
    assert summary["seconds"] > 0


@pytest.mark.slow
def test_json_of_an_undefined_score_is_null_never_nan(words, csv_files, frames):
    done = words("fit", csv_files["classify"], "-t", "y", *FAST, "--json")
    assert "NaN" not in done.out
    assert "Infinity" not in done.out


def test_evaluate_predict_and_techniques_print_one_json_object(words, run, csv_files):
    assert {"scores", "seconds"} <= set(one_object(words("evaluate", run, csv_files["classify"], "--json").out))
    predicted = one_object(words("predict", run, csv_files["classify"], "--json").out)
    assert predicted["rows"] == len(predicted["predictions"]) == 240
    assert set(predicted["predictions"][0]) == {"prediction", "p_low", "p_mid", "p_top"}
    assert one_object(words("techniques", "mixup", "--json").out)["settings"]["alpha"]["help"]
    assert {p["kind"] for p in one_object(words("techniques", "--json").out)} == {
        "task",
        "network",
        "optimizer",
        "technique",
    }


def test_predictions_go_to_stdout_or_a_file(words, run, csv_files, tmp_path):
    shown = words("predict", run, csv_files["classify"], "--quiet")
    assert shown.out.splitlines()[0] == "prediction,p_low,p_mid,p_top"
    assert len(shown.out.splitlines()) == 241
    assert shown.err == ""
    words("predict", run, csv_files["classify"], "-o", "p.csv")
    assert (tmp_path / "p.csv").read_text() == shown.out
    refused = words("predict", run, csv_files["classify"], "-o", "p.csv", check=False)
    assert (refused.code, refused.err) == (2, "aurify: p.csv exists already; replace it with --force\n")
    words("predict", run, csv_files["classify"], "-o", "p.csv", "--force")


def test_quiet_fit_prints_results_only(words, csv_files):
    done = words("fit", csv_files["regress"], "-t", "y", *FAST, "--quiet")
    assert done.err == ""
    assert "rmse" in done.out
    assert "Run: runs/regress" in done.out
    assert "Test part opened 1 time." in " ".join(done.out.split())


def test_intervals_and_baselines_are_printed(words, csv_files):
    done = words("fit", csv_files["regress"], "-t", "y", *FAST)
    for word in ("network", "linear", "boosting", "mean", "[95%]"):
        assert word in done.out
    assert re.search(r"rmse\s+\S+ \[\S+, \S+\]", done.out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("fit {data} --target Y", "column 'Y' is not in"),
        ("fit {data}", "say so with --target"),
        ("fit nowhere.csv -t y", "no file at nowhere.csv"),
        ("fit {data} -t y --set netwrok.width=5", "did you mean 'network'"),
        ("fit {data} -t y --set network.width=0", "out of range: allowed from 1 to"),
        ("fit {data} -t y --set network.width=x", "not a whole number"),
        ("fit {data} -t y --with mixpu", "did you mean 'mixup'"),
        ("fit {data} -t y --without mixup", "the recipe does not use it"),
        ("fit {data} -t y --with focal", "does not fit"),
        ("fit {data} -t y --blend tree", "did you mean 'trees'"),
        ("fit {data} -t y --time fast", "a duration is written as"),
        ("fit {data} -t y --time 0s", "a duration"),
        ("fit {data} -t y --time 0.5s", "out of range"),
        ("fit {data} -t y --device gpu", "device 'gpu' is not supported"),
        ("fit {data} -t y --device cuda:77", "cannot be used"),
        ("fit {data} -t y --threads 0", "--threads"),
        ("fit {data} -t y --seed -1", "seed"),
        ("fit {data} -t y --seed x", "--seed"),
        ("fit {data} -t y --parts nowhere.py", "is not a Python file"),
        ("fit {data} -t y --recipe nowhere.yaml", "no recipe at nowhere.yaml"),
        ("fit nowhere.yaml", "no recipe at nowhere.yaml"),
        ("fit {data} -t y --test nowhere.csv", "no file at nowhere.csv"),
        ("fit {data} -t y --frobnicate", "--frobnicate"),
        ("fit {data} more -t y", "more"),
        ("fit", "give the data to fit"),
        ("frobnicate", "frobnicate"),
        ("evaluate nowhere", "nowhere"),
        ("evaluate", "RUN"),
        ("predict {run}", "DATA"),
        ("predict {run} nowhere.csv", "no file at nowhere.csv"),
        ("predict {run} {data} -o nowhere/p.csv", "nowhere"),
        ("predict nowhere {data}", "nowhere"),
        ("export {run}", "FILE"),
        ("export nowhere model.onnx", "nowhere"),
        ("export {run} nowhere/model.onnx", "nowhere"),
        ("techniques mixpu", "did you mean 'mixup'"),
    ],
)
def test_every_mistake_is_one_line_and_exit_code_2(words, run, csv_files, given, said):
    data = csv_files["regress"]
    done = words(*given.format(data=data, run=run).split(), check=False)
    assert done.code == 2, done.err
    assert done.err.startswith("aurify: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


def test_names_with_brackets_and_markup_are_printed_as_they_are(words, frames, tmp_path):
    frames["regress"].rename({"a": "[bold]a[/bold]", "b": "b\n2"}).write_csv("odd [red].csv")
    done = words("fit", "odd [red].csv", "-t", "y", *FAST)
    assert "'[bold]a[/bold]'" in " ".join(done.err.split())
    wrong = words("fit", "odd [red].csv", "-t", "[nope", check=False)
    assert "'[nope'" in wrong.err


def test_our_own_mistakes_are_one_line_that_names_a_log(words, monkeypatch, csv_files):
    def broken(*given, **options):
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(workbench, "fit", broken)
    done = words("fit", csv_files["regress"], "-t", "y", check=False)
    assert done.code == 70
    assert done.err.count("\n") == 1
    log = Path(re.search(r"details in (\S+);", done.err)[1])
    assert "second line" in log.read_text()
    log.unlink()


def test_help_and_the_bare_package_import_nothing_heavy():
    """Each is typed often: torch and polars cost seconds."""
    heavy = "{'torch', 'polars', 'sklearn', 'scipy', 'numpy', 'pandas', 'rich.progress'} & set(sys.modules)"
    codes = [
        f"import sys, aurify; print({heavy})",
        "import sys\nsys.argv = ['aurify', '--help']\nfrom aurify.cli import main\n"
        f"try: main()\nexcept SystemExit: print({heavy})",
        "import sys\nsys.argv = ['aurify', 'fit', '--help']\nfrom aurify.cli import main\n"
        f"try: main()\nexcept SystemExit: print({heavy})",
    ]
    for code in codes:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "set()", code


def test_installed_command_is_the_same_program(command_line):
    assert command_line("--version").stdout == f"aurify {aurify.__version__}\n"


def test_version_of_the_package_is_offered_lazily():
    lazy = {"AurifyError", "FittedRun", "SevereError", "Tuned", "ablate", "fit", "inspect", "load", "tune"}
    assert set(aurify.__all__) <= set(dir(aurify)) | lazy
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = aurify.fitt
