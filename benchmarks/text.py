"""How good the default is on five public sets of texts, beside the plain baseline and a classic LSTM in the same run.

    text.py chnsenticorp | shopping | categories | trec | sst2 [--time 300]

Each gets the same wall time; the plain baseline is TF-IDF of words (1 and 2) and characters (2 to 5 within words; of
Chinese 1 to 3 of anything) and the better of linear SVC and logistic regression by a tenth of the training rows. The
data is read from ``$AURIFY_SHARED/data`` (or ``../shared/data``); what is absent prints ``"skipped"``. One run is one
look at the test rows: nothing here chooses a setting.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl
import torch
from torch import nn

import aurify
from aurify.measure.intervals import differences
from aurify.measure.predictions import Predictions

DATA = Path(os.environ.get("AURIFY_SHARED", Path(__file__).parents[2] / "shared")) / "data"
SECONDS = {"trec": 120.0}
WORDS, LONGEST, WIDTH, BATCH = 20_000, 200, 64, 64

Pair = tuple[pl.DataFrame, pl.DataFrame]
"""Frames of training and of test rows with the columns ``text`` and ``label``, both texts."""


def chnsenticorp() -> Pair:
    """The official parts; 331 of the 1,200 test texts are among the training texts."""
    with zipfile.ZipFile(DATA / "chnsenticorp" / "chnsenticorp.zip") as archive:
        names = {Path(n).stem: n for n in archive.namelist() if n.endswith(".tsv")}
        return _tsv(archive.read(names["train"])), _tsv(archive.read(names["test"]))


def _tsv(data: bytes) -> pl.DataFrame:
    lines = [line.split("\t") for line in data.decode("utf-8").split("\n")[1:] if line]
    return pl.DataFrame({"text": [cells[-1] for cells in lines], "label": [cells[0] for cells in lines]})


def shopping() -> Pair:
    """The feeling of a review, a fifth of the different reviews tested, in the shares of the labels."""
    return _reviews("label")


def categories() -> Pair:
    """Which of ten kinds of goods a review is about, parted likewise."""
    return _reviews("cat")


def _reviews(label: str) -> Pair:
    from sklearn.model_selection import train_test_split

    with zipfile.ZipFile(DATA / "online_shopping_10_cats" / "online_shopping_10_cats.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith(".csv"))
        frame = pl.read_csv(io.BytesIO(archive.read(name))).drop_nulls("review")
    frame = frame.unique("review", keep="first", maintain_order=True)
    frame = frame.select(text="review", label=pl.col(label).cast(pl.String))
    train, test = train_test_split(np.arange(frame.height), test_size=0.2, stratify=frame["label"], random_state=0)
    return frame[np.sort(train)], frame[np.sort(test)]


def trec() -> Pair:
    """Six kinds of questions, the official 500 tested."""
    return _lines("TREC.train.all"), _lines("TREC.test.all")


def sst2() -> Pair:
    """Sentences of film reviews alone, without their phrases; the official test part."""
    return _lines("stsa.binary.train"), _lines("stsa.binary.test")


def _lines(name: str) -> pl.DataFrame:
    """Lines of a label and, after a blank, a text."""
    lines = (DATA / "sentence_clf" / name).read_text(encoding="latin-1").splitlines()
    cells = [line.strip().partition(" ") for line in lines if line.strip()]
    return pl.DataFrame({"text": [text for _, _, text in cells], "label": [label for label, _, _ in cells]})


def ours(train: pl.DataFrame, test: pl.DataFrame, seconds: float) -> tuple[Predictions, dict[str, Any]]:
    """The default recipe: what it answers, and what its run says of itself."""
    place = Path(tempfile.mkdtemp(prefix="aurify-text-"))
    test.write_csv(place / "test.csv")
    words: dict[str, Any] = {
        "text": ["text"],
        "test": place / "test.csv",
        "inspect": False,
    }
    run = aurify.fit(train, "label", out=place / "run", settings={"budget.seconds": seconds}, **words)
    summary = run.summary
    told = {
        "members": {n: rounded(s["accuracy"]) for n, s in summary["members"].items()},
        "baselines": {n: round(s["accuracy"] or 0, 4) for n, s in summary["baselines"].items()},
        "verdict": str(summary["verdict"]),
        "training": {k: summary["training"].get(k) for k in ("seconds", "steps", "planned_steps", "network_share")},
    }
    return Predictions.read(run.folder.predictions), told


def rounded(score: Any) -> list[float]:
    return [round(score[k], 4) for k in ("value", "low", "high")]


def chinese(texts: pl.Series) -> bool:
    return int(texts.str.contains(r"\p{Han}").sum()) > len(texts) / 2


def plain(train: pl.DataFrame, test: pl.DataFrame, codes: tuple[np.ndarray, int], seconds: float) -> np.ndarray:
    """Test codes by the plain baseline, its kind and penalty chosen by a tenth of the training rows."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.svm import LinearSVC

    spaced = [{"token_pattern": r"\b\w+\b", "ngram_range": (1, 2)}, {"analyzer": "char_wb", "ngram_range": (2, 5)}]
    kinds: list[dict[str, Any]] = [{"analyzer": "char", "ngram_range": (1, 3)}] if chinese(train["text"]) else spaced
    candidates = [lambda c=c: LinearSVC(C=c, random_state=0) for c in (0.1, 0.3, 1.0)]
    candidates += [lambda c=c: LogisticRegression(C=c, max_iter=300) for c in (3.0, 10.0, 30.0)]

    def matrices(known: list[str], asked: list[str]) -> tuple[Any, Any]:
        counts = [TfidfVectorizer(sublinear_tf=True, min_df=2, **kind).fit(known) for kind in kinds]
        first, second = (hstack([c.transform(each) for c in counts]).tocsr() for each in (known, asked))
        return first, second

    target, texts = codes[0], np.array(train["text"].to_list(), dtype=object)
    fit, held = train_test_split(np.arange(len(target)), test_size=0.1, stratify=target, random_state=0)
    first, second = matrices(texts[fit].tolist(), texts[held].tolist())
    scores = [np.mean(np.equal(make().fit(first, target[fit]).predict(second), target[held])) for make in candidates]
    first, second = matrices(train["text"].to_list(), test["text"].to_list())
    return np.asarray(candidates[int(np.argmax(scores))]().fit(first, target).predict(second))


