"""Whether texts of a column say something, or name it: sentences and headlines beside names, addresses and codes."""

from __future__ import annotations

import re
from collections.abc import Sequence

LOOKED_AT = 500
"""Different texts that are looked at."""

LETTERED = 0.6
"""Share of words made of letters, of which phone numbers, coordinates and part numbers have fewer."""

SMALL, COMMON = 0.25, 0.08
"""Shares of words that begin with a small letter, and of common ones, of which names and addresses have fewer."""

LONG = 30
"""Characters on average from which Chinese texts are no names and addresses."""

PLAIN_WORDS = 0.15
"""Share of Chinese texts that have one of ``PARTICLES``, which names and addresses lack."""


COMMON_WORDS = (
    "the a an of to in on at for from with by as and or but not is are was be has have will it its he she they you i"
    " after over into new how why what der die das und von zu mit im le la les de du des et en un une el los y para"
    " che di il per sono"
)
WORDS = frozenset(COMMON_WORDS.split())

PARTICLES = re.compile(
    "[\u7684\u4e86\u662f\u4e0d\u6211\u6709\u5f88\u4e5f\u5c31\u90fd\u8fd9\u597d\u5417\u4e48\u4f60\u88ab\u5c06]"
)
IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
LETTERS = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def says_something(texts: Sequence[str], *, short: bool) -> bool:
    """Whether most of these texts are prose; of long ones it is enough that they are made of words.

    Names, addresses and the like have capitals at nearly every word, digits, and none of the words that join others.
    """
    few = texts[:: max(1, len(texts) // LOOKED_AT)][:LOOKED_AT]
    if sum(IDEOGRAPH.search(text) is not None for text in few) > len(few) / 2:
        short = sum(map(len, few)) < LONG * len(few)
        return not short or sum(PARTICLES.search(text) is not None for text in few) >= PLAIN_WORDS * len(few)
    words = [word.strip(".,;:!?\"'()[]") for text in few for word in text.split()]
    words = [word for word in words if word]
    lettered = [word for word in words if LETTERS.fullmatch(word)]
    if len(lettered) < (LETTERED if short else LETTERED / 2) * max(1, len(words)):
        return False
    if not short or not any(word != word.lower() or word != word.upper() for word in lettered):
        return True
    small = sum(word[0] != word[0].upper() for word in lettered)
    common = sum(word.lower() in WORDS for word in lettered)
    return small >= SMALL * len(lettered) or common >= COMMON * len(lettered)
