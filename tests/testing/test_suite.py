"""The shipped suite catches parts that break a promise, each by the check meant for it, and lets sound ones pass."""

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import pytest

from aurify.core.errors import AurifyError
from aurify.techniques.dropout import Dropout
from aurify.testing import (
    CheckSkipped,
    check_part,
    checks,
    describing,
    drawing,
    exporting,
    parametrize_with_checks,
    suite,
    switching,
    together,
    training,
)
from aurify.testing.differences import first_difference

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
BROKEN = HERE / "broken_parts.py"
EXAMPLES = {"README.md": "# my_parts.py", "docs/architecture.md": "# wide.py"}


@pytest.fixture(scope="module")
def broken():
    specification = importlib.util.spec_from_file_location("broken_parts", BROKEN)
    module = importlib.util.module_from_spec(specification)
    sys.modules["broken_parts"] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules["broken_parts"]


@pytest.fixture
def tried(broken):
    """Return a function that gives the one check of a part whose name begins so."""

    def find(part, start):
        return next(check for name, check in checks(getattr(broken, part)) if name.startswith(start))

    return find


def example(page, folder):
    """The file of parts that a page shows."""
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)
    path = folder / EXAMPLES[page].removeprefix("# ")
    path.write_text(next(block for block in blocks if block.startswith(EXAMPLES[page])), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "promise", "said"),
    [
        ("NeverOff", "neutral_settings_equal_off_in", r"with \{'scale': 0.0\} something changes"),
        (
            "FromTheGlobalGenerator",
            "same_recipe_gives_same_weights",
            r"a global generator, generators.torch; .*run.random",
        ),
        ("Seeding", "same_recipe_gives_same_weights", "a global generator, generators.torch"),
        ("Forgetful", "run_resumed_after_every_step", r"first .*; keep what changes .* state\(\)"),
        ("Idle", "vivid_settings_change", "choose stronger vivid settings"),
        ("Wild", "vivid_settings_change", "it raises DivergedError"),
        ("Failing", "neutral_settings_equal_off", "it raises ValueError: no gradient here"),
        ("OthersWeights", "switching_it_on_leaves_the_first_weights", "first weights.leave.weight; leave existing"),
        ("Undocumented", "every_setting_has_a_help_text", r"no help text: 'power'; write knob\("),
        ("ByPosition", "settings_are_keyword_only", r"write @dataclass\(kw_only=True\)"),
        ("Demanding", "part_is_made_without_settings", "give every setting a default"),
        ("Sourceless", "docstring_says_when", "name the source with its year"),
        ("Shift", "part_survives_save_load", r"'?by'?.*a Layer is rebuilt as type\(layer\)"),
        ("GlobalShift", "fitted_layers_come_from", "fitted twice on the same rows it differs, first layers"),
        ("Peeking", "fitted_layers_come_from", "first plan.weight; look at nothing but the view"),
        ("Crowd", "row_is_answered_alike", "no mean or maximum over the batch"),
        ("Standing", "network_learns_with_every_optimizer", "keeps 100% of the error"),
    ],
)
def test_broken_part_is_caught_by_the_check_meant_for_it(broken, part, promise, said):
    with pytest.raises(AssertionError, match=rf"(?s){getattr(broken, part).name()}.* breaks ({promise}).*{said}"):
        check_part(getattr(broken, part))


def test_network_that_draws_from_the_global_generator_is_told_of_layers_that_do_not(tried):
    with pytest.raises(AssertionError, match=r"generators.torch; .* aurify.core.rng.Stochastic"):
        tried("Leaking", "same_recipe")()


