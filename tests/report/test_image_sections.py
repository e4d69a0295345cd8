"""What the report shows of images: pictures that are small and safe, what predictions say, planted errors found."""

import base64
import io
import json
import re

import numpy as np
import polars as pl
import pytest
from PIL import Image

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.core.words import LANGUAGES, say
from aurify.report.overlaid import overlaid, pictures
from aurify.report.page import render
from aurify.report.pictures import Gallery, Picture
from aurify.report.section import Card, Folded, Paragraph, Rows, sections
from aurify.report.sections.augmentation import DRAWS
from aurify.report.thumbnails import AGAINST, FOR, MOST_BYTES, SIDE, heated, thumbnail
from aurify.workbench.record import record, shown

ROWS, SIDES, MOST_PAGE_BYTES = 120, 10, 1_500_000
PLANTED = np.arange(ROWS) % 8 == 3
"""Rows whose label is wrong."""

COLOURS = {"blue": (40, 60, 220), "green": (40, 190, 60), "red <i>": (220, 50, 40)}
SMALL = {
    "network": "convnet",
    "split.test": 0.3,
    "budget.steps": 60,
    "budget.batch_size": 32,
    "network.channels": 8,
    "network.width": 16,
    "optimizer.learning_rate": 0.01,
}
NAMES = ("images", "augmentation", "explained_images", "label_images", "confusion")


def drawn(count=ROWS, side=SIDES, seed=0):
    """Arrays of noise with a coloured square, and which colour it has."""
    random = np.random.default_rng(seed)
    images = random.integers(60, 130, (count, side, side, 3)).astype(np.uint8)
    kinds = random.integers(0, 3, count)
    for image, kind in zip(images, kinds, strict=True):
        y, x = random.integers(0, side - 5, 2)
        image[y : y + 5, x : x + 5] = list(COLOURS.values())[kind]
    return images, kinds


def frame(kind="classes", seed=0):
    """A table of images with a target of a kind; of classes every eighth label is wrong."""
    images, kinds = drawn(seed=seed)
    random = np.random.default_rng(seed)
    names = np.array(list(COLOURS))
    wrong = np.where(PLANTED, (kinds + 1) % 3, kinds)
    columns = {"picture": pl.Series(images, dtype=pl.Array(pl.UInt8, images.shape[1:]))}
    beside = {"n": random.normal(size=ROWS), "shop": random.choice(["a", "b"], ROWS)}
    targets = {
        "classes": {"y": names[wrong]},
        "beside": {**beside, "y": names[kinds]},
        "number": {"y": kinds + random.normal(0, 0.1, ROWS)},
        "number beside": {**beside, "y": kinds + random.normal(0, 0.1, ROWS)},
        "labels": {"y": [";".join(sorted({names[k], names[(k * k) % 3]})) for k in kinds]},
        "rare": {"y": np.where(np.arange(ROWS) < 6, "rare", names[kinds])},
    }
    return pl.DataFrame({**columns, **targets[kind]})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "images"
    return workbench.fit(frame(), "y", settings=SMALL, using=["flip", "translate"], inspect=False, out=out)


def decoded(found):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found["source"].partition(",")[2]))))


def blocks_of(blocks):
    for block in blocks:
        yield block
        if isinstance(block, (Folded, Card)):
            yield from blocks_of(block.blocks)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 300), (28, 28), (40, 40), (41, 17), (96, 96), (256, 128)])
def test_pictures_are_small_whatever_they_show(height, width, channels):
    noise = np.random.default_rng(0).integers(0, 256, (height, width, channels)).astype(np.uint8)
    found = thumbnail(noise)
    assert len(base64.b64decode(found["source"].partition(",")[2])) <= MOST_BYTES
    assert max(found["width"], found["height"]) <= SIDE
    assert decoded(found).shape[:2] == (found["height"], found["width"])
    assert min(picture_of(found).shown) >= 1


def test_small_images_are_shown_exactly():
    image = drawn(1)[0][0]
    assert (decoded(thumbnail(image)) == image).all()
    assert (decoded(thumbnail(image[..., :1])) == image[..., 0]).all()


def picture_of(found, **changes):
    return Picture(**{**found, "name": "n", **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "https://example.org/a.png"},
        {"source": "data:image/svg+xml;base64,PHN2Zz4="},
        {"source": 'data:image/png;base64,AAAA" onerror="alert(1)'},
        {"source": "data:image/png;base64,"},
        {"width": 0},
        {"height": 10**9},
        {"width": "1"},
    ],
)
def test_what_is_no_picture_is_refused(changes):
    with pytest.raises((ValueError, TypeError)):
        picture_of(thumbnail(drawn(1)[0][0]), **changes)


