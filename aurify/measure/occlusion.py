"""Which words an answer hangs on: a text is read again without each of them."""

# N tested rows, P pieces of a row's texts

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aurify.data.packed import Packed
from aurify.measure.bands import plain
from aurify.measure.pieces import Span, grouped, spans, visible
from aurify.measure.places import Inputs, Respond, TextPlace, rows_of
from aurify.measure.predictions import Predictions

MOST_PIECES = 60
"""Of the texts of one row together: neighbours are left out together where there are more words."""

FEWEST_PIECES = 8

MOST_CHARACTERS = 1000
"""Of a text that are looked at word by word; what follows is one piece."""

SMALLEST = 1e-6
"""Probabilities are not taken as nearer to 0 or 1 than this, where their odds would be endless."""


def occlusion(
    predictions: Predictions,
    respond: Respond,
    inputs: Inputs,
    columns: Sequence[TextPlace],
    rows: Sequence[int],
    *,
    most: int = MOST_PIECES,
    check: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """What each word adds to the answers for ``rows`` (positions): the answer less the one without that word.

    Occlusion (Zeiler & Fergus 2014), of words: erasure (Li, Monroe & Jurafsky 2016). It asks nothing of the model but
    answers, so that blends and trees are told as well as networks, and its numbers mean what they say; gradients times
    inputs are faster, and tell of a step too small for any word. Two words of which either is enough both seem to do
    nothing.

    Each row has its ``row`` id, ``prediction`` and ``target`` (None where unknown), the ``answer`` (the probability of
    the predicted class, or the number) and ``texts``: of each column its ``pieces`` in order, with their ``text``, and
    for those that are not blank ``without``, the answer without the piece, and its ``effect``: the log-odds of the
    answer, or the number, less those without; ``start`` is where it begins. A piece with ``more`` instead of a text
    stands for so many further characters.
    """
    found = []
    for at in rows:
        check()
        one = rows_of(inputs, np.array([at]))
        cut = [list(_pieces(column.values(one)[0], max(FEWEST_PIECES, most // len(columns)))) for column in columns]
        asked = _without(one, columns, cut)
        replies = respond(asked, np.full(len(asked["texts"]), at))
        told = replies if predictions.classes is None else replies[:, int(predictions.prediction[at])]
        texts = {column.name: column.values(one)[0] for column in columns}
        found.append(about(predictions, at, float(told[0])) | {"texts": _told(predictions, texts, cut, told)})
    return found


def _pieces(text: str, most: int) -> Iterator[tuple[Span, Span | None]]:
    """Each piece and what is taken away for it, with the blanks behind it; None for blanks, which stay."""
    shown = text[:MOST_CHARACTERS] if len(text) > MOST_CHARACTERS else text
    at = 0
    for start, end in grouped(spans(shown), most - (shown is not text)):
        if start > at:
            yield (at, start), None
        behind = len(shown) - len(shown[end:].lstrip())
        yield (start, end), (start, behind)
        at = end
    if at < len(shown):
        yield (at, len(shown)), None
    if shown is not text:
        yield (len(shown), len(text)), (len(shown), len(text))


def _without(one: dict[str, Any], columns: Sequence[TextPlace], cut: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The row itself, then without each piece (1 + P, ...); texts of columns that are not looked at stay."""
    texts = [text for column in range(one["texts"].columns) for text in one["texts"].column(column)]
    rows = [texts]
    for place, pieces in zip((column.at for column in columns), cut, strict=True):
        for _, gone in pieces:
            if gone is not None:
                # blanks at the ends go, as they do wherever texts are read
                less = (texts[place][: gone[0]] + texts[place][gone[1] :]).strip()
                rows.append([*texts[:place], less, *texts[place + 1 :]])
    asked = rows_of({k: v for k, v in one.items() if k != "texts"}, np.zeros(len(rows), dtype=np.int64))
    return {**asked, "texts": Packed.of(list(zip(*rows, strict=True)))}


def about(predictions: Predictions, at: int, answer: float) -> dict[str, Any]:
    """The row at a position: its id, its target and what is answered."""
    names, target = predictions.classes, None if predictions.target is None else predictions.target[at]
    prediction = predictions.prediction[at]
    return {
        "row": int(predictions.row[at]),
        "target": None if target is None else plain(target) if names is None else names[target],
        "prediction": plain(prediction) if names is None else names[prediction],
        "answer": plain(answer),
    }


def _told(
    predictions: Predictions, texts: Mapping[str, str], cut: Sequence[Sequence[Any]], told: np.ndarray
) -> list[dict[str, Any]]:
    """The pieces of each column's text, with the answers (1 + P,) to the whole row and without each of them."""
    height = told if predictions.classes is None else log_odds(told)
    found, at = [], 0
    for (name, text), pieces in zip(texts.items(), cut, strict=True):
        every = []
        for (start, end), gone in pieces:
            beyond = start == MOST_CHARACTERS
            piece: dict[str, Any] = {"more": end - start} if beyond else {"text": visible(text[start:end])}
            if gone is not None:
                at += 1
                piece |= {"effect": plain(height[0] - height[at]), "without": plain(told[at])}
            every.append({**piece, "start": start})
        found.append({"column": name, "pieces": every})
    return found


def log_odds(share: np.ndarray) -> np.ndarray:
    """Of probabilities of any shape, those very near to 0 and 1 taken as a little farther."""
    share = share.clip(SMALLEST, 1 - SMALLEST)
    return np.log(share) - np.log1p(-share)
