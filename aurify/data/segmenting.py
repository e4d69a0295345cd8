"""Chinese words of many texts: on all cores where there are many, and never twice of the same text."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import lru_cache
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np

from aurify.core.cores import cores
from aurify.core.errors import AurifyError
from aurify.core.optional import imported
from aurify.data import jieba_words
from aurify.data.jieba_words import Counted, cut, heard, load, segmented
from aurify.data.vocabulary import Cut, packed

MANY_CHARACTERS = 500_000
"""So many take a second or two: less is not worth beginning processes that each load a dictionary."""

BATCH_CHARACTERS = 100_000
MOST_PROCESSES = 16

MOST_BYTES = 2**27
"""What the texts that are remembered and their words may take."""

DICTIONARY_BYTES = 2**24
ENTRY = re.compile(r"(.+?)(?: ([0-9]{1,12}))?(?: ([a-z]+))?")
"""A line of a user's dictionary as jieba reads it: a word, perhaps its count, perhaps its part of speech."""

Entries = tuple[tuple[str, int | None], ...]


def read_dictionary(path: str) -> Entries:
    """The words of a user's dictionary file; raises AurifyError for one that cannot be used."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(DICTIONARY_BYTES + 1)
        if len(data) > DICTIONARY_BYTES:
            raise AurifyError(f"tokenize.dictionary: {path} has more than {DICTIONARY_BYTES:,} bytes; name fewer words")
        lines = data.decode("utf-8-sig").splitlines()
    except OSError as error:
        raise AurifyError(f"tokenize.dictionary: {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise AurifyError(f"tokenize.dictionary: {path} is not UTF-8; save it as that") from None
    return tuple(_entry(path, at, line.strip()) for at, line in enumerate(lines, 1) if line.strip())


def _entry(path: str, at: int, line: str) -> tuple[str, int | None]:
    match = ENTRY.fullmatch(line)
    word, count = (match[1], match[2]) if match else (line, None)
    if count is not None and int(count) == 0:
        raise AurifyError(f"tokenize.dictionary: line {at} of {path} gives {word!r} a count of 0; allowed: 1 or more")
    return word, None if count is None else int(count)


@lru_cache(maxsize=2)
def segmenter(entries: Entries, hmm: bool) -> Segmenter:
    """The one of this process: its dictionary is loaded once, and texts that were cut before are not cut again."""
    return Segmenter(entries, hmm)


class Segmenter:
    """Cuts texts into jieba's words and a user's own; ``hmm`` finds words that no dictionary has (Sun 2012, jieba)."""

    def __init__(self, entries: Entries, hmm: bool):
        imported("jieba", "tokenize.by = 'jieba'", "text")
        self.entries, self.hmm = entries, hmm
        self._cutting, self._loading = threading.Lock(), threading.Lock()
        self._loaded: Any = None
        self._forget()

    def __call__(self, texts: Sequence[str], columns: int = 1) -> Cut:
        """Cut ``texts``, ``columns`` of them a row."""
        with self._cutting:
            if self._bytes > MOST_BYTES:
                self._forget()
            fresh = [text for text in dict.fromkeys(texts) if text not in self._places]
            batches = _batches(fresh)
            for batch, counted in zip(batches, self._counted(batches, sum(map(len, fresh))), strict=True):
                self._remember(batch, counted)
            found = [self._places[text] for text in texts]
            words = self._words
        ends = accumulate((len(places) // 4 for places in found), initial=0)
        return Cut(packed(b"".join(found), array("q", ends), columns), words)

    def cut(self, text: str) -> list[str]:
        """One text, all of its characters, that nobody need remember."""
        return cut(self._tokenizer, text, self.hmm)

    def _forget(self) -> None:
        self._places, self._bytes = dict[str, bytes](), 0
        self._words, self._known = list[str](), dict[str, int]()  # those who have the old list go on using it

    def _remember(self, texts: Sequence[str], counted: Counted) -> None:
        words, lengths, places = counted
        own = np.array([self._known.setdefault(word, len(self._known)) for word in words], dtype=np.int32)
        self._words.extend(islice(self._known, len(self._words), None))
        every = own[np.frombuffer(places, dtype=np.int32)] if len(places) else own
        start = 0
        for text, length in zip(texts, lengths, strict=True):
            self._places[text] = every[start : start + length].tobytes()
            start += length
        self._bytes += sum(200 + 4 * len(text) for text in texts) + every.nbytes

    def _counted(self, batches: Sequence[list[str]], characters: int) -> Iterator[Counted]:
        count = min(cores(), len(batches), MOST_PROCESSES)
        if count < 2 or characters < MANY_CHARACTERS or not sys.executable:
            yield from map(self._here, batches)
            return
        with ExitStack() as stack:
            free = queue.SimpleQueue[_Process]()
            for _ in range(count):
                free.put(stack.enter_context(_Process(self.entries, self.hmm)))

            def answer(batch: list[str]) -> Counted:
                process = free.get()
                try:
                    return process.ask(batch) or self._here(batch)  # a process that fails costs time alone
                finally:
                    free.put(process)

            threads = stack.enter_context(ThreadPoolExecutor(count))
            yield from threads.map(answer, batches)

    def _here(self, texts: Sequence[str]) -> Counted:
        return segmented(self._tokenizer, texts, self.hmm)

    @property
    def _tokenizer(self) -> Any:
        with self._loading:
            if self._loaded is None:
                self._loaded = load(self.entries)
            return self._loaded


def _batches(texts: Sequence[str]) -> list[list[str]]:
    """Texts in order, some hundred thousand characters at a time."""
    batches, room = list[list[str]](), 0
    for text in texts:
        if room <= 0:
            batches.append([])
            room = BATCH_CHARACTERS
        batches[-1].append(text)
        room -= len(text) + 1
    return batches


class _Process:
    """A process that cuts what it is asked about, until it is left."""

    def __init__(self, entries: Entries, hmm: bool):
        self._settings = {"entries": entries, "hmm": hmm}
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Process:
        command = [sys.executable, "-P", jieba_words.__file__]
        with suppress(OSError):
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="ascii"
            )
            self._say(self._settings)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def ask(self, texts: Sequence[str]) -> Counted | None:
        """The answer; None from a process that cannot give one."""
        if self._process is None or self._process.stdout is None:
            return None
        try:
            self._say(texts)
            return heard(self._process.stdout.readline())
        except (OSError, ValueError):
            return None

    def _say(self, plain: Any) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(plain) + "\n")
        self._process.stdin.flush()