class Lstm(nn.Module):
    """Embedding and LSTM of 64, the last state decides: the model of many a course."""

    def __init__(self, words: int, classes: int):
        super().__init__()
        self.table = nn.Embedding(words, WIDTH, padding_idx=0)
        self.read = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.leave = nn.Linear(WIDTH, classes)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        lengths = (ids > 0).sum(1).clamp(min=1)
        states, _ = self.read(self.table(ids))
        return self.leave(states[torch.arange(len(ids)), lengths - 1])


def lstm(train: pl.DataFrame, test: pl.DataFrame, codes: tuple[np.ndarray, int], seconds: float) -> np.ndarray:
    """Test codes by the epoch that a tenth of the training rows liked best, of those the time allowed."""
    began = time.monotonic()
    torch.manual_seed(0)
    first, second, words = numbered(train["text"], test["text"])
    target, classes = torch.from_numpy(codes[0]), codes[1]
    order = torch.randperm(len(first), generator=torch.Generator().manual_seed(0))
    held, fit = order[: len(first) // 10], order[len(first) // 10 :]
    model = Lstm(words, classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    best, answer, batches = -1.0, np.zeros(len(second), dtype=np.int64), 0
    while time.monotonic() - began < seconds:
        model.train()
        for batch in fit[torch.randperm(len(fit))].split(BATCH):
            loss = nn.functional.cross_entropy(model(short(first[batch])), target[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            batches += 1
            if time.monotonic() - began > seconds:
                break
        right = float((said(model, first[held]) == target[held]).float().mean())
        if right > best:
            best, answer = right, said(model, second).numpy()
    return answer


@torch.no_grad()
def said(model: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    model.eval()
    return torch.cat([model(short(part)).argmax(1) for part in ids.split(256)])


def short(ids: torch.Tensor) -> torch.Tensor:
    return ids[:, : max(1, int((ids > 0).sum(1).max()))]


def numbered(known: pl.Series, asked: pl.Series) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Ids (N, LONGEST) of the most frequent words, 1 for others, 0 after the end."""
    cut: Callable[[str], list[str]] = lambda text: re.findall(r"\w+|[^\w\s]", text.lower())  # noqa: E731
    if chinese(known):
        import jieba

        jieba.setLogLevel(60)
        cut = jieba.lcut
    texts = [[cut(text)[:LONGEST] for text in each.to_list()] for each in (known, asked)]
    counts = Counter(word for text in texts[0] for word in text)
    ids = {word: at + 2 for at, (word, _) in enumerate(counts.most_common(WORDS))}
    tables = []
    for each in texts:
        table = torch.zeros(len(each), LONGEST, dtype=torch.int64)
        for row, text in enumerate(each):
            table[row, : len(text)] = torch.tensor([ids.get(word, 1) for word in text], dtype=torch.int64)
        tables.append(table)
    return tables[0], tables[1], len(ids) + 2


def compared(mine: Predictions, others: dict[str, np.ndarray], kept: np.ndarray) -> dict[str, Any]:
    """Accuracies on the ``kept`` rows, and ours minus each other's with its paired interval."""
    some = mine.take(kept)
    found: dict[str, Any] = {"rows": int(kept.sum()), "ours": round(float((some.prediction == some.target).mean()), 4)}
    for name, answer in others.items():
        theirs = Predictions(
            row=some.row,
            target=some.target,
            prediction=answer[kept],
            probabilities=np.eye(len(some.classes or ()))[answer[kept]],
            classes=some.classes,
        )
        gap = differences(some, theirs)["accuracy"]
        found[name] = round(float((answer[kept] == some.target).mean()), 4)
        found[f"ours_minus_{name}"] = [round(v, 4) for v in (gap.value, gap.low, gap.high)]
    return found


def measured(load: Callable[[], Pair], seconds: float) -> dict[str, Any]:
    train, test = load()
    took, began = {}, time.monotonic()
    mine, told = ours(train, test, seconds)
    took["ours"], began = time.monotonic() - began, time.monotonic()
    assert mine.classes is not None
    place = {name: at for at, name in enumerate(mine.classes)}
    codes = np.array([place[label] for label in train["label"]]), len(place)
    assert mine.target is not None
    assert [mine.classes[c] for c in mine.target] == test["label"].to_list(), "the rows are in the file's order"
    others: dict[str, np.ndarray] = {}
    for fit in (plain, lstm):
        others[fit.__name__] = np.asarray(fit(train, test, codes, seconds), dtype=np.int64)
        took[fit.__name__], began = time.monotonic() - began, time.monotonic()
    leaked = test["text"].is_in(train["text"].to_list()).to_numpy()
    found = {"accuracy": compared(mine, others, np.ones(test.height, dtype=bool))}
    if leaked.any():
        found["without_leaked_texts"] = compared(mine, others, ~leaked)
    return {**found, **told, "seconds": {name: round(value, 1) for name, value in took.items()}}


def main() -> None:
    sets = {f.__name__: f for f in (chnsenticorp, shopping, categories, trec, sst2)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=list(sets))
    parser.add_argument("--time", type=float, help="wall seconds for ours and for the LSTM; 120 for trec, else 300")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if not DATA.is_dir():
        result: dict[str, Any] = {"skipped": f"no data at {DATA}"}
    else:
        result = measured(sets[asked.set], asked.time or SECONDS.get(asked.set, 300.0))
    json.dump({"benchmark": f"text {asked.set}", **result}, sys.stdout, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
