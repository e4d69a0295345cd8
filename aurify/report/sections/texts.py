"""The texts of the data: how long they are, in which languages, and which words tell the classes apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.data.languages import languages
from aurify.data.store import Store
from aurify.measure.pieces import shortened
from aurify.measure.text_shapes import MOST_TEXTS, lengths, telling_words
from aurify.report.section import Block, DataSection, Figure, Folded, Inspection, Paragraph, Rows, Tested
from aurify.report.target import SERIES, histogram
from aurify.report.values import amount, share, shown

MOST_COLUMNS = 5
"""Columns of texts that are told of."""

MOST_LETTERS = 24
"""Of a word."""

NAMES = {
    "zh": said("Chinese"),
    "en": said("English"),
    "other": said("another language"),
    "mixed": said("several languages"),
    "none": said("no letters"),
}

HALVES = ("lower half", "upper half")
"""Of a number that is predicted."""

GROUPS = {HALVES[0]: said("lower half"), HALVES[1]: said("upper half")}


class Texts(DataSection):
    """Lengths, languages, what the network reads of them, telling words."""

    order = 210

    @property
    def title(self) -> Said:
        return said("The texts")

    def measure(self, tested: Tested) -> Any:
        learnt = np.sort(np.concatenate([tested.parts.fit, tested.parts.held]))
        folds = np.isin(tested.asked.rows, learnt).all()
        parts = {"all": learnt} if folds else {"learnt": learnt, "tested": tested.asked.rows}
        found = measure_texts(tested.store, learnt, parts, hidden=tested.recipe.hidden)
        return None if found is None else {**found, "tokens": _tokens(tested.tokens())}

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        blocks: list[Block] = []
        for at, column in enumerate(measured["columns"], 1):
            blocks += [_lengths(record, at, column), Paragraph(_languages(column))]
        if measured.get("tokens") is not None:
            blocks.append(Paragraph(_read(measured["tokens"])))
        if measured["telling"]:
            blocks += _telling(measured["telling"])
        return blocks


def measure_texts(
    store: Store, learnt: np.ndarray, parts: Mapping[str, np.ndarray], *, hidden: Sequence[str] | frozenset[str] = ()
) -> dict[str, Any] | None:
    """Of the rows of each part (N,), and the words that tell the targets of the rows ``learnt`` from (n,) apart.

    None of data without texts.
    """
    columns = [(at, c) for at, c in enumerate(store.schema.texts) if c.name not in hidden][:MOST_COLUMNS]
    if not columns:
        return None
    texts = store.inputs["texts"]
    used = np.unique(np.concatenate(list(parts.values())))
    told = [
        {
            "column": column.name,
            "languages": languages(texts[_spread(used)].column(at)),
            **lengths({name: texts.lengths[rows, at] for name, rows in parts.items()}),
        }
        for at, column in columns
    ]
    return {"columns": told, "telling": _apart(store, learnt, [at for at, _ in columns])}


def _apart(store: Store, learnt: np.ndarray, columns: Sequence[int]) -> list[dict[str, Any]]:
    """What tells classes, or the halves of numbers, apart in all columns together, from rows learnt from (n,)."""
    if store.schema.target is None or store.schema.labels is not None or not len(learnt):
        return []
    rows = _spread(learnt)
    target, names = np.asarray(store.target[rows]), store.schema.classes
    group = (target > np.median(target)).astype(np.int64) if names is None else target
    every = store.inputs["texts"][rows]
    texts = ["\n".join(row) for row in zip(*(every.column(at) for at in columns), strict=True)]
    return telling_words(texts, group, HALVES if names is None else names)


def _spread(rows: np.ndarray) -> np.ndarray:
    """At most ``MOST_TEXTS`` of rows (N,), evenly."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_TEXTS)).astype(np.int64)]


