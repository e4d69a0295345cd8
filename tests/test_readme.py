"""Every snippet of the README runs, word for word."""

import re
import shlex
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from forked import order
from PIL import Image

ROWS = 1500
"""Of the bundled table, which ``make demo`` takes whole."""

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def commands():
    lines = [line for block in blocks("console") for line in block.splitlines() if line.startswith("$ aurify ")]
    return [line.removeprefix("$ ").split("  #")[0].strip() for line in lines]


def reviews():
    """A small file of Chinese and English reviews."""
    random = np.random.default_rng(0)
    words = {"good": ["good", "很好", "干净", "lovely", "满意"], "bad": ["bad", "很差", "脏", "broken", "失望"]}
    plain = ["房间", "服务", "the", "hotel", "早餐", "was", "一般", "and", "前台", "we"]
    rows = ["review,label"]
    for at in range(240):
        label = ("good", "bad")[at % 2]
        said = [*random.choice(words[label], 2), *random.choice(plain, 8)]
        rows.append(f"{' '.join(random.permutation(said))} {at}。,{label}")
    return "\n".join(rows)


def photos(folder):
    """Small images of noise that is redder, or bluer, than gray."""
    random = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        (folder / name).mkdir(parents=True)
        for at in range(60):
            image = random.integers(0, 160, (20, 24, 3), dtype=np.uint8)
            image[4:14, 6:18, channel] += 60
            Image.fromarray(image).save(folder / name / f"{at}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("readme")
    table = (files("aurify") / "examples" / "telco_churn.csv").read_text(encoding="utf-8")
    (path / "telco_churn.csv").write_text("".join(table.splitlines(keepends=True)[: 1 + ROWS]), encoding="utf-8")
    (path / "reviews.csv").write_text(reviews(), encoding="utf-8")
    photos(path / "photos")
    (path / "my_parts.py").write_text(next(b for b in blocks("python") if b.startswith("# my_parts.py")))
    return path


@pytest.mark.slow
def test_every_command_of_the_readme_runs_in_its_order(folder, zygote, tmp_path):
    assert len(commands()) >= 7
    for command in commands():
        files = (folder, tmp_path / "out", tmp_path / "err")
        pid = zygote({"start": order(shlex.split(command)[1:], *files)})
        assert zygote({"wait": pid}) == 0, f"{command}\n{files[2].read_text()}"
    assert (folder / "churn_predictions.csv").exists()
    assert (folder / "runs" / "telco_churn-2" / "recipe.yaml").exists()


SNIPPETS = [block for block in blocks("python") if block.startswith("import ")]


@pytest.mark.slow
@pytest.mark.parametrize("snippet", SNIPPETS, ids=[snippet.splitlines()[0] for snippet in SNIPPETS])
def test_python_of_the_readme_runs(folder, snippet):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("regularisation" if "aurify.ablate" in snippet else "roc_auc") in done.stdout
    assert "p_Yes" in done.stdout or ".predict" not in snippet


@pytest.mark.slow
def test_parts_of_the_readme_pass_the_suite_as_it_says(folder):
    (folder / "test_my_parts.py").write_text(next(b for b in blocks("python") if b.startswith("# test_my_parts.py")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_parts.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout


def test_pages_that_the_readme_links_to_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (README.parent / target).exists(), target
