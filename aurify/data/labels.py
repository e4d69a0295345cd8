"""Labels of another file that are spelt otherwise than those learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aurify.core.words import listed, said
from aurify.data.texts import known_texts

if TYPE_CHECKING:
    import polars as pl

SHOWN = 5


def match_labels(labels: pl.Series, known: Sequence[str]) -> tuple[pl.Series, str]:
    """Labels (N,) in the known spelling where they differ by case, blanks or a trailing dot; and how they differed.

    What is known as it stands, or would fit two known labels, stays.
    """
    texts = known_texts(labels)
    keys = Counter(_key(label) for label in known)
    spelt = {_key(label): label for label in known if keys[_key(label)] == 1}
    others = [label for label in texts.unique(maintain_order=True).drop_nulls() if label not in known]
    respelt = {label: spelt[_key(label)] for label in others if _key(label) in spelt}
    if not respelt:
        return labels, ""
    pairs = [said("{label!r} as {meant!r}", label=label, meant=meant) for label, meant in list(respelt.items())[:SHOWN]]
    shown = listed(pairs, ",")
    if len(respelt) > SHOWN:
        shown = said("{names} and {count:,} more", names=shown, count=len(respelt) - SHOWN)
    return texts.replace(respelt), said("taken {pairs}", pairs=shown)


def _key(label: str) -> str:
    """What is left of a label when its spelling does not count.

    >>> _key(" >50K. "), _key("Very  Good")
    ('>50k', 'very good')
    """
    return " ".join(label.split()).rstrip(". ").casefold()