def _tokens(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    kept, most = found["lengths"], found["most"]
    return {
        "vocabulary": found["vocabulary"],
        "unknown": found["unknown"],
        "most": most,
        "median": float(np.median(kept)),
        "longest": int(kept.max()),
        "full": None if most is None else float((kept >= most).mean()),
    }


def _lengths(record: Inspection, at: int, found: Mapping[str, Any]) -> Figure:
    edges, order = found["edges"], [record.say(SERIES[part]) for part in found["counts"]]
    drawn = [
        {"from": low, "to": high, "x": (low + high) / 2, "value": count / max(sum(each), 1), "series": series}
        for series, each in zip(order, found["counts"].values(), strict=True)
        for low, high, count in zip(edges[:-1], edges[1:], each, strict=True)
    ]
    name = shown(found["column"])
    empty, rows = sum(found["empty"].values()), sum(found["rows"].values())
    first, ends = next(iter(found["quantiles"].items()), (next(iter(found["counts"])), [0.0] * 5))
    return Figure(
        name=f"lengths_{at}",
        chart=histogram(record, drawn, order, record.say(said("characters of {column}", column=name))),
        caption=said(
            "How long {column} is, in characters. Empty: {empty:,} of {rows:,}; longer than is drawn: {outside:,}.",
            column=name,
            empty=empty,
            rows=rows,
            outside=found["outside"],
        ),
        described=said(
            "{column} in {rows}: from {low} to {high} characters, median {median}.",
            column=name,
            rows=SERIES[first],
            low=amount(ends[0]),
            high=amount(ends[4]),
            median=amount(ends[2]),
        ),
        table=_lengths_told(found),
    )


def _lengths_told(found: Mapping[str, Any]) -> Rows:
    return Rows(
        header=["", said("rows"), said("empty"), said("shortest"), said("median"), said("longest")],
        rows=[
            [
                SERIES[part],
                f"{found['rows'][part]:,}",
                f"{found['empty'][part]:,}",
                *(amount(quantiles[i]) for i in (0, 2, 4)),
            ]
            for part, quantiles in found["quantiles"].items()
        ],
    )


def _languages(found: Mapping[str, Any]) -> Said:
    total = sum(found["languages"].values())
    known = sorted(found["languages"].items(), key=lambda each: -each[1])
    told = [said("{name} {share}", name=NAMES[name], share=share(count / total)) for name, count in known]
    return said("{column} seems to be in: {shares}.", column=shown(found["column"]), shares=listed(told))


def _read(found: Mapping[str, Any]) -> Said:
    text = said(
        "The network reads tokens, of which it knows {vocabulary:,}; {unknown} of those in the test rows it does not. A"
        " test row with a text has {median:,} tokens in the middle and {longest:,} at the most.",
        vocabulary=found["vocabulary"],
        unknown=share(found["unknown"]),
        median=round(found["median"]),
        longest=found["longest"],
    )
    if not found["full"]:
        return text
    return said(
        "{text} {share} of these rows reach the {most:,} that are kept: what follows is not read.",
        text=text,
        share=share(found["full"]),
        most=found["most"],
    )


def _telling(found: Sequence[Mapping[str, Any]]) -> list[Block]:
    about = said(
        "Words that are surely more frequent in one class than in the others, the surest first: log-odds with a prior"
        " of all texts (Monroe, Colaresi & Quinn 2008), from rows learnt from alone. A word counts once in each text."
    )
    known = [each for each in found if each["words"]]
    if not known:
        return [Paragraph(said("No word is surely more frequent in one class than in the others."))]
    rows = [[_group(each), " \u00b7 ".join(_word(word) for word in each["words"])] for each in known]
    numbers = [
        [_group(each), _word(w), f"{w['z']:.1f}", share(w["share"]), share(w["elsewhere"])]
        for each in known
        for w in each["words"]
    ]
    header = [said("class"), said("word"), said("standard errors"), said("of its texts"), said("of the others")]
    return [
        Paragraph(about),
        Rows([said("class"), said("words")], rows, numbers=False),
        Folded(said("The numbers of these words"), [Rows(header, numbers)]),
    ]


def _group(found: Mapping[str, Any]) -> str:
    return GROUPS.get(found["name"], shown(found["name"])) if found["name"] in HALVES else shown(found["name"])


def _word(found: Mapping[str, Any]) -> str:
    return shortened(found["word"], MOST_LETTERS)
