"""What texts are like: how long they are, and which words tell the classes apart."""

# N texts, V words

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.measure.bands import plain
from aurify.measure.pieces import words

BINS = 24

PRIOR = 500.0
"""Words that the prior of all texts together is worth."""

SURE = 3.0
"""Standard errors that a word must be away from no difference, for many words are looked at."""

MOST_WORDS, MOST_CLASSES, MOST_TEXTS = 10, 10, 5000
MOST_CHARACTERS = 5000
"""Of a text in which words are looked for: its beginning."""

FEWEST_TEXTS = 5
"""In which a word must be."""


def lengths(parts: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Of each part's lengths (N,): quantiles, how many are empty, and counts in ``edges`` that all parts share."""
    every = np.concatenate([each[each > 0] for each in parts.values()])
    top = float(np.quantile(every, 0.99)) if len(every) else 1.0
    edges = np.unique(np.round(np.linspace(0, max(top, 1.0), min(BINS, int(max(top, 1.0))) + 1)))
    counts = {name: np.histogram(each, edges)[0].tolist() for name, each in parts.items()}
    told = {name: plain(np.quantile(each, [0, 0.25, 0.5, 0.75, 1])) for name, each in parts.items() if len(each)}
    return {
        "edges": plain(edges),
        "counts": counts,
        "outside": int((every > edges[-1]).sum()),
        "quantiles": told,
        "empty": {name: int((each == 0).sum()) for name, each in parts.items()},
        "rows": {name: len(each) for name, each in parts.items()},
    }


def telling_words(texts: Sequence[str], group: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """The words that tell each group from the others: log-odds with an informative Dirichlet prior.

    Monroe, Colaresi & Quinn 2008: odds of a word in a group over those elsewhere, drawn towards its share in all texts
    by a prior worth ``PRIOR`` words, and divided by its standard error. A word counts once a text, however often it is
    said there. ``group`` (N,) are positions among ``names``. Of each of the groups (the ``MOST_CLASSES`` largest) up to
    ``MOST_WORDS`` that are surely more frequent there: ``word``, ``z``, ``share`` of its texts that have the word, and
    ``elsewhere``.
    """
    told: dict[str, int] = {}
    row, code = [], []
    for at, text in enumerate(texts):
        for word in sorted(words(text[:MOST_CHARACTERS])):
            row.append(at)
            code.append(told.setdefault(word, len(told)))
    known, places, owner = list(told), np.array(code, dtype=np.int64), group[np.array(row, dtype=np.int64)]
    both = np.bincount(places, minlength=max(1, len(known))).astype(np.float64)
    sizes = np.bincount(group, minlength=len(names))
    found = []
    for at in np.argsort(-sizes, kind="stable")[:MOST_CLASSES].tolist():
        inside = np.bincount(places[owner == at], minlength=len(both)).astype(np.float64)
        z = np.where(both >= FEWEST_TEXTS, _log_odds(inside, both - inside), 0.0)
        best = [i for i in np.argsort(-z, kind="stable")[:MOST_WORDS].tolist() if z[i] > SURE]
        rest = max(1, len(texts) - int(sizes[at]))
        about = [(known[i], z[i], inside[i] / max(1, sizes[at]), (both[i] - inside[i]) / rest) for i in best]
        told_words = [dict(zip(("word", "z", "share", "elsewhere"), (w, *plain(n)), strict=True)) for w, *n in about]
        found.append({"name": names[at], "texts": int(sizes[at]), "words": told_words})
    return found


def _log_odds(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """How far (V,) the odds of words are above those elsewhere, in standard errors."""
    both = inside + outside
    total = both.sum()
    if not total or not inside.sum() or not outside.sum():
        return np.zeros(len(both))
    prior = PRIOR * both / total
    difference, variance = 0.0, 0.0
    for sign, counts in ((1, inside), (-1, outside)):
        own = counts + prior
        difference = difference + sign * (np.log(own) - np.log(counts.sum() + PRIOR - own))
        variance = variance + 1 / own
    return difference / np.sqrt(variance)
