"""What is planted in clean texts is found, and clean texts are left alone."""

from __future__ import annotations

import zipfile

import numpy as np
import polars as pl
import pytest
from seeing import only

import aurify
from aurify.core.errors import AurifyError
from aurify.data.findings import NOTE, SEVERE, WARNING
from aurify.data.text_copies import near_pairs, plainly

ROWS = 600
NEARLY_ALL = {"split": {"test": 0.01}}
CHINESE = (
    "\u623f\u95f4\u5f88\u5927\u670d\u52a1\u597d\u65e9\u9910\u591a\u4ea4\u901a\u4fbf\u5b9c\u5e72\u51c0\u65e7\u7a97\u6237\u58f0\u97f3\u524d\u53f0\u7b49\u4e86\u534a\u5929\u4e0d\u6ee1\u610f\u4e0b\u6b21"
    "\u518d\u6765\u63a8\u8350\u670b\u53cb\u4ef7\u94b1\u8d35\u4f4d\u7f6e\u504f\u5b89\u9759\u7a7a\u8c03\u70ed\u6c34\u4e66\u5c4f\u5e55\u952e\u76d8\u6e05\u695a\u7535\u6c60"
)
GOOD, BAD = ("lovely", "swift", "warm", "funny"), ("dull", "broken", "slow", "cold")


def words(random, count=300):
    return ["".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), random.integers(4, 10))) for _ in range(count)]


def clean(seed=0, *, rows=ROWS, chinese=False):
    """Texts of which no two are alike, and labels that some of their words tell, though not for sure."""
    random = np.random.default_rng(seed)
    known, texts, labels = list(CHINESE) if chinese else words(random), [], []
    for _ in range(rows):
        mood = random.random() < 0.5
        drawn = random.choice(known, random.integers(25, 70) if chinese else random.integers(12, 30)).tolist()
        for _ in range(3):
            told = GOOD if mood ^ (random.random() < 0.15) else BAD
            drawn.insert(random.integers(0, len(drawn)), str(random.choice(told)))
        texts.append(("" if chinese else " ").join(drawn))
        labels.append("pos" if mood else "neg")
    return pl.DataFrame({"text": texts, "label": labels})


def edited(text, random, share=0.05):
    """With so many of its characters changed, one at least."""
    letters = list(text)
    for at in random.choice(len(letters), max(1, round(share * len(letters))), replace=False):
        letters[at] = chr(ord(letters[at]) + 1)
    return "".join(letters)


def look(frame, **words):
    return aurify.inspect(frame, "label", text=["text"], **words)


def doubts(found):
    return [f for f in found if f.severity in (WARNING, SEVERE)]