@pytest.mark.slow
def test_sound_technique_passes_without_pytest_and_where_assertions_are_left_out(tmp_path):
    """And the same process still catches a broken one."""
    path = example("README.md", tmp_path)
    program = f"""
import sys
sys.modules["pytest"] = None
from aurify.testing import check_part
if check_part({str(path)!r}) != []:
    sys.exit("something was skipped")
try:
    check_part({str(BROKEN)!r})
except AssertionError as error:
    print(error)
"""
    command = [sys.executable, "-O", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert " breaks " in done.stdout


@pytest.mark.slow
def test_network_of_the_architecture_page_passes(tmp_path):
    assert check_part(example("docs/architecture.md", tmp_path)) == []


def test_what_does_not_fit_is_said(tried, broken):
    check = tried("OnlyNumbers", "kind_of_table")
    with pytest.raises(SkipTest, match="other tasks than tables to classify: none of its promises was tried there"):
        check()
    names = [name for name, _ in checks(broken.OnlyNumbers)]
    assert not [name for name in names if "classify" in name and not name.startswith("kind_of_table")]
    assert [name for name in names if name.startswith("neutral") and name.endswith("regress")]


def test_skipped_checks_are_returned_and_warned_of(broken, monkeypatch):
    only = tuple(row for row in suite.SUITE if suite.kind_of_table_is_one_it_fits in row[1])
    monkeypatch.setattr(suite, "SUITE", only)
    with pytest.warns(CheckSkipped, match="only_numbers-classify: it is for other tasks"):
        skipped = check_part(broken.OnlyNumbers)
    assert len(skipped) == 1


def test_export_is_skipped_saying_what_is_not_installed(tried, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnx" else find(name))
    with pytest.raises(SkipTest, match=r"export needs onnx, not installed: pip install 'aurify\[export\]'"):
        tried("Crowd", "graph_answers")()


@pytest.mark.slow
def test_pytest_runs_every_check_by_name_and_shows_what_was_skipped(tmp_path):
    (tmp_path / "my_parts.py").write_text(BROKEN.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_mine.py").write_text(
        "from aurify.testing import parametrize_with_checks\n\n"
        '@parametrize_with_checks("my_parts.py")\n'
        "def test_my_parts(check):\n    check()\n"
    )
    words = ["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-k", "kind_of or every_setting_has"]
    command = [sys.executable, *words, "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "test_my_parts[every_setting_has_a_help_text-undocumented]" in done.stdout
    assert "no help text: 'power'" in done.stdout
    assert re.search(r"SKIPPED \[1\].*only_numbers?.*|SKIPPED \[1\].*it is for other tasks", done.stdout)


@pytest.mark.slow
def test_parts_are_given_by_class_file_or_folder(broken, tmp_path):
    path = example("README.md", tmp_path)
    names = [{name for name, _ in checks(given)} for given in (path, str(path), tmp_path)]
    assert names[0] == names[1] == names[2]
    assert all("gradient_noise" in name for name in names[0])
    assert {name.partition("-")[2].split("-")[0] for name, _ in checks(broken.Sound, broken.Standing)} > {"sound"}
    assert {p.id for p in parametrize_with_checks(path).args[1]} == names[0]
    assert [name for name, _ in checks(Dropout) if name.startswith("vivid") and "dropout" in name]


@pytest.mark.parametrize("given", [int, "nothing.py"])
def test_what_holds_no_part_is_refused(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nothing.py").write_text("x = 1\n")
    with pytest.raises(AurifyError, match=r"no part in '(int|nothing\.py)': a part is a public class") as caught:
        checks(given)
    assert "\n" not in str(caught.value)


def test_every_promise_of_the_package_is_tried_and_says_itself_in_a_sentence():
    tried = [promise for _, promises in suite.SUITE for promise in promises]
    modules = (describing, switching, drawing, training, exporting, together)
    written = {
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not value.__name__.startswith("_")
        if list(inspect.signature(value).parameters) == ["case"]
    }
    assert written <= set(tried)
    assert len({promise.__name__ for promise in tried}) == len(set(tried))
    for promise in tried:
        assert re.fullmatch(r"[A-Z`].+\.", promise.__doc__), promise.__name__


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ({"a": [1, (2, 3)]}, {"a": [1, (2, 4)]}, "a[1][1]"),
        ({"a": 1}, {"a": 1, "b": 2}, "b"),
        ({"a": 1, "b": 2}, {"a": 1}, "b"),
        ([1, 2], [1], "all of it"),
        ({"a": None}, {"a": {}}, "a"),
        ({"a": [1.0]}, {"a": [1.0]}, None),
    ],
)
def test_first_difference_is_named(one, other, place):
    assert first_difference(one, other) == place
