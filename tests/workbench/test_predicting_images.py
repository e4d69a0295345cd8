"""Images from a folder to answers: files, folders and arrays; the most probable classes; none is made up."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from PIL import Image
from rich.console import Console

from aurify import workbench
from aurify.cli import app
from aurify.core.errors import AurifyError
from aurify.core.surroundings import tell
from aurify.measure.predictions import Predictions
from aurify.report import terminal
from aurify.ship.best import best

FAST = {"budget.steps": 3, "network": "convnet", "network.width": 16, "network.channels": 8}


def picture(path, shade, noise=0):
    random = np.random.default_rng(noise)
    Image.fromarray((shade + random.integers(0, 60, (8, 8, 3))).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos") / "p"
    for at, label in enumerate(("bird", "cat", "dog")):
        (root / label).mkdir(parents=True)
        for n in range(14):
            picture(root / label / f"{n}.png", 80 * at, 100 * at + n)
    return root


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory):
    return workbench.fit(photos, settings=FAST, inspect=False, out=tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def new(tmp_path):
    for at in range(4):
        picture(tmp_path / f"{at}.png", 60 * at, at)
    (tmp_path / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    return tmp_path


def shown(capsys, *words):
    assert app(list(map(str, words)), standalone_mode=False) in (0, None)
    return capsys.readouterr()


def test_a_folder_of_photos_becomes_a_model_without_a_word_more(run):
    assert run.recipe.task.name() == "image"
    assert run.summary["rows"] > 0
    assert run.bundle.schema.classes == ("bird", "cat", "dog")


def test_size_and_aspect_are_as_the_user_says(photos, tmp_path):
    notes = []
    words = {"settings": FAST, "inspect": False, "out": tmp_path / "run", "note": notes.append}
    run = workbench.fit(photos, size=12, aspect="pad", **words)
    assert str(run.bundle.schema.image.format) == "12x12x3 pad"
    assert (run.recipe.source.size, run.recipe.source.aspect) == (12, "pad")
    assert any("12 x 12 pixels in colour; what is shorter is padded with black" in note for note in notes)
    for wrong, said in (({"size": 3}, "source.size = 3"), ({"size": 4000}, "4000"), ({"aspect": "wide"}, "crop")):
        with pytest.raises(AurifyError, match=said):
            workbench.fit(photos, **wrong)


def test_a_folder_is_answered_file_by_file(run, photos):
    found = run.predict(photos)
    assert found.columns == ["file", "prediction", "p_bird", "p_cat", "p_dog"]
    assert found["file"][:2].to_list() == ["bird/0.png", "bird/1.png"]
    assert found.height == 42


def test_images_that_cannot_be_read_have_no_answer_and_the_others_theirs(run, new):
    found = run.predict(new)
    assert found["file"].to_list() == ["0.png", "1.png", "2.png", "3.png"]
    assert found.select(pl.all().is_null()).row(2) == (False, True, True, True, True)
    assert found.null_count().row(0) == (0, 1, 1, 1, 1)
    alone = run.predict(new / "3.png")
    assert alone.row(0)[1:] == found.row(3)[1:]
    answer = run.bundle.answer(new)
    assert answer.predictions.row.tolist() == [0, 1, 3], "nothing is made up, in no form of the answer"
    assert sum("1 of 4 images cannot be read and get no prediction: 2.png" in note for note in answer.notes) == 1


def test_the_most_probable_classes_come_in_their_order(run, photos, new):
    every, best = run.predict(photos), run.predict(photos, top=2)
    assert best.columns == ["file", "prediction", "top_1", "p_1", "top_2", "p_2"]
    assert (best["top_1"] == every["prediction"]).all()
    chances = every.select("p_bird", "p_cat", "p_dog").to_numpy()
    assert np.array_equal(best.select("p_1", "p_2").to_numpy(), -np.sort(-chances, axis=1)[:, :2])
    assert run.predict(photos, top=9).columns[-2:] == ["top_3", "p_3"]
    assert run.predict(new, top=1)["top_1"].null_count() == 1


def test_several_files_are_answered_in_their_order(run, new, capsys):
    found = shown(capsys, "predict", run.path, new / "3.png", new / "0.png", "--top", "1")
    rows = pl.read_csv(io.StringIO(found.out))
    assert rows.columns == ["image", "prediction", "top_1", "p_1"]
    assert rows["image"].to_list() == [str(new / "3.png"), str(new / "0.png")]
    found = shown(capsys, "predict", run.path, new)
    assert "cannot be read and get no prediction" in found.err
    assert ",,," in found.out.splitlines()[3]


def test_arrays_and_images_in_memory_are_answered_like_files(run, new):
    files = [new / f"{at}.png" for at in (0, 1, 3)]
    arrays = np.stack([np.asarray(Image.open(file)) for file in files])
    wanted = run.predict([str(file) for file in files]).drop("image")
    for data in (arrays, arrays / 255, list(arrays), [Image.open(file) for file in files]):
        assert run.predict(data).equals(wanted)


def test_arrays_and_targets_become_a_model(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 6, 6), dtype=np.uint8)
    y = ["light" if image.mean() > 127 else "dark" for image in images]
    run = workbench.fit(images, y, settings=FAST, inspect=False, out=tmp_path / "run")
    assert run.predict(images).height == 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((["a.csv", "b.csv"],), "none of 2 images can be read; there is no such file"),
        (("nowhere.jpg",), "no file at nowhere.jpg"),
        (("what is this",), "give an image, a folder of images"),
        ((np.zeros((2, 5, 5, 7), np.uint8),), "an array of shape"),
    ],
)
def test_what_is_no_image_is_refused_in_one_line(run, words, said):
    with pytest.raises(AurifyError, match=said) as raised:
        run.predict(*words)
    assert "\n" not in str(raised.value)


def answer_of(probabilities, classes=None):
    numbers = np.asarray(probabilities, dtype=float)
    return Predictions.of_answer(numbers, row=np.arange(len(numbers)), target=None, classes=classes, several=False)


def test_equally_probable_classes_come_in_the_order_of_the_classes():
    found = best(answer_of([[0.3, 0.4, 0.3], [1 / 3, 1 / 3, 1 / 3]], ("c", "b", "a")), 3)
    assert [found[f"top_{at}"].to_list() for at in (1, 2, 3)] == [["b", "c"], ["c", "b"], ["a", "a"]]


def test_the_top_of_numbers_is_refused():
    with pytest.raises(AurifyError, match="--top 3 is for classes, and the model predicts a number"):
        best(answer_of([1.0, 2.0]), 3)
    with pytest.raises(AurifyError, match="--top 0: show 1 class or more"):
        best(answer_of([[1.0, 0.0]], ("a", "b")), 0)


def test_a_bar_is_shown_while_reading_takes_long_and_gone_after():
    class Paper(io.StringIO):
        def isatty(self):
            return True

    paper = Paper()
    with terminal.reading(Console(file=paper, force_terminal=True, width=80)):
        tell("reading images", 1, 100)
        assert not paper.getvalue()
        time.sleep(terminal.REFRESH_SECONDS * 1.5)
        tell("reading images", 50, 100)
        time.sleep(terminal.REFRESH_SECONDS * 1.5)
        tell("reading images", 60, 100)
        assert "60/100" in paper.getvalue()
        tell("reading images", 100, 100)
    tell("reading images", 1, 2)  # nobody listens


def test_reading_and_training_have_a_bar_each(monkeypatch):
    monkeypatch.setattr(terminal, "REFRESH_SECONDS", -1.0)
    paper = io.StringIO()
    console = Console(file=paper, force_terminal=True, width=80)
    with terminal.reading(console), terminal.progress(console) as show:
        tell("reading images", 1, 3)
        tell("reading images", 2, 3)
        tell("reading images", 3, 3)
        show(SimpleNamespace(step=1, steps=2, log=[], best=None))
    assert paper.getvalue().index("reading images") < paper.getvalue().index("training")
    with terminal.reading(console), terminal.progress(console):
        pass


@pytest.mark.slow
def test_interrupted_reading_ends_in_one_line_and_leaves_nothing(tmp_path):
    """Ctrl-C while thousands of images are read: no traceback, no folder, no temporary file."""
    raw = io.BytesIO()
    Image.effect_noise((400, 400), 90).save(raw, "PNG")
    for label in "ab":
        (tmp_path / "p" / label).mkdir(parents=True)
        (tmp_path / "p" / label / "0.png").write_bytes(raw.getvalue())
        for at in range(1, 3000):
            os.link(tmp_path / "p" / label / "0.png", tmp_path / "p" / label / f"{at}.png")
    command = [sys.executable, "-c", "from aurify.cli import main; main()", "fit", "p", "--quiet"]
    root = str(Path(workbench.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    fit = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "runs").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    fit.send_signal(signal.SIGINT)
    _, told = fit.communicate(timeout=60)
    assert fit.returncode == 130, told
    assert len(told.strip().splitlines()) == 1, told
    assert not [path for path in (tmp_path / "runs").rglob("*") if path.is_file() and path.name != "latest"]