@pytest.mark.parametrize("chinese", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_clean_texts_raise_no_doubt(seed, chinese):
    assert not doubts(look(clean(seed, chinese=chinese)))


@pytest.mark.parametrize("chinese", [False, True])
def test_near_copies_with_one_character_in_twenty_changed_are_found(chinese):
    random = np.random.default_rng(1)
    frame = clean(1, chinese=chinese)
    copied = random.choice(ROWS, 60, replace=False).tolist()
    more = pl.DataFrame(
        {"text": [edited(frame["text"][at], random) for at in copied], "label": frame["label"].gather(copied)}
    )
    found = look(pl.concat([frame, more]), recipe=NEARLY_ALL)
    (told,) = found.where(check="text_copies", severity=WARNING)
    across = found.where(check="text_overlap")
    rows = set(told.rows) | {row for each in across for row in each.rows}
    met = sum(ROWS + place in rows or at in rows for place, at in enumerate(copied))
    assert met >= 57
    assert told.evidence["near"] <= 61, "and no others"


def test_every_near_copy_meets_its_original():
    random = np.random.default_rng(2)
    texts = clean(2, rows=2_000)["text"].to_list()
    found = near_pairs([*map(plainly, texts), *(plainly(edited(t, random)) for t in texts)], 0)
    met = {tuple(sorted(pair)) for pair in found.pairs.tolist()}
    recall = sum((at, at + 2_000) in met for at in range(2_000)) / 2_000
    assert recall >= 0.98
    assert sum(b - a != 2_000 for a, b in met) <= 5, "unrelated texts are not near"
    assert len(near_pairs([], 0).pairs) == len(near_pairs(["", "a"], 0).pairs) == 0


def test_many_copies_of_one_text_are_joined_in_little_time():
    random = np.random.default_rng(3)
    text = plainly(clean(3)["text"][0])
    texts = list(dict.fromkeys(edited(text, random, 0.02) for _ in range(3_000)))
    found = near_pairs(texts, 0)
    assert len(np.unique(found.groups(len(texts)))) == 1
    assert len(found.pairs) < 70 * len(texts), "not each with every other"


def test_case_blanks_and_full_width_forms_hide_no_copy():
    frame = clean(4)
    wide = str.maketrans({chr(at): chr(at + 0xFEE0) for at in range(0x21, 0x7F)})
    more = frame.head(30).with_columns(
        pl.Series("text", [t.upper().replace(" ", "  ").translate(wide) for t in frame["text"].head(30)])
    )
    (told,) = look(pl.concat([frame, more]), recipe=NEARLY_ALL).where(check="text_copies")
    assert told.evidence["alike"] >= 28
    assert told.severity == WARNING
    assert told.mend == {"techniques": {"drop_duplicates": {"texts": "plain"}}}


@pytest.mark.slow
def test_equal_texts_are_no_chance_and_contradictions_are_told():
    frame = clean(5)
    again = frame.head(40)
    (told,) = look(pl.concat([frame, again])).where(check="duplicates")
    assert (told.severity, 20 <= told.count <= 40) == (WARNING, True)
    other = again.with_columns(
        pl.when(pl.col("label") == "pos").then(pl.lit("neg")).otherwise(pl.lit("pos")).alias("label")
    )
    (told,) = look(pl.concat([frame, other]), recipe=NEARLY_ALL).where(check="conflicting_rows")
    assert (told.severity, told.count >= 70) == (WARNING, True)
    random = np.random.default_rng(5)
    near = other.with_columns(pl.Series("text", [edited(t, random, 0.02) for t in other["text"]]))
    torn = [f for f in look(pl.concat([frame, near])).where(check="text_copies") if "otherwise" in f.text]
    assert torn[0].count >= 50


def test_test_texts_that_are_learnt_from_stop_a_fit(tmp_path):
    frame = clean(6)
    test = pl.concat([clean(7, rows=200), frame.head(50)])
    test.write_csv(tmp_path / "test.csv")
    (told,) = look(frame, test=tmp_path / "test.csv").where(check="test_overlap")
    assert (told.severity, told.count) == (SEVERE, 50)
    random = np.random.default_rng(6)
    near = frame.head(50).with_columns(pl.Series("text", [edited(t, random) for t in frame["text"].head(50)]))
    pl.concat([clean(7, rows=200), near]).write_csv(tmp_path / "test.csv")
    found = look(frame, test=tmp_path / "test.csv")
    assert not found.where(check="test_overlap")
    (told,) = found.where(check="text_overlap")
    assert told.severity == WARNING
    assert told.count >= 48
    assert set(told.rows) <= set(range(ROWS + 200, ROWS + 250))


def test_texts_of_the_test_part_keep_their_labels_to_themselves(tmp_path):
    frame = clean(6)
    frame.head(60).with_columns(pl.lit("secret").alias("label")).write_csv(tmp_path / "t.csv")
    try:
        found = look(frame, test=tmp_path / "t.csv")
    except AurifyError:
        return
    assert "secret" not in str([f.plain() for f in found.where(check="text_overlap")])


@pytest.mark.slow
@pytest.mark.parametrize("how", ["utf-8 as latin-1", "utf-8 as gbk", "gbk as latin-1", "lost", "lost twice"])
def test_garbled_texts_are_found(how):
    frame = clean(8, chinese=how != "utf-8 as latin-1")
    meant = [t.replace("a", "\u00e9") for t in frame["text"]] if how == "utf-8 as latin-1" else frame["text"].to_list()
    if how == "utf-8 as gbk":
        meant = ["\u7684\uff0c".join(t[at : at + 8] for at in range(0, len(t), 8)) for t in meant]
    made = {
        "utf-8 as latin-1": lambda t: t.encode().decode("cp1252", errors="replace"),
        "utf-8 as gbk": lambda t: t.encode().decode("gb18030", errors="replace"),
        "gbk as latin-1": lambda t: t.encode("gbk").decode("latin-1"),
        "lost": lambda t: t[:5] + "\ufffd" + t[6:],
        "lost twice": lambda t: t[:5] + "\u951f\u65a4\u62f7" + t[6:],
    }[how]
    broken = [made(t) if at % 20 == 0 else t for at, t in enumerate(meant)]
    found = look(frame.with_columns(pl.Series("text", broken))).where(check="garbled_texts", severity=WARNING)
    rows = {row for each in found for row in each.rows}
    planted = set(range(0, ROWS, 20))
    assert len(rows & planted) >= 0.95 * len(planted)
    assert not rows - planted
    assert not doubts(look(frame.with_columns(pl.Series("text", meant))).where(check="garbled_texts"))


@pytest.mark.slow
def test_flipped_labels_are_noticed_and_cleaned():
    random = np.random.default_rng(9)
    frame = clean(9, rows=2_000)
    sure = [" ".join([t, *random.choice(GOOD if label == "pos" else BAD, 6)]) for t, label in frame.rows()]
    flipped = random.choice(2_000, 160, replace=False)
    labels = np.array(frame["label"])
    labels[flipped] = np.where(labels[flipped] == "pos", "neg", "pos")
    found = look(pl.DataFrame({"text": sure, "label": labels})).where(check="label_errors")
    assert found[0].severity == WARNING
    named = set(found[0].rows)
    assert len(named & set(flipped.tolist())) >= 0.7 * 128, "of those that may be learnt from"
    assert len(named - set(flipped.tolist())) <= 0.2 * len(named)


def test_of_a_few_texts_again_and_again_no_label_is_doubted():
    """Ten words, each many times, and each tells its label: none of them is known where it is asked about."""
    said = [GOOD[at % 4] + "x" * (at // 4) for at in range(5)] + [BAD[at % 4] + "x" * (at // 4) for at in range(5)]
    frame = pl.DataFrame({"text": said * 32, "label": (["pos"] * 5 + ["neg"] * 5) * 32})
    assert not [f for f in look(frame) if f.check == "label_errors"]


def test_labels_written_into_the_texts_are_found():
    frame = clean(10)
    leaked = frame.with_columns(text=pl.format("{} [{}]", "text", "label"))
    (told,) = look(leaked).where(check="telling_words")
    assert told.severity == WARNING
    few = leaked.with_columns(text=pl.when(pl.arange(0, ROWS) % 5 == 0).then("text").otherwise(frame["text"]))
    (told,) = look(few).where(check="telling_words")
    assert {each["word"] for each in told.evidence.values()} <= {"pos", "neg"}
    other = frame.with_columns(
        text=pl.when(pl.col("label") == "pos").then(pl.format("{} zzq", "text")).otherwise("text")
    )
    assert told.evidence != (found := look(other).where(check="telling_words"))[0].evidence
    assert found[0].evidence["pos"]["word"] == "zzq"


@pytest.mark.slow
def test_texts_of_noise_tell_nothing_and_others_do():
    random = np.random.default_rng(11)
    noise = pl.DataFrame({"text": clean(11)["text"], "label": random.choice(["a", "b"], ROWS)})
    assert look(noise).where(check="no_signal")
    for frame in (clean(11), clean(11).with_columns(pl.Series("x", random.normal(size=ROWS)))):
        assert not look(frame).where(check="no_signal")


def test_empty_and_foreign_and_overlong_texts_are_counted():
    texts = clean(12, chinese=True)["text"].to_list()
    texts[:12] = ["", "  ", "\u3002\u3002\u3002", "!?"] * 3
    texts[20:40] = [
        f"the room was clean and it is not far from the {word}" for word in words(np.random.default_rng(0), 20)
    ]
    texts[50] *= 400
    found = look(pl.DataFrame({"text": texts, "label": clean(12)["label"]}))
    told = found.where(check="text_lengths")
    assert {f.count for f in told} == {12, 1}
    assert next(f for f in told if f.count == 12).evidence["marks"] == 6
    (foreign,) = found.where(check="text_languages")
    assert set(foreign.rows) == set(range(20, 40))


def test_a_recipe_that_reads_the_beginning_only_is_told_so():
    frame = clean(12)
    (told,) = look(frame, recipe={"techniques": {"tokenize": {"length": 20}}}).where(check="text_lengths")
    assert told.severity == WARNING
    assert told.count == sum(len(text.split()) > 20 for text in frame["text"])
    assert not look(frame, recipe={"techniques": {"tokenize": {"length": 40}}}).where(check="text_lengths")


def test_checks_of_whole_rows_see_texts_beside_columns():
    frame = clean(13).with_columns(pl.Series("x", np.random.default_rng(13).integers(0, 3, ROWS)))
    found = look(frame)
    assert not found.where(check="duplicates")
    assert not found.where(check="near_duplicates")
    assert not any("failed" in f.text for f in found)


def test_excluded_texts_are_in_no_finding():
    frame = pl.concat([clean(14), clean(14).head(100)]).with_columns(
        pl.Series("x", np.random.default_rng(14).normal(size=ROWS + 100))
    )
    found = look(frame, recipe={"techniques": {"exclude_columns": {"columns": ["text"]}}})
    assert not [f for f in found if f.check.startswith("text_") or "text" in f.columns]


@pytest.mark.slow
def test_the_test_texts_that_are_known_to_be_in_train_are_found(shared_data, tmp_path, monkeypatch):
    only(monkeypatch, "test_overlap", "text_overlap")
    with zipfile.ZipFile(shared_data("chnsenticorp/chnsenticorp.zip")) as archive:
        names = [n for n in archive.namelist() if n.endswith((".tsv", ".csv", ".txt")) and "MACOSX" not in n]
        for part in ("train", "test"):
            name = next(n for n in names if part in n.rsplit("/", 1)[-1])
            (tmp_path / f"{part}.tsv").write_bytes(archive.read(name))
    found = aurify.inspect(tmp_path / "train.tsv", "label", test=tmp_path / "test.tsv")
    (told,) = found.where(check="test_overlap")
    assert told.count == pytest.approx(331, rel=0.02)
    assert told.severity == SEVERE
    (more,) = found.where(check="text_overlap")
    assert more.evidence["exact"] == 331
    assert more.severity == NOTE
