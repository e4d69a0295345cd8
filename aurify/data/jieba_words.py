"""Chinese words by jieba, in this process or as a process of its own that is told texts through a pipe.

Run as a file it imports nothing of aurify, so that it begins fast: the first line it reads says how to cut, every
further one is a list of texts, each answered in a line.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import warnings
from array import array
from collections.abc import Sequence
from typing import Any

LONGEST_BLOCK = 1_000
"""Characters without a sign among them that are cut together: jieba's time grows with the square of it."""

Counted = tuple[list[str], "array[int]", "array[int]"]
"""Different words, how many words each text has, and for every word where it is among the different ones."""


def load(entries: Sequence[Sequence[Any]]) -> Any:
    """A tokenizer of jieba's own words and the ``entries``: pairs of a word and how often it is there, or None.

    jieba would keep what it loads in a file of the folder for temporary files, and read whatever lies there; here the
    words are read from the package each time, which takes half a second and trusts nobody.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba

        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    for word, count in entries:
        tokenizer.add_word(word, count)
    return tokenizer


def segmented(tokenizer: Any, texts: Sequence[str], hmm: bool) -> Counted:
    """The words of texts, blanks left out."""
    known: dict[str, int] = {}
    lengths, places = array("i"), array("i")
    for text in texts:
        found = [known.setdefault(word, len(known)) for word in cut(tokenizer, text, hmm) if not word.isspace()]
        places.extend(found)
        lengths.append(len(found))
    return list(known), lengths, places


def cut(tokenizer: Any, text: str, hmm: bool) -> list[str]:
    """Every character of a text in words, blanks too."""
    if len(text) <= LONGEST_BLOCK:
        return tokenizer.lcut(text, HMM=hmm)
    import jieba

    blocks = jieba.re_han_default.split(text)
    pieces = (block[at : at + LONGEST_BLOCK] for block in blocks for at in range(0, len(block), LONGEST_BLOCK))
    return [word for piece in pieces for word in tokenizer.lcut(piece, HMM=hmm)]


def told(counted: Counted) -> str:
    """Words and numbers as a line."""
    words, *numbers = counted
    return json.dumps([words, *(base64.b64encode(n.tobytes()).decode("ascii") for n in numbers)])


def heard(line: str) -> Counted:
    """What ``told`` made a line of."""
    words, *numbers = json.loads(line)
    lengths, places = (array("i", base64.b64decode(n)) for n in numbers)
    return words, lengths, places


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody; who asks decides
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # whatever a package prints is no answer
    settings = json.loads(sys.stdin.readline())
    tokenizer = load(settings["entries"])
    for line in sys.stdin:
        answers.write(told(segmented(tokenizer, json.loads(line), settings["hmm"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