def test_heat_is_blue_for_and_orange_against_and_nothing_in_between():
    gray = np.full((20, 20, 3), 128, dtype=np.uint8)
    heat = np.zeros((4, 4))
    heat[0, 0], heat[3, 3] = 2.0, -2.0
    found = heated(gray, heat, 2.0).astype(int)
    blue, orange, none = found[2, 2], found[-3, -3], found[-3, 2]
    assert np.abs(blue - FOR).max() < 60
    assert np.abs(orange - AGAINST).max() < 60
    assert len(set(none.tolist())) == 1, "where there is no heat the image stays gray"
    assert (heated(gray, heat / 1e6, 2.0).std(axis=2) < 1).all(), "what is faint is not shown as strong"


def test_the_strongest_part_is_told_where_it_is():
    effects = np.zeros((8, 8))
    effects[0, 7] = 1.0
    found = {
        "row": 3,
        "target": "a",
        "prediction": "b",
        "answer": 0.9,
        "effects": effects,
        "without": 0.9 - effects / 2,
    }
    told = pictures(overlaid(drawn(1)[0][0], found, None, of_classes=True), of_classes=True)
    (text,) = [block.text for block in told if isinstance(block, Paragraph)]
    assert "upper right" in text
    assert "40.0" in text
    assert len(next(block for block in told if isinstance(block, Gallery)).strips[0].pictures) == 2


def test_a_network_that_sees_nothing_for_its_answer_is_said_to():
    found = {"row": 3, "target": "a", "prediction": "b", "answer": 0.9, "effects": [[0.0]], "without": [[0.9]]}
    image = drawn(1)[0][0]
    told = pictures(overlaid(image, found, (image, np.zeros((4, 4))), of_classes=True), of_classes=True)
    captions = [p.caption for block in told if isinstance(block, Gallery) for s in block.strips for p in s.pictures]
    assert captions[1] == "looked at: nothing speaks for it"
    assert any(isinstance(block, Paragraph) and "No part" in block.text for block in told)


def test_what_is_shown_is_what_the_predictions_say(run):
    evidence = json.loads(run.folder.evidence.read_text())
    told = {row["row"]: row for row in pl.read_parquet(run.folder.predictions).iter_rows(named=True)}
    for row in [*evidence["explained_images"]["wrong"], *evidence["explained_images"]["sure"]]:
        mine = told[row["row"]]
        assert (mine["target"], mine["prediction"]) == (row["target"], row["prediction"])
        assert row["answer"] == pytest.approx(mine[f"p_{row['prediction']}"], abs=1e-4)
        assert row["target_chance"] == pytest.approx(mine[f"p_{row['target']}"], abs=1e-4)
        assert row["look"] is not None, "the network has convolutions"
    for pair in evidence["confusion"]["images"]:
        assert pair["rows"] >= len(pair["pictures"]) > 0
        for each in pair["pictures"]:
            mine = told[each["row"]]
            assert (mine["target"], mine["prediction"]) == (pair["target"], pair["prediction"])
            assert (decoded(each) == drawn()[0][each["row"]]).all()


def test_labels_that_were_planted_wrong_are_worth_a_look(run):
    found = json.loads(run.folder.evidence.read_text())["label_images"]
    rows = [each["row"] for each in found["pictures"]]
    assert found["looked_at"] == pl.read_parquet(run.folder.predictions).height
    assert rows
    assert PLANTED[rows].mean() > 0.5
    assert all(each["target"] != each["likely"] for each in found["pictures"])


def test_only_images_that_are_learnt_from_are_on_contact_sheets(run):
    evidence = json.loads(run.folder.evidence.read_text())
    images = drawn()[0]
    tested = {images[row].tobytes() for row in pl.read_parquet(run.folder.predictions)["row"]}
    sheets = [
        *evidence["images"]["strips"],
        *({"pictures": r["pictures"][:1]} for r in evidence["augmentation"]["rows"]),
    ]
    seen = {decoded(each).tobytes() for strip in sheets for each in strip["pictures"]}
    assert len(seen) > 10
    assert not seen & tested


def test_augmentation_changes_what_is_shown(run):
    evidence = json.loads(run.folder.evidence.read_text())["augmentation"]
    assert {"flip", "translate"} <= set(evidence["techniques"])
    for row in evidence["rows"]:
        first, *others = [decoded(each) for each in row["pictures"]]
        assert len(others) == DRAWS
        assert any((other != first).any() for other in others)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_of_images_is_shown_in_every_language(run, language):
    told = record(run.folder, run.catalog, language)
    for name in NAMES:
        section = next(s for s in sections() if s.name() == name)
        shown_ = list(blocks_of(section.show(told, told.evidence[name])))
        assert shown_, name
        own = [block.text for block in shown_ if isinstance(block, Paragraph)]
        every = [p for block in shown_ if isinstance(block, Gallery) for s in block.strips for p in s.pictures]
        assert every
        assert all(p.name for p in every), "each picture says what it shows"
        own += [p.name for p in every]
        assert language == "en" or all(not say(text, language).isascii() for text in own)
        for table in (block for block in shown_ if isinstance(block, Rows)):
            assert {len(row) for row in table.rows} == {len(table.header)}


