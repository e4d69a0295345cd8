"""Which language a text is in, as far as its script and a few common words tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LOOKED_AT = 4_000
"""Characters at the beginning of a text that are looked at."""

CLEAR = 0.7
"""Share of its words above which a text is in one language and not mixed: brands and names are no other language."""

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9f]+")
LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a]+(?:['\u2019][A-Za-z]+)?")
LETTERS = re.compile(r"[^\W\d_]+")

ENGLISH = (
    "the and of to is it that was for with this you not but are have they at be his her from or an by we what "
    "would there who which will all been has if were as my so very your how it's don't i'm"
)
FOREIGN = (
    "que el los las una por para con del como pero muy est\u00e1 le les des est une pas pour dans qui vous avec sur "
    "und der das ist nicht ein eine ich zu mit auf den auch il che di non per sono della questo um uma n\u00e3o os "
    "e\u011fer bir ve het een van niet och att det som inte jest nie na si\u0119 w z je nous la de et en"
)
"""Common words of other languages in Latin letters, without those that English has too."""

ENGLISH_WORDS, FOREIGN_WORDS = (frozenset(words.split()) for words in (ENGLISH, FOREIGN))


def language_of(text: str) -> str:
    """``zh``, ``en``, ``other`` (any third language), ``mixed`` (no language has most of it) or ``none`` (no letters).

    By script first: a Chinese character counts as a word, letters between blanks as one. Kana among the characters is
    Japanese. Latin letters are English unless common words or accents speak for another language (the common words of
    Ingle 1976). A guess, good for counting over many texts, not for a text of three words.
    """
    text = text[:LOOKED_AT]
    if text.isascii():
        words = LATIN.findall(text)
        return _latin(words) if words else "none"
    han, kana = (sum(map(len, script.findall(text))) for script in (HAN, KANA))
    words = LATIN.findall(text)
    rest = len(LETTERS.findall(LATIN.sub(" ", KANA.sub(" ", HAN.sub(" ", text)))))
    every = han + kana + len(words) + rest
    if not every:
        return "none"
    if kana * 10 > han + kana:
        return "other" if (han + kana) >= CLEAR * every else "mixed"
    if han >= CLEAR * every:
        return "zh"
    if len(words) >= CLEAR * every:
        return _latin(words)
    return "other" if rest >= CLEAR * every else "mixed"


def languages(texts: Sequence[str]) -> dict[str, int]:
    """How many texts are in which language as ``language_of`` says, the most frequent first."""
    return dict(Counter(map(language_of, texts)).most_common())


def _latin(words: Sequence[str]) -> str:
    """``en`` or ``other``, of a text in Latin letters."""
    words = [word.lower().replace("\u2019", "'") for word in words]
    english, foreign = (sum(word in known for word in words) for known in (ENGLISH_WORDS, FOREIGN_WORDS))
    if english != foreign:
        return "en" if english > foreign else "other"
    return "other" if sum(not word.isascii() for word in words) * 8 > len(words) else "en"
