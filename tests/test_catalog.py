"""Parts are found by file, named once, and changed from the command line by a small grammar."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aurify import catalog as catalogs
from aurify.catalog import override
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Optimizer, Task, Technique
from aurify.core.recipe import read_yaml

PART = '''
"""A technique in a file of its own."""
from __future__ import annotations

from dataclasses import dataclass

import torch

from aurify.core.parts import Stage, Technique, Trait, knob, state
from aurify.core.types import Layer


@dataclass(kw_only=True)
class GradientNoise(Technique):
    """Add random numbers to the gradients, less with every step (Neelakantan et al. 2015).

    Helps: very deep networks that will not start. Hurts: everything else.
    """

    amount: float = knob(0.01, "deviation of the noise", low=0.0, high=1.0)
    neutral = {"amount": 0.0}
    vivid = {"amount": 0.5}
    added: int = state(int)

    def on_gradients(self, run) -> None:
        for at, p in enumerate(run.model.parameters()):
            if self.amount:
                p.grad += self.amount * torch.randn(p.shape, generator=run.random(f"noise/{at}"))
        self.added += 1


@dataclass(kw_only=True)
class Halve(Technique):
    """Halve every number (Nobody 2001). Helps: nothing. Hurts: nothing."""

    share: float = knob(0.5, "what numbers are multiplied with", low=0.1, high=1.0)
    needs = frozenset({Trait.COLUMNS})
    neutral = {"share": 1.0}
    stage = Stage.CLIP

    def layer(self, view):
        return Halved(share=self.share) if "numbers" in view.values and self.share != 1.0 else None


class Halved(Layer):
    share: float

    def forward(self, values):
        return {**values, "numbers": values["numbers"] * self.share}
'''


@pytest.fixture
def part_file(tmp_path):
    (tmp_path / "noise.py").write_text(PART)
    return tmp_path / "noise.py"


def test_every_file_of_the_package_is_found(catalog):
    root = Path(catalogs.__file__).parent
    none_to_find = {"__init__", "given"}  # what is passed from Python is a part for one call
    for kind, (base, folder) in catalogs.KINDS.items():
        modules = {p.stem for p in (root / folder).glob("*.py")} - none_to_find
        assert modules == {p.__module__.rpartition(".")[2] for p in catalog.parts[kind].values()}, folder
        assert all(issubclass(p, base) for p in catalog.parts[kind].values())
    assert [base for base, _ in catalogs.KINDS.values()] == [Task, Network, Optimizer, Technique]


@pytest.mark.parametrize("as_folder", [False, True])
def test_outside_part_is_found_built_saved_and_searched(part_file, as_folder, lab):
    found = catalogs.load([part_file.parent if as_folder else part_file])
    part = found.find("technique", "gradient_noise")
    assert found.anywhere("gradient_noise") == ("technique", part)
    plain = override(lab.recipe("classify").plain(), using=["gradient_noise.amount=0.25", "halve"])
    recipe = found.recipe(plain)
    assert found.recipe(read_yaml(recipe.to_yaml(), "r.yaml")) == recipe
    assert {"gradient_noise.on", "gradient_noise.amount"} <= set(found.search_space(recipe))
    assert "Add random numbers to the gradients" in catalogs.describe(part, "technique")
    assert "noise.Halved" in found.layers


@pytest.mark.slow
def test_outside_part_is_listed_fitted_and_needed_again_by_the_command_line(part_file, csv_files, tmp_path, words):
    assert "gradient_noise" in words("techniques", "--parts", part_file).out
    data, run = csv_files["classify"], tmp_path / "run"
    settings = ("--set", "budget.steps=4", "--quiet", "--out", run)
    words("fit", data, "--target", "y", "--with", "halve", "--parts", part_file, *settings)
    assert "halve:" in (run / "recipe.yaml").read_text()
    assert words("predict", run, data, "--parts", part_file).out.startswith("prediction,")
    without = words("predict", run, data, check=False)
    assert without.code == 2
    assert "halve" in without.err
    assert without.err.count("\n") == 1


@pytest.mark.slow
def test_contract_tests_cover_an_outside_part_without_an_edit(part_file):
    """Run on the new file alone, they pass, and they fail when its promise is broken."""
    code, said = contracts(part_file, PART, "gradient_noise or halve")
    assert code == 0, said
    assert int(said.split(" passed")[0].split()[-1]) > 60
    broken = PART.replace("if self.amount:", "if True:").replace(
        "p.grad += self.amount", "p.grad += (self.amount + 0.1)"
    )
    code, said = contracts(part_file, broken, "gradient_noise and neutral_settings_equal_off")
    assert code == 1, said
    assert "4 failed" in said


def contracts(part_file, text, chosen):
    part_file.write_text(text)
    tests = Path(__file__).parent
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-k",
        chosen,
        tests / "contracts",
    ]
    environment = {**os.environ, "AURIFY_PARTS": str(part_file), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tests.parent, check=False)
    return done.returncode, done.stdout


def test_two_parts_of_one_name_are_refused_naming_both_places(part_file, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(PART.replace("GradientNoise", "Dropout"))
    with pytest.raises(
        AurifyError, match=r"two techniques are called 'dropout': in aurify.techniques.dropout and .*other"
    ):
        catalogs.load([other])
    other.write_text(PART)
    with pytest.raises(AurifyError, match="two techniques are called 'gradient_noise'"):
        catalogs.load([part_file, other])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:\n", r"bad.py, line 1: SyntaxError"),
        ("x = 1\nimport no_such_module\n", r"bad.py, line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("\n\nraise ValueError('why\\nnot')\n", r"bad.py, line 3: ValueError"),
        (PART.replace("amount:", "rows:").replace("amount", "rows"), "a setting cannot be called 'rows', as a seam is"),
    ],
)
def test_file_of_parts_that_fails_is_an_error_of_one_line(tmp_path, text, said):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(AurifyError, match=said) as caught:
        catalogs.load([tmp_path / "bad.py"])
    assert " ".join(str(caught.value).split()).startswith(("--parts", "technique"))


def test_places_without_parts_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(AurifyError, match=r"holds no .py file"):
        catalogs.load([tmp_path])
    for place in (tmp_path / "notes.txt", tmp_path / "absent.py"):
        with pytest.raises(AurifyError, match="is not a Python file"):
            catalogs.load([place])


def test_private_and_imported_classes_are_no_parts(tmp_path):
    (tmp_path / "mine.py").write_text(
        PART.replace("class GradientNoise", "class _Hidden") + "\nfrom aurify.techniques.mixing import Mixup\n"
    )
    found = catalogs.load([tmp_path / "mine.py"])
    assert "mixup" in found.parts["technique"]
    assert not [n for n in found.parts["technique"] if "hidden" in n]


def test_unknown_names_are_refused_with_the_nearest(catalog):
    with pytest.raises(AurifyError, match="no network is called 'mpl'; did you mean 'mlp'"):
        catalog.find("network", "mpl")
    with pytest.raises(AurifyError, match="no part is called 'mixupp'; did you mean 'mixup'"):
        catalog.anywhere("mixupp")
    with pytest.raises(AurifyError, match="no optimizer is called 'zzz'; known: adam, adamw"):
        catalog.find("optimizer", "zzz")


# the grammar of --set, --with and --without

PLAIN = {
    "task": {"name": "table"},
    "network": "mlp",
    "optimizer": {"name": "adamw", "beta1": 0.8},
    "techniques": {"mixup": {"alpha": 0.3}, "dropout": None},
    "seed": 0,
}


@pytest.mark.parametrize(
    ("words", "path", "value"),
    [
        ({"settings": ["network.width=256"]}, "network", {"name": "mlp", "width": 256}),
        ({"settings": ["network=mlp"]}, "network", {"name": "mlp"}),
        ({"settings": ["optimizer=sgd", "optimizer.momentum=0.5"]}, "optimizer", {"name": "sgd", "momentum": 0.5}),
        ({"settings": ["optimizer.beta1=0.9"]}, "optimizer", {"name": "adamw", "beta1": 0.9}),
        ({"settings": ["seed=7"]}, "seed", 7),
        ({"settings": ["precision=bfloat16"]}, "precision", "bfloat16"),
        ({"settings": ["split.test=0.3"]}, "split", {"test": 0.3}),
        ({"settings": ["budget.steps=null"]}, "budget", {"steps": None}),
        ({"settings": ["source.drop=[a, b]"]}, "source", {"drop": ["a", "b"]}),
        ({"settings": ["source.target=a=b"]}, "source", {"target": "a=b"}),
        ({"settings": ["mixup.alpha=1"]}, "techniques.mixup", {"alpha": 1}),
        ({"settings": ["techniques.mixup.alpha=1"]}, "techniques.mixup", {"alpha": 1}),
        ({"settings": ["dropout.rate=0.2"]}, "techniques.dropout", {"rate": 0.2}),
        ({"using": ["sam"]}, "techniques.sam", {}),
        ({"using": ["sam.radius=0.1"]}, "techniques.sam", {"radius": 0.1}),
        ({"using": ["mixup"]}, "techniques.mixup", {"alpha": 0.3}),
        ({"using": ["sam"], "settings": ["sam.radius=0.2"]}, "techniques.sam", {"radius": 0.2}),
        ({"without": ["mixup"]}, "techniques", {"dropout": {}}),
        ({"without": ["mixup"], "using": ["mixup"]}, "techniques.mixup", {}),
    ],
)
def test_words_change_what_they_say(words, path, value):
    before = repr(PLAIN)
    changed = override(PLAIN, **words)
    for step in path.split("."):
        changed = changed[step]
    assert changed == value
    assert repr(PLAIN) == before, "what was given is left alone"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"settings": ["network.width"]}, "write a setting and its value"),
        ({"settings": ["netwrok.width=1"]}, "no part 'netwrok'; did you mean 'network'"),
        ({"settings": ["sam.radius=1"]}, "switched on with --with"),
        ({"settings": ["budget=5"]}, "name one of its settings"),
        ({"settings": ["mixup=5"]}, "name one of its settings"),
        ({"settings": ["=5"]}, "no part ''"),
        ({"settings": ["seed.x=5"]}, "seed"),
        ({"using": ["mixup=0.4"]}, r"write a technique \(mixup\) or one setting"),
        ({"using": ["mixup.alpha"]}, "write a technique"),
        ({"without": ["sam"]}, "--without sam: the recipe does not use it"),
        ({"without": ["mixpu"]}, "did you mean 'mixup'"),
    ],
)
def test_words_that_have_no_place_are_refused(words, said):
    with pytest.raises(AurifyError, match=said) as caught:
        override(PLAIN, **words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("techniques", [["mixup", "dropout"], {"mixup": True, "dropout": None}])
def test_words_change_every_way_to_write_techniques(catalog, techniques):
    changed = override({**PLAIN, "techniques": techniques}, using=["sam"], without=["mixup"])
    assert {t.name() for t in catalog.recipe(changed).techniques} == {"dropout", "sam"}


@pytest.mark.parametrize("techniques", [5, "mixup", {"mixup": 5}])
def test_words_on_a_broken_recipe_are_an_error_of_one_line(catalog, techniques):
    with pytest.raises(AurifyError):
        catalog.recipe(override({**PLAIN, "techniques": techniques}, settings=["seed=1"]))


@pytest.mark.parametrize("section", [5, ["a"], "text"])
def test_words_on_a_broken_section_are_an_error_of_one_line(catalog, section):
    with pytest.raises(AurifyError):
        catalog.recipe(override({**PLAIN, "budget": section}, settings=["budget.steps=1"]))