def test_a_page_carries_few_bytes_of_images_and_no_name_as_markup(run):
    page = render(shown(run.folder, run.catalog, "en"))
    sources = re.findall(r'src="(data:image/[^"]+)"', page)
    assert len(sources) > 50
    assert sum(map(len, sources)) < MOST_PAGE_BYTES
    assert "<i>" not in page.partition("<main")[2].partition("</main>")[0]
    assert len(re.findall(r'<img [^>]*alt="[^"]+"', page)) == len(sources)


def test_files_that_hold_no_picture_are_said_to_be_damaged(run, tmp_path):
    told = record(run.folder, run.catalog, "en")
    told.evidence["images"]["strips"][0]["pictures"][0]["source"] = "javascript:alert(1)"
    with pytest.raises(AurifyError, match="cannot be shown"):
        render(told)


@pytest.mark.parametrize("kind", ["beside", "number", "number beside", "labels", "rare"])
def test_every_kind_of_target_has_a_page(kind, tmp_path):
    few = {**SMALL, "budget.steps": 4}
    blend = "trees" if kind == "beside" else None
    run = workbench.fit(frame(kind), "y", settings=few, seed=1, inspect=False, blend=blend, out=tmp_path / "run")
    evidence = json.loads(run.folder.evidence.read_text())
    assert evidence["images"]["strips"]
    assert evidence["explained_images"]["sure"]
    assert (evidence["importance"] is not None) is ("beside" in kind)
    if "beside" in kind:
        assert {c["column"] for c in evidence["importance"]["columns"]} == {"picture", "n", "shop"}
    else:
        assert evidence["slices"] is None
        assert evidence["wrong_rows"] is None
    page = render(shown(run.folder, run.catalog, "zh"))
    assert "Traceback" not in page
    assert page.count("<img") > 10


def test_of_folds_each_row_is_explained_by_the_model_that_did_not_see_it(tmp_path):
    few = {**SMALL, "budget.steps": 8}
    run = workbench.fit(frame(), "y", settings=few, folds=2, inspect=False, out=tmp_path / "run")
    evidence = json.loads(run.folder.evidence.read_text())["explained_images"]
    told = {row["row"]: row for row in pl.read_parquet(run.folder.predictions).iter_rows(named=True)}
    for row in [*evidence["wrong"], *evidence["sure"]]:
        assert row["answer"] == pytest.approx(told[row["row"]][f"p_{row['prediction']}"], abs=1e-4)


def test_images_of_files_are_called_by_their_files(tmp_path):
    images, kinds = drawn(60)
    for at, (image, kind) in enumerate(zip(images, kinds, strict=True)):
        folder = tmp_path / "data" / ("a", "b", "很 <i>")[kind]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{at}.png")
    few = {**SMALL, "budget.steps": 4}
    run = workbench.fit(tmp_path / "data", settings=few, inspect=False, out=tmp_path / "run")
    evidence = json.loads(run.folder.evidence.read_text())
    told = [*evidence["explained_images"]["wrong"], *evidence["explained_images"]["sure"]]
    assert told
    for each in told:
        folder, _, name = each["name"].partition("/")
        assert folder == each["target"]
        assert (decoded(each["image"]) == images[int(name.removesuffix(".png"))]).all()


def test_images_are_explained_in_python_as_the_report_explains_them(run):
    found = run.explain(frame().head(3))
    table = found.to_frame()
    assert table["row"].unique().sort().to_list() == [0, 1, 2]
    assert (table["bottom"] > table["top"]).all()
    assert (table["right"] <= SIDES).all()
    told = run.predict(frame().head(3))
    assert table.group_by("row", maintain_order=True).first()["prediction"].to_list() == told["prediction"].to_list()
    html = found._repr_html_()
    assert html.count("<img") == 3 * 3 + 1
    assert "<i>" not in html


def test_trees_beside_images_alone_are_refused(tmp_path):
    with pytest.raises(AurifyError, match="texts or images, which trees do not read"):
        workbench.fit(frame(), "y", settings=SMALL, inspect=False, blend="trees", out=tmp_path / "run")


def test_images_that_are_hidden_are_not_shown(tmp_path):
    few = {**SMALL, "network": "mlp", "budget.steps": 4, "exclude_columns.columns": ["picture"]}
    del few["network.channels"]
    hidden = ["exclude_columns"]
    run = workbench.fit(frame("beside"), "y", settings=few, using=hidden, inspect=False, out=tmp_path / "run")
    evidence = json.loads(run.folder.evidence.read_text())
    assert [evidence[name] for name in ("images", "augmentation", "explained_images", "label_images")] == [None] * 4
    assert evidence["confusion"]["images"] == []
    with pytest.raises(AurifyError, match="no images"):
        run.explain(frame("beside"))


def test_what_cannot_be_explained_is_said(run):
    with pytest.raises(AurifyError, match="too many"):
        run.explain(pl.concat([frame()] * 2))
